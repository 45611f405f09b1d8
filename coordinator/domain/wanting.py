"""Whether a job waits for nothing but material, which a person has to bring."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from coordinator.domain.jobs import Job
from coordinator.domain.matching import UNSLICED, misfits
from coordinator.domain.planning import Kind, kind_of
from coordinator.domain.plates import Plate
from coordinator.domain.printers import Printer

_MATERIAL = frozenset({"material_differs", "material_unknown"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Lack:
    """What a job waits for a person to load.

    Attributes:
        material: empty where any will do, and nobody said what the printers hold.
        printers: that would print the job, each with why it does not now, in words.
    """

    material: str
    printers: tuple[tuple[Printer, str], ...]


# Printers that are alike to jobs, in groups.
Alike: TypeAlias = Sequence[Sequence[Printer]]


def alike(printers: Iterable[Printer]) -> Alike:
    """Return printers in groups of those that are alike; what is serviced or broken is left out."""
    groups: dict[Kind, list[Printer]] = {}
    for printer in printers:
        if not printer.in_service and not printer.quarantine:
            groups.setdefault(kind_of(printer), []).append(printer)
    return list(groups.values())


def lack_of(job: Job, plates: Sequence[Plate], groups: Alike) -> Lack | None:
    """Return what is lacking, where all printers that suit the job hold something else; else None.

    Args:
        groups: of printers that are on line.
    """
    suited: list[tuple[Printer, str]] = []
    for group in groups:
        those = [each for each in group if job.printer_id in (None, each.printer_id)]
        if not those:
            continue
        against = {each.code: each.words for each in misfits(job, plates, those[0])}
        if against.keys() - _MATERIAL - UNSLICED:
            continue
        lacking = [words for code, words in against.items() if code in _MATERIAL]
        if not lacking:
            return None
        suited += [(printer, lacking[0]) for printer in those]
    suited.sort(key=lambda each: each[0].printer_id)
    if not suited:
        return None
    of_plates = {plate.material for plate in plates if plate.material}
    only = next(iter(of_plates)) if len(of_plates) == 1 else ""
    return Lack(material=job.material or only, printers=tuple(suited))


def material_wanted(job: Job, plates: Sequence[Plate], groups: Alike) -> str:
    """Return what is wanted, as `lack_of`, in words; empty where nothing is."""
    lack = lack_of(job, plates, groups)
    if lack is None:
        return ""
    printer, words = lack.printers[0]
    first = f"{printer.name}: {words}"
    number = len(lack.printers)
    return first if number == 1 else f"none of {number} printers holds it; {first}"
