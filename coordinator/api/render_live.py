"""What live connections tell, as documents: pure functions."""

from typing import Any

from coordinator.api.documents_live import GenerationGlanceDocument, JobGlanceDocument
from coordinator.api.generation_documents import ratio_or_null
from coordinator.api.render import moment, moment_or_null, turn_document
from coordinator.domain.generations import Generation
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
        "approved": job.approved,
        "owner": job.owner,
        "priority": job.priority,
        "due_at": moment_or_null(job.due_at),
        **turn_document(job),
        "created_at": moment(job.created_at),
        "updated_at": moment(job.updated_at),
        "version": job.version,
    }


def generation_glance_document(
    generation: Generation,
) -> GenerationGlanceDocument:
    """Return a generation as a list of many shows it."""
    return {
        "id": generation.generation_id,
        "state": generation.state,
        "provider": generation.provider,
        "owner": generation.owner,
        "name": generation.asked.name,
        "progress": ratio_or_null(generation.progress),
        "stage": generation.stage,
        "waits": generation.waits,
        "model_id": generation.versions[0][0] if generation.versions else "",
        "job_id": next(iter(generation.job_ids), ""),
        "updated_at": moment(generation.updated_at),
    }


def with_ratio(document: Any, ratio: float | None) -> Any:
    """Return a job with how far its slicing is; the same document where that did not change."""
    if document["preparing_ratio"] == ratio:
        return document
    return {**document, "preparing_ratio": ratio}


def with_stage(document: Any, now: tuple[float | None, str] | None) -> Any:
    """Return a generation with how far it is at this moment, where only memory knows that."""
    if now is None or (document["progress"], document["stage"]) == now:
        return document
    return {**document, "progress": ratio_or_null(now[0]), "stage": now[1]}
