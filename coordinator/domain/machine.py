"""A state machine as a table: the only way a state changes."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

from coordinator.errors import IllegalTransition

State = TypeVar("State", bound=StrEnum)
Event = TypeVar("Event", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class Machine(Generic[State, Event]):
    """Every move there is.

    Attributes:
        name: what it is the life of, for messages.
        start: where that life begins.
        table: (state, event) -> state.
    """

    name: str
    start: State
    table: Mapping[tuple[State, Event], State]

    def after(self, state: State, event: Event) -> State:
        """Return where an event leads.

        Raises:
            IllegalTransition: the table has no such pair.
        """
        try:
            return self.table[state, event]
        except KeyError:
            raise IllegalTransition(self.name, state, event) from None

    def diagram(self) -> str:
        """Return the table as a Mermaid state diagram; a move that changes nothing is left out."""
        arrows: dict[tuple[State, State], list[str]] = {}
        for (state, event), target in self.table.items():
            if state is not target:
                arrows.setdefault((state, target), []).append(event.value)
        lines = ["stateDiagram-v2", f"    [*] --> {self.start.value}"]
        lines += [
            f"    {state.value} --> {target.value}: {', '.join(events)}"
            for (state, target), events in sorted(arrows.items())
        ]
        ends = {target for _, target in arrows} - {state for state, _ in arrows}
        lines += [f"    {state.value} --> [*]" for state in sorted(ends)]
        return "\n".join(lines)
