"""Which job goes to which printer: jobs and free printers in, leases out; always the same answer.

Higher priority first, then what is due first, then order of arrival, unless somebody moved a job
to another place (`turns.py`). A copy goes to the printer
that was leased least so far, which spreads copies and wear; one that a later job insists on is left
to it while others will do, and one on which this job went wrong is taken last.

A printer for whose class the job's model is not sliced yet is as good as any, but those with a
plate go first. It is kept for the job while that is done: minutes, against the hours that a job
behind it would print there.

Printers of one class, material, group and tags are alike to all jobs but those that name a printer.
So jobs are matched with these kinds, not with each printer: the work grows with the number of
leases, not with jobs x printers.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from coordinator.domain.jobs import Job
from coordinator.domain.matching import UNSLICED, misfits, plate_for, wish_misfits
from coordinator.domain.plates import Plate, PlateState
from coordinator.domain.printers import Printer
from protocols.wire.vocabulary import JobId, PrinterId


@dataclass(frozen=True, slots=True, kw_only=True)
class Want:
    """A job that waits for printers.

    Attributes:
        plates: all of the job's, made or not.
        copies: how many it needs now; a plate may hold several.
        avoid: printers on which a run of it went wrong.
    """

    job: Job
    plates: tuple[Plate, ...]
    copies: int
    avoid: frozenset[PrinterId] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """One lease to be given, once there is a plate.

    Attributes:
        plate: what is printed; not MADE while the slicer is at it, None where nobody asked it yet.
    """

    job: Job
    plate: Plate | None
    printer: Printer

    @property
    def copies(self) -> int:
        """How many copies it brings, or is going to."""
        return self.job.copies_per_plate if self.plate is None else self.plate.copies


def precedence(job: Job) -> tuple[object, ...]:
    """Return the key by which jobs are served, the first first."""
    due_at, waits_since = job.turn
    return (-job.priority, due_at is None, due_at or waits_since, waits_since, job.job_id)


def plan(wants: Iterable[Want], free: Iterable[Printer]) -> list[Placement]:
    """Place as many copies as there are suitable printers.

    Args:
        wants: in any order.
        free: printers with nothing against a new lease (`matching.unready` is empty).
    """
    return plan_in_order(in_order(wants), free, Fits())


def in_order(wants: Iterable[Want]) -> list[Want]:
    """Return wants in the order in which they are served."""
    return sorted(wants, key=lambda want: precedence(want.job))


def plan_in_order(
    ordered: Sequence[Want], free: Iterable[Printer], fits: "Fits"
) -> list[Placement]:
    """Place copies as `plan` does, for who plans the same wants again and again.

    Args:
        ordered: as `in_order` has them.
        fits: what was found out before about the same jobs and their plates.
    """
    insisted_on = {want.job.printer_id for want in ordered if want.job.printer_id is not None}
    pool = Pool(free, insisted_on, fits)
    placed: list[Placement] = []
    for want in ordered:
        if not pool.left:
            break
        placed += pool.place(want)
    return placed


# What makes printers alike to jobs: class, material, group, tags.
Kind: TypeAlias = tuple[object, ...]


def kind_of(printer: Printer) -> Kind:
    """Return what a printer has in common with those that are alike to all jobs."""
    material = printer.material.casefold()
    return (printer.printer_class, material, printer.printer_group, printer.tags)


class Fits:
    """Which kinds of printers suit which jobs, each found out once."""

    def __init__(self) -> None:
        """Begin without knowing any."""
        self._known: dict[tuple[JobId, Kind], bool] = {}

    def suits(self, want: Want, kind: Kind, one: Printer) -> bool:
        """Whether printers of a kind suit a job, slicing and the one that it names aside.

        Args:
            one: any of the kind.
        """
        key = (want.job.job_id, kind)
        known = self._known.get(key)
        if known is None:
            codes = {obstacle.code for obstacle in misfits(want.job, want.plates, one)}
            known = self._known[key] = codes <= _PASSING
        return known


# What is in the way of some printers of a kind only, or only until a plate is made.
_PASSING = {"other_printer", *UNSLICED}


class Pool:
    """The free printers, in groups of equals, each in the order in which they are given away.

    For who reads jobs one by one, in order of precedence, and stops when nothing is `left`.
    """

    def __init__(
        self,
        free: Iterable[Printer],
        insisted_on: Collection[PrinterId],
        fits: Fits | None = None,
    ) -> None:
        """Take the free printers, and those that some job insists on."""
        self._insisted_on = insisted_on
        self._fits = Fits() if fits is None else fits
        self._groups: dict[Kind, list[Printer]] = {}
        for printer in sorted(free, key=self._rank):
            self._groups.setdefault(kind_of(printer), []).append(printer)
        self.left = sum(len(group) for group in self._groups.values())

    def _rank(self, printer: Printer) -> tuple[bool, int, PrinterId]:
        return (printer.printer_id in self._insisted_on, printer.epoch, printer.printer_id)

    def may_suit(self, job: Job) -> bool:
        """Whether any printer left is not ruled out by what the job says, plates aside."""
        material, of_any = job.material.casefold(), replace(job, printer_id=None)
        return any(
            material in ("", group[0].material.casefold()) and not wish_misfits(of_any, group[0])
            for group in self._groups.values()
            if group
        )

    def place(self, want: Want) -> list[Placement]:
        """Give a want the best printers left, and take them out."""
        groups = [
            group
            for kind, group in self._groups.items()
            if group and self._fits.suits(want, kind, group[0])
        ]
        placed: list[Placement] = []
        missing = want.copies
        while missing > 0:
            found = self._best(want, groups)
            if found is None:
                break
            group, index = found
            printer = group.pop(index)
            self.left -= 1
            placement = Placement(
                job=want.job, plate=plate_for(want.plates, printer), printer=printer
            )
            placed.append(placement)
            missing -= placement.copies
        return placed

    def _best(
        self, want: Want, groups: Sequence[list[Printer]]
    ) -> tuple[list[Printer], int] | None:
        """Return the group and the place in it of the best printer left."""
        best: tuple[tuple[bool, int, tuple[bool, int, PrinterId]], list[Printer], int] | None
        best = None
        for group in groups:
            slicing = _slicing(want, group[0]) if group else 0
            for index, printer in enumerate(group):
                if want.job.printer_id not in (None, printer.printer_id):
                    continue
                avoided = printer.printer_id in want.avoid
                rank = (avoided, slicing, self._rank(printer))
                if best is None or rank < best[0]:
                    best = (rank, group, index)
                if not avoided:
                    break  # the rest of the group ranks behind
        return None if best is None else (best[1], best[2])


def _slicing(want: Want, printer: Printer) -> int:
    """Return how much slicing a printer takes: 0 none, 1 it is asked for, 2 it is still to be."""
    plate = plate_for(want.plates, printer)
    if plate is None:
        return 2
    return 0 if plate.state is PlateState.MADE else 1
