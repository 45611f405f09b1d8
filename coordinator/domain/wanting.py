"""Whether a job waits for nothing but material, which a person has to bring."""

from collections.abc import Sequence

from coordinator.domain.jobs import Job
from coordinator.domain.matching import UNSLICED, misfits
from coordinator.domain.plates import Plate
from coordinator.domain.printers import Printer

_MATERIAL = frozenset({"material_differs", "material_unknown"})


def material_wanted(job: Job, plates: Sequence[Plate], printers: Sequence[Printer]) -> str:
    """Return what is wanted, where all printers that suit the job hold something else; else "".

    Args:
        printers: those that are on line; what is serviced or broken does not count.
    """
    suited, first = 0, ""
    for printer in printers:
        if printer.in_service or printer.quarantine:
            continue
        against = {each.code: each.words for each in misfits(job, plates, printer)}
        if against.keys() - _MATERIAL - UNSLICED:
            continue
        lacking = [words for code, words in against.items() if code in _MATERIAL]
        if not lacking:
            return ""
        suited += 1
        first = first or f"{printer.name}: {lacking[0]}"
    if not suited:
        return ""
    return first if suited == 1 else f"none of {suited} printers holds it; {first}"
