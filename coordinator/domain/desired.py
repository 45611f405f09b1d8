"""What is wanted of a printer, as the document its agent gets; made afresh from what is stored."""

from collections.abc import Sequence

from coordinator.domain.leases import said_epoch
from coordinator.domain.plates import Plate
from coordinator.domain.printers import Printer
from coordinator.domain.runs import Run, RunState
from protocols.wire.to_agent import (
    Acknowledged,
    Assignment,
    BedClearance,
    Desired,
    PlateReference,
    StagedLease,
)
from protocols.wire.vocabulary import Mode, Nonce


def desired(
    printer: Printer,
    run: Run | None,
    plate: Plate | None,
    *,
    artifact_path: str,
    staged: Sequence[tuple[Run, Plate | None]] = (),
) -> Desired:
    """Return the document.

    Args:
        run: the one that holds the printer's lease, None where none does; `plate` is its plate.
        artifact_path: where artifacts are fetched, with `{sha256}` in it.
        staged: the runs that follow it, in order, with their plates.
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
        epoch=said_epoch(printer, run),
        revision=printer.revision,
        assignment=_assignment(run, plate, artifact_path) if live else None,
        mode=run.mode if run is not None and live else Mode.RUN,
        permit=_permit(run) if run is not None else None,
        cleared=clearance,
        acknowledged=acknowledged,
        staged=tuple(
            StagedLease(
                epoch=each.epoch,
                assignment=_assignment(each, its_plate, artifact_path),
                mode=each.mode,
                permit=_permit(each),
            )
            for each, its_plate in staged
        ),
    )


def _permit(run: Run) -> Nonce | None:
    return run.nonce if run.state is RunState.PERMITTED else None


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
