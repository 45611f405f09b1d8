"""A run's life as the coordinator sees it: one attempt to print one plate on one printer.

Theory. A run is born with a lease. Until it is permitted it can be revoked at once: no agent can
start it. From the permit on it may have started, whatever we hear; only its agent's own word ends
it, or a person's where nobody can know (LOST). An agent's word is history and is taken as it comes:
a start of a run that we never permitted did happen too (our memory may be an older copy). What the
table has no answer to, such as a start of a revoked run, contradicts what we know: `reports.py`
takes the printer out of the game for it.

A lost run stays lost whatever moves later, and even if an agent says that it failed or never
started: a wiped agent that meets an old document would say so in good faith. Only FINISHED, which
nobody says by mistake, or a person ends it; DISCARDED means that they want its copy again.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from coordinator.domain.effects import Effects, Note, Save
from coordinator.domain.machine import Machine
from protocols.wire.vocabulary import AgentId, Epoch, JobId, Mode, Nonce, PrinterId, RunId


class RunState(StrEnum):
    """Where a run stands."""

    LEASED = "leased"
    PERMITTED = "permitted"
    PRINTING = "printing"
    PAUSED = "paused"
    FINISHED = "finished"
    STOPPED = "stopped"
    FAILED = "failed"
    LOST = "lost"
    REVOKED = "revoked"  # it never started, and never will
    DISCARDED = "discarded"  # it was lost, and a person wants its copy printed again


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One attempt.

    Attributes:
        copies: how many are on its plate.
        epoch: the printer's epoch that this lease got.
        mode: what is wanted of it now.
        nonce: the one that was permitted, None before.
        line: how far it came, with `layer`, by the last event.
        facts: measured things from its events: `duration_s`, `lines_sent`, `resends`.
    """

    run_id: RunId
    job_id: JobId
    printer_id: PrinterId
    agent_id: AgentId
    epoch: Epoch
    plate_sha256: str
    copies: int = 1
    state: RunState = RunState.LEASED
    mode: Mode = Mode.RUN
    nonce: Nonce | None = None
    leased_at: datetime
    started_at: datetime | None = None
    ended_at: datetime | None = None
    line: int = 0
    layer: int = 0
    reason: str = ""
    facts: Mapping[str, str | int | float | bool | None] = field(default_factory=dict)

    @property
    def live(self) -> bool:
        """Whether it has not ended: it holds its printer's lease."""
        return self.state in LIVE

    @property
    def started(self) -> bool:
        """Whether it is known to print."""
        return self.state in (RunState.PRINTING, RunState.PAUSED)


class RunChange(StrEnum):
    """What moves a run."""

    PERMIT = "permit"
    REVOKE = "revoke"
    RELEASE = "release"
    START = "start"
    PAUSE = "pause"
    RESUME = "resume"
    FINISH = "finish"
    STOP = "stop"
    FAIL = "fail"
    LOSE = "lose"
    DECLARE_FAILED = "declare_failed"  # a person did
    DISCARD = "discard"  # so did a person


LIVE = frozenset({RunState.LEASED, RunState.PERMITTED, RunState.PRINTING, RunState.PAUSED})

# What an agent may say of a lost run without ending it.
_SETTLING_NOTHING = (
    RunChange.START,
    RunChange.PAUSE,
    RunChange.RESUME,
    RunChange.STOP,
    RunChange.FAIL,
    RunChange.LOSE,
    RunChange.RELEASE,
)


def _table() -> dict[tuple[RunState, RunChange], RunState]:
    table = {
        (RunState.LEASED, RunChange.PERMIT): RunState.PERMITTED,
        (RunState.LEASED, RunChange.REVOKE): RunState.REVOKED,
        (RunState.LEASED, RunChange.RELEASE): RunState.REVOKED,
        (RunState.LEASED, RunChange.START): RunState.PRINTING,
        (RunState.PERMITTED, RunChange.PERMIT): RunState.PERMITTED,
        (RunState.PERMITTED, RunChange.RELEASE): RunState.REVOKED,
        (RunState.PERMITTED, RunChange.START): RunState.PRINTING,
        (RunState.LOST, RunChange.FINISH): RunState.FINISHED,
        (RunState.LOST, RunChange.DECLARE_FAILED): RunState.FAILED,
        (RunState.LOST, RunChange.DISCARD): RunState.DISCARDED,
    }
    for state in (RunState.PRINTING, RunState.PAUSED):
        table[state, RunChange.PAUSE] = RunState.PAUSED
        table[state, RunChange.RESUME] = RunState.PRINTING
    for state in sorted(LIVE):
        table[state, RunChange.FINISH] = RunState.FINISHED
        table[state, RunChange.STOP] = RunState.STOPPED
        table[state, RunChange.FAIL] = RunState.FAILED
        table[state, RunChange.LOSE] = RunState.LOST
    # Both sides gave it up at once, each for a reason of its own: it did not start.
    for change in (RunChange.RELEASE, RunChange.STOP, RunChange.FAIL):
        table[RunState.REVOKED, change] = RunState.REVOKED
    for change in _SETTLING_NOTHING:
        table[RunState.LOST, change] = RunState.LOST
    return table


MACHINE = Machine("run", RunState.LEASED, _table())


def advance(
    run: Run, change: RunChange, now: datetime, *, reason: str = "", nonce: Nonce | None = None
) -> tuple[Run, Effects]:
    """Return the run after a change, and what has to be done about it.

    Args:
        reason: why, for a person.
        nonce: the permitted one, with PERMIT; else the run keeps the one it has.

    Raises:
        IllegalTransition: the table has no such move.
    """
    state = MACHINE.after(run.state, change)
    stays = state is run.state
    starts = change is RunChange.START and run.started_at is None
    ended_at = None if state in LIVE else now
    moved = replace(
        run,
        state=state,
        reason=reason or (run.reason if stays else ""),
        nonce=run.nonce if nonce is None else nonce,
        started_at=now if starts else run.started_at,
        ended_at=run.ended_at if stays else ended_at,
    )
    return moved, (Save(moved), note(moved, reason))


def note(run: Run, cause: str = "") -> Note:
    """Return the line of history that says where a run stands."""
    return Note(
        subject="run",
        subject_id=run.run_id,
        name=f"run.{run.state}",
        cause=cause,
        facts={"printer_id": run.printer_id, "job_id": run.job_id, "epoch": run.epoch},
    )
