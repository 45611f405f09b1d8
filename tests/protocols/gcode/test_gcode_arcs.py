from math import cos, pi, sin, tau

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.gcode.rules import Limits, check_program
from protocols.gcode.survey import survey

BED = Limits(bed_x_mm=200, bed_y_mm=200, height_mm=200, margin_mm=0)
STEPS = 4000
Sample = tuple[float, float]


def place(letter: str, value: float) -> str:
    return f"{letter}{value:.9f}"


@given(
    middle=st.tuples(st.floats(-300, 300), st.floats(-300, 300)),
    radius=st.floats(0.1, 200),
    began=st.floats(-pi, pi),
    swept=st.floats(0.01, tau - 0.01) | st.just(tau),
    clockwise=st.booleans(),
    form=st.sampled_from(["I J", "R", "relative", "P"]),
)
def test_what_an_arc_prints_at_is_what_its_points_are(
    *, middle: Sample, radius: float, began: float, swept: float, clockwise: bool, form: str
) -> None:
    if form == "R" and swept == tau:
        form = "I J"  # no radius tells where the middle of a whole circle is

    def at(angle: float) -> Sample:
        turned = began - angle if clockwise else began + angle
        return middle[0] + radius * cos(turned), middle[1] + radius * sin(turned)

    (x, y), (end_x, end_y) = at(0.0), at(0.0 if swept == tau else swept)
    words = [place("X", end_x), place("Y", end_y)]
    if form == "R":
        words.append(place("R", -radius if swept > pi else radius))
    else:
        words += [place("I", middle[0] - x), place("J", middle[1] - y)]
    before = []
    if form == "relative":
        before = ["G91"]
        words[:2] = [place("X", end_x - x), place("Y", end_y - y)]
    if form == "P":
        words.append("P1")
    lines = [f"G1 {place('X', x)} {place('Y', y)} F600", "M83", *before]
    lines.append(" ".join(["G2" if clockwise else "G3", *words, "E1"]))

    found = survey(f"{line}\n".encode() for line in lines).extremes.part
    whole = tau if form == "P" else swept
    points = [at(whole * step / STEPS) for step in range(STEPS + 1)]
    # Samples miss the outermost point by what the arc bends on half a step, and R by its rounding.
    near = radius * (1 - cos(whole / STEPS)) + (1e-3 if form == "R" else 1e-5)
    for axis in (0, 1):
        reached = [point[axis] for point in points]
        assert found.low[axis] == pytest.approx(min(reached), abs=near)
        assert found.high[axis] == pytest.approx(max(reached), abs=near)


@pytest.mark.parametrize(
    ("arc", "place"),
    [
        ("G2 X180 Y190 I15 J0 E5", "Y205"),
        ("G2 I15 J0 X180 Y190 E5 F900", "Y205"),
        ("G2 X180 Y190 R15 E5", "Y205"),
        ("G2 X150 Y190 I0 J-60 E5", "X210"),
        ("G2 X180 Y190 I15 J0 P1 E5", "Y205"),
        ("G3 X180 Y190 I15 J0 E5", ""),
        ("G2 X180 Y190 R40 E5", ""),
        ("G2 X180 Y190 I15 J0", ""),
        ("G1 X180 Y190 I15 J0 E5", ""),
    ],
)
def test_an_arc_is_refused_for_where_it_bulges_to_though_its_ends_are_on_the_bed(
    arc: str, place: str
) -> None:
    lines = [b"G1 X150 Y190 F600\n", f"{arc}\n".encode()]
    found = [finding for finding in check_program(lines, BED) if finding.rule == "envelope"]
    assert [(one.line, place in one.words) for one in found] == ([(2, True)] if place else [])
