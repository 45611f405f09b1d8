from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from coordinator.domain.automation.documents import (
    TEXT_CHARACTERS_MAX,
    PrinterSeen,
    live_document,
    printer_document,
)
from coordinator.domain.automation.happenings import OF_PRINTER, printer_event
from coordinator.domain.automation.topics import Topics, is_request_id, is_root
from coordinator.domain.history import Line
from coordinator.domain.homeassistant.printer_entities import PRINTER_EVENTS
from coordinator.domain.messages import TYPES, Things
from coordinator.domain.printers import Bed, BedState, Printer, PrinterStatus
from coordinator.domain.runs import Run, RunState
from protocols.wire.from_agent import PrinterSample
from protocols.wire.vocabulary import (
    AgentId,
    Epoch,
    Finding,
    JobId,
    Level,
    Mode,
    PrinterId,
    PrinterState,
    RunId,
    Temperature,
)

NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)
PRINTER = Printer(
    printer_id=PrinterId("p1"),
    agent_id=AgentId("pi-1"),
    name="P1",
    printer_class="farmhand-220",
    driver="marlin_serial",
    online=True,
    seen=PrinterState.PRINTING,
    bed=Bed(state=BedState.OCCUPIED),
)
RUN = Run(
    run_id=RunId("run-1"),
    job_id=JobId("job-1"),
    printer_id=PrinterId("p1"),
    agent_id=AgentId("pi-1"),
    epoch=Epoch(1),
    plate_sha256="0" * 64,
    state=RunState.PRINTING,
    leased_at=NOON,
    started_at=NOON,
)
SAMPLE = PrinterSample(
    printer_id=PrinterId("p1"),
    state=PrinterState.PRINTING,
    run_id=RunId("run-1"),
    temperatures={"tool0": Temperature(214.96, 215.0)},
    line=50,
    line_count=100,
    layer=3,
    layer_count=9,
    progress=0.5,
    remaining_s=600.0,
)


def seen(**fields: Any) -> PrinterSeen:
    known: dict[str, Any] = {"run": RUN, "sample": SAMPLE, "sampled_at": NOON}
    return PrinterSeen(**{"printer": PRINTER, "status": PrinterStatus.BUSY, **known, **fields})


def test_what_prints_is_told_with_when_it_ends() -> None:
    assert live_document(seen(), None) == {
        "progress": 50.0,
        "remaining_s": 600.0,
        "finish_at": "2030-01-01T12:10:00Z",
        "layer": 3,
        "layer_count": 9,
        "temperatures": {"tool0": {"actual": 215.0, "target": 215.0}},
        "fan": None,
        "speed": None,
        "flow": None,
        "fan_rpm": None,
        "hotend_fan_rpm": None,
    }


def test_a_forecast_that_wavers_stays_and_one_that_moves_is_told() -> None:
    before = live_document(seen(), None)
    later = NOON + timedelta(seconds=10)
    wavers = seen(sample=replace(SAMPLE, remaining_s=610.0), sampled_at=later)
    assert live_document(wavers, before) == before
    moved = live_document(seen(sample=replace(SAMPLE, remaining_s=700.0)), before)
    assert moved is not None
    assert (moved["remaining_s"], moved["finish_at"]) == (700.0, "2030-01-01T12:11:40Z")


@pytest.mark.parametrize(
    "behind",
    [
        {"run_id": None, "progress": 0.0},  # an agent that has just begun again
        {"progress": 0.0, "line": 0},  # and takes its run up
        {"state": PrinterState.OFFLINE, "temperatures": {}},
    ],
)
def test_who_does_not_know_yet_how_far_a_run_is_resets_nothing(behind: dict[str, Any]) -> None:
    before = live_document(seen(), None)
    sample = replace(SAMPLE, **behind)
    told = live_document(seen(sample=sample), before)
    assert told in (None, before)
    assert live_document(seen(sample=sample), None) is None


