"""Files on their way into the store of artifacts, and out where nothing refers to them."""

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from pathlib import Path

from coordinator.ports import StagedFile
from coordinator.usecases.farm import Farm

CHUNK_BYTES = 1024 * 1024


async def copy(source: Path, staged: StagedFile) -> None:
    """Write a file into the store, in chunks: it is hashed by the store itself."""
    file = await asyncio.to_thread(source.open, "rb")
    try:
        while chunk := await asyncio.to_thread(file.read, CHUNK_BYTES):
            await staged.write(chunk)
    finally:
        file.close()


async def keep(farm: Farm, staged: StagedFile) -> None:
    """Put a file into the store; `let_go` has to follow once a row refers to it, or none will.

    Until then nobody else who kept the same bytes, and wants them no more, takes it away.
    """
    live, sha256 = farm.live, staged.sha256
    live.held[sha256] += 1
    if live.cleaning is not None:
        live.cleaning.add(sha256)
    try:
        async with live.shelf:
            await staged.keep()
    except BaseException:
        live.held[sha256] -= 1
        raise


@asynccontextmanager
async def held(farm: Farm, hashes: Collection[str]) -> AsyncIterator[None]:
    """Keep artifacts that are there already from being removed, until a row refers to them anew."""
    live = farm.live
    for sha256 in hashes:
        live.held[sha256] += 1
        if live.cleaning is not None:
            live.cleaning.add(sha256)
    try:
        yield
    finally:
        for sha256 in hashes:
            await let_go(farm, sha256)


async def let_go(farm: Farm, sha256: str) -> None:
    """Hold an artifact no more: it goes where no row refers to it, and nobody else holds it."""
    live = farm.live
    live.held[sha256] -= 1
    async with live.shelf:
        if live.held[sha256]:
            return
        del live.held[sha256]
        async with farm.store.read() as unit:
            known = await unit.artifact(sha256) is not None
        if not known:
            await farm.artifacts.delete(sha256)
