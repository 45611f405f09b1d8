"""Leases held in advance, and a bed that clears itself."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from agent.core.ahead import bed_is_clear
from agent.core.fence import admit
from agent.core.memory import Change, Ejection, EjectionStage, Memory, record, record_staged
from agent.core.observation import Observation, RunSeen, RunState
from agent.core.reconcile import reconcile
from agent.core.run import Happened
from agent.core.situation import Ahead, Recall, Situation
from agent.core.steps import (
    ArmStaged,
    Eject,
    FetchStaged,
    GiveUp,
    NoteForeign,
    Promote,
    Start,
    WriteJournal,
)
from protocols.wire.from_agent import Refusal
from protocols.wire.to_agent import (
    Assignment,
    BedClearance,
    Desired,
    PlateReference,
    StagedLease,
)
from protocols.wire.vocabulary import (
    AgentId,
    Epoch,
    EventKind,
    JobId,
    JournalId,
    Mode,
    Nonce,
    PrinterId,
    PrinterState,
    RunId,
    RunPhase,
)

AT = datetime(2026, 1, 1, tzinfo=UTC)
PLATE = PlateReference(sha256="0" * 64, size_bytes=1, url="/p", name="p")
JOURNAL = JournalId("j")
IDLE = Observation(state=PrinterState.IDLE)


def assignment(number: int) -> Assignment:
    return Assignment(run_id=RunId(f"r{number}"), job_id=JobId("job"), plate=PLATE)


def lease(number: int, **changes: object) -> StagedLease:
    given = StagedLease(epoch=Epoch(number), assignment=assignment(number))
    return replace(given, **changes)  # type: ignore[arg-type]


def document(number: int, revision: int, *staged: StagedLease, **changes: object) -> Desired:
    said = Desired(
        printer_id=PrinterId("p"),
        epoch=Epoch(number),
        revision=revision,
        assignment=assignment(number),
        cleared=BedClearance(journal_id=JOURNAL, occupation=0),
        staged=staged,
    )
    return replace(said, **changes)  # type: ignore[arg-type]


def obey(memory: Memory, said: Desired) -> Memory:
    verdict = admit(memory, said, AT)
    assert isinstance(verdict, Change), verdict
    return verdict.memory


def live_through(memory: Memory, *happenings: Happened) -> Memory:
    for happened in happenings:
        nonce = Nonce("boot.first") if happened is Happened.ARMED else None
        memory = record(memory, happened, at=AT, nonce=nonce).memory
    return memory


BLANK = Memory(agent_id=AgentId("a"), printer_id=PrinterId("p"), journal_id=JOURNAL)
STARTED = (Happened.FETCHED, Happened.ARMED, Happened.COMMITTED, Happened.STARTED)
HANDED_OVER = document(1, 5, lease(2), lease(3))
PRINTING = live_through(obey(BLANK, HANDED_OVER), *STARTED)
SEEN = Observation(
    state=PrinterState.PRINTING, run=RunSeen(run_id=RunId("r1"), state=RunState.PRINTING)
)


def armed(memory: Memory, number: int, nonce: str) -> Memory:
    run_id = RunId(f"r{number}")
    memory = record_staged(memory, run_id, Happened.FETCHED, at=AT).memory
    return record_staged(memory, run_id, Happened.ARMED, at=AT, nonce=Nonce(nonce)).memory


ARMED = armed(PRINTING, 2, "boot.second")
PERMITTED = document(1, 6, lease(2, permit=Nonce("boot.second")), lease(3))
OURS = Ahead(nonces=frozenset({Nonce("boot.second")}), here=frozenset({RunId("r2")}))
FINISHED = live_through(ARMED, Happened.FINISHED)
EMPTIED = replace(FINISHED, ejection=Ejection(occupation=1, stage=EjectionStage.DONE))
NEXT = replace(EMPTIED, run=EMPTIED.staged[0], epoch=Epoch(2), staged=EMPTIED.staged[1:])


def situation(memory: Memory, **changes: object) -> Situation:
    whole = Situation(
        desired=PERMITTED,
        memory=memory,
        observed=IDLE,
        recall=Recall(plate_here=True),
        ahead=OURS,
        can_pause=True,
        self_clearing=True,
        heard=False,
        now_s=100_000.0,
    )
    return replace(whole, **changes)  # type: ignore[arg-type]


def test_what_is_handed_over_is_held_in_the_order_of_its_epochs() -> None:
    assert [run.epoch for run in PRINTING.staged] == [2, 3]
    assert PRINTING.epoch == 1
    assert PRINTING.staged_epoch == 3


def test_the_plates_are_brought_and_the_leases_armed_while_a_run_prints() -> None:
    at_first = situation(PRINTING, observed=SEEN, ahead=Ahead())
    assert reconcile(at_first).steps == (FetchStaged(RunId("r2")),)
    brought = replace(at_first, ahead=Ahead(here=frozenset({RunId("r2")})))
    assert reconcile(brought).steps == (ArmStaged(RunId("r2")),)
    assert reconcile(situation(ARMED, observed=SEEN)).steps == (FetchStaged(RunId("r3")),)


def test_nothing_is_armed_behind_a_run_that_this_process_does_not_see() -> None:
    unseen = situation(PRINTING, observed=Observation(state=PrinterState.OFFLINE), ahead=Ahead())
    assert reconcile(unseen).steps == ()


def test_the_bed_is_emptied_only_after_a_run_that_finished() -> None:
    assert reconcile(situation(FINISHED)).steps == (Eject(),)
    for otherwise in (Happened.FAILED, Happened.LOST, Happened.STOPPED):
        ended = live_through(ARMED, otherwise)
        assert ended.ejection is None
        assert reconcile(situation(ended)).steps == ()


def test_an_ejection_is_begun_once() -> None:
    begun = replace(FINISHED, ejection=Ejection(occupation=1, stage=EjectionStage.BEGUN))
    assert reconcile(situation(begun)).steps == (Promote(),)
    waiting = replace(NEXT, ejection=begun.ejection)
    assert "broke off" in reconcile(situation(waiting)).waits_for


def test_nobody_ejects_what_came_from_elsewhere() -> None:
    assert Eject() not in reconcile(situation(replace(FINISHED, occupation=2))).steps


def test_a_printer_that_does_not_clear_itself_ejects_nothing_and_holds_nothing() -> None:
    steps = reconcile(situation(PRINTING, self_clearing=False, observed=SEEN)).steps
    assert steps == (GiveUp(RunId("r2"), "this printer does not empty its bed by itself"),)


def test_the_next_run_takes_its_turn_and_starts_though_nobody_hears() -> None:
    assert reconcile(situation(EMPTIED)).steps == (Promote(),)
    assert reconcile(situation(NEXT)).steps == (WriteJournal(Happened.COMMITTED), Start())


@pytest.mark.parametrize(
    "changes",
    [
        {"ahead": Ahead()},
        {"desired": HANDED_OVER},
        {"observed": Observation(state=PrinterState.ATTENTION)},
        {"memory": replace(NEXT, ejection=None)},
        {"memory": replace(NEXT, occupation=2)},
        {"ahead": replace(OURS, ejecting=True)},
        {"desired": None},
        {"recall": Recall()},
    ],
)
def test_it_starts_only_with_all_that_it_needs(changes: dict[str, object]) -> None:
    assert Start() not in reconcile(replace(situation(NEXT), **changes)).steps  # type: ignore[arg-type]


def test_a_bed_that_was_cleared_before_the_run_came_is_not_clear_after_it() -> None:
    stale = document(1, 9, cleared=BedClearance(journal_id=JOURNAL, occupation=9))
    assert not bed_is_clear(stale, replace(NEXT, ejection=None))
    assert bed_is_clear(replace(stale, epoch=Epoch(2)), replace(NEXT, ejection=None))


@pytest.mark.parametrize("otherwise", [Happened.FAILED, Happened.STOPPED, Happened.LOST])
def test_what_ends_otherwise_takes_with_it_what_was_to_follow(otherwise: Happened) -> None:
    change = record(ARMED, otherwise, at=AT)
    assert change.memory.staged == ()
    assert [event.event for event in change.events[1:]] == [EventKind.RELEASED] * 2
    again = document(1, 9, lease(2), lease(3))
    assert obey(change.memory, again).staged == ()
    refused = admit(change.memory, document(2, 10), AT)
    assert isinstance(refused, Refusal)
    assert "given up" in refused.reason


def test_what_is_not_wanted_any_more_is_given_up_on_the_agents_word() -> None:
    stop = document(1, 7, lease(2, mode=Mode.STOP), lease(3))
    assert reconcile(situation(ARMED, desired=stop, observed=SEEN)).steps == (
        GiveUp(RunId("r2"), "the coordinator does not want it any more"),
    )


def test_what_another_process_armed_is_given_up_once_the_run_before_is_seen() -> None:
    forgetful = situation(ARMED, ahead=Ahead(), desired=None)
    offline = replace(forgetful, observed=Observation(state=PrinterState.OFFLINE))
    assert reconcile(offline).steps == ()
    [given_up] = reconcile(replace(forgetful, observed=SEEN)).steps
    assert isinstance(given_up, GiveUp)
    assert given_up.run_id == "r2"


def test_a_later_document_gives_a_staged_run_its_turn() -> None:
    memory = obey(FINISHED, document(2, 8, lease(3)))
    assert memory.run is not None
    assert (memory.run.run_id, memory.run.nonce) == ("r2", "boot.second")
    assert [run.run_id for run in memory.staged] == ["r3"]


def test_a_later_document_without_it_gives_it_up() -> None:
    memory = obey(FINISHED, document(9, 8))
    assert memory.run is not None
    assert memory.run.run_id == "r9"
    assert memory.staged == ()


def test_a_plate_that_can_not_be_printed_takes_with_it_what_follows() -> None:
    change = record_staged(PRINTING, RunId("r2"), Happened.REFUSED, at=AT, reason="too large")
    assert change.memory.staged == ()
    assert [event.event for event in change.events] == [EventKind.FAILED, EventKind.RELEASED]
    assert change.memory.run == PRINTING.run


def test_a_start_that_failed_for_certain_asks_for_a_permit_of_its_own() -> None:
    tried = live_through(NEXT, Happened.COMMITTED, Happened.NOT_STARTED)
    assert tried.run is not None
    assert (tried.run.phase, tried.run.nonce) == (RunPhase.READY, None)
    assert Start() not in reconcile(situation(tried)).steps


def test_a_printer_that_prints_with_no_run_of_ours_prints_something_foreign() -> None:
    at_panel = Observation(state=PrinterState.PRINTING)
    assert reconcile(situation(BLANK, observed=at_panel)).steps == (NoteForeign(True),)
    assert reconcile(situation(EMPTIED, observed=at_panel)).steps == (NoteForeign(True),)
    assert NoteForeign(True) not in reconcile(situation(PRINTING, observed=at_panel)).steps
