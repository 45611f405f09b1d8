"""An agent's card: what was fsynced survives, what was not may be gone."""

import asyncio
from dataclasses import dataclass, field

from agent.core.memory import Change, Memory
from agent.errors import JournalDamaged
from agent.journal import StoredEvent
from protocols.wire.codec import encode
from protocols.wire.vocabulary import AgentId, JournalId, PrinterId
from tests.simulation.world import Process, World


@dataclass
class Contents:
    """What is written on a card."""

    memories: dict[PrinterId, Memory] = field(default_factory=dict)
    outbox: dict[tuple[PrinterId, int], bytes] = field(default_factory=dict)

    def copy(self) -> "Contents":
        return Contents(dict(self.memories), dict(self.outbox))


@dataclass
class Card:
    """One card.

    Attributes:
        written: what a process reads back.
        synced: what a power cut leaves.
        full_until_s: nothing can be written before.
    """

    journal_id: JournalId
    written: Contents = field(default_factory=Contents)
    synced: Contents = field(default_factory=Contents)
    full_until_s: float = 0.0

    def lose_power(self) -> None:
        """Forget what was not synced."""
        self.written = self.synced.copy()

    def clone(self) -> "Card":
        """Return a copy, identity and all."""
        return Card(self.journal_id, self.synced.copy(), self.synced.copy())


# Seconds that an fsync takes: a card is quick, or busy.
FSYNC_S = (0.004, 0.02, 0.3)


class SimulatedJournal:
    """Implements `agent.journal.Journal` on a card; `lazy_s` is how late a lying card syncs."""

    lazy_s = 0.0

    def __init__(self, world: World, card: Card, process: Process) -> None:
        self.journal_id = card.journal_id
        self._world = world
        self._card = card
        self._process = process
        self._one_at_a_time = asyncio.Lock()

    async def load(self, agent_id: AgentId, printer_id: PrinterId) -> Memory:
        """Return what is remembered of a printer."""
        blank = Memory(agent_id=agent_id, printer_id=printer_id, journal_id=self.journal_id)
        return self._card.written.memories.get(printer_id, blank)

    async def save(self, change: Change) -> None:
        """Write a memory and its events, all or nothing; return once they are on the card."""
        async with self._one_at_a_time:
            await self._process.step("write")
            if self._world.now_s() < self._card.full_until_s:
                raise JournalDamaged("no room on the card")
            if self._world.strikes(0.5):
                await self._process.step("a write that was not committed")
            contents, memory = self._card.written, change.memory
            contents.memories[memory.printer_id] = memory
            for event in change.events:
                contents.outbox[memory.printer_id, event.number] = encode(event)
            await self._sync()
            await self._process.step("write returned")

    async def _sync(self) -> None:
        if self.lazy_s:
            self._world.later(self.lazy_s, self._copy)
            return
        await self._process.step("fsync", self._world.random.choice(FSYNC_S))
        self._copy()

    def _copy(self) -> None:
        self._card.synced = self._card.written.copy()

    async def outbox(self, printer_id: PrinterId, after: int, limit: int) -> list[StoredEvent]:
        """Return events that nobody acknowledged, in order."""
        numbers = sorted(
            number
            for owner, number in self._card.written.outbox
            if owner == printer_id and number > after
        )
        contents = self._card.written.outbox
        return [StoredEvent(number, contents[printer_id, number]) for number in numbers[:limit]]

    async def acknowledge(self, printer_id: PrinterId, number: int) -> None:
        """Forget the events up to and with this number."""
        async with self._one_at_a_time:
            await self._process.step("acknowledge")
            outbox = self._card.written.outbox
            for key in [key for key in outbox if key[0] == printer_id and key[1] <= number]:
                del outbox[key]
            await self._sync()
