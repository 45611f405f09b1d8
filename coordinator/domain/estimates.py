"""How long a plate will take on a printer: the slicer's word, corrected by what past runs took.

A slicer knows neither heating nor what a printer really makes of its accelerations. What it is off
by differs from printer to printer and hardly from plate to plate, so it is one ratio: measured
seconds over foretold ones. The middle one of a printer's last runs corrects what the slicer says; a
printer with too few of them goes by those of its class.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from math import ceil, floor
from statistics import median

from coordinator.domain.plates import Plate
from protocols.wire.vocabulary import PrinterId

# Fewer say too little: one run that somebody paused over lunch would be half of them.
RUNS_MIN = 3
# Older ones tell of a printer that was oiled, or got other firmware, since then.
RUNS_MAX = 50
# So many runs of a hundred fall within an estimate's interval, once there are nine or more.
WITHIN_PERCENT = 80


class Source(StrEnum):
    """What an estimate rests on."""

    PRINTER = "printer"
    CLASS = "class"
    SLICER = "slicer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """Seconds of printing.

    Attributes:
        low_s, high_s: between which most runs will lie; None where nothing is known of that.
    """

    seconds: float
    low_s: float | None = None
    high_s: float | None = None
    source: Source = Source.SLICER

    def times(self, count: int) -> "Estimate":
        """Return the estimate of so many alike, one after the other."""
        return Estimate(
            seconds=self.seconds * count,
            low_s=None if self.low_s is None else self.low_s * count,
            high_s=None if self.high_s is None else self.high_s * count,
            source=self.source,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """A finished run: what its plate was to take, and what it took."""

    printer_id: PrinterId
    printer_class: str
    foretold_s: float
    measured_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """By what to multiply a slicer's seconds, and between what and what."""

    ratio: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Paces:
    """What past runs tell of printers and classes."""

    of_printer: dict[PrinterId, Pace] = field(default_factory=dict)
    of_class: dict[str, Pace] = field(default_factory=dict)

    def estimate(
        self, plate: Plate, *, printer_class: str, printer_id: PrinterId | None = None
    ) -> Estimate | None:
        """Return how long a plate takes on a printer, or on any of a class; None: nobody knows."""
        if plate.time_s is None:
            return None
        pace, source = self.of_class.get(printer_class), Source.CLASS
        if printer_id is not None and printer_id in self.of_printer:
            pace, source = self.of_printer[printer_id], Source.PRINTER
        if pace is None:
            return Estimate(seconds=plate.time_s)
        return Estimate(
            seconds=plate.time_s * pace.ratio,
            low_s=plate.time_s * pace.low,
            high_s=plate.time_s * pace.high,
            source=source,
        )


def measured_s_of(facts: Mapping[str, object]) -> float | None:
    """Return how long a run took by what its agent measured, None where it did not."""
    measured_s = facts.get("duration_s")
    return float(measured_s) if isinstance(measured_s, int | float) else None


def paces(timings: Iterable[Timing]) -> Paces:
    """Return what runs tell; `timings` are the newest first."""
    of_printer: dict[PrinterId, list[float]] = {}
    of_class: dict[str, list[float]] = {}
    for timing in timings:
        if timing.foretold_s <= 0 or timing.measured_s <= 0:
            continue
        ratio = timing.measured_s / timing.foretold_s
        of_printer.setdefault(timing.printer_id, []).append(ratio)
        of_class.setdefault(timing.printer_class, []).append(ratio)
    return Paces(
        {name: pace(ratios) for name, ratios in of_printer.items() if len(ratios) >= RUNS_MIN},
        {name: pace(ratios) for name, ratios in of_class.items() if len(ratios) >= RUNS_MIN},
    )


def pace(ratios: Sequence[float]) -> Pace:
    """Return the middle of some ratios, newest first, and where most of the next ones will lie.

    Of n independent runs and the next one, each is equally likely to be the k-th smallest: it lies
    below the k-th of the n with probability k / (n + 1). With few runs the ends are all there is.
    """
    ordered = sorted(ratios[:RUNS_MAX])
    beyond = max(1, floor((len(ordered) + 1) * (100 - WITHIN_PERCENT) / 200))
    return Pace(ratio=median(ordered), low=ordered[beyond - 1], high=ordered[-beyond])


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """What all copies of a job take, one after the other; None: its plates do not tell.

    Attributes:
        cost: of the filament, in the money of the material's profile.
    """

    estimate: Estimate | None = None
    filament_g: float | None = None
    cost: float | None = None


def demand(plates: Iterable[Plate], copies: int, known: Paces) -> Demand:
    """Return what so many copies take by the plate that is printed fastest for each.

    Args:
        plates: those that are made.
    """
    told = [
        (estimate.seconds * ceil(copies / plate.copies), plate, estimate)
        for plate in plates
        if (estimate := known.estimate(plate, printer_class=plate.printer_class)) is not None
    ]
    if not told:
        return Demand()
    _, plate, estimate = min(told, key=lambda each: each[0])
    runs = ceil(copies / plate.copies)
    return Demand(
        estimate=estimate.times(runs),
        filament_g=None if plate.filament_g is None else plate.filament_g * runs,
        cost=None if plate.cost is None else plate.cost * runs,
    )
