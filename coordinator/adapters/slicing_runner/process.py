"""One slicing process: a request in, lines of JSON out, and nothing left running afterwards."""

import asyncio
import json
import os
import resource
import signal
from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

from coordinator.errors import Unavailable

# One line holds a result with all its settings: some 100 KiB.
LINE_BYTES_MAX = 4 * 1024 * 1024
LAST_WORDS = 5
# Time to remove its scratch files after it was asked to stop.
STOP_S = 2.0
# Below the streams to the printers and the coordinator itself.
_NICENESS = 10


@asynccontextmanager
async def lines_of(
    command: Sequence[str], request: Mapping[str, Any], *, memory_bytes_max: int
) -> AsyncIterator[AsyncIterator[dict[str, Any]]]:
    """Run a command on a request and lend what it says, line by line.

    The command has a process group of its own, which is ended with the block, however it ends.

    Raises:
        Unavailable: it can't be started, crashed, or says what is no JSON; with its last words.
    """
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            limit=LINE_BYTES_MAX,
            start_new_session=True,
        )
    except OSError as error:
        raise Unavailable("slicer_not_started", f"slicing can't be started: {error}") from error
    words: deque[str] = deque(maxlen=LAST_WORDS)
    listener = asyncio.create_task(_collect(process, words), name="slicing-stderr")
    try:
        _limit(process.pid, memory_bytes_max)
        yield _lines(process, request, listener, words)
    finally:
        await _end(process)
        listener.cancel()
        await asyncio.gather(listener, return_exceptions=True)


def _limit(pid: int, memory_bytes_max: int) -> None:
    """Bound memory and rank of a process that waits for its request; children inherit both."""
    with suppress(ProcessLookupError):
        resource.prlimit(pid, resource.RLIMIT_AS, (memory_bytes_max, memory_bytes_max))
        resource.prlimit(pid, resource.RLIMIT_CORE, (0, 0))
        os.setpriority(os.PRIO_PROCESS, pid, _NICENESS)


async def _lines(
    process: asyncio.subprocess.Process,
    request: Mapping[str, Any],
    listener: asyncio.Task[None],
    words: Sequence[str],
) -> AsyncIterator[dict[str, Any]]:
    assert process.stdin is not None
    assert process.stdout is not None
    with suppress(BrokenPipeError, ConnectionResetError):  # its end tells more than this would
        process.stdin.write(json.dumps(request).encode() + b"\n")
        await process.stdin.drain()
    process.stdin.close()
    while True:
        try:
            line = await process.stdout.readline()
            said = json.loads(line) if line else None
        except ValueError as error:
            raise Unavailable(
                "slicer_garbled", f"slicing said what is no answer: {error}"
            ) from error
        if said is None:
            break
        if isinstance(said, dict):
            yield said
    status = await process.wait()
    await listener
    told = " / ".join(words) or "without a word"
    raise Unavailable("slicer_crashed", f"slicing ended with {_end_name(status)}: {told}")


def _end_name(status: int) -> str:
    if status >= 0:
        return f"status {status}"
    try:
        return signal.Signals(-status).name
    except ValueError:
        return f"signal {-status}"


async def _collect(process: asyncio.subprocess.Process, words: deque[str]) -> None:
    """Keep the last lines of what it complains; reading on keeps it from blocking."""
    assert process.stderr is not None
    rest = b""
    while chunk := await process.stderr.read(64 * 1024):
        *whole, rest = (rest + chunk).split(b"\n")
        words.extend(_readable(line) for line in whole if line.strip())
        rest = rest[-4096:]
    if rest.strip():
        words.append(_readable(rest))


def _readable(line: bytes) -> str:
    return line.decode(errors="replace").strip()[-300:]


async def _end(process: asyncio.subprocess.Process) -> None:
    """End the whole group: the slicer's own program outlives a leader that died."""
    if process.returncode is None:
        _signal(process, signal.SIGTERM)
        # Not asyncio.timeout: in a task that is being cancelled it is broken in Python 3.11.2,
        # which Debian 12 has.
        with suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), STOP_S)
    _signal(process, signal.SIGKILL)
    await process.wait()


def _signal(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, number)
