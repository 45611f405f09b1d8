"""What to do next, from what is wanted, remembered and seen.

Theory. A decision is level-triggered: it looks at how things are, never at what changed, so a
lost, repeated or late document does no harm. It answers with the steps of one round; after them
everything is looked at again. What was asked of a printer is asked again only after `ASK_AGAIN_S`,
because printers take their time to obey.

A start needs all of this at once: the run is wanted, its plate is here, the bed was declared
clear in this journal's life, the printer is idle and nobody else's, and the coordinator permitted
the very nonce that this process wrote down and said less than `PERMIT_S_MAX` ago by its own clock,
or that it made for a lease in advance (`ahead.py`).
"""

from typing import assert_never

from agent.core.ahead import (
    DRAINED,
    bed_is_clear,
    bed_words,
    eject,
    give_up,
    permit_for,
    prepare,
    succeed,
    wanted,
)
from agent.core.memory import Memory
from agent.core.observation import Observation, RunSeen, RunState
from agent.core.run import Happened, Run
from agent.core.situation import Decision, Recall, Situation
from agent.core.steps import (
    Arm,
    Fetch,
    NoteForeign,
    Pause,
    Recover,
    Report,
    Resume,
    Start,
    Step,
    Stop,
    WriteJournal,
)
from protocols.wire.vocabulary import Mode, PrinterState, RunPhase

# A broker delivers within a second. Twenty leave room for a slow coordinator, and are too short
# for anything retained, replayed or typed by a person.
PERMIT_S_MAX = 20.0

# Marlin may sit in a heating or homing command for seconds before it looks at a pause.
ASK_AGAIN_S = 10.0

STOP_BEFORE_START = "stopped before it began"


def reconcile(situation: Situation) -> Decision:
    """Return the next steps of a printer."""
    memory, observed = situation.memory, situation.observed
    run, foreign = memory.run, is_foreign(observed, memory.run)
    if foreign != memory.foreign and observed.state is not PrinterState.OFFLINE:
        return Decision(steps=(NoteForeign(foreign),))
    started = run is not None and run.is_active and not run.never_started
    if decision := give_up(situation, sure=False) or (None if started else eject(situation)):
        return decision
    if run is None or not run.is_active:
        return succeed(situation)
    mode = wanted(situation.desired, run)
    match run.phase:
        case RunPhase.FETCHING:
            return _bring(situation, mode)
        case RunPhase.READY:
            return _begin(situation, run, mode)
        case RunPhase.COMMITTED:
            return _settle(situation, run)
        case RunPhase.PRINTING | RunPhase.PAUSED | RunPhase.STOPPING:
            return _follow(situation, run, mode)
        case RunPhase.FINISHED | RunPhase.STOPPED | RunPhase.FAILED | RunPhase.LOST:
            return Decision()
        case _:
            assert_never(run.phase)


def is_foreign(observed: Observation, run: Run | None) -> bool:
    """Whether the printer prints what this agent did not start: the driver says so, or it prints
    though no run of ours can be on it.
    """
    if observed.foreign:
        return True
    begun = run is not None and run.is_active and not run.never_started
    ours = observed.run is not None and observed.run.state in (RunState.PRINTING, RunState.PAUSED)
    busy = observed.state in (PrinterState.PRINTING, PrinterState.PAUSED)
    return busy and not begun and not ours


def is_begun(memory: Memory, recall: Recall, now_s: float) -> bool:
    """Whether a run has begun and did not end, or a permit that begins it may be on its way."""
    run = memory.run
    if run is None or not run.is_active or run.phase is RunPhase.FETCHING:
        return False
    return run.phase is not RunPhase.READY or _is_armed(run, recall, now_s)


def fate(run: Run, seen: RunSeen) -> tuple[WriteJournal, ...]:
    """Return what an answer to `Recover` means for the run.

    A run that was committed and that the printer knows nothing of is LOST, not "not started": a
    printer that lost its power forgets as well.
    """
    begun: tuple[WriteJournal, ...] = ()
    if run.phase is RunPhase.COMMITTED:
        begun = (WriteJournal(Happened.STARTED),)
    match seen.state:
        case RunState.PRINTING | RunState.PAUSED:
            return begun
        case RunState.FINISHED:
            return (*begun, WriteJournal(Happened.FINISHED, seen.reason))
        case RunState.STOPPED:
            return (*begun, WriteJournal(Happened.STOPPED, seen.reason))
        case RunState.FAILED:
            return (*begun, WriteJournal(Happened.FAILED, seen.reason))
        case RunState.NONE | RunState.UNKNOWN:
            reason = seen.reason or "the printer can't say what became of it"
            return (WriteJournal(Happened.LOST, reason),)
        case _:
            assert_never(seen.state)


def _bring(situation: Situation, mode: Mode | None) -> Decision:
    if mode is Mode.STOP:
        return Decision(steps=(WriteJournal(Happened.WITHDRAWN, STOP_BEFORE_START),))
    if situation.draining:
        return Decision(waits_for=DRAINED)
    return _held_back(situation) or Decision(steps=(Fetch(),))


