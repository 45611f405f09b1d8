"""Code and words out of what language models answer."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordinator.adapters.providers.coding.answers import (
    Gathering,
    code_in,
    error_in,
    words_in,
)

SCAD = ("openscad", "scad")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("cube(1);", "cube(1);\n"),
        ("Here:\n```openscad\ncube(1);\n```\nEnjoy.", "cube(1);\n"),
        ("```\ncube(1);\n```", "cube(1);\n"),
        ("```openscad\ncube(1);\n```\nor\n```scad\ncube(2);\n```", "cube(2);\n"),
        ("```scad\ncube(1);\n```\nRun:\n```bash\nopenscad x\n```", "cube(1);\n"),
        ("<think>```scad\ncube(9);\n```</think>```scad\ncube(1);\n```", "cube(1);\n"),
        ("I think.\n</think>\n```scad\ncube(1);\n```", "cube(1);\n"),
        ("~~~OpenSCAD\ncube(1);\n~~~", "cube(1);\n"),
        ("```scad title=a\n\ncube(1);\n\n```", "cube(1);\n"),
        ("<think>for ever", ""),
        ("", ""),
    ],
)
def test_the_code_of_an_answer_is_its_last_block(text: str, code: str) -> None:
    assert code_in(text, SCAD) == code


def test_the_words_of_an_answer_are_what_is_no_code_and_no_thought() -> None:
    text = "<think>hm</think>A hook.\n\n```scad\ncube(1);\n```\n\nPrint it flat."
    assert words_in(text) == "A hook.\n\nPrint it flat."


@given(st.text())
def test_any_answer_has_code_and_words(text: str) -> None:
    assert isinstance(code_in(text, SCAD) + words_in(text), str)


def test_pieces_of_a_stream_add_up() -> None:
    gathering = Gathering()
    for document in (
        {"model": "m", "choices": [{"delta": {"role": "assistant", "content": ""}}]},
        {"choices": [{"delta": {"content": "cu"}}]},
        {"choices": [{"delta": {"content": "be"}, "finish_reason": None}]},
        {"choices": [{"delta": {}, "finish_reason": "stop"}]},
        {"choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 2, "cost": 0.25}},
    ):
        gathering.take(document)
    answer = gathering.answer
    assert (answer.text, answer.finish, answer.model) == ("cube", "stop", "m")
    assert (answer.tokens_in, answer.tokens_out, answer.cost) == (7, 2, Decimal("0.25"))


@pytest.mark.parametrize(
    "document",
    [{}, {"choices": None}, {"choices": [5]}, {"choices": [{"message": 5}]}, {"usage": "much"}],
)
def test_a_piece_of_another_shape_adds_nothing(document: dict[str, object]) -> None:
    gathering = Gathering()
    gathering.take(document)
    assert gathering.answer.text == ""
    assert gathering.answer.tokens_in == 0


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"error": {"message": "no", "code": 429}}, "no"),
        ([{"error": {"message": "no", "status": "RESOURCE_EXHAUSTED"}}], "no"),
        ({"error": "no"}, "no"),
    ],
)
def test_an_error_is_found_in_each_of_its_shapes(document: object, message: str) -> None:
    found = error_in(document)
    assert found is not None
    assert found["message"] == message


def test_an_answer_without_an_error_has_none() -> None:
    assert error_in({"error": None, "choices": []}) is None
    assert error_in([]) is None
