"""The line in which messages wait for the store; what must arrive, not telemetry.

Policy, when the store is behind or does not answer. A report is a whole picture: a younger one
takes the place of the one that waits, so that there is at most one for each printer. All else
waits in order of arrival. When the line is full, what comes is dropped and counted, and as soon as
the line is empty again the agents are asked to repeat themselves: presence and reports come again
by that, events come again by themselves because nobody acknowledged them.
"""

import asyncio
from dataclasses import dataclass, field
from itertools import islice
from time import monotonic

import structlog

from coordinator.usecases.counted import DROPPED, MALFORMED, SUPERSEDED, Traffic
from protocols.errors import ProtocolError
from protocols.wire.codec import Message, receive
from protocols.wire.complaints import Complaints
from protocols.wire.topics import parse

log = structlog.get_logger(__name__)

# Ten thousand agents that present themselves and report at once, with all their events.
WAITING_MAX = 50_000
# What one transaction takes in: enough to share a commit's cost, few enough to be done in 0.1 s.
TAKEN_MAX = 100

_REPORTED = "reported"


@dataclass(slots=True)
class LinkCounters:
    """What went over the link so far, and what went wrong, for metrics."""

    sessions: int = 0
    complaints: Complaints = field(default_factory=Complaints)
    traffic: Traffic = field(default_factory=Traffic)

    @property
    def malformed(self) -> int:
        """How many messages were none."""
        return self.traffic.lost[MALFORMED]

    @property
    def superseded(self) -> int:
        """How many reports and telemetry a younger message replaced before they were read."""
        return self.traffic.lost[SUPERSEDED]

    @property
    def dropped(self) -> int:
        """For how many messages there was no room."""
        return self.traffic.lost[DROPPED]


class Inbox:
    """The line. `put` from the link, `take` by whoever brings messages to the store."""

    def __init__(self, counters: LinkCounters) -> None:
        """Begin empty; what is dropped is counted there."""
        self._counters = counters
        self._waiting: dict[str | int, tuple[str, bytes]] = {}
        self._arrived = 0
        self._wake = asyncio.Event()
        self._lacks = False

    @property
    def waiting(self) -> int:
        """How many messages wait."""
        return len(self._waiting)

    @property
    def arrived(self) -> int:
        """How many messages were put there so far."""
        return self._arrived

    def put(self, topic: str, payload: bytes) -> None:
        """Add a message at the end of the line, or a younger report in place of an older one."""
        self._arrived += 1
        traffic, kind = self._counters.traffic, topic.rpartition("/")[2]
        traffic.received[kind] += 1
        key = topic if kind == _REPORTED else self._arrived
        if key in self._waiting:
            traffic.lost[SUPERSEDED] += 1
        elif len(self._waiting) >= WAITING_MAX:
            if not self._lacks:
                log.warning("messages.dropped", waiting=len(self._waiting))
            traffic.lost[DROPPED] += 1
            self._lacks = True
            return
        self._waiting[key] = (topic, payload)
        self._wake.set()

    async def take(self) -> list[Message]:
        """Wait for messages; return the first in line, `TAKEN_MAX` at most.

        What is no message is counted, told and left out; so the list may be empty.
        """
        await self._wake.wait()
        keys = list(islice(self._waiting, TAKEN_MAX))
        taken = [self._waiting.pop(key) for key in keys]
        if not self._waiting:
            self._wake.clear()
        found = (decoded(topic, payload, self._counters) for topic, payload in taken)
        return [message for message in found if message is not None]

    def lacks_something(self) -> bool:
        """Whether messages were dropped, and there is room for them now; said once."""
        lacks = self._lacks and not self._waiting
        if lacks:
            self._lacks = False
        return lacks


def decoded(topic: str, payload: bytes, counters: LinkCounters) -> Message | None:
    """Return the message, or None for what is none: counted, and told now and then."""
    if not payload:
        return None  # a retained message was deleted
    try:
        # A board that starts may send NULs, and not every database stores them in a text.
        return receive(topic, payload.replace(b"\\u0000", b"\\ufffd"))
    except ProtocolError as error:
        counters.traffic.lost[MALFORMED] += 1
        if count := counters.complaints.note(monotonic()):
            about = {"topic": topic[:200], "reason": str(error), "count": count}
            if (address := parse(topic)) is not None:
                about |= {"agent_id": address.agent_id, "printer_id": address.printer_id}
            log.warning("message.dropped", **about)
        return None
