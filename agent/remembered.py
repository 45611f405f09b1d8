"""The memory of one printer in use: never ahead of the journal, never behind it."""

from collections.abc import Collection
from datetime import UTC, datetime

import structlog

from agent.core.memory import Change, Memory, record
from agent.core.observation import RunSeen
from agent.core.run import Happened, Run
from agent.files import FileStore
from agent.journal import Journal
from protocols.wire.vocabulary import AgentId, Finding, Nonce, PrinterId

log = structlog.get_logger(__name__)


class Remembered:
    """A memory that changes only by being written down first."""

    def __init__(self, journal: Journal, files: FileStore, memory: Memory) -> None:
        """Go on from a memory that the journal holds; use `load`."""
        self._journal = journal
        self._files = files
        self.memory = memory
        self._hold_plate()

    @classmethod
    async def load(
        cls, journal: Journal, files: FileStore, agent_id: AgentId, printer_id: PrinterId
    ) -> "Remembered":
        """Return what the journal knows of a printer. Raises JournalDamaged."""
        return cls(journal, files, await journal.load(agent_id, printer_id))

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

    def _hold_plate(self) -> None:
        """Keep the plate of a run that goes on from being evicted."""
        run = self.memory.run
        held = run.plate.sha256 if run is not None and run.is_active else None
        self._files.hold(self.memory.printer_id, held)
