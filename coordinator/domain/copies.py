"""How many copies of a job are done, under way, lost and still wanted; and what that makes of it.

A run counts for as many copies as its plate holds. The last run may bring more than were asked for:
what was made is what counts.

The only place where runs move jobs. A failed run is replaced while retries are left; after that
nothing new is leased, and the job fails once nothing lives any more. A stopped run is not
replaced: somebody wanted it to stop. A revoked or discarded run never counts.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from coordinator.domain.effects import Effects, Poke, Work
from coordinator.domain.jobs import ENDED, MACHINE, OPEN, Job, JobEvent, JobState, advance
from coordinator.domain.runs import LIVE, Run, RunState

# Runs that stand for a copy: it is made, being made, or not wanted again before somebody says so.
COUNTED = frozenset({RunState.FINISHED, RunState.LOST, RunState.STOPPED, *LIVE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """A job's runs, counted: copies, but for `lost`, `failed` and `stopped`, which are runs.

    Attributes:
        live: leased, permitted, printing or paused; `started` of them print.
        wanted: how many more have to be leased now.
        last_reason: why the last run that went wrong did.
    """

    finished: int
    live: int
    started: int
    lost: int
    failed: int
    stopped: int
    wanted: int
    last_reason: str = ""


def tally(job: Job, runs: Iterable[Run]) -> Tally:
    """Count a job's runs; all of them have to be given."""
    counts, made = dict.fromkeys(RunState, 0), dict.fromkeys(RunState, 0)
    reason = ""
    for run in runs:
        counts[run.state] += 1
        made[run.state] += run.copies
        if run.state in (RunState.FAILED, RunState.STOPPED, RunState.LOST):
            reason = run.reason or reason
    started = made[RunState.PRINTING] + made[RunState.PAUSED]
    live = started + made[RunState.LEASED] + made[RunState.PERMITTED]
    taken = sum(made[state] for state in COUNTED)
    given_up = counts[RunState.FAILED] > job.retries_max or job.state not in (*OPEN, JobState.LOST)
    return Tally(
        finished=made[RunState.FINISHED],
        live=live,
        started=started,
        lost=counts[RunState.LOST],
        failed=counts[RunState.FAILED],
        stopped=counts[RunState.STOPPED],
        wanted=0 if given_up else max(0, job.copies - taken),
        last_reason=reason,
    )


def begun(runs: Iterable[Run]) -> int:
    """Return how many copies are made, being made, or not wanted again before somebody says so."""
    return sum(run.copies for run in runs if run.state in COUNTED)


def event_of(job: Job, count: Tally) -> JobEvent | None:
    """Return what the runs say of the job, None where they say nothing (yet)."""
    if job.state is JobState.CANCELLING:
        return None if count.live else JobEvent.CANCELLED
    if job.state in ENDED or job.state in (JobState.RECEIVED, JobState.PREPARING):
        return None
    if count.started:
        return JobEvent.START
    if count.live:
        return JobEvent.LEASE
    if count.finished >= job.copies:
        return JobEvent.FINISH
    if count.wanted:
        return JobEvent.WAIT
    return JobEvent.LOSE if count.lost else JobEvent.FAIL


def follow(job: Job, runs: Iterable[Run], now: datetime) -> tuple[Job, Effects]:
    """Return the job as its runs have it now, and what has to be done about it."""
    count = tally(job, runs)
    event = event_of(job, count)
    due: Effects = (Poke(Work.DISPATCH),) if count.wanted else ()
    if event is None or MACHINE.after(job.state, event) is job.state:
        return job, due
    reason = _why(job, count) if event in (JobEvent.FAIL, JobEvent.LOSE) else ""
    moved, effects = advance(job, event, now, reason=reason)
    return moved, (*effects, *due)


def _why(job: Job, count: Tally) -> str:
    """Return one sentence about a job that ends with copies missing."""
    parts = [
        f"{number} {word}"
        for number, word in (
            (count.failed, "failed"),
            (count.stopped, "stopped"),
            (count.lost, "lost: a person has to say how it ended"),
        )
        if number
    ]
    text = f"{count.finished} of {job.copies} copies finished; runs: {', '.join(parts)}"
    return f"{text} ({count.last_reason})" if count.last_reason else text


def with_run(runs: Iterable[Run], changed: Run) -> list[Run]:
    """Return the runs with one of them replaced, or added."""
    kept = [run for run in runs if run.run_id != changed.run_id]
    return [*kept, changed]
