"""What agents say to the coordinator.

`Presence` and `Reported` are whole documents that replace each other. `RunEvent` is history: each
one is numbered, kept in the agent's outbox and repeated until it is acknowledged. `Telemetry` may
be lost.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from protocols.wire.to_agent import Scalar
from protocols.wire.vocabulary import (
    NEVER_LEASED,
    AgentId,
    BedPolicy,
    Epoch,
    EventKind,
    Finding,
    JobId,
    JournalId,
    Nonce,
    PrinterId,
    PrinterState,
    RunId,
    RunPhase,
    Temperature,
    Tuning,
    UpdatePhase,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PrinterDescription:
    """One printer as its agent's configuration describes it.

    Attributes:
        printer_class: the name of its profile; plates are made per class.
        driver: how the agent talks to it.
        material: what it is said to hold until a person says otherwise; empty where unknown.
        commands: operations it takes as `Command`.
        bed_policy: who empties its bed.
    """

    printer_id: PrinterId
    name: str
    printer_class: str
    driver: str
    material: str = ""
    can_pause: bool = True
    commands: tuple[str, ...] = ()
    bed_policy: BedPolicy = BedPolicy.ATTENDED


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateReport:
    """How far an agent is with the update it was told last, or how that ended.

    Attributes:
        words: why it was refused, gone back from, or what it waits for.
    """

    version: str
    phase: UpdatePhase
    words: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Presence:
    """An agent is there, or (as its last will) not any more.

    Attributes:
        boot_id: of this start of the agent's process.
        connection_id: of this connection: a will of another connection says nothing.
        protocol_min: lowest and `protocol_max` highest major version it speaks.
        protocol_minor: of the highest.
        build: its version.
        draining: it takes no new run, and ends once nothing prints.
        update: how its last update goes, or went; None where nobody told it of one.
    """

    kind: Literal["presence"] = "presence"
    agent_id: AgentId
    online: bool
    boot_id: str
    connection_id: str
    journal_id: JournalId
    protocol_min: int
    protocol_max: int
    protocol_minor: int = 0
    build: str = ""
    printers: tuple[PrinterDescription, ...] = ()
    draining: bool = False
    update: UpdateReport | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunReport:
    """How far an agent is with a run.

    Attributes:
        nonce: fresh, and fsynced before it was said, while READY; None otherwise.
        nonces_before: earlier nonces of this run in the same journal, newest last: proof that
            whoever asks again is the one who asked before, and did not start.
        line: lines of the plate that the firmware has taken, `line_count` in all.
        progress: 0 to 1.
    """

    run_id: RunId
    job_id: JobId
    phase: RunPhase
    nonce: Nonce | None = None
    nonces_before: tuple[Nonce, ...] = ()
    line: int = 0
    line_count: int = 0
    layer: int = 0
    layer_count: int = 0
    progress: float = 0.0
    remaining_s: float | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StagedReport:
    """How far an agent is with a lease that it holds in advance.

    Attributes:
        phase: FETCHING, or READY once its plate was fetched and looked at.
        nonce: made by this very process, and fsynced before it was said; None before.
        permitted: the agent has a permit for that nonce.
    """

    run_id: RunId
    epoch: Epoch
    phase: RunPhase
    nonce: Nonce | None = None
    permitted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A document that the agent did not obey, and why."""

    epoch: Epoch
    revision: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reported:
    """What an agent knows of one printer.

    Attributes:
        sequence: grows with every report of this boot.
        epoch: the highest the agent ever admitted.
        revision: of the last document that it obeyed.
        occupation: how many things have come onto the bed in this journal's life.
        waits_for: why a wanted run does not start yet, for a person; empty where it does.
        foreign: something prints that no agent started.
        events_stored: number of the last event written to the outbox.
        events_acknowledged: up to where a coordinator said that it stored them; those are gone.
        findings: what is wrong with the printer now, alarms first.
        staged: the leases it holds in advance, in order.
        staged_epoch: the highest epoch ever staged.
        ejected: up to this occupation the printer itself emptied its bed; 0 for never.
        ejecting: it is at it now.
    """

    kind: Literal["reported"] = "reported"
    agent_id: AgentId
    printer_id: PrinterId
    journal_id: JournalId
    boot_id: str
    sequence: int
    epoch: Epoch
    revision: int
    state: PrinterState
    run: RunReport | None = None
    temperatures: Mapping[str, Temperature] = field(default_factory=dict)
    message: str = ""
    occupation: int = 0
    waits_for: str = ""
    foreign: bool = False
    refused: Refusal | None = None
    events_stored: int = 0
    events_acknowledged: int = 0
    findings: tuple[Finding, ...] = ()
    staged: tuple[StagedReport, ...] = ()
    staged_epoch: Epoch = NEVER_LEASED
    ejected: int = 0
    ejecting: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEvent:
    """One line of history.

    Attributes:
        number: 1, 2, 3 ... per printer and journal, without a gap.
        at: the agent's wall clock, for display; the order is that of the numbers.
        line: where the run was, with `layer`; 0 where it does not apply.
        occupation: the bed's count after this event.
        facts: measured things with their unit in the name: `duration_s`, `lines_sent`, `resends`;
            with a bad end also `dialogue`, the last lines between host and printer, and with a
            pause as well `amiss`, what was wrong around it, in words.
        boot_id: the process that wrote it down; empty from agents older than this field. Only who
            was permitted a run can say for certain that it never started.
    """

    kind: Literal["run_event"] = "run_event"
    agent_id: AgentId
    printer_id: PrinterId
    journal_id: JournalId
    number: int
    epoch: Epoch
    run_id: RunId
    job_id: JobId
    event: EventKind
    at: datetime
    line: int = 0
    layer: int = 0
    occupation: int = 0
    reason: str = ""
    facts: Mapping[str, Scalar] = field(default_factory=dict)
    boot_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PrinterSample:
    """One printer in a telemetry message; `tuning` is None where nothing of it is known."""

    printer_id: PrinterId
    state: PrinterState
    run_id: RunId | None = None
    temperatures: Mapping[str, Temperature] = field(default_factory=dict)
    line: int = 0
    line_count: int = 0
    layer: int = 0
    layer_count: int = 0
    progress: float = 0.0
    remaining_s: float | None = None
    tuning: Tuning | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HostSample:
    """The machine beside the printers. None: it does not tell.

    Attributes:
        under_voltage, throttled: now; with `_seen`, since it booted or the agent began.
        disk_free_bytes: where the agent keeps its journal and plates.
        memory_free_bytes: what programs can still have.
        load: processes that want a processor, over the last minute, per processor.
        findings: what is wrong with it, alarms first.
    """

    under_voltage: bool | None = None
    under_voltage_seen: bool | None = None
    throttled: bool | None = None
    throttled_seen: bool | None = None
    cpu_celsius: float | None = None
    disk_free_bytes: int | None = None
    memory_free_bytes: int | None = None
    load: float | None = None
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Telemetry:
    """All printers of an agent, at most once a second; `at_unix_s` is the agent's wall clock."""

    kind: Literal["telemetry"] = "telemetry"
    agent_id: AgentId
    at_unix_s: float
    printers: tuple[PrinterSample, ...]
    host: HostSample | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundPlace:
    """One place where a printer may be, as an agent found it.

    Attributes:
        address: for the driver's settings: what survives replugging, where there is such a name.
        driver: what speaks to it; `setting` is which of that driver's settings the address is.
        names: other names of the same place.
        firmware, machine: what answered, and what its owner calls it; empty where not told.
        baud_rate: 0 where there is none to speak of.
        missing: settings that a person has to fill in, with an example each; `hint` tells where
            they find those.
        trouble: why nobody answered there; empty where somebody did.
        printer_id: the agent's own printer that hangs there already; empty where none does.
    """

    address: str
    driver: str
    setting: str
    names: tuple[str, ...] = ()
    firmware: str = ""
    machine: str = ""
    baud_rate: int = 0
    missing: Mapping[str, str] = field(default_factory=dict)
    hint: str = ""
    trouble: str = ""
    printer_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandResult:
    """What became of a command; `code` is for programs, `message` for people.

    Attributes:
        found: what was found, of `discover`.
    """

    kind: Literal["command_result"] = "command_result"
    id: str
    agent_id: AgentId
    ok: bool
    code: str = ""
    message: str = ""
    found: tuple[FoundPlace, ...] = ()
