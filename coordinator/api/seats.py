"""Who looks on: what waits to be sent to each, and what was said last to those who may see it."""

import asyncio
from collections import deque
from dataclasses import dataclass, field
from enum import IntEnum

# A client that is so many messages behind, some ten seconds, is told to come again.
WAITING_MAX = 64
# What was said last, for those who lost their connection for a moment. Who missed more had better
# get a snapshot: of 500 printers it is as long, and for fewer this lasts the longer.
REMEMBERED_BYTES_MAX = 512 * 1024


class Ending(IntEnum):
    """Why a live connection is closed; as WebSocket's close codes, from 4000 on our own."""

    STOPPING = 1001
    NOT_UNDERSTOOD = 1007
    CREDENTIAL = 4401
    SLOW = 4408


# In words, as the reason beside the code: 123 bytes at most.
REASONS = {
    Ending.STOPPING: "the coordinator stops; come again",
    Ending.NOT_UNDERSTOOD: 'only {"kind": "resync"} is understood',
    Ending.CREDENTIAL: "the credential has ended",
    Ending.SLOW: "too slow: too many messages waited; come again",
}


@dataclass(frozen=True, slots=True)
class Message:
    """One message, encoded once for all who get it."""

    kind: str
    sequence: int
    body: bytes


class Seat:
    """One who looks on."""

    def __init__(self) -> None:
        """Begin with nothing to be sent."""
        self._waiting: asyncio.Queue[Message] = asyncio.Queue(WAITING_MAX)
        self._ended: asyncio.Future[Ending] = asyncio.get_running_loop().create_future()

    def offer(self, message: Message) -> None:
        """Have a message sent; who has too many waiting is dropped instead."""
        try:
            self._waiting.put_nowait(message)
        except asyncio.QueueFull:
            self.end(Ending.SLOW)

    def end(self, why: Ending) -> None:
        """Have the connection closed."""
        if not self._ended.done():
            self._ended.set_result(why)

    async def next(self) -> Message:
        """Return the next message to be sent."""
        return await self._waiting.get()

    async def ended(self) -> Ending:
        """Return why the connection is to be closed, once it is."""
        return await asyncio.shield(self._ended)


@dataclass(slots=True)
class Audience:
    """All who may see the same parts: they hear the same messages, numbered without a gap."""

    sequence: int = 0
    seats: set[Seat] = field(default_factory=set)
    snapshot: Message | None = None
    _said: deque[Message] = field(default_factory=deque)
    _said_bytes: int = 0

    def say(self, message: Message) -> None:
        """Tell everybody, and remember it for a while."""
        self.sequence, self.snapshot = message.sequence, None
        self._said.append(message)
        self._said_bytes += len(message.body)
        while self._said_bytes > REMEMBERED_BYTES_MAX:
            self._said_bytes -= len(self._said.popleft().body)
        for seat in self.seats:
            seat.offer(message)

    def forget(self) -> None:
        """Remember nothing: who went away before this gets a snapshot."""
        self.sequence, self.snapshot = self.sequence + 1, None
        self._said.clear()
        self._said_bytes = 0

    def missed(self, sequence: int) -> list[Message] | None:
        """Return what was said since a number, None where that is not remembered."""
        if not 0 <= sequence <= self.sequence:
            return None
        missed = [message for message in self._said if message.sequence > sequence]
        whole = len(missed) == self.sequence - sequence and len(missed) < WAITING_MAX
        return missed if whole else None
