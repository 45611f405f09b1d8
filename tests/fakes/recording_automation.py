"""A broker for programs beside the farm, in memory: what was said, and what is retained."""

import asyncio
import json
from collections.abc import Callable, Mapping
from typing import Any

from coordinator.domain.automation.topics import Message
from coordinator.errors import Unavailable
from coordinator.ports_automation import Heard


class RecordingAutomation:
    """Implements `coordinator.ports_automation.AutomationLink`; `connect` begins a session.

    Attributes:
        said: every message, in order.
        retained: what a broker would keep, by topic.
    """

    def __init__(self) -> None:
        self.said: list[Message] = []
        self.retained: dict[str, bytes] = {}
        self.kept: Mapping[str, bytes] = {}
        self._sessions, self._up = 0, asyncio.Event()
        self._inbox: asyncio.Queue[Heard] = asyncio.Queue()

    @property
    def session(self) -> int:
        return self._sessions if self._up.is_set() else 0

    def connect(self) -> None:
        self.kept = dict(self.retained)
        self._sessions += 1
        self._up.set()

    def lose(self) -> None:
        self._up.clear()

    async def wait_up(self) -> None:
        await self._up.wait()

    async def say(self, *messages: Message) -> None:
        if not self._up.is_set():
            raise Unavailable("broker_unreachable", "no broker")
        for message in messages:
            self.said.append(message)
            if message.retain and message.payload:
                self.retained[message.topic] = message.payload
            elif message.retain:
                self.retained.pop(message.topic, None)

    async def hear(self) -> Heard:
        return await self._inbox.get()

    def ask(self, topic: str, said: Any, *, retained: bool = False) -> None:
        """Have somebody say something: a text, or a document."""
        text = said if isinstance(said, str) else json.dumps(said)
        self._inbox.put_nowait(Heard(topic, text.encode(), retained=retained))

    async def until(self, holds: Callable[[], Any], within_s: float = 10.0) -> Any:
        """Return what `holds` returns once that is true."""
        async with asyncio.timeout(within_s):
            while not (found := holds()):  # noqa: ASYNC110
                await asyncio.sleep(0.005)
        return found

    def on(self, topic: str) -> list[Any]:
        """Return what was said on a topic: documents where it was JSON."""
        return [_plain(each.payload) for each in self.said if each.topic == topic]

    def now(self, topic: str) -> Any:
        """Return what is retained on a topic, None where nothing is."""
        return _plain(self.retained[topic]) if topic in self.retained else None


def _plain(payload: bytes) -> Any:
    try:
        return json.loads(payload)
    except ValueError:
        return payload.decode(errors="replace")
