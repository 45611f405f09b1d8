"""The way to the broker where Home Assistant and other programs listen: see `ports.py`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from coordinator.domain.automation.topics import Message


@dataclass(frozen=True, slots=True)
class Heard:
    """What somebody said; `retained`: some time ago, to whoever would come."""

    topic: str
    payload: bytes
    retained: bool = False


class AutomationLink(Protocol):
    """One session with that broker after another."""

    @property
    def session(self) -> int:
        """Which session stands, 1 for the first; 0 while none does."""

    @property
    def kept(self) -> Mapping[str, bytes]:
        """What the broker retained of this farm when the session began, by topic."""

    async def wait_up(self) -> None:
        """Return once a session stands."""

    async def say(self, *messages: Message) -> None:
        """Say all of these, in this order; returns once the broker has them.

        Raises:
            Unavailable: no connection to the broker.
        """

    async def hear(self) -> Heard:
        """Return the next thing that somebody asked, or that Home Assistant said of itself."""
