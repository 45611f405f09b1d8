"""What is done ahead, and between two runs: leases held in advance, and the bed that clears itself.

Theory. While a run prints, the plates of the staged leases are brought here and looked at, and
each lease is armed with a nonce of its own, written down and reported. The coordinator permits
these nonces in their order. When the run has FINISHED, and only then, the next one takes its place;
it may start, whenever that is and whether anybody hears us or not, with the permit for the nonce
that *this* process made. What ends a run otherwise gives up all that was to follow it (`memory`).

Arming needs the run before to be seen on this printer by this process: so a copy of the card, whose
printer knows nothing of that run, never arms. A restart forgets the nonces it made. What an earlier
process armed is given up as soon as this one has seen the run on its printer; where it has not, it
can't be sure that it is no copy, and the coordinator does not take its word.

The ejection routine is begun once for what a run left that FINISHED. If it breaks off, nobody knows
what lies on the bed, and a person has to look.
"""

from collections.abc import Iterator

from agent.core.memory import EjectionStage, Memory
from agent.core.run import Run
from agent.core.situation import Decision, Situation
from agent.core.steps import ArmStaged, Eject, FetchStaged, GiveUp, Promote
from protocols.wire.to_agent import Desired
from protocols.wire.vocabulary import Mode, Nonce, PrinterState, RunPhase

DRAINED = "the agent is being drained: it takes no new run"
NOT_WANTED = "the coordinator does not want it any more"
OF_ANOTHER_PROCESS = "the agent began anew: it has to be given and permitted again"


def wanted(desired: Desired | None, run: Run) -> Mode | None:
    """Return the mode wanted of a run, None where no document speaks of it."""
    said = _said_of(desired, run)
    return said[0] if said is not None else None


def permit_for(desired: Desired | None, run: Run) -> Nonce | None:
    """Return the nonce that was permitted for a run, None where none was."""
    said = _said_of(desired, run)
    return said[1] if said is not None else None


def _said_of(desired: Desired | None, run: Run) -> tuple[Mode, Nonce | None] | None:
    if desired is None:
        return None
    held = desired.assignment
    if held is not None and held.run_id == run.run_id and desired.epoch == run.epoch:
        return desired.mode, desired.permit
    for lease in desired.staged:
        if lease.assignment.run_id == run.run_id and lease.epoch == run.epoch:
            return lease.mode, lease.permit
    return None


def bed_is_clear(desired: Desired | None, memory: Memory) -> bool:
    """Whether the bed was declared clear of everything that this journal counted.

    By the ejection routine, in this journal; or by a person, through the coordinator, in a document
    of a later lease than that of the last run that came onto it: an earlier one can't know of that.
    """
    if ejected(memory) >= memory.occupation > 0:
        return True
    run = memory.run
    if desired is None or (run is not None and desired.epoch < run.epoch):
        return False
    if run is not None and desired.epoch == run.epoch and not run.never_started:
        return False
    cleared = desired.cleared
    return (
        cleared is not None
        and cleared.journal_id == memory.journal_id
        and cleared.occupation >= memory.occupation
    )


def ejected(memory: Memory) -> int:
    """Return the occupation up to which the printer itself emptied its bed, 0 for never."""
    ejection = memory.ejection
    done = ejection is not None and ejection.stage is EjectionStage.DONE
    return ejection.occupation if done and ejection is not None else 0


def eject(situation: Situation) -> Decision | None:
    """Return the decision to empty the bed, None where that is not due or not possible now."""
    memory, ejection = situation.memory, situation.memory.ejection
    if not situation.self_clearing or ejection is None or situation.ahead.ejecting:
        return None
    if ejection.stage is not EjectionStage.DUE or ejection.occupation != memory.occupation:
        return None
    if situation.observed.state is not PrinterState.IDLE or situation.observed.foreign:
        return None
    if bed_is_clear(situation.desired, memory):
        return None
    return Decision(steps=(Eject(),))


def bed_words(situation: Situation) -> str:
    """Return what a bed that is not clear waits for."""
    ejection = situation.memory.ejection
    if ejection is None or ejection.occupation != situation.memory.occupation:
        return "somebody to declare the bed clear"
    if ejection.stage is EjectionStage.BEGUN:
        why = f" ({situation.ahead.trouble})" if situation.ahead.trouble else ""
        return f"somebody to look at the bed: clearing it broke off{why}"
    return "somebody to declare the bed clear"


def succeed(situation: Situation) -> Decision:
    """The run has ended: let the next one take its place, if one was handed over."""
    memory = situation.memory
    if memory.run is None or memory.run.phase is not RunPhase.FINISHED or not memory.staged:
        return Decision()
    return give_up(situation, sure=True) or Decision(steps=(Promote(),))


def give_up(situation: Situation, *, sure: bool) -> Decision | None:
    """Return the decision to give up staged leases, None where all are as they should be.

    Args:
        sure: this process has seen the run before them on its printer, or that one is over.
    """
    for reason, run in _useless(situation, sure=sure):
        return Decision(steps=(GiveUp(run.run_id, reason),))
    return None


def _useless(situation: Situation, *, sure: bool) -> Iterator[tuple[str, Run]]:
    desired, ahead = situation.desired, situation.ahead
    for run in situation.memory.staged:
        if run.nonce is not None and run.nonce not in ahead.nonces:
            if sure:
                yield OF_ANOTHER_PROCESS, run
        elif situation.draining:
            yield DRAINED, run
        elif not situation.self_clearing:
            yield "this printer does not empty its bed by itself", run
        elif desired is not None and wanted(desired, run) is not Mode.RUN:
            yield NOT_WANTED, run


def prepare(situation: Situation) -> Decision:
    """A run prints, seen by this process: get ready what follows it."""
    ahead = situation.ahead
    for run in situation.memory.staged:
        if run.run_id not in ahead.here:
            if ahead.fetching:
                return Decision()
            if situation.now_s < ahead.retry_at_s:
                return Decision(again_s=ahead.retry_at_s)
            return Decision(steps=(FetchStaged(run.run_id),))
        if run.nonce is None:
            return Decision(steps=(ArmStaged(run.run_id),))
    return Decision()
