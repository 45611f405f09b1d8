"""A backup of the whole farm while it runs: the database at one moment, and the files it knows.

Files only ever come before the rows that refer to them, and none leaves while a backup is taken; so
whatever the database knew at that moment is still there when its turn comes.
"""

import asyncio
import hashlib
import os
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing
from datetime import datetime
from pathlib import Path

import structlog

from coordinator.domain import backups
from coordinator.domain.backups import Contents, Piece
from coordinator.domain.history import FarmEvent
from coordinator.errors import NotFound, NotNow, Unavailable
from coordinator.ports_disk import BackupShelf, KeptBackup
from coordinator.usecases.farm import Farm
from coordinator.usecases.tracing import traced

log = structlog.get_logger(__name__)

CHUNK_BYTES = 256 * 1024


async def backup(
    farm: Farm, actor: str, origin: str, *, version: str, secrets: Mapping[str, Path]
) -> AsyncGenerator[bytes, None]:
    """Yield a backup, as `domain/backups.py` tells; the history tells that it was begun.

    What comes first comes when the database has been copied. Who does not read on holds up
    nothing but the removal of files.

    Args:
        version: of this program.
        secrets: files of the state folder that go along, by their names there; none for strangers.

    Raises:
        Unavailable: the copy of the database finds no room.
    """
    async with farm.artifacts.scratch() as folder:
        async with farm.live.shelf:
            farm.live.backups += 1
        try:
            now = farm.clock.now()
            await _record(farm, now, actor, origin, secrets=bool(secrets))
            copy = folder / backups.DATABASE
            await farm.store.snapshot(copy)
            contents = Contents()
            told = backups.head(version=version, made_at=now, secrets=bool(secrets))
            async for chunk in _bytes(contents, backups.HEAD, told, now):
                yield chunk
            async for chunk in _file(contents, backups.DATABASE, copy, now):
                yield chunk
            for name, path in secrets.items():
                async for chunk in _file(contents, backups.secret_name(name), path, now):
                    yield chunk
            async for chunk in _artifacts(farm, contents, now):
                yield chunk
            yield backups.end(contents, now)
        finally:
            farm.live.backups -= 1
    log.info("backup.taken", files=len(contents.files), actor=actor)


@traced
async def keep_backup(
    farm: Farm,
    shelf: BackupShelf,
    actor: str,
    origin: str,
    *,
    version: str,
    secrets: Mapping[str, Path],
) -> KeptBackup:
    """Put a backup into the farm's own folder of them.

    Raises:
        NotNow: `backup_on`: one is put there already.
        Unavailable: it can't be written.
    """
    if farm.live.backing_up is not None:
        raise NotNow("backup_on", "a backup is being made already: wait until that one is there")
    farm.live.backing_up = 0
    try:
        made = backup(farm, actor, origin, version=version, secrets=secrets)
        async with aclosing(made) as parts:
            return await shelf.put(_counted(farm, parts), farm.clock.now())
    finally:
        farm.live.backing_up = None


async def fetch_backup(
    farm: Farm, shelf: BackupShelf, name: str, actor: str, origin: str
) -> tuple[KeptBackup, AsyncGenerator[bytes, None]]:
    """Return a backup of the farm's own folder and its bytes; the history tells who took it.

    Raises:
        NotFound: there is none of this name.
        Unavailable: nobody can look there.
    """
    kept = next((each for each in await shelf.kept_backups() if each.name == name), None)
    if kept is None:
        raise NotFound("backup", name)
    taken = FarmEvent(
        subject="backup",
        subject_id=name,
        name="backup.fetched",
        at=farm.clock.now(),
        actor=actor,
        origin=origin,
    )
    async with farm.store.write() as unit:
        await unit.record(taken)
    return kept, shelf.read(name)


async def _counted(farm: Farm, parts: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    async for part in parts:
        yield part
        farm.live.backing_up = (farm.live.backing_up or 0) + len(part)


async def _record(farm: Farm, now: datetime, actor: str, origin: str, *, secrets: bool) -> None:
    """Tell first: who took all that a farm has stands in what they took."""
    begun = FarmEvent(
        subject="backup",
        subject_id="",
        name="backup.begun",
        at=now,
        actor=actor,
        origin=origin,
        facts={"secrets": secrets},
    )
    async with farm.store.write() as unit:
        await unit.record(begun)


async def _artifacts(farm: Farm, contents: Contents, now: datetime) -> AsyncIterator[bytes]:
    # Files before rows: one that came since the database was copied is told as missing, if at all,
    # which nobody minds; one without a row is on its way in or out, and nobody's yet.
    stored = dict(await farm.artifacts.stored())
    async with farm.store.read() as unit:
        known = [artifact.sha256 for artifact in await unit.artifacts()]
    for sha256 in known:
        size_bytes = stored.get(sha256)
        if size_bytes is None:
            contents.missing.append(sha256)
            continue
        async for chunk in _artifact(farm, contents, sha256, size_bytes, now):
            yield chunk


async def _artifact(
    farm: Farm, contents: Contents, sha256: str, size_bytes: int, now: datetime
) -> AsyncIterator[bytes]:
    name = backups.place_of(sha256)
    yield backups.header(name, size_bytes, now)
    found, count = hashlib.sha256(), 0
    try:
        async for chunk in farm.artifacts.read(sha256, start=0, stop=size_bytes):
            found.update(chunk)
            count += len(chunk)
            yield chunk
    except NotFound as error:
        raise Unavailable("storage_unusable", f"artifact {sha256} was taken away") from error
    if count != size_bytes:
        raise Unavailable("storage_unusable", f"artifact {sha256} changed its length")
    yield backups.padding(size_bytes)
    contents.files[name] = Piece(sha256=found.hexdigest(), size_bytes=size_bytes)
    if found.hexdigest() != sha256:
        log.error("artifact.damaged", sha256=sha256)
        contents.damaged.append(sha256)


async def _file(contents: Contents, name: str, path: Path, now: datetime) -> AsyncIterator[bytes]:
    """Yield a file of ours; nobody changes it meanwhile."""
    file = await asyncio.to_thread(path.open, "rb")
    with file:
        size_bytes = os.fstat(file.fileno()).st_size
        yield backups.header(name, size_bytes, now)
        found = hashlib.sha256()
        while chunk := await asyncio.to_thread(file.read, CHUNK_BYTES):
            found.update(chunk)
            yield chunk
    yield backups.padding(size_bytes)
    contents.files[name] = Piece(sha256=found.hexdigest(), size_bytes=size_bytes)


async def _bytes(contents: Contents, name: str, text: bytes, now: datetime) -> AsyncIterator[bytes]:
    yield backups.header(name, len(text), now) + text + backups.padding(len(text))
    contents.files[name] = Piece(sha256=hashlib.sha256(text).hexdigest(), size_bytes=len(text))
