"""What an agent is told, for whom a model is sliced, and what counts as G-code."""

from dataclasses import replace

import pytest

from coordinator.domain.desired import desired
from coordinator.domain.plates import holds_gcode
from coordinator.domain.preparing import Target, targets, why_none
from coordinator.domain.printers import Bed, BedState
from coordinator.domain.runs import RunState
from protocols.wire.to_agent import Acknowledged, BedClearance, Desired
from protocols.wire.vocabulary import Mode, Nonce, PrinterId
from tests.fakes.values import JOB, JOURNAL, PLATE, PRINTER, run_in

PATH = "/files/{sha256}"


def document(state: RunState, **fields: object) -> Desired:
    run = replace(run_in(state), **fields)  # type: ignore[arg-type]
    return desired(PRINTER, run, PLATE, artifact_path=PATH)


def test_an_idle_printer_is_wanted_nothing_of() -> None:
    said = desired(PRINTER, None, None, artifact_path=PATH)
    assert (said.assignment, said.permit, said.mode) == (None, None, Mode.RUN)
    assert (said.epoch, said.revision) == (PRINTER.epoch, PRINTER.revision)


def test_a_run_is_assigned_with_its_plate() -> None:
    said = document(RunState.LEASED)
    assert said.assignment is not None
    plate = said.assignment.plate
    assert (plate.sha256, plate.size_bytes) == (PLATE.sha256, PLATE.size_bytes)
    assert plate.url == f"/files/{PLATE.sha256}"


@pytest.mark.parametrize("state", RunState)
def test_a_permit_is_said_only_while_it_may_be_used(state: RunState) -> None:
    said = document(state, nonce=Nonce("n1"))
    assert said.permit == ("n1" if state is RunState.PERMITTED else None)


@pytest.mark.parametrize("state", RunState)
def test_only_a_live_run_is_assigned_and_has_a_mode(state: RunState) -> None:
    said, live = document(state, mode=Mode.STOP), run_in(state).live
    assert (said.assignment is not None) == live
    assert said.mode is (Mode.STOP if live else Mode.RUN)


def test_a_clearance_names_the_memory_it_counts_in() -> None:
    bed = Bed(state=BedState.OCCUPIED, journal_id=JOURNAL, occupation=5, cleared=4)
    said = desired(replace(PRINTER, bed=bed), None, None, artifact_path=PATH)
    assert said.cleared == BedClearance(journal_id=JOURNAL, occupation=4)
    never = desired(replace(PRINTER, bed=Bed()), None, None, artifact_path=PATH)
    assert never.cleared is None


def test_events_are_acknowledged_from_the_first_on() -> None:
    assert desired(PRINTER, None, None, artifact_path=PATH).acknowledged is None
    said = desired(replace(PRINTER, events_applied=4), None, None, artifact_path=PATH)
    assert said.acknowledged == Acknowledged(journal_id=JOURNAL, number=4)


XL = replace(PRINTER, printer_id=PrinterId("p2"), printer_class="xl", material="PETG")


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, [Target("mk4", "PLA"), Target("xl", "PETG")]),
        ({"material": "petg"}, [Target("xl", "petg")]),
        ({"material": "ABS"}, []),
        ({"printer_class": "mk4"}, [Target("mk4", "PLA")]),
        ({"printer_class": "mk4", "material": "ABS"}, [Target("mk4", "ABS")]),
        ({"printer_class": "new"}, []),
        ({"printer_class": "new", "material": "PLA"}, [Target("new", "PLA")]),
        ({"printer_id": XL.printer_id}, [Target("xl", "PETG")]),
    ],
)
def test_a_model_is_sliced_for_the_classes_that_could_print_it(
    fields: dict[str, object], expected: list[Target]
) -> None:
    assert list(targets(replace(JOB, **fields), [PRINTER, XL])) == expected  # type: ignore[arg-type]


def test_a_class_gets_the_material_most_of_its_printers_hold() -> None:
    farm = [replace(PRINTER, material=material) for material in ("PETG", "PLA", "PLA", "")]
    assert targets(JOB, farm) == (Target("mk4", "PLA"),)


def test_why_nothing_is_sliced_is_told() -> None:
    assert "start an agent" in why_none(JOB, [])
    assert why_none(replace(JOB, material="ABS"), [PRINTER]) == "no printer holds ABS"
    assert "of class 'new'" in why_none(replace(JOB, printer_class="new"), [PRINTER])
    assert "says what it holds" in why_none(JOB, [replace(PRINTER, material="")])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("G28", True),
        ("; comment\n\n m104 s200", True),
        ("T0", True),
        ("N1 G28*18", False),
        ("; G28", False),
        ("", False),
        ("just words", False),
        ("A1 sauce", False),
        ("\0G28\nG28", False),
    ],
)
def test_gcode_is_told_from_what_is_none(text: str, expected: bool) -> None:
    assert holds_gcode(text.splitlines()) is expected
