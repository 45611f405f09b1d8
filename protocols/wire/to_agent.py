"""What the coordinator says to agents.

`Desired` is a whole document, repeated until it is so; `Command` is for what is not state.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from protocols.wire.vocabulary import (
    AgentId,
    Epoch,
    JobId,
    JournalId,
    Mode,
    Nonce,
    PrinterId,
    RunId,
)

Scalar = str | int | float | bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlateReference:
    """Where the G-code of a run is.

    Attributes:
        sha256: 64 lower-case hexadecimal digits; the agent checks what it fetched against it.
        size_bytes: its length.
        url: absolute, or a path below the coordinator's address as the agent knows it.
        name: what a person calls it.
    """

    sha256: str
    size_bytes: int
    url: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """One run: this plate, for this job, once."""

    run_id: RunId
    job_id: JobId
    plate: PlateReference


@dataclass(frozen=True, slots=True, kw_only=True)
class BedClearance:
    """Somebody declared the bed clear of everything up to this occupation.

    An agent counts what comes onto its bed and reports the count. A clearance holds for one
    journal: after a wiped card nobody knows what lies on the bed.
    """

    journal_id: JournalId
    occupation: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledged:
    """All events of this journal up to and with this number are stored; forget them."""

    journal_id: JournalId
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StagedLease:
    """A lease handed over in advance: its run may follow when the one before it has FINISHED.

    Attributes:
        epoch: its own, above that of the document and of the staged leases before it.
        mode: RUN, or STOP where the agent is to give it up.
        permit: the nonce that may start it, at any time, in the process that made it.
    """

    epoch: Epoch
    assignment: Assignment
    mode: Mode = Mode.RUN
    permit: Nonce | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Desired:
    """What the coordinator wants of one printer.

    Attributes:
        epoch: the lease's number. Older documents are refused; an equal one may not change the
            assignment, only what surrounds it.
        revision: orders documents of a printer; it grows with every document.
        term: always 0 and never looked at: epoch and revision come from one row of the database
            and order all documents, whichever coordinator says them.
        assignment: the run, or None where nothing is wanted.
        mode: what is wanted of the run.
        permit: the nonce that may start the run, None until it is granted.
        cleared: up to where the bed was declared clear, None where it never was.
        acknowledged: up to where events are stored, None before the first.
        staged: leases that follow the assignment, in the order of their epochs.
    """

    kind: Literal["desired"] = "desired"
    printer_id: PrinterId
    epoch: Epoch
    revision: int
    term: int = 0
    assignment: Assignment | None = None
    mode: Mode = Mode.RUN
    permit: Nonce | None = None
    cleared: BedClearance | None = None
    acknowledged: Acknowledged | None = None
    staged: tuple[StagedLease, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One thing to do, or to let be when it comes too late.

    Attributes:
        id: of the command; an agent that knows it repeats its answer and does nothing.
        printer_id: whom it is for, None for the agent itself.
        name: the operation, as in the driver's capabilities; of the agent itself `discover`,
            `add_printer` (whose arguments are a printer's settings, those of its driver as
            `settings.NAME`) and `remove_printer`; `update` to a release (`version`, `sha256`,
            `size_bytes`, `url`, `signature`, `trial_s`), `settle_update` and `cancel_update` of a
            `version`.
        expires_s: seconds from its arrival in which it may begin.
    """

    kind: Literal["command"] = "command"
    id: str
    agent_id: AgentId
    printer_id: PrinterId | None = None
    name: str
    arguments: Mapping[str, Scalar] = field(default_factory=dict)
    expires_s: float = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CoordinatorStatus:
    """Whether the coordinator is there; its last will says that it is not.

    Attributes:
        coordinator_id: of this start of it: the death of another one says nothing.
        term: always 0 and never looked at.
    """

    kind: Literal["coordinator_status"] = "coordinator_status"
    up: bool
    coordinator_id: str
    term: int = 0
    protocol_minor: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sync:
    """Every agent repeats its presence and reports, after a random wait within `spread_s`."""

    kind: Literal["sync"] = "sync"
    id: str
    spread_s: float
