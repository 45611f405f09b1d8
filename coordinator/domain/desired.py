"""What is wanted of a printer, as the document its agent gets; made afresh from what is stored."""

from coordinator.domain.plates import Plate
from coordinator.domain.printers import Printer
from coordinator.domain.runs import Run, RunState
from protocols.wire.to_agent import (
    Acknowledged,
    Assignment,
    BedClearance,
    Desired,
    PlateReference,
)
from protocols.wire.vocabulary import Mode


def desired(
    printer: Printer, run: Run | None, plate: Plate | None, *, artifact_path: str, term: int = 0
) -> Desired:
    """Return the document.

    Args:
        run: the one that holds the printer's lease, None where none does; `plate` is its plate.
        artifact_path: where artifacts are fetched, with `{sha256}` in it.
        term: which coordinator says so.
    """
    bed = printer.bed
    clearance = acknowledged = None
    if bed.cleared is not None and bed.journal_id is not None:
        clearance = BedClearance(journal_id=bed.journal_id, occupation=bed.cleared)
    if printer.journal_id is not None and printer.events_applied:
        acknowledged = Acknowledged(journal_id=printer.journal_id, number=printer.events_applied)
    live = run is not None and run.live
    return Desired(
        printer_id=printer.printer_id,
        epoch=printer.epoch,
        revision=printer.revision,
        term=term,
        assignment=_assignment(run, plate, artifact_path) if live else None,
        mode=run.mode if run is not None and live else Mode.RUN,
        permit=run.nonce if run is not None and run.state is RunState.PERMITTED else None,
        cleared=clearance,
        acknowledged=acknowledged,
    )


def _assignment(run: Run | None, plate: Plate | None, artifact_path: str) -> Assignment:
    assert run is not None, "only a live run is assigned"
    assert plate is not None, "a live run has a plate"
    return Assignment(
        run_id=run.run_id,
        job_id=run.job_id,
        plate=PlateReference(
            sha256=plate.sha256,
            size_bytes=plate.size_bytes,
            url=artifact_path.format(sha256=plate.sha256),
            name=plate.name,
        ),
    )
