"""May this printer print this job now? Every reason against it, as a code and in words."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from coordinator.domain.jobs import Job
from coordinator.domain.plates import Plate, PlateState
from coordinator.domain.printers import BedState, Printer, PrinterStatus, status_of
from coordinator.domain.runs import Run
from protocols.wire.vocabulary import PrinterState


@dataclass(frozen=True, slots=True)
class Obstacle:
    """One reason: `code` for programs, `words` for people."""

    code: str
    words: str


def unleasable(job: Job) -> tuple[Obstacle, ...]:
    """Return what the job itself waits for before it is leased anywhere: people."""
    found: list[Obstacle] = []
    if not job.approved:
        found.append(Obstacle("not_approved", "an operator has to approve it first"))
    if job.held:
        found.append(Obstacle("held", "somebody paused it"))
    return tuple(found)


def obstacles(
    job: Job,
    plates: Sequence[Plate],
    printer: Printer,
    run: Run | None,
    *,
    draining: bool = False,
) -> tuple[Obstacle, ...]:
    """Return all that keeps a printer from printing a job now; empty where nothing does.

    Args:
        run: the one that holds the printer's lease, None where none does.
        draining: its agent takes no new run.
    """
    return (*misfits(job, plates, printer), *unready(printer, run, draining=draining))


def misfits(job: Job, plates: Sequence[Plate], printer: Printer) -> tuple[Obstacle, ...]:
    """Return why the printer and the job do not suit each other, whatever goes on there now."""
    plate = plate_for(plates, printer)
    return (
        *wish_misfits(job, printer),
        *_plate_misfits(job, plate, printer),
        *_material_misfits(job, plate, printer),
    )


# What is in the way only until the slicer has made a plate.
UNSLICED = frozenset({"not_sliced", "slicing"})


def wish_misfits(job: Job, printer: Printer) -> tuple[Obstacle, ...]:
    """Return what the job says against a printer, plates and material aside."""
    found: list[Obstacle] = []
    if job.printer_id is not None and job.printer_id != printer.printer_id:
        found.append(Obstacle("other_printer", f"the job is for {job.printer_id} only"))
    if job.printer_class and job.printer_class != printer.printer_class:
        words = f"the job is for printers of class {job.printer_class} only"
        found.append(Obstacle("other_class", words))
    if job.printer_group and job.printer_group != printer.printer_group:
        words = f"the job is for printers of the group {job.printer_group} only"
        found.append(Obstacle("other_group", words))
    lacking = [tag for tag in job.printer_tags if tag not in printer.tags]
    if lacking:
        words = f"the job is for printers with the tag {' and '.join(lacking)} only"
        found.append(Obstacle("lacks_tag", words))
    return tuple(found)


def _plate_misfits(job: Job, plate: Plate | None, printer: Printer) -> Iterable[Obstacle]:
    name = printer.printer_class
    if plate is None and job.model_sha256 is None:
        yield Obstacle("no_plate", f"no plate was given for its class {name}")
    elif plate is None:
        words = f"for its class {name} it is sliced when it is the job's turn there"
        yield Obstacle("not_sliced", words)
    elif plate.state is PlateState.WANTED:
        yield Obstacle("slicing", f"it is sliced for its class {name}")
    elif plate.state is PlateState.REFUSED:
        words = f"no plate can be made for its class {name}: {plate.reason}"
        yield Obstacle("plate_refused", words)


def _material_misfits(job: Job, plate: Plate | None, printer: Printer) -> Iterable[Obstacle]:
    wanted = job.material or (plate.material if plate is not None else "")
    if not printer.material and (wanted or (plate is None and job.model_sha256 is not None)):
        needs = f"the job needs {wanted}" if wanted else "a model is sliced for a material"
        yield Obstacle("material_unknown", f"nobody said what it holds; {needs}")
    elif wanted and wanted.casefold() != printer.material.casefold():
        yield Obstacle("material_differs", f"it holds {printer.material}; the job needs {wanted}")


def plate_for(plates: Sequence[Plate], printer: Printer) -> Plate | None:
    """Return the plate for the printer's class, made or not, else one for any class, else None."""
    for wanted in (printer.printer_class, ""):
        for plate in plates:
            if plate.printer_class == wanted:
                return plate
    return None


def unready(printer: Printer, run: Run | None, *, draining: bool = False) -> tuple[Obstacle, ...]:
    """Return why nothing new can be leased on the printer now, whatever the job."""
    found: list[Obstacle] = []
    if printer.in_service:
        found.append(Obstacle("in_service", "a person took it out of the farm's hands"))
    if not printer.online:
        found.append(Obstacle("offline", "its agent is not connected"))
    elif printer.seen is PrinterState.OFFLINE:
        found.append(Obstacle("printer_offline", "its agent can't reach it"))
    elif draining:
        words = "its agent is being drained: it takes no new run, and ends once nothing prints"
        found.append(Obstacle("draining", words))
    if printer.quarantine:
        found.append(Obstacle("quarantined", printer.quarantine))
    if printer.seen in (PrinterState.HALTED, PrinterState.ATTENTION):
        words = "it stopped itself" if printer.seen is PrinterState.HALTED else "it waits"
        detail = f": {printer.message}" if printer.message else ""
        found.append(Obstacle("faulted", f"{words} and needs a person{detail}"))
    if printer.foreign:
        found.append(Obstacle("foreign", "it prints what no agent started"))
    if run is not None and run.live:
        found.append(Obstacle("busy", f"it holds {run.run_id} of job {run.job_id} ({run.state})"))
    elif status_of(printer, run) is PrinterStatus.BUSY and not printer.foreign:
        found.append(Obstacle("busy", f"it is {printer.seen}"))
    if printer.bed.state is not BedState.CLEAR and not (run is not None and run.live):
        words = "its bed was not cleared"
        if printer.bed.state is BedState.UNKNOWN:
            words = "nobody knows what lies on its bed: look, and declare it clear"
        elif printer.bed.state is BedState.CLEARING:
            words = f"{printer.bed.changed_by} is clearing its bed"
        found.append(Obstacle("bed_not_clear", words))
    return tuple(found)
