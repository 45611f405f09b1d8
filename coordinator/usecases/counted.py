"""What is counted from this process's start on, for whoever draws curves of it; nothing is stored.

A process that restarts begins at nought, which who reads counters expects.
"""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

from coordinator.domain.jobs import Job
from coordinator.domain.runs import Run
from protocols.wire.vocabulary import PrinterId

_MINUTE_S, _HOUR_S, _DAY_S = 60.0, 3600.0, 86_400.0
JOB_WAIT_BOUNDS_S = (
    *(_MINUTE_S, 5 * _MINUTE_S, 15 * _MINUTE_S, _HOUR_S, 4 * _HOUR_S, 12 * _HOUR_S),
    *(_DAY_S, 3 * _DAY_S, 7 * _DAY_S),
)
DISPATCH_BOUNDS_S = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0)
SLICING_BOUNDS_S = (1.0, 5.0, 15.0, 60.0, 180.0, 600.0, 1800.0)
TRANSFER_BOUNDS_S = (0.05, 0.25, 1.0, 5.0, 15.0, 60.0, 300.0)

Series = tuple[tuple[str, str], ...]

# Why a message that was heard went no further: it was none, a younger one took its place, or there
# was no room for it.
MALFORMED, SUPERSEDED, DROPPED = "malformed", "superseded", "dropped"
SENT, BROKEN_OFF = "sent", "broken_off"


class Buckets:
    """How often something took how long.

    Attributes:
        bounds_s: upper ends of the buckets, ascending.
        count, sum_s: of all.
    """

    def __init__(self, bounds_s: tuple[float, ...]) -> None:
        """Begin without any."""
        self.bounds_s = bounds_s
        self.count = 0
        self.sum_s = 0.0
        self._counts = [0] * len(bounds_s)

    def add(self, took_s: float) -> None:
        """Count one."""
        self.count += 1
        self.sum_s += took_s
        for place, bound in enumerate(self.bounds_s):
            if took_s <= bound:
                self._counts[place] += 1
                return

    def upto(self) -> list[int]:
        """Return how many took no longer than each bound."""
        total, sums = 0, []
        for count in self._counts:
            total += count
            sums.append(total)
        return sums


@dataclass(slots=True)
class Traffic:
    """Messages between coordinator and agents, by the last word of their topic.

    Attributes:
        lost: what was heard and went no further, by why.
    """

    received: Counter[str] = field(default_factory=Counter)
    sent: Counter[str] = field(default_factory=Counter)
    # Told from the start on: a count that appears late is not seen to have grown.
    lost: Counter[str] = field(
        default_factory=lambda: Counter({MALFORMED: 0, SUPERSEDED: 0, DROPPED: 0})
    )


@dataclass(slots=True)
class Counted:
    """What happened since the start.

    Attributes:
        job_waits: from a job's arrival until its first print began.
        dispatches: from a lease, or the end of the print before it, until its print began.
        slicings: by engine, empty where none answered, and by what came of it.
        transfers: of plates to who fetched them, by whether they came to their end.
        deliveries: attempts to tell a webhook, by what became of them.
        grams: of filament, by printer and material, of prints that ended.
    """

    job_waits: Buckets = field(default_factory=lambda: Buckets(JOB_WAIT_BOUNDS_S))
    dispatches: Buckets = field(default_factory=lambda: Buckets(DISPATCH_BOUNDS_S))
    slicings: dict[Series, Buckets] = field(default_factory=dict)
    transfers: dict[Series, Buckets] = field(
        default_factory=lambda: {
            (("result", each),): Buckets(TRANSFER_BOUNDS_S) for each in (SENT, BROKEN_OFF)
        }
    )
    deliveries: Counter[str] = field(
        default_factory=lambda: Counter(taken=0, refused=0, unanswered=0)
    )
    grams: dict[tuple[PrinterId, str], float] = field(default_factory=dict)
    _ended: dict[PrinterId, datetime] = field(default_factory=dict)

    def began(self, run: Run, job: Job | None, now: datetime) -> None:
        """Count a print that began, as it is heard: agents' clocks may be wrong.

        Args:
            job: whose first print it is; None where it is a further one.
        """
        if job is not None:
            self.job_waits.add(_between_s(job.created_at, now))
        # A lease in advance waits for the print before it, which is nobody's delay.
        free_at = max(run.leased_at, self._ended.get(run.printer_id, run.leased_at))
        self.dispatches.add(_between_s(free_at, now))

    def ended(self, run: Run, now: datetime) -> None:
        """Remember when a printer's last print was heard to have ended."""
        self._ended[run.printer_id] = now

    def took(self, printer_id: PrinterId, material: str, grams: float) -> None:
        """Count filament."""
        key = (printer_id, material)
        self.grams[key] = self.grams.get(key, 0.0) + grams

    def sliced(self, engine: str, result: str, took_s: float) -> None:
        """Count a plate that was sliced, or was to be."""
        series = (("engine", engine), ("result", result))
        self.slicings.setdefault(series, Buckets(SLICING_BOUNDS_S)).add(took_s)

    def transferred(self, result: str, took_s: float) -> None:
        """Count a plate that somebody fetched: SENT, or BROKEN_OFF."""
        self.transfers[(("result", result),)].add(took_s)


def _between_s(begun: datetime, ended: datetime) -> float:
    """Return the time between; none where a clock was set back in it."""
    return max(0.0, (ended - begun).total_seconds())
