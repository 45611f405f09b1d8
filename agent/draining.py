"""To drain an agent: it takes no new run, and is done once nothing prints.

What has begun is printed to its end; a permit that may be on its way is waited for. An agent that
is stopped without this disturbs no print either, but leaves it waiting for the next start.
"""

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from typing import Protocol

import structlog

log = structlog.get_logger(__name__)

LOOK_S = 0.5
HEARD_S_MAX = 15.0  # a coordinator that is there acknowledges within a second


class Busy(Protocol):
    """What is asked of each printer's loop."""

    @property
    def begun(self) -> bool:
        """Whether a run has begun and did not end."""

    @property
    def unheard(self) -> bool:
        """Whether there is history that no coordinator has acknowledged."""

    def wake(self) -> None:
        """Look again."""


class Drain:
    """Whether an agent is being drained, and whether it is empty."""

    def __init__(self) -> None:
        """Begin without being asked."""
        self._asked = asyncio.Event()
        self._held = False
        self.empty = asyncio.Event()

    @property
    def on(self) -> bool:
        """Whether no new run is taken."""
        return self._held or self.asked

    @property
    def asked(self) -> bool:
        """Whether somebody asked for it; there is no way back but a new start."""
        return self._asked.is_set()

    def hold(self, on: bool) -> None:
        """Take no new run for a while, and again: around an update of this agent."""
        self._held = on

    def ask(self) -> None:
        """Take no new run from now on."""
        self._asked.set()

    async def watch(
        self,
        printers: Callable[[], Iterable[Busy]],
        say: Callable[[], None],
        look: Callable[[], None] = lambda: None,
    ) -> None:
        """Set `empty` once nothing prints and the history was heard.

        Args:
            printers: tells all of the agent's, once it was asked for.
            say: tells the coordinator that draining began.
            look: called now and then until nothing prints.
        """
        await self._asked.wait()
        drained = tuple(printers())
        log.info("agent.draining", printing=sum(printer.begun for printer in drained))
        say()
        for printer in drained:
            printer.wake()
        await at_rest(drained, look)
        log.info("agent.drained")
        self.empty.set()
        await asyncio.get_running_loop().create_future()


async def at_rest(printers: Collection[Busy], look: Callable[[], None] = lambda: None) -> None:
    """Return once none of these prints, and their history was heard, or nobody listens."""
    await _until(lambda: not any(printer.begun for printer in printers), look)
    heard = _until(lambda: not any(printer.unheard for printer in printers))
    with suppress(TimeoutError):
        await asyncio.wait_for(heard, HEARD_S_MAX)


async def _until(is_so: Callable[[], bool], look: Callable[[], None] = lambda: None) -> None:
    """Look now and then: neither the journal nor the outbox tells when it is empty."""
    while True:
        look()
        await asyncio.sleep(LOOK_S)
        if is_so():
            return


def words_of(printing: Mapping[str, float | None]) -> str:
    """Return what is waited for, printer by printer with its progress where that is known."""
    each = (
        f"{printer} at {progress:.0%}" if progress is not None else printer
        for printer, progress in sorted(printing.items())
    )
    return f"printing: {', '.join(each)}" if printing else "nothing prints"
