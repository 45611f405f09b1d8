"""What is done next, in single situations."""

from dataclasses import replace

import pytest

from agent.core.memory import Memory
from agent.core.observation import Observation, RunSeen, RunState
from agent.core.reconcile import (
    ASK_AGAIN_S,
    PERMIT_S_MAX,
    fate,
    is_begun,
    reconcile,
)
from agent.core.run import Happened, Run
from agent.core.situation import Recall, Situation
from agent.core.steps import (
    Arm,
    Fetch,
    NoteForeign,
    Pause,
    Recover,
    Report,
    Resume,
    Start,
    Stop,
    WriteJournal,
)
from protocols.wire.to_agent import Assignment, BedClearance, Desired, PlateReference
from protocols.wire.vocabulary import (
    AgentId,
    Epoch,
    JobId,
    JournalId,
    Mode,
    Nonce,
    PrinterId,
    PrinterState,
    RunId,
    RunPhase,
)


def clearance(journal: str, occupation: int) -> BedClearance:
    return BedClearance(journal_id=JournalId(journal), occupation=occupation)


PLATE = PlateReference(sha256="0" * 64, size_bytes=1, url="/p", name="p")
RUN = Run(run_id=RunId("r1"), job_id=JobId("j1"), epoch=Epoch(5), plate=PLATE)
MEMORY = Memory(
    agent_id=AgentId("a"),
    printer_id=PrinterId("p"),
    journal_id=JournalId("journal"),
    epoch=Epoch(5),
    revision=1,
    occupation=3,
    run=RUN,
)
DESIRED = Desired(
    printer_id=PrinterId("p"),
    epoch=Epoch(5),
    revision=1,
    assignment=Assignment(run_id=RUN.run_id, job_id=RUN.job_id, plate=PLATE),
    cleared=clearance("journal", 3),
    permit=Nonce("n"),
)
IDLE = Observation(state=PrinterState.IDLE)
ARMED = Recall(plate_here=True, armed=Nonce("n"), armed_at_s=100.0)
NOW_S = 110.0


def situation(phase: RunPhase = RunPhase.READY, **changes: object) -> Situation:
    """Everything that a start needs, but for what the test takes away."""
    run = replace(RUN, phase=phase, nonce=Nonce("n"))
    whole = Situation(
        desired=DESIRED,
        memory=replace(MEMORY, run=run),
        observed=IDLE,
        recall=ARMED,
        can_pause=True,
        heard=True,
        now_s=NOW_S,
    )
    return replace(whole, **changes)  # type: ignore[arg-type]


def seen(state: RunState, printer: PrinterState = PrinterState.PRINTING) -> Observation:
    return Observation(state=printer, run=RunSeen(run_id=RUN.run_id, state=state))


def test_a_start_is_committed_before_it_is_made() -> None:
    steps = reconcile(situation()).steps
    assert steps == (WriteJournal(Happened.COMMITTED), Start())


@pytest.mark.parametrize(
    ("changes", "waits_for"),
    [
        ({"desired": None}, "no document"),
        ({"desired": replace(DESIRED, mode=Mode.PAUSE)}, "paused before"),
        ({"desired": replace(DESIRED, cleared=None)}, "bed clear"),
        (
            {"desired": replace(DESIRED, cleared=clearance("journal", 2))},
            "bed clear",
        ),
        (
            {"desired": replace(DESIRED, cleared=clearance("older", 9))},
            "bed clear",
        ),
        ({"observed": Observation(state=PrinterState.OFFLINE)}, "offline"),
        ({"observed": Observation(state=PrinterState.ATTENTION)}, "attention"),
        ({"heard": False}, "not connected"),
        ({"desired": replace(DESIRED, permit=None)}, "permit"),
        ({"desired": replace(DESIRED, permit=Nonce("older"))}, "permit"),
    ],
)
def test_a_run_does_not_start_without(changes: dict[str, object], waits_for: str) -> None:
    decision = reconcile(situation(**changes))
    assert decision.steps == ()
    assert waits_for in decision.waits_for


@pytest.mark.parametrize(
    "recall",
    [
        replace(ARMED, armed_at_s=NOW_S - PERMIT_S_MAX - 0.1),
        replace(ARMED, armed=None),  # written down by a process that is gone
    ],
)
def test_a_permit_for_an_old_nonce_only_makes_a_new_one(recall: Recall) -> None:
    assert reconcile(situation(recall=recall)).steps == (Arm(), Report())


def test_a_plate_is_looked_at_by_every_process_before_it_starts() -> None:
    assert reconcile(situation(recall=Recall())).steps == (Fetch(),)


@pytest.mark.parametrize("phase", [RunPhase.FETCHING, RunPhase.READY])
def test_a_stop_before_the_start_releases_the_run(phase: RunPhase) -> None:
    stopped = replace(DESIRED, mode=Mode.STOP)
    (step,) = reconcile(situation(phase, desired=stopped)).steps
    assert isinstance(step, WriteJournal)
    assert step.happened is Happened.WITHDRAWN


def test_a_committed_run_is_asked_about_and_never_started() -> None:
    assert reconcile(situation(RunPhase.COMMITTED)).steps == (Recover(),)
    offline = situation(RunPhase.COMMITTED, observed=Observation(state=PrinterState.OFFLINE))
    assert reconcile(offline).steps == ()


