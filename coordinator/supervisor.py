"""Who started us and looks after us, where that is systemd: told that we are up, and that we turn.

sd_notify(3): datagrams to the socket that NOTIFY_SOCKET names; without one nobody is told. With
WATCHDOG_USEC a process that says nothing for so long is killed and started again.
"""

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress

# A beat that is late, or lost, is not the end.
BEATS_PER_PATIENCE = 3


class Supervisor:
    """What looks after this process; whatever is told to nobody is lost, and no fault."""

    def __init__(self, environment: MutableMapping[str, str] | None = None) -> None:
        """Take what the environment says of it, out of it: children are not asked.

        Args:
            environment: this process's where it is None.
        """
        given = os.environ if environment is None else environment
        address = given.pop("NOTIFY_SOCKET", "")
        patience = given.pop("WATCHDOG_USEC", "")
        of = given.pop("WATCHDOG_PID", str(os.getpid()))
        self._address = f"\0{address[1:]}" if address.startswith("@") else address
        self._beat_s = 0.0
        if self._address and patience.isdecimal() and of == str(os.getpid()):
            self._beat_s = int(patience) / 1e6 / BEATS_PER_PATIENCE

    @property
    def beat_s(self) -> float:
        """Seconds between two beats; 0 where nobody counts them."""
        return self._beat_s

    def ready(self, words: str = "") -> None:
        """Say that we are up, and how it is in a few words."""
        self._tell("READY=1", *([f"STATUS={words}"] if words else []))

    def stopping(self) -> None:
        """Say that the end has begun."""
        self._tell("STOPPING=1")

    def beat(self, words: str = "") -> None:
        """Say that we turn, and how it is in a few words."""
        self._tell("WATCHDOG=1", *([f"STATUS={words}"] if words else []))

    async def watch(
        self,
        turn: Callable[[], Awaitable[None]] = lambda: asyncio.sleep(0),
        words: Callable[[], str] = lambda: "",
    ) -> None:
        """Beat for as long as all turns; returns at once where nobody counts.

        Args:
            turn: comes back once everything beside this loop turned as well.
            words: how it is.
        """
        while self._beat_s:
            await turn()
            self.beat(words())
            await asyncio.sleep(self._beat_s)

    def _tell(self, *lines: str) -> None:
        if not self._address:
            return
        # Never waited for: a supervisor that hangs must not make us hang too.
        with (
            suppress(OSError),
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as told,
        ):
            told.sendto("\n".join(lines).encode(), self._address)
