"""What documents are admitted."""

from dataclasses import replace
from datetime import UTC, datetime

from agent.core.fence import admit
from agent.core.memory import Change, Memory, record
from agent.core.run import Happened
from protocols.wire.from_agent import Refusal
from protocols.wire.to_agent import Assignment, Desired, PlateReference
from protocols.wire.vocabulary import (
    AgentId,
    Epoch,
    EventKind,
    JobId,
    JournalId,
    Mode,
    Nonce,
    PrinterId,
    RunId,
    RunPhase,
)

AT = datetime(2026, 1, 1, tzinfo=UTC)
BLANK = Memory(agent_id=AgentId("a"), printer_id=PrinterId("p"), journal_id=JournalId("j"))


def document(epoch: int, revision: int, run: str | None = None, **rest: object) -> Desired:
    assignment = None
    if run is not None:
        plate = PlateReference(sha256="0" * 64, size_bytes=1, url="/p", name="p")
        assignment = Assignment(run_id=RunId(run), job_id=JobId("job"), plate=plate)
    base = Desired(printer_id=PrinterId("p"), epoch=Epoch(epoch), revision=revision)
    return replace(base, assignment=assignment, **rest)  # type: ignore[arg-type]


def admitted(memory: Memory, wanted: Desired) -> Change:
    verdict = admit(memory, wanted, AT)
    assert isinstance(verdict, Change), verdict
    return verdict


def refused(memory: Memory, wanted: Desired) -> str:
    verdict = admit(memory, wanted, AT)
    assert isinstance(verdict, Refusal)
    return verdict.reason


def after(memory: Memory, *happenings: Happened) -> Memory:
    for happened in happenings:
        nonce = Nonce("n") if happened is Happened.ARMED else None
        memory = record(memory, happened, at=AT, nonce=nonce).memory
    return memory


GIVEN = admitted(BLANK, document(5, 9, "r1")).memory
COMMITTED = after(GIVEN, Happened.FETCHED, Happened.ARMED, Happened.COMMITTED)


def test_a_new_lease_begins_its_run() -> None:
    assert GIVEN.run is not None
    assert (GIVEN.run.phase, GIVEN.run.epoch, GIVEN.epoch) == (RunPhase.FETCHING, 5, 5)


def test_an_older_epoch_is_refused_even_with_a_newer_revision() -> None:
    assert refused(GIVEN, document(4, 99, "r0")) == "epoch 4 is over: this journal has seen 5"


def test_an_older_revision_of_the_same_epoch_is_refused() -> None:
    assert "revision 8 is older than 9" in refused(GIVEN, document(5, 8, "r1"))


def test_a_repeated_document_changes_nothing() -> None:
    assert admitted(GIVEN, document(5, 9, "r1")) == Change(memory=GIVEN)


def test_an_epoch_never_changes_its_assignment() -> None:
    assert "can't change its assignment" in refused(GIVEN, document(5, 10, "r2"))
    withdrawn = admitted(GIVEN, document(5, 10)).memory
    assert "can't change its assignment" in refused(withdrawn, document(5, 11, "r2"))


def test_the_mode_may_change_within_an_epoch() -> None:
    assert admitted(GIVEN, document(5, 10, "r1", mode=Mode.PAUSE)).memory.revision == 10


def test_a_run_that_never_started_is_dropped_when_it_is_withdrawn() -> None:
    change = admitted(GIVEN, document(5, 10))
    assert change.memory.run is not None
    assert change.memory.run.phase is RunPhase.STOPPED
    assert [event.event for event in change.events] == [EventKind.RELEASED]


def test_a_new_lease_releases_a_run_that_never_started() -> None:
    change = admitted(GIVEN, document(6, 10, "r2"))
    assert change.memory.run is not None
    assert change.memory.run.run_id == "r2"
    assert [(event.event, event.run_id) for event in change.events] == [("released", "r1")]


def test_a_run_that_may_have_started_is_dropped_by_no_document() -> None:
    assert "run r1 still goes on" in refused(COMMITTED, document(6, 10, "r2"))
    assert admitted(COMMITTED, document(6, 10)).memory.run == COMMITTED.run


def test_a_run_is_given_only_once() -> None:
    ended = after(COMMITTED, Happened.STARTED, Happened.FINISHED)
    assert "given only once" in refused(ended, document(6, 10, "r1"))
    assert admitted(ended, document(6, 10, "r2")).memory.epoch == 6
