"""The memory of one printer in use: never ahead of the journal, never behind it."""

from collections.abc import Collection
from dataclasses import replace
from datetime import UTC, datetime

import structlog

from agent.core.memory import Change, EjectionStage, Memory, record, record_staged
from agent.core.observation import RunSeen
from agent.core.run import Happened, Run
from agent.files import FileStore
from agent.journal import Journal
from protocols.wire.vocabulary import AgentId, Finding, Nonce, PrinterId, RunId

log = structlog.get_logger(__name__)


class Remembered:
    """A memory that changes only by being written down first."""

    def __init__(self, journal: Journal, files: FileStore, memory: Memory) -> None:
        """Go on from a memory that the journal holds; use `load`."""
        self._journal = journal
        self._files = files
        self._staged_held = 0
        self.memory = memory
        self._hold_plate()

    @classmethod
    async def load(
        cls,
        journal: Journal,
        files: FileStore,
        agent_id: AgentId,
        printer_id: PrinterId,
        *,
        boot_id: str,
    ) -> "Remembered":
        """Return what the journal knows of a printer. Raises JournalDamaged."""
        memory = await journal.load(agent_id, printer_id)
        return cls(journal, files, replace(memory, boot_id=boot_id))

    @property
    def run(self) -> Run:
        """The run; only where there is one."""
        run = self.memory.run
        assert run is not None, "steps are about a run"
        return run

    async def save(self, change: Change) -> None:
        """Write it down, and only then believe it. Raises JournalDamaged: nothing changed."""
        if change.memory == self.memory:
            return
        await self._journal.save(change)
        self.memory = change.memory
        self._hold_plate()
        for event in change.events:
            log.info(
                f"run.{event.event}",
                printer_id=event.printer_id,
                run_id=event.run_id,
                job_id=event.job_id,
                epoch=event.epoch,
                reason=event.reason,
            )

    async def record(
        self,
        happened: Happened,
        reason: str = "",
        *,
        nonce: Nonce | None = None,
        seen: RunSeen | None = None,
        amiss: Collection[Finding] = (),
    ) -> None:
        """Write down what happened to the run; `seen` counts only where it is of this run."""
        if seen is not None and seen.run_id != self.run.run_id:
            seen = None
        at = datetime.now(UTC)
        await self.save(
            record(self.memory, happened, at=at, reason=reason, nonce=nonce, seen=seen, amiss=amiss)
        )

    async def record_staged(
        self, run_id: RunId, happened: Happened, reason: str = "", *, nonce: Nonce | None = None
    ) -> None:
        """Write down what happened to a staged run."""
        at = datetime.now(UTC)
        await self.save(
            record_staged(self.memory, run_id, happened, at=at, reason=reason, nonce=nonce)
        )

    async def note_ejection(self, stage: EjectionStage) -> None:
        """Write down how far the printer is with emptying its bed."""
        ejection = self.memory.ejection
        assert ejection is not None, "a bed is emptied of what a run left"
        changed = replace(self.memory, ejection=replace(ejection, stage=stage))
        await self.save(Change(memory=changed))

    def _hold_plate(self) -> None:
        """Keep the plates of the runs that go on, or will, from being evicted."""
        run, printer_id = self.memory.run, self.memory.printer_id
        held = run.plate.sha256 if run is not None and run.is_active else None
        self._files.hold(printer_id, held)
        plates = [run.plate.sha256 for run in self.memory.staged]
        for place in range(max(self._staged_held, len(plates))):
            plate = plates[place] if place < len(plates) else None
            self._files.hold(f"{printer_id} staged {place}", plate)
        self._staged_held = len(plates)
