"""Files that nobody needs any more are removed: by age, by job, and what a crash left behind.

Theory. While a cleanup looks who refers to what, orders go on. Whoever brings bytes keeps them
first (`storing.keep`), and refers to them afterwards; so what was being kept when the cleanup
began, or came since, is left alone (`Live.cleaning`), and every other reference was committed
before the cleanup looked. The line of history comes before the removal: who is killed in between
removes it the next time.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from coordinator.domain.history import FarmEvent
from coordinator.domain.jobs import ENDED
from coordinator.domain.plates import Artifact
from coordinator.domain.retention import Riddance, Sorting
from coordinator.errors import NotFound, NotNow
from coordinator.usecases.auditing import others_turn
from coordinator.usecases.farm import Farm
from protocols.wire.vocabulary import JobId

log = structlog.get_logger(__name__)

# A cleanup lets uploads in between so many files.
_FILES_AT_ONCE = 50
# What is known, but nothing refers to, may be about to be referred to; not for ever.
_FORLORN = timedelta(days=1)
LEFT_BEHIND = "nothing refers to it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Spare:
    """A file that may go, or went.

    Attributes:
        kind, name: as the farm knows it; empty where it does not.
        job_id: a job that ended and had it; None where nothing ever referred to it.
    """

    sha256: str
    kind: str
    name: str
    size_bytes: int
    job_id: JobId | None


async def cleanup(
    farm: Farm, riddance: Riddance, actor: str, origin: str, *, dry_run: bool
) -> list[Spare]:
    """Remove the files that nothing but the given ended jobs refers to; return them.

    Args:
        dry_run: only tell which these are.

    Raises:
        NotFound: there is no such job.
        NotNow: a job that was named has not ended; a backup is being taken; another cleanup is on.
    """
    await _check(farm, riddance)
    async with _cleaning(farm):
        spare = await _spare(farm, riddance)
        if dry_run:
            return spare
        removed: list[Spare] = []
        for start in range(0, len(spare), _FILES_AT_ONCE):
            removed += await _remove(farm, spare[start : start + _FILES_AT_ONCE], actor, origin)
    if removed:
        size_bytes = sum(each.size_bytes for each in removed)
        log.info("artifacts.removed", files=len(removed), size_bytes=size_bytes, actor=actor)
    return removed


async def _check(farm: Farm, riddance: Riddance) -> None:
    async with farm.store.read() as unit:
        for job_id in sorted(riddance.job_ids):
            job = await unit.job(job_id)
            if job is None:
                raise NotFound("job", job_id)
            if job.state not in ENDED:
                raise NotNow("job_not_ended", f"job {job_id} is {job.state}: it needs its files")


@asynccontextmanager
async def _cleaning(farm: Farm) -> AsyncIterator[None]:
    """Have all that is kept from now on left alone."""
    live = farm.live
    if live.cleaning is not None:
        raise NotNow("cleanup_on", "files are being removed already: wait until that is done")
    if live.backups:
        raise NotNow("backup_on", "a backup is being taken: no file leaves before it is whole")
    live.cleaning = {sha256 for sha256, count in live.held.items() if count}
    try:
        yield
    finally:
        live.cleaning = None


async def _spare(farm: Farm, riddance: Riddance) -> list[Spare]:
    """Return what may go, the largest first."""
    stored = await farm.artifacts.stored()
    async with farm.store.read() as unit:
        sorting = Sorting(riddance, needed=await unit.referred_elsewhere())
        async for page in unit.job_files():
            sorting.take(page)
            await others_turn()
        known = {artifact.sha256: artifact for artifact in await unit.artifacts()}
    found = [
        _spare_of(sha256, size_bytes, known, sorting)
        for sha256, size_bytes in stored
        if sha256 not in sorting.needed
        and not _in_use(farm, sha256)
        and (sha256 in sorting.spare or _is_forlorn(known.get(sha256), farm.clock.now()))
    ]
    return sorted(found, key=lambda each: (-each.size_bytes, each.sha256))


def _spare_of(
    sha256: str, size_bytes: int, known: Mapping[str, Artifact], sorting: Sorting
) -> Spare:
    artifact = known.get(sha256)
    return Spare(
        sha256=sha256,
        kind=artifact.kind.value if artifact is not None else "",
        name=artifact.name if artifact is not None else "",
        size_bytes=size_bytes,
        job_id=sorting.spare.get(sha256),
    )


def _is_forlorn(artifact: Artifact | None, now: datetime) -> bool:
    """Whether a file that nothing refers to was left behind; without a row, by a crash."""
    return artifact is None or artifact.created_at < now - _FORLORN


def _in_use(farm: Farm, sha256: str) -> bool:
    live = farm.live
    return bool(sha256 in (live.cleaning or ()) or live.held[sha256] or live.lent[sha256])


async def _remove(farm: Farm, spare: Sequence[Spare], actor: str, origin: str) -> list[Spare]:
    """Write a line for each, then remove them; nobody puts the same bytes in meanwhile."""
    async with farm.live.shelf:
        if farm.live.backups:
            return []
        going = [each for each in spare if not _in_use(farm, each.sha256)]
        async with farm.store.write() as unit:
            await unit.record(*(_told(farm, each, actor, origin) for each in going))
        for each in going:
            await farm.artifacts.delete(each.sha256)
    return going


def _told(farm: Farm, spare: Spare, actor: str, origin: str) -> FarmEvent:
    ended = f"job {spare.job_id} has ended, and nothing else needs it"
    return FarmEvent(
        subject="artifact",
        subject_id=spare.sha256,
        name="artifact.removed",
        at=farm.clock.now(),
        actor=actor,
        origin=origin,
        cause=ended if spare.job_id is not None else LEFT_BEHIND,
        facts={"kind": spare.kind, "name": spare.name, "size_bytes": spare.size_bytes},
    )
