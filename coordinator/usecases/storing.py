"""Files on their way into the store of artifacts, and out where nothing refers to them."""

import asyncio
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


async def discard_unknown(farm: Farm, sha256: str) -> None:
    """Remove an artifact that was kept but that nothing refers to."""
    async with farm.store.read() as unit:
        known = await unit.artifact(sha256) is not None
    if not known:
        await farm.artifacts.delete(sha256)
