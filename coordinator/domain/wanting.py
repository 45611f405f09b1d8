"""Whether a job waits for nothing but material, which a person has to bring."""

from collections.abc import Sequence
from dataclasses import dataclass

from coordinator.domain.jobs import Job
from coordinator.domain.matching import UNSLICED, misfits
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


def lack_of(job: Job, plates: Sequence[Plate], printers: Sequence[Printer]) -> Lack | None:
    """Return what is lacking, where all printers that suit the job hold something else; else None.

    Args:
        printers: those that are on line; what is serviced or broken does not count.
    """
    suited = []
    for printer in printers:
        if printer.in_service or printer.quarantine:
            continue
        against = {each.code: each.words for each in misfits(job, plates, printer)}
        if against.keys() - _MATERIAL - UNSLICED:
            continue
        lacking = [words for code, words in against.items() if code in _MATERIAL]
        if not lacking:
            return None
        suited.append((printer, lacking[0]))
    if not suited:
        return None
    of_plates = {plate.material for plate in plates if plate.material}
    only = next(iter(of_plates)) if len(of_plates) == 1 else ""
    return Lack(material=job.material or only, printers=tuple(suited))


def material_wanted(job: Job, plates: Sequence[Plate], printers: Sequence[Printer]) -> str:
    """Return what is wanted, as `lack_of`, in words; empty where nothing is."""
    lack = lack_of(job, plates, printers)
    if lack is None:
        return ""
    printer, words = lack.printers[0]
    first = f"{printer.name}: {words}"
    number = len(lack.printers)
    return first if number == 1 else f"none of {number} printers holds it; {first}"
