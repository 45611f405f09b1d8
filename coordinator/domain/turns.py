"""A job's place in the queue, where a person moved it.

Theory. Jobs are served by `planning.precedence`: priority, then when they are due, then since when
they wait. A job that is put between two others is served as though it had come between them: it
keeps its own times beside that (`Job.turn`). It gets a priority between theirs, so whoever is put
before the urgent is urgent. What it stands between may end or be moved: its own place stays.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from coordinator.domain.effects import Effects, Note, Poke, Save, Work
from coordinator.domain.jobs import Job, changed

# So far before or behind all others somebody is put, and so far apart where there is no room left.
_BESIDE = timedelta(seconds=1)
_APART = timedelta(milliseconds=1)
_LEAST = timedelta(microseconds=1)


def put(job: Job, ahead: Job | None, behind: Sequence[Job]) -> tuple[Job, ...]:
    """Return the job at its new place, and before it those that made room; versions as they were.

    Args:
        ahead: the job that is served just before the place, None where it is the first.
        behind: those that are served after it, in order; none where it is the last. The job itself
            is not among them.
    """
    following = behind[0] if behind else None
    priority = _between(job.priority, ahead, following)
    job = replace(job, priority=priority, place_at=None, place_due_at=None)
    before = ahead if ahead is not None and ahead.priority == priority else None
    after = following if following is not None and following.priority == priority else None
    if after is None:
        if before is None:
            return (job,)
        due_at, at = before.turn
        return (replace(job, place_at=at + _BESIDE, place_due_at=due_at),)
    due_at, at = after.turn
    if before is None or before.turn[0] != due_at:
        return (replace(job, place_at=at - _BESIDE, place_due_at=due_at),)
    earliest = before.turn[1]
    if at - earliest > _LEAST:
        middle = earliest + (at - earliest) / 2
        return (replace(job, place_at=middle, place_due_at=due_at),)
    placed = replace(job, place_at=earliest + _APART, place_due_at=due_at)
    return (*_pushed(placed, behind), placed)


def _between(priority: int, ahead: Job | None, behind: Job | None) -> int:
    if ahead is not None and priority > ahead.priority:
        return ahead.priority
    if behind is not None and priority < behind.priority:
        return behind.priority
    return priority


def _pushed(placed: Job, behind: Sequence[Job]) -> list[Job]:
    """Return those that stand where a job is put, and whom they push in turn, farther behind."""
    due_at, last = placed.turn
    moved = []
    for each in behind:
        if each.priority != placed.priority or each.turn[0] != due_at or each.turn[1] > last:
            break
        last += _APART
        moved.append(replace(each, place_at=last, place_due_at=due_at))
    return moved


def moved(places: Sequence[Job], known: Job, now: datetime) -> Effects:
    """Return what has to be done so that jobs stand where `put` has them.

    Args:
        known: the job that was moved, as it was before.
    """
    if list(places) == [known]:
        return ()
    effects: list[Save | Note | Poke] = []
    for job in places:
        cause = "" if job.job_id == known.job_id else f"to make room for {known.name}"
        note = Note(subject="job", subject_id=job.job_id, name="job.moved", cause=cause)
        effects += [Save(changed(job, now)), note]
    return (*effects, Poke(Work.DISPATCH))
