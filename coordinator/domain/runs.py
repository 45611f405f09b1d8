"""A run's life as the coordinator sees it: one attempt to print one plate on one printer.

A run is born with a lease. Until it is permitted it can be revoked at once; after that only its
agent's own word ends it, or a person's where nobody can know (LOST).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One attempt.

    Attributes:
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
