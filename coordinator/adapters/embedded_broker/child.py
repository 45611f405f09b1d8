"""A child process that dies with us, even when we are killed."""

import asyncio
import ctypes
import os
import signal
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from coordinator.errors import Unavailable

_PR_SET_PDEATHSIG = 1  # prctl(2)
# Looked up here: between fork and exec no lock may be waited for.
_prctl = ctypes.CDLL(None).prctl

STOP_S = 3.0


def _dying_with_parent() -> Callable[[], None]:
    """Return what a child calls first."""
    parent = os.getpid()

    def ask() -> None:
        _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it died before we could ask
            os._exit(1)

    return ask


async def start(command: Sequence[str], output: Path) -> asyncio.subprocess.Process:
    """Start a program whose words go to a file.

    Raises:
        Unavailable: it can't be started.
    """
    try:
        with output.open("wb") as words:
            return await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=words,
                stderr=words,
                preexec_fn=_dying_with_parent(),  # what it calls neither allocates nor locks
                start_new_session=True,  # a Ctrl-C is meant for us; we tell the child ourselves
            )
    except OSError as error:
        raise Unavailable(
            "broker_failed", f"the broker {command[0]} can't be started: {error.strerror}"
        ) from error


async def stop(process: asyncio.subprocess.Process) -> None:
    """End a child: politely, then not."""
    with suppress(ProcessLookupError):
        process.terminate()
    try:
        await asyncio.wait_for(process.wait(), STOP_S)
    except TimeoutError:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