def test_a_committed_run_that_is_seen_printing_has_started() -> None:
    steps = reconcile(situation(RunPhase.COMMITTED, observed=seen(RunState.PRINTING))).steps
    assert steps == (WriteJournal(Happened.STARTED),)


@pytest.mark.parametrize("state", [RunState.NONE, RunState.UNKNOWN])
def test_a_run_that_nobody_can_tell_of_is_lost(state: RunState) -> None:
    run = replace(RUN, phase=RunPhase.COMMITTED)
    (write,) = fate(run, RunSeen(run_id=RUN.run_id, state=state))
    assert write.happened is Happened.LOST
    assert write.reason


def test_a_stop_is_written_then_asked_and_asked_again_only_later() -> None:
    stop = replace(DESIRED, mode=Mode.STOP)
    printing = seen(RunState.PRINTING)
    first = reconcile(situation(RunPhase.PRINTING, desired=stop, observed=printing))
    assert first.steps == (WriteJournal(Happened.STOPPING), Stop())
    asked = Recall(asked=Stop, asked_at_s=NOW_S)
    waits = reconcile(situation(RunPhase.STOPPING, observed=printing, recall=asked))
    assert (waits.steps, waits.again_s) == ((), NOW_S + ASK_AGAIN_S)
    later = situation(RunPhase.STOPPING, observed=printing, recall=asked, now_s=NOW_S + 60)
    assert reconcile(later).steps == (Stop(),)


def test_a_stop_goes_on_without_a_coordinator() -> None:
    alone = situation(RunPhase.STOPPING, observed=seen(RunState.PRINTING), desired=None)
    assert reconcile(alone).steps == (Stop(),)


def test_a_pause_that_was_asked_for_is_ended_by_the_mode() -> None:
    paused = seen(RunState.PAUSED, PrinterState.PAUSED)
    asked = replace(RUN, phase=RunPhase.PAUSED, pause_asked=True)
    ours = situation(observed=paused, memory=replace(MEMORY, run=asked))
    assert reconcile(ours).steps == (Resume(),)


def test_a_pause_made_at_the_printer_is_left_to_whoever_made_it() -> None:
    paused = seen(RunState.PAUSED, PrinterState.PAUSED)
    decision = reconcile(situation(RunPhase.PAUSED, observed=paused))
    assert decision.steps == ()
    assert "somebody at the printer" in decision.waits_for


def test_a_pause_is_asked_for_and_written_down_as_ours() -> None:
    pause = replace(DESIRED, mode=Mode.PAUSE)
    printing = situation(RunPhase.PRINTING, desired=pause, observed=seen(RunState.PRINTING))
    assert reconcile(printing).steps == (WriteJournal(Happened.PAUSE_ASKED), Pause())
    unable = reconcile(replace(printing, can_pause=False))
    assert unable.steps == ()
    assert "can't pause" in unable.waits_for


def test_a_foreign_print_is_counted_once() -> None:
    foreign = replace(IDLE, foreign=True, state=PrinterState.PRINTING)
    assert reconcile(situation(observed=foreign)).steps == (NoteForeign(True),)


def test_silence_of_the_coordinator_stops_nothing() -> None:
    alone = situation(
        RunPhase.PRINTING, desired=None, heard=False, observed=seen(RunState.PRINTING)
    )
    assert reconcile(alone).steps == ()


LAPSED = replace(ARMED, armed_at_s=NOW_S - PERMIT_S_MAX - 0.1)


def test_an_agent_that_is_drained_brings_and_begins_nothing_new() -> None:
    unasked = replace(DESIRED, permit=None)
    for phase, recall in (
        (RunPhase.FETCHING, Recall()),
        (RunPhase.READY, Recall()),
        (RunPhase.READY, Recall(plate_here=True)),
        (RunPhase.READY, LAPSED),
    ):
        drained = situation(phase, recall=recall, desired=unasked, draining=True)
        decision = reconcile(drained)
        assert decision.steps == ()
        assert "drained" in decision.waits_for
        assert not is_begun(drained.memory, recall, NOW_S)


def test_a_permit_that_was_asked_for_before_the_draining_still_starts_its_run() -> None:
    asked = situation(draining=True)
    assert reconcile(asked).steps == (WriteJournal(Happened.COMMITTED), Start())
    assert is_begun(asked.memory, ARMED, NOW_S)


def test_a_permit_that_comes_too_late_for_a_drained_agent_is_given_back() -> None:
    (step,) = reconcile(situation(recall=LAPSED, draining=True)).steps
    assert isinstance(step, WriteJournal)
    assert step.happened is Happened.WITHDRAWN


def test_what_has_begun_goes_on_while_an_agent_is_drained() -> None:
    for phase in (RunPhase.COMMITTED, RunPhase.PRINTING, RunPhase.PAUSED, RunPhase.STOPPING):
        usual = situation(phase, observed=seen(RunState.PRINTING))
        assert reconcile(replace(usual, draining=True)) == reconcile(usual)
        assert is_begun(usual.memory, Recall(), NOW_S)
    assert not is_begun(replace(MEMORY, run=None), ARMED, NOW_S)
    assert not is_begun(situation(RunPhase.FINISHED).memory, ARMED, NOW_S)
