"""The form of CAD Python is read from its class, and nothing of it is run."""

from hypothesis import given
from hypothesis import strategies as st

from coordinator.adapters.rendering.cad_form import form_of
from coordinator.domain.code_forms import Choice

CODE = '''\
from build123d import *
from dataclasses import dataclass

@dataclass
class Params:
    """What can be changed."""
    width: float = 40.0  # [10:200] how wide, in mm
    depth: float = 5  # [0:0.5:20]
    # [Holes]
    # not a heading
    count: int = 3  # [1:4] how many
    style: str = "round"  # [round, square:With corners] how they look
    size: int = 2  # [1:Small, 2:Large]
    offset: float = -1.5
    open: bool = True  # whether it is open
    unknown: list = None
    computed: float = 2 * 3
    wrong: int = "five"
    yes: int = True
    free = 5

def build(params: Params):
    return Box(params.width, 1, 1)
'''


def test_a_form_has_the_fields_of_params_with_plain_defaults() -> None:
    found = {each.name: each for each in form_of(CODE)}
    assert list(found) == ["width", "depth", "count", "style", "size", "offset", "open"]
    width, depth = found["width"], found["depth"]
    assert (width.type, width.default, width.minimum, width.maximum) == ("number", 40.0, 10, 200)
    assert (width.words, width.group) == ("how wide, in mm", "")
    assert (depth.minimum, depth.step, depth.maximum) == (0, 0.5, 20)
    assert (found["count"].type, found["count"].group) == ("integer", "Holes")
    assert found["offset"].default == -1.5
    assert (found["open"].type, found["open"].words) == ("boolean", "whether it is open")


def test_choices_have_values_and_labels() -> None:
    found = {each.name: each for each in form_of(CODE)}
    assert found["style"].choices == (
        Choice(value="round", label="round"),
        Choice(value="square", label="With corners"),
    )
    assert found["size"].choices == (Choice(value=1, label="Small"), Choice(value=2, label="Large"))


def test_code_without_params_or_that_is_no_python_has_no_form() -> None:
    assert form_of("result = 1") == ()
    assert form_of("class Params:") == ()
    assert form_of("x = (" * 500) == ()


@given(st.text())
def test_any_text_has_a_form(code: str) -> None:
    assert form_of(code) == ()
