"""Templates of requests, and pointers into answers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordinator.adapters.providers.json_pointer import (
    check_pointer,
    number_at,
    text_at,
    value_at,
)
from coordinator.adapters.providers.own_server.templates import fill, placeholders


def test_a_text_that_is_a_placeholder_becomes_the_value_with_its_type() -> None:
    template = {"seed": "${seed}", "texture": "${texture}", "name": "job-${seed}-${texture}"}
    assert fill(template, {"seed": 7, "texture": False}) == {
        "seed": 7,
        "texture": False,
        "name": "job-7-false",
    }


def test_what_has_no_value_is_left_out_and_what_was_null_stays() -> None:
    template = {"image": "${image}", "seed": None, "list": ["${image}", 1], "text": "a${image}b"}
    assert fill(template, {}) == {"seed": None, "list": [1], "text": "ab"}
    assert fill("${image}", {}) is None


def test_an_object_with_a_condition_is_left_out_where_its_value_is_not_there() -> None:
    template = [{"$if": "image", "data": ["${image}"]}, {"$if": "prompt", "data": ["${prompt}"]}]
    assert fill(template, {"prompt": "a hook"}) == [{"data": ["a hook"]}]
    assert placeholders(template) == {"image", "prompt"}


@given(st.text())
def test_what_a_value_says_is_never_looked_at_for_placeholders(words: str) -> None:
    value = words + "${secret}${prompt}"
    assert fill("say ${prompt}", {"prompt": value, "secret": "word"}) == f"say {value}"
    assert fill("${prompt}", {"prompt": value, "secret": "word"}) == value


def test_the_placeholders_of_a_template_are_told_and_broken_ones_refused() -> None:
    assert placeholders({"a": ["${one}", {"b": "x ${option.two} ${one}"}]}) == {"one", "option.two"}
    for broken in ("${", "${One}", "${a b}", "${a:-b}", {"a": ["${a", 1]}):
        with pytest.raises(ValueError, match="placeholder"):
            placeholders(broken)
    deep: object = "x"
    for _ in range(40):
        deep = [deep]
    with pytest.raises(ValueError, match="deep"):
        placeholders(deep)


# The examples of RFC 6901, section 5, and what is not there.
DOCUMENT = {"foo": ["bar", "baz"], "": 0, "a/b": 1, "m~n": 8, "none": None, "yes": True, "x": "7"}


@pytest.mark.parametrize(
    ("pointer", "found"),
    [
        ("", DOCUMENT),
        ("/foo", ["bar", "baz"]),
        ("/foo/0", "bar"),
        ("/foo/2", None),
        ("/foo/-1", None),
        ("/foo/bar", None),
        ("/", 0),
        ("/a~1b", 1),
        ("/m~0n", 8),
        ("/none/more", None),
        ("/foo/0/more", None),
    ],
)
def test_a_pointer_leads_to_a_value(pointer: str, found: object) -> None:
    assert value_at(DOCUMENT, check_pointer(pointer)) == found


def test_texts_and_numbers_are_told_apart_from_what_only_looks_like_them() -> None:
    assert (text_at(DOCUMENT, "/m~0n"), text_at(DOCUMENT, "/yes")) == ("8", "")
    assert (number_at(DOCUMENT, "/m~0n"), number_at(DOCUMENT, "/yes")) == (8.0, None)
    assert number_at(DOCUMENT, "/x") is None


def test_what_is_no_pointer_is_refused() -> None:
    with pytest.raises(ValueError, match="slash"):
        check_pointer("data.id")
