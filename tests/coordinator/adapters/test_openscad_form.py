"""The form that OpenSCAD code asks for, and the values that come back for it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordinator.adapters.rendering.filling import filled
from coordinator.adapters.rendering.openscad_form import form_of, parameter_file
from coordinator.domain.code_forms import Choice, Parameter

CODE = """\
// how wide, in mm
width = 20; // [10:100]
depth = 10.5; // [0:0.5:20]
count = 5; // 1
name = "a\\"b"; // 8
flag = true;
size = "small"; // [small, medium:Middling, "large"]
n = 3; // [1:One, 3:Three]
v = [1, -2.5];
/* [Holes] */
/* a long
comment = 7; */
// how many
holes = 2; // [0:4]
computed = width * 2;
/* [Global] */
tint = "red";
/* [Hidden] */
$fn = 64;
/* [Late] */
late = 1;
module part() {
  inner = 1;
}
after = 1;
"""


def by_name(code: str = CODE) -> dict[str, Parameter]:
    return {each.name: each for each in form_of(code)}


def test_a_form_has_the_parameters_in_their_order_and_nothing_hidden_computed_or_within() -> None:
    assert [each.name for each in form_of(CODE)] == [
        *("width", "depth", "count", "name", "flag", "size", "n", "v", "holes", "tint", "late")
    ]


def test_a_range_bounds_a_number_and_the_line_above_describes_it() -> None:
    width, depth = by_name()["width"], by_name()["depth"]
    assert (width.type, width.default, width.minimum, width.maximum) == ("integer", 20, 10, 100)
    assert width.words == "how wide, in mm"
    assert (depth.type, depth.minimum, depth.step, depth.maximum) == ("number", 0, 0.5, 20)
    assert depth.words == ""


def test_a_list_gives_choices_with_their_labels() -> None:
    assert by_name()["size"].choices == (
        Choice(value="small", label="small"),
        Choice(value="medium", label="Middling"),
        Choice(value="large", label="large"),
    )
    assert by_name()["n"].choices == (Choice(value=1, label="One"), Choice(value=3, label="Three"))


def test_types_groups_and_lengths_are_those_of_the_code() -> None:
    found = by_name()
    assert (found["name"].type, found["name"].default) == ("string", 'a"b')
    assert found["name"].characters_max == 8
    assert (found["flag"].type, found["flag"].default) == ("boolean", True)
    assert (found["v"].type, found["v"].default) == ("vector", (1, -2.5))
    assert (found["holes"].group, found["holes"].words) == ("Holes", "how many")
    assert found["tint"].group == ""
    assert found["count"].step == 1


@given(st.text())
def test_any_text_has_a_form(code: str) -> None:
    assert all(each.name for each in form_of(code))


def test_values_that_fit_are_taken() -> None:
    given = {"width": 30, "name": '";cube(9);', "flag": False, "v": "[3, 4]", "size": "large"}
    values, wrong = filled(form_of(CODE.replace("// 8", "")), given)
    assert wrong == ()
    assert values == {**given, "v": (3, 4)}


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("width", 9, "below 10"),
        ("width", 101, "above 100"),
        ("width", 20.5, "not of its type"),
        ("width", True, "not of its type"),
        ("width", "20", "not of its type"),
        ("depth", float("nan"), "not of its type"),
        ("name", "123456789", "too long"),
        ("tint", "a\x00b", "control"),
        ("size", "giant", "none of small, medium, large"),
        ("v", "[1]", "needs 2"),
        ("v", "[1, rands(1)]", "not of its type"),
        ("nothing", 1, "no parameter"),
    ],
)
def test_a_value_that_does_not_fit_is_named(name: str, value: object, words: str) -> None:
    values, wrong = filled(form_of(CODE), {name: value})  # type: ignore[dict-item]
    assert values == {}
    assert name in wrong[0]
    assert words in wrong[0]


def test_a_parameter_file_holds_texts_that_are_values() -> None:
    found = json.loads(parameter_file({"a": 1.5, "b": True, "c": (1, 2), "d": '"; cube();'}))
    assert found["parameterSets"]["farm"] == {
        "a": "1.5",
        "b": "true",
        "c": "[1, 2]",
        "d": '"; cube();',
    }
