"""What is told of how long things take: spans, for whoever collects them elsewhere."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from types import MappingProxyType, TracebackType
from typing import Protocol, Self

Fact = str | int | float | bool
_NOTHING: Mapping[str, str] = MappingProxyType({})


class Span(Protocol):
    """One thing that takes its time; what begins while it lasts is part of it."""

    def note(self, **facts: Fact) -> None:
        """Add what became known of it."""


class Tracer(Protocol):
    """Tells of spans; never raises, never waits."""

    def span(
        self, name: str, *, headers: Mapping[str, str] = _NOTHING, **facts: Fact
    ) -> AbstractContextManager[Span]:
        """Return one that lasts as long as the context; an exception that leaves it is noted.

        Args:
            name: of few different ones: `POST /api/v1/jobs`; ids are facts.
            headers: of a request, by which somebody else's span may go on in this one.
            facts: what is known of it.
        """

    def spell(
        self, name: str, began_at: datetime, ended_at: datetime, ok: bool, facts: Mapping[str, Fact]
    ) -> None:
        """Tell of one that is over, and may have lasted longer than this process."""


class _NoSpan:
    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        pass

    def note(self, **facts: Fact) -> None:
        """See `Span`."""


_NO_SPAN = _NoSpan()


class Untraced:
    """Tells nobody: what a farm has unless it is told where to."""

    def span(
        self, name: str, *, headers: Mapping[str, str] = _NOTHING, **facts: Fact
    ) -> AbstractContextManager[Span]:
        """See `Tracer`."""
        return _NO_SPAN

    def spell(
        self, name: str, began_at: datetime, ended_at: datetime, ok: bool, facts: Mapping[str, Fact]
    ) -> None:
        """See `Tracer`."""
