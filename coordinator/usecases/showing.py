"""Which printers show what changed: for whoever keeps a picture of them."""

from collections.abc import Collection, Iterable, Sequence

from coordinator.domain.history import Thing
from coordinator.usecases.reading import PrinterView
from protocols.wire.vocabulary import JobId, PrinterId, RunId


def printers_showing(things: Collection[Thing], views: Iterable[PrinterView]) -> set[PrinterId]:
    """Return the printers that show any of these things, new ones too.

    Args:
        things: printers, runs and jobs; others are no matter.
        views: the printers as they were seen last.
    """
    meant = {PrinterId(its_id) for subject, its_id in things if subject == "printer"}
    runs = {RunId(its_id) for subject, its_id in things if subject == "run"}
    jobs = {JobId(its_id) for subject, its_id in things if subject == "job"}
    if runs or jobs:
        meant.update(
            view.printer.printer_id
            for view in views
            if not (runs.isdisjoint(_runs(view)) and jobs.isdisjoint(_jobs(view)))
        )
    return meant


def _runs(view: PrinterView) -> Sequence[RunId]:
    held = (view.run.run_id,) if view.run is not None else ()
    return (*held, *(each.run.run_id for each in view.staged))


def _jobs(view: PrinterView) -> Sequence[JobId]:
    held = (view.job.job_id,) if view.job is not None else ()
    return (*held, *(each.job.job_id for each in view.staged))
