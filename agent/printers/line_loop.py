"""The event loop for serial lines: asyncio's, with a short way for what comes in on them.

Theory. A print is a hundred thousand times the same: bytes come, bytes go. asyncio makes a handle,
a context and several look-ups of each, which costs more than the line protocol itself. So the
loop's selector serves the lines by itself, and goes back to asyncio only when there is something
else to do: another descriptor is ready, a timer is due, or a line says that it left work.

Where the pump is built (pump.py), lines are lent to it while this waits: it serves what is nothing
but a plate going on, and this serves the rest. Whatever asyncio calls finds its line taken back.

A line may also rest: it is not watched for some milliseconds, so that what comes meanwhile is
served in one go. Waking up is what costs most on an idle machine (resting.py).
"""

import asyncio
import select
import selectors
from collections.abc import Callable, Mapping, Sequence
from contextvars import Context
from time import monotonic
from typing import Any, Protocol, TypeVarTuple

from agent.printers.pump import Pump

# Lines that rest are served together when they would have been so soon after each other.
TOGETHER_S = 0.001
# The kernel is asked for whole milliseconds, rounded up: a hair above seven must not be eight.
ROUNDED_S = 0.0001

Ts = TypeVarTuple("Ts")
Serve = Callable[[bool, float], float]
NEVER = float("inf")


class Lender(Protocol):
    """What can lend its line to the pump."""

    def lend(self) -> None:
        """Lend it, if it can be."""

    def take_back(self) -> None:
        """Take it back, if it is lent; does not raise."""


class LineSelector(selectors.BaseSelector):
    """A selector with two kinds of descriptors: asyncio's, and lines that it serves itself.

    Attributes:
        called: asyncio was given something to do while lines were served.
        pump: serves lines that are lent; None where it was not built.
    """

    def __init__(self) -> None:
        self.called = False
        self._others = selectors.EpollSelector()
        self._epoll = select.epoll()
        self.pump = Pump.load(self._epoll.fileno())
        self._others_descriptor = self._others.fileno()
        self._epoll.register(self._others_descriptor, select.EPOLLIN)
        self._lines: dict[int, Serve] = {}
        self._resting: dict[int, float] = {}
        self._lenders: dict[int, Lender] = {}

    # ------------------------------------------------------------------ lines

    def add_line(self, descriptor: int, serve: Serve, lender: Lender | None = None) -> None:
        """Have a descriptor served whenever it can be read.

        Args:
            descriptor: it never blocks.
            serve: reads it and does what follows, without raising; is told whether there is surely
                something to read, an end or an error included, and the monotonic time; returns for
                how many seconds the line may rest, 0 for not at all.
            lender: who lends it to the pump.
        """
        self._lines[descriptor] = serve
        if lender is not None:
            self._lenders[descriptor] = lender
        self._epoll.register(descriptor, select.EPOLLIN)

    def remove_line(self, descriptor: int) -> None:
        """Serve it no more."""
        if self._lines.pop(descriptor, None) is not None:
            self._resting.pop(descriptor, None)
            self._lenders.pop(descriptor, None)
            self._epoll.unregister(descriptor)

    def _serve(self, descriptor: int, *, ready: bool, now: float) -> None:
        serve = self._lines.get(descriptor)
        if serve is None:
            return  # another line's service removed it
        rest_s = serve(ready, now)
        if rest_s:
            if descriptor not in self._resting:
                self._epoll.modify(descriptor, 0)
            self._resting[descriptor] = now + rest_s
        elif descriptor in self._resting:
            del self._resting[descriptor]
            self._epoll.modify(descriptor, select.EPOLLIN)

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Serve lines until asyncio has something to do; return its ready descriptors."""
        if timeout != 0:  # else asyncio only looks whether something is ready
            for lender in self._lenders.values():
                lender.lend()
        try:
            return self._serve_until_called(timeout)
        finally:
            for lender in self._lenders.values():
                lender.take_back()

    def _wait(self, until_s: float, now: float) -> Sequence[int]:
        """Return the descriptors that are ready; `until_s` as now, monotonic."""
        if self.pump is not None and self._lenders:
            return self.pump.wait(None if until_s == NEVER else until_s)
        found = self._epoll.poll(None if until_s == NEVER else max(until_s - now, 0.0))
        return [descriptor for descriptor, _ in found]

    def _serve_until_called(self, timeout: float | None) -> list[tuple[selectors.SelectorKey, int]]:
        self.called = False
        resting, others, now = self._resting, self._others_descriptor, monotonic()
        ends_s = NEVER if timeout is None else now + timeout
        while True:
            until_s = ends_s
            for at in resting.values():
                if at < until_s:
                    until_s = at
            rests = until_s < ends_s
            if rests:
                until_s -= ROUNDED_S
            found = self._wait(until_s, now)
            now = monotonic()
            for descriptor in found:
                if descriptor != others:
                    self._serve(descriptor, ready=True, now=now)
            if others in found:
                return self._others.select(0)
            if rests and now >= until_s:
                for descriptor in list(resting):
                    if resting.get(descriptor, NEVER) <= now + TOGETHER_S:
                        self._serve(descriptor, ready=False, now=now)
            if self.called or now >= ends_s:
                return []

    # ------------------------------------------------------------------ what asyncio asks for

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        """See `selectors.BaseSelector`."""
        return self._others.register(fileobj, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        """See `selectors.BaseSelector`."""
        return self._others.unregister(fileobj)

    def modify(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        """See `selectors.BaseSelector`."""
        return self._others.modify(fileobj, events, data)

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        """See `selectors.BaseSelector`."""
        return self._others.get_map()

    def close(self) -> None:
        """See `selectors.BaseSelector`."""
        self._epoll.close()
        self._others.close()


class LineLoop(asyncio.SelectorEventLoop):
    """An asyncio loop with `lines`. For `asyncio.Runner(loop_factory=LineLoop)`."""

    def __init__(self) -> None:
        self.lines = LineSelector()
        super().__init__(self.lines)

    def call_soon(
        self, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.Handle:
        """See `asyncio.loop`."""
        self.lines.called = True
        return super().call_soon(callback, *args, context=context)

    def call_at(
        self,
        when: float,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """See `asyncio.loop`."""
        self.lines.called = True
        return super().call_at(when, callback, *args, context=context)
