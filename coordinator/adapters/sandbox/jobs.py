"""The folder of one run: what goes in, what may be taken out, and that nothing of it stays."""

import asyncio
import os
import stat
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

# Folders too deep or without permission need a second try; a disk that hangs is not waited for.
_REMOVE_S_MAX = 60.0


class JobFolder:
    """A folder that a program in the sandbox may write to; all it holds is hostile afterwards."""

    def __init__(self, path: Path) -> None:
        """Take a folder that is there."""
        self.path = path

    def put(self, name: str, data: bytes) -> None:
        """Write a file, before anything ran here."""
        (self.path / name).write_bytes(data)

    def take(self, name: str, *, bytes_max: int) -> bytes | None:
        """Return what a program wrote as `name`; None where that is no plain file, or too long.

        No link is followed: it may point to whatever we can read. Blocks; for a thread.
        """
        try:
            # Without O_NONBLOCK, opening a FIFO would wait for its other end.
            descriptor = os.open(
                self.path / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
            )
        except OSError:
            return None
        try:
            found = os.fstat(descriptor)
            if not stat.S_ISREG(found.st_mode) or found.st_size > bytes_max:
                return None
            with open(descriptor, "rb", closefd=False) as file:
                data = file.read(bytes_max + 1)
            return data if len(data) <= bytes_max else None
        finally:
            os.close(descriptor)


@asynccontextmanager
async def job_folder(below: Path) -> AsyncIterator[JobFolder]:
    """Lend an empty folder, and remove it with whatever is in it then."""
    path = await asyncio.to_thread(_made, below)
    try:
        yield JobFolder(path)
    finally:
        await asyncio.shield(remove(path))


def _made(below: Path) -> Path:
    below.mkdir(parents=True, exist_ok=True)
    return Path(tempfile.mkdtemp(dir=below))


async def remove(path: Path) -> None:
    """Remove a folder, however deep and locked; Python's own way ends at a thousand levels."""
    if await _succeeds("rm", "-rf", "--", str(path)):
        return
    await _succeeds("chmod", "-R", "u+rwX", "--", str(path))
    await _succeeds("rm", "-rf", "--", str(path))


async def _succeeds(*command: str) -> bool:
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        return await asyncio.wait_for(process.wait(), _REMOVE_S_MAX) == 0
    except TimeoutError:
        process.kill()
        await process.wait()
        return False
