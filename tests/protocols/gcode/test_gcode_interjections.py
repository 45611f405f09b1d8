"""What may be said beside a plate: the table, and that it is whole."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.gcode.interjections import ALLOWED, NEVER, REFUSED, objection
from protocols.gcode.lines import parse


def why(line: str, *, printing: bool = True) -> str:
    command = parse(line)
    assert command is not None
    return objection(command, printing=printing)


def test_every_command_stands_in_one_table_only() -> None:
    assert not set(ALLOWED) & set(REFUSED)
    assert not set(ALLOWED) & set(NEVER)
    assert not set(REFUSED) & set(NEVER)


@pytest.mark.parametrize(
    "line", ["M105", "M114", "M117 nearly done", "M220 S80", "M221 S98", "M106 S128", "M107",
             "M104 S215", "M140 S55", "m290 z-0.05", "M876 S1"]
)  # fmt: skip
def test_looking_talking_and_tuning_are_allowed_in_mid_print(line: str) -> None:
    assert why(line) == ""


@pytest.mark.parametrize(
    "line", ["G1 Z10", "G28", "M104 S0", "M140", "M109 S200", "M84", "G92 E0", "M600", "T0", "M410",
             "M108", "G91", "M500", "M4711"]
)  # fmt: skip
def test_what_would_ruin_a_plate_has_a_reason_against_it_and_is_free_when_nothing_prints(
    line: str,
) -> None:
    assert why(line)
    assert why(line, printing=False) == ""


@pytest.mark.parametrize("line", ["M110 N0", "M28 x.gco", "M29", "M24", "M999", "M997"])
def test_what_confuses_the_host_is_refused_at_any_time(line: str) -> None:
    assert why(line)
    assert why(line, printing=False) == why(line)


@given(st.from_regex(r"[GMT][0-9]{1,4}( [A-Z]-?[0-9]{0,3}){0,3}", fullmatch=True))
def test_what_is_not_listed_as_allowed_is_refused_while_a_plate_prints(line: str) -> None:
    command = parse(line)
    assert command is not None
    if command.name not in ALLOWED:
        assert objection(command, printing=True)