def test_after_the_end_nothing_is_told_of_how_far_it_was() -> None:
    rests = replace(SAMPLE, state=PrinterState.IDLE, run_id=None, progress=0.0, remaining_s=None)
    told = live_document(seen(run=None, sample=rests), live_document(seen(), None))
    assert told is not None
    assert {told["progress"], told["finish_at"], told["layer"]} == {None}


def test_a_print_that_no_agent_began_is_told_as_one() -> None:
    foreign = replace(SAMPLE, run_id=None)
    told = live_document(seen(run=None, sample=foreign), None)
    assert told is not None
    assert told["progress"] == 50.0


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"printer": replace(PRINTER, quarantine="two processes")}, "two processes"),
        ({"printer": replace(PRINTER, seen=PrinterState.HALTED, message="MAXTEMP")}, "MAXTEMP"),
        ({"run": replace(RUN, state=RunState.PAUSED, reason="runout")}, "runout"),
        (
            {"findings": [Finding(rule="silence", level=Level.ALARM, words="it is silent")]},
            "it is silent",
        ),
    ],
)
def test_what_wants_a_person_is_told_with_the_reason(fields: dict[str, Any], words: str) -> None:
    told = printer_document(seen(**fields))
    assert told["needs_attention"] is True
    assert words in str(told["error"])


def test_a_pause_that_somebody_wanted_needs_nobody() -> None:
    paused = replace(RUN, state=RunState.PAUSED, mode=Mode.PAUSE)
    told = printer_document(seen(run=paused))
    assert (told["paused"], told["printing"], told["needs_attention"]) == (True, False, False)


def test_a_state_is_never_longer_than_home_assistant_takes() -> None:
    told = printer_document(seen(printer=replace(PRINTER, quarantine="why\n" * 200)))
    assert len(str(told["error"])) == TEXT_CHARACTERS_MAX
    assert "\n" not in str(told["error"])


def test_every_event_of_a_printer_is_one_that_webhooks_know_and_home_assistant_too() -> None:
    assert OF_PRINTER.keys() <= TYPES.keys()
    assert {*OF_PRINTER.values()} | {"resumed", "runout"} == set(PRINTER_EVENTS)


def line(name: str, **fields: str) -> Line:
    known = {"origin": "", "cause": "", "facts": "{}", "changes": "{}"}
    return Line(
        number=7,
        at=NOON.isoformat(),
        actor="agent:pi-1",
        subject="run",
        subject_id="run-1",
        name=name,
        **{**known, **fields},
    )


@pytest.mark.parametrize(
    ("its_type", "fields", "event"),
    [
        ("run.printing", {"changes": '{"started_at": "2030"}'}, "started"),
        ("run.printing", {}, "resumed"),
        ("run.paused", {"cause": "//action:paused filament_runout 0"}, "runout"),
        ("run.paused", {"cause": "somebody pressed a button"}, "paused"),
        ("run.finished", {}, "finished"),
    ],
)
def test_a_line_of_history_becomes_an_event_of_its_printer(
    its_type: str, fields: dict[str, str], event: str
) -> None:
    found = printer_event(line(its_type, **fields), its_type, Things(run=RUN, printer=PRINTER))
    assert found is not None
    assert (found[0], found[1]["event_type"]) == ("p1", event)
    assert printer_event(line("plate.made"), "plate.made", Things()) is None


def test_a_press_is_told_from_every_other_topic() -> None:
    topics = Topics("farmhand/farm")
    assert topics.pressed("farmhand/farm/v1/press/p1/clear") == ("p1", "clear")
    for topic in ("farmhand/farm/v1/state/printers/p1", "other/v1/press/p1/clear", "clear"):
        assert topics.pressed(topic) is None


@pytest.mark.parametrize("text", ["", "/a", "a/", "a//b", "a/+", "#", "a b", "a/$SYS"])
def test_no_wildcard_is_a_root(text: str) -> None:
    assert not is_root(text)
    assert not is_request_id(text)
