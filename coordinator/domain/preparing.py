"""For which printers a model is sliced, and what becomes of the job when the slicer has answered.

One plate a class, and only when it is wanted: `planning.py` wants those of free printers. Here is
the one that is wanted first, so that a job has a plate before a printer is free, and the next one
where that can't be made. A job without a plate has always one that is wanted, or it fails.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from coordinator.domain import jobs, plates
from coordinator.domain.effects import Effects, Note, Poke, Save, Work
from coordinator.domain.jobs import Job, JobEvent
from coordinator.domain.matching import unready, wish_misfits
from coordinator.domain.plates import Artifact, Plate, PlateEvent, PlateState
from coordinator.domain.printers import Printer


@dataclass(frozen=True, slots=True, order=True)
class Target:
    """One plate that could be made: for this class, in this material."""

    printer_class: str
    material: str


def targets(job: Job, printers: Iterable[Printer]) -> tuple[Target, ...]:
    """Return the plates that a job could have, by class; none where no known printer suits it.

    A job that names no material gets each class's most common one, so that its plate is printed
    in what it was made for; a class of which nobody said what it holds gets none.
    """
    known = [printer for printer in printers if not wish_misfits(job, printer)]
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
        return "there is no printer in the farm: start an agent"
    if job.printer_id is not None and job.material:
        return f"printer {job.printer_id} does not hold {job.material}"
    if job.material:
        return f"no printer holds {job.material}"
    if job.printer_class and all(each.printer_class != job.printer_class for each in known):
        return f"no printer of class {job.printer_class!r} was connected yet, nor a material named"
    if any(not printer.material for printer in known):
        return "no printer that could print it says what it holds: order it with a material"
    return "no known printer could print it"


def begin(job: Job, printers: Sequence[Printer], now: datetime) -> Effects:
    """Return what follows for a job that waits to be prepared: it is READY, or says why not."""
    possible = targets(job, printers)
    if not possible:
        reason = why_none(job, printers)
        waiting = jobs.changed(job, now, reason=reason)
        return (Save(waiting),) if job.reason != reason else ()
    _, effects = jobs.advance(job, JobEvent.READY, now)
    due = Poke(Work.DISPATCH)
    return (*effects, *ask(job, best(job, possible, printers), "it has no plate yet"), due)


def ask(job: Job, target: Target, cause: str) -> Effects:
    """Want a plate."""
    on_it = min(job.copies, job.copies_per_plate)
    plate = plates.wanted(job.job_id, target.printer_class, target.material, on_it)
    return (Save(plate), note(plate, cause), Poke(Work.SLICE))


def best(job: Job, possible: Sequence[Target], printers: Iterable[Printer]) -> Target:
    """Return the target with the most printers that could print it now, else ever."""
    now, ever = Counter[str](), Counter[str]()
    for printer in printers:
        for target in possible:
            if target.printer_class == printer.printer_class and not wish_misfits(job, printer):
                holds_it = target.material.casefold() == printer.material.casefold()
                ever[printer.printer_class] += holds_it
                free = holds_it and printer.run_id is None and not unready(printer, None)
                now[printer.printer_class] += free
    return min(
        possible, key=lambda target: (-now[target.printer_class], -ever[target.printer_class])
    )


def keep(made: Plate, artifacts: Iterable[Artifact]) -> Effects:
    """Return what follows when a plate was made; `artifacts` are what it put into the store."""
    kept = tuple(Save(artifact) for artifact in artifacts)
    return (*kept, Save(made), note(made), Poke(Work.DISPATCH))


def refuse(
    job: Job,
    plate: Plate,
    all_plates: Sequence[Plate],
    printers: Sequence[Printer],
    reason: str,
    now: datetime,
) -> Effects:
    """Return what follows when a plate can't be made: it is a reason for its class only.

    The job goes on with what it has, or with the next class; it fails when none is left.

    Args:
        all_plates: the job's, this one among them.
    """
    refused = plates.advance(plate, PlateEvent.REFUSE, reason=reason)
    effects: Effects = (Save(refused), note(refused, reason))
    others = [each for each in all_plates if each.printer_class != plate.printer_class]
    if any(each.state is not PlateState.REFUSED for each in others):
        return (*effects, Poke(Work.DISPATCH))
    tried = {each.printer_class for each in all_plates}
    left = [each for each in targets(job, printers) if each.printer_class not in tried]
    if left:
        cause = f"none could be made for {plate.printer_class}"
        return (*effects, *ask(job, best(job, left, printers), cause), Poke(Work.DISPATCH))
    reasons = "; ".join(f"{each.printer_class}: {each.reason}" for each in (*others, refused))
    return (*effects, *jobs.advance(job, JobEvent.REFUSE, now, reason=reasons)[1])


def note(plate: Plate, cause: str = "") -> Note:
    """Return the line of history that says where a plate stands."""
    return Note(
        subject="plate",
        subject_id=f"{plate.job_id}/{plate.printer_class}",
        name=f"plate.{plate.state}",
        cause=cause,
        facts={"material": plate.material},
    )
