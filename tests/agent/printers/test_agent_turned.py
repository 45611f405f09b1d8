"""How fan, speed and flow stand: by what was said, and what the firmware told."""

from pathlib import Path

import pytest

from agent.printers import turned as module
from agent.printers.driver import PlateFile
from agent.printers.plate_run import PlateRun
from agent.printers.run_record import Beginning, RunRecord
from agent.printers.turned import Turned
from protocols.gcode.dialects import MARLIN, REPETIER, REPRAPFIRMWARE, UNKNOWN
from protocols.gcode.survey import survey
from protocols.wire.vocabulary import UNTUNED, RunId, Tuning

PLATE = b"G28\nM106 S51\nG1 X1\nM220 B\nM220 S80\nG1 X2\nM220 R\nM106 P1 S255\nM107\nM221 S95\n"


@pytest.fixture
def run(tmp_path: Path) -> PlateRun:
    """A plate of which nothing was said yet."""
    path = tmp_path / "plate.gcode"
    path.write_bytes(PLATE)
    beginning = Beginning(run_id=RunId("run-1"), sha256="", kernel_boot_id="", first_number=1)
    with path.open("rb") as lines:
        found = survey(lines)
    return PlateRun(
        plate=PlateFile(path=path, sha256="", name="plate"),
        survey=found,
        record=RunRecord(beginning, None),
        file=path.open("rb"),
        worded=str,
    )


def at(run: PlateRun, position: int) -> None:
    """Have so many commands said and accepted."""
    run.supply.taken = run.supply.accepted = position


def figures(tuning: Tuning) -> tuple[float | None, float | None, float | None]:
    return tuning.fan_ratio, tuning.speed_ratio, tuning.flow_ratio


def test_what_nobody_said_or_told_is_unknown() -> None:
    assert Turned().now(MARLIN) == UNTUNED


def test_a_plate_turns_what_it_says_where_it_says_it(run: PlateRun) -> None:
    turned = Turned()
    turned.heard("FR:110%")
    turned.begin(run)
    seen = []
    for position in range(len(PLATE.splitlines()) + 1):
        at(run, position)
        seen.append(figures(turned.now(MARLIN)))
    assert seen == [
        (None, 1.1, None),
        (None, 1.1, None),
        (0.2, 1.1, None),
        (0.2, 1.1, None),
        (0.2, 1.1, None),
        (0.2, 0.8, None),
        (0.2, 0.8, None),
        (0.2, 1.1, None),  # as it was kept before
        (0.2, 1.1, None),  # another fan
        (0.0, 1.1, None),
        (0.0, 1.1, 0.95),
    ]


def test_what_was_said_last_counts_whoever_said_it(run: PlateRun) -> None:
    turned = Turned()
    turned.begin(run)
    at(run, 3)
    turned.said("M106 S255", 4)
    turned.said("M220 S150", 5)
    assert figures(turned.now(MARLIN)) == (1.0, 1.5, None)
    at(run, 5)
    assert figures(turned.now(MARLIN)) == (1.0, 0.8, None)
    at(run, 9)
    assert figures(turned.now(MARLIN)) == (0.0, 1.5, None)


def test_an_answer_is_as_old_as_its_question() -> None:
    turned = Turned()
    turned.said("M220", 7)
    turned.said("M220 S80", 8)
    assert turned.heard("FR:100%")
    assert turned.now(MARLIN).speed_ratio == 0.8
    # Somebody turned the knob at the printer since.
    turned.said("M220", 9)
    assert turned.heard("FR:120%")
    assert turned.now(MARLIN).speed_ratio == 1.2


def test_a_run_that_is_taken_up_knows_what_people_said_in_it(run: PlateRun) -> None:
    record = run.record
    for number, command in ((4, "M106 S255"), (5, "M114"), (6, "M220"), (7, "M220 S70")):
        record.note_own(number, command)
    turned = Turned()
    turned.begin(run)
    at(run, 4)
    for number, command in record.turning:
        turned.said(command, number, record.position_at(number))
    assert figures(turned.now(MARLIN)) == (1.0, 0.7, None)


def test_a_board_that_began_anew_is_at_what_nobody_knows(run: PlateRun) -> None:
    turned = Turned()
    turned.begin(run)
    at(run, 10)
    turned.forget()
    assert turned.now(MARLIN) == UNTUNED


@pytest.mark.parametrize(
    ("text", "tuning"),
    [
        ("FR:95%", Tuning(speed_ratio=0.95)),
        ("E0 Flow: 102%", Tuning(flow_ratio=1.02)),
        ("echo:E0 Flow: 102%", Tuning(flow_ratio=1.02)),
        ("Speed factor: 100.0%", Tuning(speed_ratio=1.0)),
        ("Speed factor at 100.00 %", Tuning(speed_ratio=1.0)),
        ("Flow rate at  98.00 %", Tuning(flow_ratio=0.98)),
        ("M106 P0 S128", Tuning(fan_ratio=0.502)),
        ("E1 Flow: 90%", UNTUNED),
        ("echo: the fan is at 100%", UNTUNED),
    ],
)
def test_what_firmwares_tell_is_understood_and_nothing_else(text: str, tuning: Tuning) -> None:
    turned = Turned()
    assert turned.heard(text) is (tuning != UNTUNED)
    assert turned.now(MARLIN) == tuning


def test_a_fan_by_ratio_is_read_as_one() -> None:
    turned = Turned()
    turned.said("M106 S0.5", 1)
    assert turned.now(REPRAPFIRMWARE).fan_ratio == 0.5
    turned.said("M106 S255", 2)
    assert turned.now(REPRAPFIRMWARE).fan_ratio == 1.0


def test_only_who_answers_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ASK_INTERVAL_S", 0.0)
    turned = Turned()
    # Others take the question for an order: to go on at 100 %.
    assert turned.questions(REPETIER) == turned.questions(UNKNOWN) == ()
    assert turned.questions(MARLIN) == ("M220", "M221")
    turned.said("M220", 1)
    turned.said("M221", 2)
    turned.heard("FR:100%")
    assert turned.questions(MARLIN) == ("M220",)
    turned.forget()
    assert turned.questions(MARLIN) == ("M220", "M221")
