"""What is drawn and said of jobs and printers: true, readable, and within the terminal."""

import io
from typing import Any

import pytest
from rich.console import Console, Group, RenderableType

from coordinator.cli.watching import job_line, plain_lines, printers_table


def printer(**changes: Any) -> dict[str, Any]:
    return {
        "name": "Printer 1",
        "status": "busy",
        "bed": {"state": "occupied"},
        "run": {"id": "run-2"},
        "live": {
            "run_id": "run-2",
            "temperatures": {
                "tool0": {"actual_celsius": 204.6, "target_celsius": 205.0},
                "bed": {"actual_celsius": 60.0, "target_celsius": None},
            },
            "layer": 12,
            "layer_count": 240,
            "progress_ratio": 0.429,
            "remaining_s": 3900.0,
        },
        **changes,
    }


def job(**changes: Any) -> dict[str, Any]:
    return {
        "name": "barn.stl",
        "state": "printing",
        "held": False,
        "reason": "",
        "waits": [],
        "copies": 3,
        "copies_finished": 1,
        "copies_live": 1,
        "preparing_ratio": None,
        **changes,
    }


def drawn(what: RenderableType, columns: int) -> list[str]:
    out = io.StringIO()
    Console(file=out, width=columns, color_system=None).print(what)
    return out.getvalue().splitlines()


@pytest.mark.parametrize("columns", [80, 100, 200])
def test_a_printer_is_one_line_with_all_its_figures_however_narrow_the_terminal(
    columns: int,
) -> None:
    lines = drawn(printers_table([printer()]), columns)
    assert len(lines) == 2
    assert all(len(line) <= columns for line in lines)
    for figure in ("Printer 1", "busy", "bed 60", "tool0 205/205", "12/240", "42 %", "1 h 05 min"):
        assert figure in lines[1]


def test_progress_of_the_run_before_is_not_shown_as_that_of_the_next() -> None:
    lines = drawn(printers_table([printer(run={"id": "run-3"})]), 100)
    assert "42 %" not in lines[1]
    assert "tool0 205/205" in lines[1], "temperatures are those of the printer, whatever it prints"


def test_a_printer_that_was_never_heard_of_shows_no_figures() -> None:
    lines = drawn(printers_table([printer(live=None, run=None, status="offline")]), 100)
    assert lines[1].split()[:3] == ["Printer", "1", "offline"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "copies 1/3"),
        ({"held": True}, "paused"),
        ({"state": "preparing", "preparing_ratio": 0.5}, "slicing 50%"),
        ({"state": "failed", "reason": "the bed is too small"}, "the bed is too small"),
        ({"copies_live": 0, "waits": [{"words": "no printer is free"}]}, "no printer is free"),
    ],
)
def test_a_job_says_what_matters_now(changes: dict[str, Any], words: str) -> None:
    assert words in "\n".join(drawn(Group(job_line(job(**changes))), 120))


def test_without_a_terminal_a_line_changes_only_with_every_tenth() -> None:
    assert plain_lines(job(), [printer()]) == [
        "barn.stl: printing, 1 of 3 finished",
        "Printer 1: busy, 40 %",
    ]
    assert plain_lines(job(state="preparing", preparing_ratio=0.57), []) == [
        "barn.stl: preparing, sliced 50 %"
    ]
