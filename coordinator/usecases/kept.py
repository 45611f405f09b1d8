"""An answer that is dear, made once for all who ask, and anew at most every few seconds."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from coordinator.ports import Clock

Value = TypeVar("Value")

# It is kept for so many times longer than it took to make: whoever asks, and however often, it
# takes a tenth of a processor at most.
SPARED = 10.0


class Kept(Generic[Value]):
    """The last answer, and who makes the next one: one at a time, for all who wait."""

    def __init__(self) -> None:
        """Begin without one."""
        self._value: Value | None = None
        self._until_s = 0.0
        self._making = asyncio.Lock()

    async def get(
        self, clock: Clock, make: Callable[[Value | None], Awaitable[Value]], *, kept_s: float = 0.0
    ) -> Value:
        """Return the answer; make it anew where it is too old.

        Args:
            make: given the answer before, which it may return again where nothing changed.
            kept_s: for so long it is given again, at least.
        """
        async with self._making:
            if self._value is None or clock.monotonic() >= self._until_s:
                began_s = clock.monotonic()
                self._value = await make(self._value)
                now_s = clock.monotonic()
                self._until_s = now_s + max(kept_s, SPARED * (now_s - began_s))
            return self._value
