"""What a farm did in a span of time: tallies of runs and spells of printers in, figures out.

Theory. A run counts in the span in which it ended, with all of its time. What was made of a
material, a model or a person's jobs has no printer of its own, so only groupings of printers know
how these spent their time. Only runs that finished tell how good an estimate was.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from coordinator.domain.printers import PrinterStatus
from coordinator.domain.runs import RunState
from coordinator.domain.standing import SpellSum
from protocols.wire.vocabulary import JobId, PrinterId, RunId


class By(StrEnum):
    """What figures are told apart by."""

    PRINTER = "printer"
    GROUP = "group"
    CLASS = "class"
    MATERIAL = "material"
    USER = "user"
    MODEL = "model"
    PROVIDER = "provider"
    DAY = "day"
    MONTH = "month"


# Groupings that say how printers spent their time.
OF_PRINTERS = frozenset({By.PRINTER, By.GROUP, By.CLASS})
# What counts as an attempt: revoked runs never began. Who stopped a run before it began changed
# nothing on any bed.
COUNTED = frozenset(
    {RunState.FINISHED, RunState.FAILED, RunState.STOPPED, RunState.LOST, RunState.DISCARDED}
)
REASONS_MAX = 10
_REASON_CHARACTERS_MAX = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """From `since` on, until before `until`."""

    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What the runs of one key amount to that ended in one way.

    Attributes:
        key: what they are told apart by; empty where there is no such thing.
        copies: on their plates.
        printed_s: from the start to the end of each.
        filament_g, cost: what they took, as far as they came; by what plates foretell.
        foretold_s, measured_s: of those that finished and whose plates foretell a time.
    """

    key: str
    state: RunState
    runs: int
    copies: int = 0
    printed_s: float = 0.0
    filament_g: float = 0.0
    cost: float = 0.0
    foretold_s: float = 0.0
    measured_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEntry:
    """One run that ended, for somebody's books."""

    run_id: RunId
    job_id: JobId
    job_name: str
    owner: str
    model_id: str
    printer_id: PrinterId
    printer_group: str
    printer_class: str
    material: str
    state: RunState
    reason: str
    copies: int
    leased_at: datetime
    started_at: datetime | None
    ended_at: datetime
    printed_s: float
    filament_g: float
    cost: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What a printer, a person, a material ... did.

    Attributes:
        cancelled: runs that somebody stopped after they began.
        lost: runs of which nobody knew how they ended, whatever was settled by reprinting.
        copies: made by finished runs.
        success: finished of all but the cancelled; None where there are none.
        of_estimate: measured over foretold time of finished runs; None where nothing was foretold.
        seconds: how printers spent their time, by status; empty where that is not known.
        clearings: beds declared clear that a printer waited for.
    """

    key: str
    finished: int = 0
    failed: int = 0
    cancelled: int = 0
    lost: int = 0
    copies: int = 0
    printed_s: float = 0.0
    filament_g: float = 0.0
    cost: float = 0.0
    foretold_s: float = 0.0
    measured_s: float = 0.0
    seconds: Mapping[PrinterStatus, float] = field(default_factory=dict)
    clearings: int = 0

    @property
    def success(self) -> float | None:
        """Finished of all attempts that nobody stopped."""
        ended = self.finished + self.failed + self.lost
        return self.finished / ended if ended else None

    @property
    def of_estimate(self) -> float | None:
        """How long prints took, as a part of what was foretold."""
        return self.measured_s / self.foretold_s if self.foretold_s else None

    @property
    def clearing_s(self) -> float | None:
        """How long a printer waited for its bed to be cleared, on average."""
        if not self.clearings:
            return None
        return self.seconds.get(PrinterStatus.NEEDS_CLEARING, 0.0) / self.clearings

    @property
    def shares(self) -> Mapping[PrinterStatus, float]:
        """How printers spent their time, as parts of all the time that is known of."""
        total = sum(self.seconds.values())
        return {status: spent / total for status, spent in self.seconds.items()} if total else {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why runs failed or were lost, and how many did so."""

    words: str
    runs: int


def figures(
    tallies: Iterable[Tally], spells: Iterable[SpellSum] = (), keys: Mapping[str, str] | None = None
) -> list[Figures]:
    """Return the figures of each key, by key.

    Args:
        spells: of printers.
        keys: of each printer, by its id; one that is not in there is left out.
    """
    runs: dict[str, list[Tally]] = {}
    for tally in tallies:
        runs.setdefault(tally.key, []).append(tally)
    spent: dict[str, list[SpellSum]] = {}
    for spell in spells:
        key = (keys or {}).get(spell.printer_id)
        if key is not None:
            spent.setdefault(key, []).append(spell)
    return [
        _figures(key, runs.get(key, ()), spent.get(key, ()))
        for key in sorted(runs.keys() | spent.keys())
    ]


def total(tallies: Iterable[Tally], spells: Iterable[SpellSum]) -> Figures:
    """Return the figures of the whole farm."""
    return _figures("", list(tallies), list(spells))


def reasons(counted: Iterable[tuple[str, int]]) -> list[Reason]:
    """Return the most frequent reasons; those that differ in nothing but a number are one."""
    runs: Counter[str] = Counter()
    for words, count in counted:
        runs[re.sub(r"\d+", "…", words).strip()[:_REASON_CHARACTERS_MAX]] += count
    most = sorted(runs.items(), key=lambda each: (-each[1], each[0]))
    return [Reason(words=words, runs=count) for words, count in most[:REASONS_MAX]]


def _figures(key: str, tallies: Collection[Tally], spells: Collection[SpellSum]) -> Figures:
    seconds: dict[PrinterStatus, float] = {}
    for spell in spells:
        seconds[spell.status] = seconds.get(spell.status, 0.0) + spell.seconds

    def runs(*states: RunState) -> int:
        return sum(tally.runs for tally in tallies if tally.state in states)

    return Figures(
        key=key,
        finished=runs(RunState.FINISHED),
        failed=runs(RunState.FAILED),
        cancelled=runs(RunState.STOPPED),
        lost=runs(RunState.LOST, RunState.DISCARDED),
        copies=sum(tally.copies for tally in tallies if tally.state is RunState.FINISHED),
        printed_s=sum(tally.printed_s for tally in tallies),
        filament_g=sum(tally.filament_g for tally in tallies),
        cost=sum(tally.cost for tally in tallies),
        foretold_s=sum(tally.foretold_s for tally in tallies),
        measured_s=sum(tally.measured_s for tally in tallies),
        seconds=seconds,
        clearings=sum(spell.clearings for spell in spells),
    )
