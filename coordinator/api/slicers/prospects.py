"""When and where a job will print, in one sentence that slicers show."""

from datetime import datetime

from coordinator.usecases.foretelling import COUNTED_MAX, Prospect


def in_words(prospect: Prospect, now: datetime) -> str:
    """Return what became of an upload.

    Args:
        now: in the time zone in which the time of the start is told.
    """
    job = prospect.job
    if job.held:
        return (
            f"{job.name} is kept and not printed. "
            f"To have it printed: farmhand job resume {job.job_id}"
        )
    where = f" on {prospect.printer.name}" if prospect.printer is not None else ""
    if prospect.number is None and prospect.printer is not None:
        return (
            f"{job.name} starts now{where}" if prospect.starts_at else f"{job.name} is next{where}"
        )
    place = f"as number {prospect.number}"
    if prospect.number is None:
        place = f"behind more than {COUNTED_MAX} others"
    if prospect.starts_at is None:
        return (
            f"{job.name} is queued {place}; nobody can tell when it starts. "
            f"Why: farmhand job why {job.job_id}"
        )
    return f"{job.name} is queued {place}, starts {_about(prospect.starts_at, now)}{where}"


def is_sure(prospect: Prospect) -> bool:
    """Whether it goes as the person wanted: it is kept, or some printer will take it."""
    return prospect.job.held or prospect.printer is not None


def _about(at: datetime, now: datetime) -> str:
    local = at.astimezone(now.tzinfo)
    if (local - now).total_seconds() < 60:
        return "now"
    return local.strftime("about %H:%M" if local.date() == now.date() else "about %a %d %b %H:%M")
