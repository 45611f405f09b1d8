"""Which job goes to which printer: jobs and free printers in, leases out; always the same answer.

Higher priority first, then order of arrival. A copy goes to the printer that was leased least so
far, which spreads copies and wear; one that a later job insists on is left to it while others will
do, and one on which this job went wrong is taken last.

Printers of one class and material are alike to all jobs but those that name a printer. So jobs are
matched with these groups, not with each printer: the work grows with the number of leases, not
with jobs x printers.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from coordinator.domain.jobs import Job
from coordinator.domain.matching import misfits, plate_for
from coordinator.domain.plates import Plate
from coordinator.domain.printers import Printer
from protocols.wire.vocabulary import PrinterId


@dataclass(frozen=True, slots=True, kw_only=True)
class Want:
    """A job that waits for printers.

    Attributes:
        copies: how many leases it needs now.
        avoid: printers on which a run of it went wrong.
    """

    job: Job
    plates: tuple[Plate, ...]
    copies: int
    avoid: frozenset[PrinterId] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """One lease to be given."""

    job: Job
    plate: Plate
    printer: Printer


def precedence(job: Job) -> tuple[object, ...]:
    """Return the key by which jobs are served, the first first."""
    return (-job.priority, job.created_at, job.job_id)


def plan(wants: Iterable[Want], free: Iterable[Printer]) -> list[Placement]:
    """Place as many copies as there are suitable printers.

    Args:
        wants: in any order.
        free: printers with nothing against a new lease (`matching.unready` is empty).
    """
    ordered = sorted(wants, key=lambda want: precedence(want.job))
    pool = Pool(free, {want.job.printer_id for want in ordered if want.job.printer_id is not None})
    return [placement for want in ordered for placement in pool.place(want)]


class Pool:
    """The free printers, in groups of equals, each in the order in which they are given away.

    For who reads jobs one by one, in order of precedence, and stops when nothing is `left`.
    """

    def __init__(self, free: Iterable[Printer], insisted_on: Collection[PrinterId]) -> None:
        """Take the free printers, and those that some job insists on."""
        self._insisted_on = insisted_on
        self._groups: dict[tuple[str, str], list[Printer]] = {}
        for printer in sorted(free, key=self._rank):
            key = (printer.printer_class, printer.material.casefold())
            self._groups.setdefault(key, []).append(printer)
        self.left = sum(len(group) for group in self._groups.values())

    def _rank(self, printer: Printer) -> tuple[bool, int, PrinterId]:
        return (printer.printer_id in self._insisted_on, printer.epoch, printer.printer_id)

    def may_suit(self, job: Job) -> bool:
        """Whether any printer left is not ruled out by what the job says, plates aside."""
        return any(
            job.printer_class in ("", printer_class) and job.material.casefold() in ("", material)
            for (printer_class, material), group in self._groups.items()
            if group
        )

    def place(self, want: Want) -> list[Placement]:
        """Give a want the best printers left, and take them out."""
        groups = [group for group in self._groups.values() if self._suits(want, group)]
        placed: list[Placement] = []
        while len(placed) < want.copies:
            found = self._best(want, groups)
            if found is None:
                break
            group, index = found
            printer = group.pop(index)
            self.left -= 1
            plate = plate_for(want.plates, printer)
            assert plate is not None, "a printer without a plate does not suit the job"
            placed.append(Placement(job=want.job, plate=plate, printer=printer))
        return placed

    def _suits(self, want: Want, group: Sequence[Printer]) -> bool:
        """Whether a group's printers suit a job, but for which of them it names."""
        if not group:
            return False
        against = misfits(want.job, want.plates, group[0])
        return all(obstacle.code == "other_printer" for obstacle in against)

    def _best(
        self, want: Want, groups: Sequence[list[Printer]]
    ) -> tuple[list[Printer], int] | None:
        """Return the group and the place in it of the best printer left."""
        best: tuple[tuple[bool, tuple[bool, int, PrinterId]], list[Printer], int] | None = None
        for group in groups:
            for index, printer in enumerate(group):
                if want.job.printer_id not in (None, printer.printer_id):
                    continue
                avoided = printer.printer_id in want.avoid
                rank = (avoided, self._rank(printer))
                if best is None or rank < best[0]:
                    best = (rank, group, index)
                if not avoided:
                    break  # the rest of the group ranks behind
        return None if best is None else (best[1], best[2])
