"""What live connections tell, as documents: pure functions."""

from typing import Any

from coordinator.api.documents_live import JobGlanceDocument
from coordinator.api.render import moment, moment_or_null
from coordinator.usecases.watching import JobGlance


def job_glance_document(glance: JobGlance) -> JobGlanceDocument:
    """Return a job as a list of many shows it."""
    job = glance.job
    return {
        "id": job.job_id,
        "name": job.name,
        "state": job.state,
        "reason": job.reason,
        "held": job.held,
        "copies": job.copies,
        "copies_finished": glance.copies_finished,
        "copies_live": glance.copies_live,
        "preparing_ratio": None,
        "material": job.material,
        "printer_class": job.printer_class,
        "printer_id": job.printer_id,
        "priority": job.priority,
        "due_at": moment_or_null(job.due_at),
        "created_at": moment(job.created_at),
        "updated_at": moment(job.updated_at),
        "version": job.version,
    }


def with_ratio(document: Any, ratio: float | None) -> Any:
    """Return a job with how far its slicing is; the same document where that did not change."""
    if document["preparing_ratio"] == ratio:
        return document
    return {**document, "preparing_ratio": ratio}
