"""For which printers a model is sliced: one plate for each class that could print it."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from coordinator.domain.jobs import Job
from coordinator.domain.printers import Printer


@dataclass(frozen=True, slots=True, order=True)
class Target:
    """One plate to be made: for this class, in this material."""

    printer_class: str
    material: str


def targets(job: Job, printers: Iterable[Printer]) -> tuple[Target, ...]:
    """Return the plates a job needs, by class; none where no known printer could print it.

    A job that names no material gets each class's most common one, so that its plate is printed
    in what it was made for; a class of which nobody said what it holds gets none.
    """
    known = [
        printer
        for printer in printers
        if job.printer_id in (None, printer.printer_id)
        and job.printer_class in ("", printer.printer_class)
    ]
    if job.material:
        wanted = job.material.casefold()
        classes = {each.printer_class for each in known if each.material.casefold() == wanted}
        if job.printer_class:
            classes.add(job.printer_class)
        return tuple(Target(name, job.material) for name in sorted(classes))
    held: dict[str, Counter[str]] = {}
    for printer in known:
        if printer.material:
            held.setdefault(printer.printer_class, Counter())[printer.material] += 1
    return tuple(Target(name, _most_common(held[name])) for name in sorted(held))


def _most_common(materials: Counter[str]) -> str:
    return min(materials, key=lambda name: (-materials[name], name))


def why_none(job: Job, printers: Iterable[Printer]) -> str:
    """Return why there is nothing to slice for yet, for a person."""
    known = list(printers)
    if not known:
        return "no printer has ever been connected: start an agent"
    if job.printer_id is not None and job.material:
        return f"printer {job.printer_id} does not hold {job.material}"
    if job.material:
        return f"no printer holds {job.material}"
    if job.printer_class and all(each.printer_class != job.printer_class for each in known):
        return f"no printer of class {job.printer_class!r} was connected yet, nor a material named"
    if any(not printer.material for printer in known):
        return "no printer that could print it says what it holds: order it with a material"
    return "no known printer could print it"
