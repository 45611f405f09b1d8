"""One run's life on an agent.

Theory. A run begins FETCHING: its plate is brought here and looked at. READY means that it could
start; the agent then *arms* it with a fresh nonce, which the coordinator must permit. COMMITTED is
the one dangerous place: the journal says so before the printer is told anything, so that whoever
finds a run COMMITTED after a crash knows that it may have started, and never starts it again; it
asks the printer instead. PRINTING, PAUSED and STOPPING follow what the printer is seen doing.

Whatever ends before COMMITTED never started and can be dropped at will. Whatever ends after it
ends by the printer's own word (FINISHED, STOPPED, FAILED) or by nobody's (LOST): then a person
settles it.

`TABLE` is the whole machine; a pair that is not in it changes nothing and raises.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

from agent.errors import IllegalTransition
from protocols.wire.to_agent import PlateReference
from protocols.wire.vocabulary import Epoch, EventKind, JobId, Nonce, RunId, RunPhase

# A coordinator that is up answers a nonce within a second; 64 of them are over 20 minutes of
# asking, after which the proof of lineage may be forgotten.
NONCES_KEPT = 64


class Happened(StrEnum):
    """What can happen to a run."""

    FETCHED = "fetched"
    ARMED = "armed"
    COMMITTED = "committed"
    STARTED = "started"
    NOT_STARTED = "not started"  # the printer surely did not take it; it may be tried again
    REFUSED = "refused"  # surely not started, and it never can be
    WITHDRAWN = "withdrawn"  # nobody wants it any more, and it never started
    PAUSE_ASKED = "pause asked"  # the pause is ours, so the resuming is
    PAUSED = "paused"
    RESUMED = "resumed"
    STOPPING = "stopping"
    FINISHED = "finished"
    STOPPED = "stopped"
    FAILED = "failed"
    LOST = "lost"


_P, _H = RunPhase, Happened

TABLE = MappingProxyType(
    {
        (_P.FETCHING, _H.FETCHED): _P.READY,
        (_P.FETCHING, _H.REFUSED): _P.FAILED,
        (_P.FETCHING, _H.WITHDRAWN): _P.STOPPED,
        (_P.READY, _H.ARMED): _P.READY,
        (_P.READY, _H.COMMITTED): _P.COMMITTED,
        (_P.READY, _H.REFUSED): _P.FAILED,
        (_P.READY, _H.WITHDRAWN): _P.STOPPED,
        (_P.COMMITTED, _H.STARTED): _P.PRINTING,
        (_P.COMMITTED, _H.NOT_STARTED): _P.READY,
        (_P.COMMITTED, _H.REFUSED): _P.FAILED,
        (_P.COMMITTED, _H.LOST): _P.LOST,
        (_P.PRINTING, _H.PAUSE_ASKED): _P.PRINTING,
        (_P.PRINTING, _H.PAUSED): _P.PAUSED,
        (_P.PRINTING, _H.STOPPING): _P.STOPPING,
        (_P.PRINTING, _H.FINISHED): _P.FINISHED,
        (_P.PRINTING, _H.STOPPED): _P.STOPPED,
        (_P.PRINTING, _H.FAILED): _P.FAILED,
        (_P.PRINTING, _H.LOST): _P.LOST,
        (_P.PAUSED, _H.PAUSE_ASKED): _P.PAUSED,
        (_P.PAUSED, _H.RESUMED): _P.PRINTING,
        (_P.PAUSED, _H.STOPPING): _P.STOPPING,
        (_P.PAUSED, _H.FINISHED): _P.FINISHED,
        (_P.PAUSED, _H.STOPPED): _P.STOPPED,
        (_P.PAUSED, _H.FAILED): _P.FAILED,
        (_P.PAUSED, _H.LOST): _P.LOST,
        (_P.STOPPING, _H.FINISHED): _P.FINISHED,
        (_P.STOPPING, _H.STOPPED): _P.STOPPED,
        (_P.STOPPING, _H.FAILED): _P.FAILED,
        (_P.STOPPING, _H.LOST): _P.LOST,
    }
)

# What goes into the history when it happens; the rest is between the agent and itself.
SAYS = MappingProxyType(
    {
        _H.STARTED: EventKind.STARTED,
        _H.REFUSED: EventKind.FAILED,
        _H.WITHDRAWN: EventKind.RELEASED,
        _H.PAUSED: EventKind.PAUSED,
        _H.RESUMED: EventKind.RESUMED,
        _H.FINISHED: EventKind.FINISHED,
        _H.STOPPED: EventKind.STOPPED,
        _H.FAILED: EventKind.FAILED,
        _H.LOST: EventKind.LOST,
    }
)

# What comes onto the bed. A count that was taken back was never reported: it is written and
# taken back between two reports, so nobody can have declared it clear.
OCCUPIES = MappingProxyType(
    {
        (_P.READY, _H.COMMITTED): 1,
        (_P.COMMITTED, _H.NOT_STARTED): -1,
        (_P.COMMITTED, _H.REFUSED): -1,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What an agent knows of one run, and keeps through a power cut.

    Attributes:
        epoch: the lease under which it was given.
        nonce: what it is armed with, None before the first and after a start that failed.
        nonces_before: earlier ones, newest last.
        pause_asked: the coordinator wanted the pause, so the coordinator may end it; a pause
            that somebody made at the printer is theirs to end.
        committed_at: wall clock of the commitment; the start is at most seconds later.
        reason: why it ended as it did, for a person.
    """

    run_id: RunId
    job_id: JobId
    epoch: Epoch
    plate: PlateReference
    phase: RunPhase = RunPhase.FETCHING
    nonce: Nonce | None = None
    nonces_before: tuple[Nonce, ...] = ()
    pause_asked: bool = False
    committed_at: datetime | None = None
    reason: str = ""

    @property
    def never_started(self) -> bool:
        """Whether it has surely not begun, and still could."""
        return self.phase in (RunPhase.FETCHING, RunPhase.READY)

    @property
    def is_active(self) -> bool:
        """Whether something may still come of it."""
        return not self.phase.is_end


def advance(
    run: Run, happened: Happened, *, at: datetime, reason: str = "", nonce: Nonce | None = None
) -> Run:
    """Return the run after something happened to it.

    Args:
        run: as it was.
        happened: what did.
        at: wall clock of the agent.
        reason: for a person; kept with the run.
        nonce: the fresh one; belongs to ARMED, and only there.

    Raises:
        IllegalTransition: that can't happen in this phase; nothing has changed.
    """
    phase = TABLE.get((run.phase, happened))
    if phase is None:
        raise IllegalTransition(f"run {run.run_id} is {run.phase}: it can't be {happened}")
    if (nonce is not None) != (happened is Happened.ARMED):
        raise IllegalTransition(f"run {run.run_id}: a nonce comes with arming, and only then")
    after = replace(run, phase=phase, reason=reason)
    match happened:
        case Happened.ARMED:
            return replace(after, nonce=nonce, nonces_before=_spent(run))
        case Happened.COMMITTED:
            return replace(after, committed_at=at)
        case Happened.NOT_STARTED:
            return replace(after, nonce=None, nonces_before=_spent(run), committed_at=None)
        case Happened.PAUSE_ASKED:
            return replace(after, pause_asked=True)
        case Happened.RESUMED:
            return replace(after, pause_asked=False)
        case _:
            return after


def _spent(run: Run) -> tuple[Nonce, ...]:
    used = () if run.nonce is None else (run.nonce,)
    return (*run.nonces_before, *used)[-NONCES_KEPT:]