def _begin(situation: Situation, run: Run, mode: Mode | None) -> Decision:
    """READY: start it, or say what that waits for."""
    recall, now_s = situation.recall, situation.now_s
    if mode is Mode.STOP:
        return Decision(steps=(WriteJournal(Happened.WITHDRAWN, STOP_BEFORE_START),))
    armed = _is_armed(run, recall, now_s)
    if situation.draining and not armed:
        return _give_back(situation, run)
    if held := _held_back(situation):
        return held
    if not recall.plate_here:
        return Decision(steps=(Fetch(),))
    if missing := _missing(situation, mode):
        return Decision(waits_for=missing)
    permit = permit_for(situation.desired, run)
    if run.nonce in situation.ahead.nonces and permit == run.nonce:
        return Decision(steps=(WriteJournal(Happened.COMMITTED), Start()))
    if not situation.heard:
        return Decision(waits_for="the coordinator: it is not connected")
    if not armed:
        return Decision(steps=(Arm(), Report()))
    if permit == run.nonce:
        return Decision(steps=(WriteJournal(Happened.COMMITTED), Start()))
    armed_until_s = recall.armed_at_s + PERMIT_S_MAX
    return Decision(waits_for="the coordinator's permit", again_s=armed_until_s + 0.001)


def _is_armed(run: Run, recall: Recall, now_s: float) -> bool:
    """Whether a permit for the run's nonce would be accepted now."""
    said = run.nonce is not None and recall.armed == run.nonce
    return said and now_s <= recall.armed_at_s + PERMIT_S_MAX


def _give_back(situation: Situation, run: Run) -> Decision:
    """Leave a run alone that did not begin, and say so where it was permitted, which came late."""
    if run.nonce is not None and permit_for(situation.desired, run) == run.nonce:
        return Decision(steps=(WriteJournal(Happened.WITHDRAWN, DRAINED),))
    return Decision(waits_for=DRAINED)


def _missing(situation: Situation, mode: Mode | None) -> str:
    """Return what a start lacks beside the permit, empty where it lacks nothing."""
    observed = situation.observed
    if mode is None:
        return "the coordinator: no document speaks of this run"
    if mode is Mode.PAUSE:
        return "the coordinator: the run is paused before it began"
    if is_foreign(observed, situation.memory.run):
        return "the printer: it prints something that no agent started"
    if observed.state is not PrinterState.IDLE:
        return f"the printer: it is {observed.state}"
    if situation.ahead.ejecting:
        return "the printer: it clears its bed"
    if not bed_is_clear(situation.desired, situation.memory):
        return bed_words(situation)
    return ""


def _held_back(situation: Situation) -> Decision | None:
    """Return the decision to wait while something that failed is not to be tried again yet."""
    recall = situation.recall
    if situation.now_s < recall.retry_at_s:
        return Decision(waits_for=recall.trouble, again_s=recall.retry_at_s)
    return None


def _settle(situation: Situation, run: Run) -> Decision:
    """COMMITTED and nobody is starting it: it may have started. Never again; find out."""
    seen = situation.observed.run
    if seen is None or seen.run_id != run.run_id:
        return _recover(situation)
    if seen.state in (RunState.NONE, RunState.UNKNOWN):
        return _recover(situation)
    return give_up(situation, sure=True) or Decision(steps=fate(run, seen))


def _recover(situation: Situation) -> Decision:
    """Ask what became of the run, as soon as there is a printer to ask."""
    if situation.observed.state is PrinterState.OFFLINE:
        return Decision(waits_for="the printer: only it knows what became of the run")
    return _held_back(situation) or Decision(steps=(Recover(),))


def _follow(situation: Situation, run: Run, mode: Mode | None) -> Decision:
    """A run that has started: write down what is seen, then ask for what is wanted."""
    seen = situation.observed.run
    if seen is None or seen.run_id != run.run_id:
        return _recover(situation)
    match seen.state:
        case RunState.NONE | RunState.UNKNOWN:
            return _recover(situation)
        case RunState.FINISHED | RunState.STOPPED | RunState.FAILED:
            return give_up(situation, sure=True) or Decision(steps=fate(run, seen))
        case RunState.PRINTING | RunState.PAUSED:
            if decision := give_up(situation, sure=True):
                return decision
        case _:
            assert_never(seen.state)
    if mode is Mode.STOP and run.phase is not RunPhase.STOPPING:
        return Decision(steps=(WriteJournal(Happened.STOPPING), Stop()))
    if run.phase is RunPhase.STOPPING:
        return _ask(situation, Stop(), "the printer to stop")
    paused = seen.state is RunState.PAUSED
    if paused and run.phase is RunPhase.PRINTING:
        return Decision(steps=(WriteJournal(Happened.PAUSED, seen.reason),))
    if not paused and run.phase is RunPhase.PAUSED:
        return Decision(steps=(WriteJournal(Happened.RESUMED),))
    return _steer(situation, run, mode, paused=paused)


def _steer(situation: Situation, run: Run, mode: Mode | None, *, paused: bool) -> Decision:
    """Pause or resume, and leave alone a pause that somebody made at the printer."""
    if mode is Mode.PAUSE and not run.pause_asked:
        if not paused and not situation.can_pause:
            return Decision(waits_for="nothing: this printer can't pause")
        steps: tuple[Step, ...] = (WriteJournal(Happened.PAUSE_ASKED),)
        return Decision(steps=steps if paused else (*steps, Pause()))
    if mode is Mode.PAUSE and not paused:
        return _ask(situation, Pause(), "the printer to pause")
    if mode is Mode.RUN and paused:
        if not run.pause_asked:
            return Decision(waits_for="somebody at the printer: it was paused there")
        return _ask(situation, Resume(), "the printer to go on")
    return prepare(situation)


def _ask(situation: Situation, step: Step, waits_for: str) -> Decision:
    """Ask, unless the same was asked a moment ago."""
    recall = situation.recall
    again_s = recall.asked_at_s + ASK_AGAIN_S
    if recall.asked is type(step) and situation.now_s < again_s:
        return Decision(waits_for=recall.trouble or waits_for, again_s=again_s)
    return Decision(steps=(step,))
