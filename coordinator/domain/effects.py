"""What a decision wants done, as data, in the order it must happen: saved, then said.

A decision returns effects; `usecases/performing.py` performs them in one transaction. What is said
to the outside is only noted there (the outbox), so that nothing is said that was not saved.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

from protocols.wire.to_agent import Scalar
from protocols.wire.vocabulary import Epoch, PrinterId

if TYPE_CHECKING:  # the values import this module for their own effects
    from coordinator.domain.accounts import ApiKey, User
    from coordinator.domain.jobs import Job
    from coordinator.domain.library import Model, ModelVersion, Project
    from coordinator.domain.plates import Artifact, Plate
    from coordinator.domain.printers import Agent, Printer
    from coordinator.domain.runs import Run
    from coordinator.domain.stock import Spool
    from coordinator.domain.upkeep import Upkeep


class Work(StrEnum):
    """What a commit may make due."""

    PREPARE = "prepare"
    SLICE = "slice"
    DISPATCH = "dispatch"
    OUTBOX = "outbox"


@dataclass(frozen=True, slots=True)
class RaiseEpoch:
    """Add one to a printer's epoch, if it still is as expected; else give everything up."""

    printer_id: PrinterId
    expected: Epoch


@dataclass(frozen=True, slots=True)
class Save:
    """Store a value."""

    value: (
        "Job | Run | Printer | Agent | Plate | Artifact | User | ApiKey"
        " | Project | Model | ModelVersion | Spool | Upkeep"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """Append a line to the history; who and when are known to whoever performs it."""

    subject: str
    subject_id: str
    name: str
    cause: str = ""
    facts: Mapping[str, Scalar] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Say:
    """A printer's desired document has to be said."""

    printer_id: PrinterId


@dataclass(frozen=True, slots=True)
class Poke:
    """After the commit, this work is due."""

    work: Work


Effect: TypeAlias = RaiseEpoch | Save | Note | Say | Poke
Effects: TypeAlias = tuple[Effect, ...]

_ORDER: tuple[type[Effect], ...] = (RaiseEpoch, Save, Note, Say, Poke)


def in_order(effects: Iterable[Effect]) -> Effects:
    """Return the effects in the order they must happen, each thing said once.

    Within a kind the given order stays, so that of two saves of one thing the later one wins.
    """
    given = list(effects)
    done = [effect for effect in given if not isinstance(effect, Say | Poke)]
    said = dict.fromkeys(effect for effect in given if isinstance(effect, Say | Poke))
    return tuple(sorted((*done, *said), key=lambda effect: _ORDER.index(type(effect))))
