"""A printer as the coordinator knows it, and what may be said of it.

Its state is derived, not stored: being offline, holding a lease, having an occupied bed and being
in service are separate facts that come and go on their own.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from protocols.wire.vocabulary import (
    NEVER_LEASED,
    AgentId,
    Epoch,
    JournalId,
    PrinterId,
    PrinterState,
    RunId,
)


class BedState(StrEnum):
    """What lies on the bed. Nothing starts unless it is CLEAR."""

    UNKNOWN = "unknown"
    OCCUPIED = "occupied"
    CLEAR = "clear"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bed:
    """The bed, and who said so.

    Attributes:
        journal_id: the agent's memory that `occupation` counts in.
        occupation: the agent's count of things that came onto the bed, as last reported.
        cleared: the occupation up to which it was declared clear, None where it never was.
    """

    state: BedState = BedState.UNKNOWN
    journal_id: JournalId | None = None
    occupation: int = 0
    cleared: int | None = None
    changed_by: str = ""
    changed_at: datetime | None = None


class PrinterStatus(StrEnum):
    """What a printer is to the farm, the most pressing fact first."""

    IN_SERVICE = "in_service"
    OFFLINE = "offline"
    FAULTED = "faulted"
    BUSY = "busy"
    RESERVED = "reserved"
    NEEDS_CLEARING = "needs_clearing"
    IDLE = "idle"


@dataclass(frozen=True, slots=True, kw_only=True)
class Printer:
    """One printer.

    Attributes:
        printer_id: unique in the farm, whichever agent it hangs on.
        material: what it holds, as its agent's configuration or a person last said.
        online: its agent is connected.
        seen: what its driver sees.
        foreign: it prints something that no agent of ours started.
        in_service: a person took it out of the farm's hands.
        epoch: number of its last lease; `revision` of its last desired document.
        run_id: the run that holds the lease, None where none does.
        journal_id: the agent's memory whose events are applied, up to `events_applied`.
        quarantine: why nothing is leased to it; empty where all is well.
    """

    printer_id: PrinterId
    agent_id: AgentId
    name: str
    printer_class: str
    driver: str
    material: str = ""
    can_pause: bool = True
    online: bool = False
    seen: PrinterState = PrinterState.OFFLINE
    message: str = ""
    foreign: bool = False
    in_service: bool = False
    bed: Bed = Bed()
    epoch: Epoch = NEVER_LEASED
    revision: int = 0
    run_id: RunId | None = None
    journal_id: JournalId | None = None
    events_applied: int = 0
    quarantine: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """An agent, as it last presented itself."""

    agent_id: AgentId
    online: bool
    boot_id: str
    connection_id: str
    journal_id: JournalId
    build: str = ""
    seen_at: datetime
