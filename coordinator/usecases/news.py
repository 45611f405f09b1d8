"""What changed in the store, told to whoever shows it, right after the commit."""

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from coordinator.domain.history import Thing

Hear = Callable[[Collection[Thing]], None]


@dataclass(slots=True)
class News:
    """Tells of every change that a use case made, to everybody who listens.

    Things are `("printer", its id)` and so on, as history has them. Nothing is kept for those who
    do not listen: who begins to, looks at the store first.
    """

    _listeners: list[Hear] = field(default_factory=list)

    def tell(self, things: Collection[Thing]) -> None:
        """Tell that these were changed, for good."""
        for hear in self._listeners:
            hear(things)

    @contextmanager
    def heard(self, hear: Hear) -> Iterator[None]:
        """Have a function told, as long as the block lasts; it returns at once, without error."""
        self._listeners.append(hear)
        try:
            yield
        finally:
            self._listeners.remove(hear)
