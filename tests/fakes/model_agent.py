"""A small model of an agent with one printer, for the farm model and for storyboards.

It keeps the rules of the wire (epochs, revisions, nonces, an outbox) and nothing else.
"""

from dataclasses import dataclass, field
from datetime import timedelta

from protocols.wire.from_agent import (
    Presence,
    PrinterDescription,
    Reported,
    RunEvent,
    RunReport,
)
from protocols.wire.to_agent import Desired
from protocols.wire.vocabulary import (
    NEVER_LEASED,
    AgentId,
    Epoch,
    EventKind,
    JobId,
    JournalId,
    Nonce,
    PrinterId,
    PrinterState,
    RunId,
    RunPhase,
)
from tests.fakes.manual_clock import NOON

PRINTING = (RunPhase.PRINTING, RunPhase.PAUSED)


@dataclass
class ModelRun:
    """A run in an agent's journal."""

    run_id: RunId
    job_id: JobId
    epoch: Epoch
    phase: RunPhase = RunPhase.READY
    nonces: list[Nonce] = field(default_factory=list)


@dataclass
class ModelAgent:
    """One agent with one printer."""

    name: str
    journal: int = 1
    boot: int = 1
    sequence: int = 0
    epoch: Epoch = NEVER_LEASED
    revision: int = 0
    occupation: int = 0
    number: int = 0
    run: ModelRun | None = None
    outbox: list[RunEvent] = field(default_factory=list)
    desired: Desired | None = None
    armed: Nonce | None = None
    printing: RunId | None = None  # physically
    on_bed: bool = False

    @property
    def agent_id(self) -> AgentId:
        return AgentId(f"agent-{self.name}")

    @property
    def printer_id(self) -> PrinterId:
        return PrinterId(f"printer-{self.name}")

    @property
    def journal_id(self) -> JournalId:
        return JournalId(f"journal-{self.name}-{self.journal}")

    @property
    def boot_id(self) -> str:
        return f"boot-{self.name}-{self.boot}"

    def presence(self) -> Presence:
        description = PrinterDescription(
            printer_id=self.printer_id,
            name=self.name,
            printer_class="mk4",
            driver="model",
            material="PLA",
        )
        return Presence(
            agent_id=self.agent_id,
            online=True,
            boot_id=self.boot_id,
            connection_id=self.boot_id,
            journal_id=self.journal_id,
            protocol_min=1,
            protocol_max=1,
            printers=(description,),
        )

    def reported(self) -> Reported:
        self.sequence += 1
        run = self.run
        return Reported(
            agent_id=self.agent_id,
            printer_id=self.printer_id,
            journal_id=self.journal_id,
            boot_id=self.boot_id,
            sequence=self.sequence,
            epoch=self.epoch,
            revision=self.revision,
            state=PrinterState.PRINTING if self.printing else PrinterState.IDLE,
            occupation=self.occupation,
            events_stored=self.number,
            run=None
            if run is None
            else RunReport(
                run_id=run.run_id,
                job_id=run.job_id,
                phase=run.phase,
                nonce=run.nonces[-1] if run.phase is RunPhase.READY and run.nonces else None,
                nonces_before=tuple(run.nonces[:-1]),
            ),
        )

    def note(self, event: EventKind) -> None:
        """Write an event to the journal and the outbox."""
        assert self.run is not None
        self.number += 1
        self.outbox.append(
            RunEvent(
                agent_id=self.agent_id,
                printer_id=self.printer_id,
                journal_id=self.journal_id,
                number=self.number,
                epoch=self.run.epoch,
                run_id=self.run.run_id,
                job_id=self.run.job_id,
                event=event,
                at=NOON + timedelta(days=-1),  # its clock is wrong, and nothing rests on it
                occupation=self.occupation,
            )
        )

    def obey(self, document: Desired) -> None:
        """Admit a document, or refuse what is older than what was admitted."""
        if (document.epoch, document.revision) < (self.epoch, self.revision):
            return
        assigned, run = document.assignment, self.run
        started = run is not None and run.phase in (RunPhase.COMMITTED, *PRINTING)
        if document.epoch > self.epoch and assigned is not None and started:
            return
        unwanted = assigned is None or (run is not None and assigned.run_id != run.run_id)
        if run is not None and run.phase is RunPhase.READY and unwanted:
            self.end(RunPhase.STOPPED, EventKind.RELEASED)
        if document.epoch > self.epoch and assigned is not None:
            self.run = ModelRun(assigned.run_id, assigned.job_id, document.epoch)
        self.epoch, self.revision, self.desired = document.epoch, document.revision, document
        acknowledged = document.acknowledged
        if acknowledged is not None and acknowledged.journal_id == self.journal_id:
            self.outbox = [each for each in self.outbox if each.number > acknowledged.number]

    def end(self, phase: RunPhase, event: EventKind) -> None:
        assert self.run is not None
        self.run.phase = phase
        self.printing = None
        self.note(event)
