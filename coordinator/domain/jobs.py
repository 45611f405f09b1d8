"""A job's life: what someone wants, from the order to the last copy."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from protocols.wire.vocabulary import JobId, PrinterId


class JobState(StrEnum):
    """Where a job stands; pausing belongs to its runs."""

    RECEIVED = "received"
    PREPARING = "preparing"
    READY = "ready"
    LEASED = "leased"
    PRINTING = "printing"
    CANCELLING = "cancelling"
    FINISHED = "finished"
    FAILED = "failed"
    CANCELLED = "cancelled"
    LOST = "lost"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What someone wants.

    Attributes:
        model_sha256: the model to slice, None where plates were given ready.
        copies: how many are wanted, 1 or more.
        material: what it must be printed in; empty where any will do.
        quality: name of a quality profile; empty for the standard one.
        printer_class: only on printers of this class; empty where any will do.
        printer_id: only on this printer; None where any will do.
        overrides: slicer settings that differ from the profile.
        priority: higher first; equal ones in order of arrival.
        held: nothing new is leased, and what prints is paused.
        retries_max: how many failed runs are replaced before the job counts as failed.
        reason: why it failed or waits, for a person; empty when all is well.
        version: grows with every change.
    """

    job_id: JobId
    name: str
    model_sha256: str | None = None
    copies: int = 1
    material: str = ""
    quality: str = ""
    printer_class: str = ""
    printer_id: PrinterId | None = None
    overrides: Mapping[str, str | int | float | bool] = field(default_factory=dict)
    priority: int = 0
    held: bool = False
    retries_max: int = 1
    state: JobState = JobState.RECEIVED
    reason: str = ""
    created_at: datetime
    updated_at: datetime
    version: int = 0
