"""Which lines of history are said outside, and as what."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from coordinator.domain.enrolment import AgentCredential, revoke
from coordinator.domain.generations import GenerationState
from coordinator.domain.history import FarmEvent, Head, Line, following
from coordinator.domain.jobs import JobState
from coordinator.domain.messages import TABLE, TYPES, Things, message_of, type_of, wanted
from coordinator.domain.printers import BedState
from coordinator.domain.runs import RunState
from coordinator.domain.updates import RolloutState
from protocols.wire.vocabulary import AgentId
from tests.fakes.values import JOB, RUN

NOW = datetime(2030, 1, 1, 12, tzinfo=UTC)

# What only the farm itself needs to know.
UNTOLD = {"job.preparing", "run.leased", "run.permitted", "run.revoked"}
UNTOLD |= {f"generation.{each}" for each in ("wanted", "submitting", "running", "fetching")}
UNTOLD |= {"generation.making", "generation.ordering", "rollout.canary", "rollout.waves"}


def line(name: str, *, subject_id: str = "x-1", **fields: object) -> Line:
    event = FarmEvent(
        subject=name.partition(".")[0],
        subject_id=subject_id,
        name=name,
        at=NOW,
        actor="farm",
        **fields,  # type: ignore[arg-type]
    )
    return following(Head(), [event])[0]


@pytest.mark.parametrize(
    "name",
    [
        *(f"job.{state}" for state in JobState),
        *(f"run.{state}" for state in RunState),
        *(f"bed.{state}" for state in BedState),
        *(f"generation.{state}" for state in GenerationState),
        *(f"rollout.{state}" for state in RolloutState),
    ],
)
def test_every_state_is_told_or_declared_to_be_the_farms_own(name: str) -> None:
    assert bool(type_of(line(name))) is (name not in UNTOLD)


def test_a_bed_that_a_running_print_occupies_needs_no_clearing() -> None:
    by_a_run = line("bed.occupied", facts={"occupation": 1, "run_id": "run-1"})
    assert type_of(by_a_run) == ""
    assert type_of(line("bed.occupied", facts={"occupation": 1})) == "printer.needs_clearing"


@pytest.mark.parametrize(
    ("changes", "its_type"),
    [
        ({"online": False}, "printer.offline"),
        ({"online": True}, "printer.online"),
        ({"seen": "halted"}, "printer.faulted"),
        ({"seen": "attention"}, "printer.faulted"),
        ({"seen": "idle"}, ""),
        ({"epoch": 4}, ""),
    ],
)
def test_changes_of_a_printer_are_told_by_what_changed(
    changes: dict[str, object], its_type: str
) -> None:
    assert type_of(line("printer.changed", changes=changes)) == its_type


def test_that_an_agent_is_shut_out_is_told() -> None:
    good = AgentCredential(
        agent_id=AgentId("pi-3"), secret_sha256="", broker_hash="", issued_at=NOW, token_id="t"
    )
    [note] = revoke(good, NOW)[1]
    assert type_of(line(note.name, subject_id=note.subject_id)) == "agent.revoked"


def test_no_row_is_hidden_by_one_before_it() -> None:
    rows = [(row.name, row.change, row.fact, row.without) for row in TABLE]
    assert len(set(rows)) == len(rows)
    assert all(TYPES.values())


def test_patterns_fit_whole_types() -> None:
    assert wanted(("job.*",), "job.finished")
    assert wanted(("run.lost", "*.failed"), "job.failed")
    assert not wanted(("job",), "job.finished")
    assert not wanted(("JOB.*",), "job.finished")


def test_a_message_holds_the_line_and_the_ids_that_belong_to_it_but_no_nonce() -> None:
    told = line(
        "run.finished",
        subject_id=RUN.run_id,
        cause="größer",
        changes={"state": "finished", "nonce": "n-1"},
        facts={"duration_s": 1.5, "boot_id": "b"},
    )
    run, job = replace(RUN, state=RunState.FINISHED), replace(JOB, name="part")
    said = message_of(told, "run.finished", Things(job=job, run=run))
    document = json.loads(said.body)
    assert document["type"] == "run.finished"
    assert document["timestamp"] == "2030-01-01T12:00:00.000000+00:00"
    assert document["data"] == {
        "number": 1,
        "subject": "run",
        "id": RUN.run_id,
        "run_id": RUN.run_id,
        "job_id": RUN.job_id,
        "printer_id": RUN.printer_id,
        "job_name": "part",
        "actor": "farm",
        "origin": "",
        "cause": "größer",
        "facts": {"duration_s": 1.5},
        "changes": {"state": "finished"},
    }


def test_two_farms_do_not_give_two_messages_one_id() -> None:
    one = message_of(line("job.ready"), "job.ready", Things())
    other = message_of(line("job.ready", cause="x"), "job.ready", Things())
    again = message_of(line("job.ready"), "job.ready", Things())
    assert one.number == other.number
    assert one.message_id != other.message_id
    assert one.message_id == again.message_id
