"""Runs a program on a job folder with nothing but that, and ends it with all it started."""

import asyncio
import json
import os
import re
import shutil
import signal
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from coordinator.adapters.sandbox import counting, watching
from coordinator.adapters.sandbox.calls import call_filter
from coordinator.adapters.sandbox.jobs import JobFolder
from coordinator.adapters.sandbox.levels import (
    INSIDE,
    Descriptors,
    Found,
    Level,
    bounded,
    memory_file,
    shut_in,
)
from coordinator.adapters.sandbox.limits import Ended, How, Limits, fault_of
from coordinator.errors import Unavailable

# A look costs a few ms; what is written or taken between two of them is bounded by the machine.
_LOOK_EVERY_S = 0.1
# The kernel ends a namespace at once; a process in an uninterruptible wait may take this long.
_GONE_S_MAX = 10.0
# Below the streams to the printers and the coordinator itself.
_NICENESS = 10
# What a terminal would obey: colours, titles, and all other control characters.
_CONTROL = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?"
    r"|[^\t\n\x20-\x7e\xa0-\U0010ffff]"
)


class Sandbox:
    """Programs that nobody vouches for, on this machine, at the level that was found."""

    def __init__(self, found: Found) -> None:
        """Take what `levels.find` returned."""
        self.found = found

    async def run(
        self,
        argv: Sequence[str],
        job: JobFolder,
        *,
        limits: Limits,
        roots: Sequence[Path] = (),
        environment: Mapping[str, str] = MappingProxyType({}),
        needs: Level = Level.BWRAP,
    ) -> Ended:
        """Run a program in its job folder and return how it ended; nothing of it runs then.

        Its current folder is the job folder, whose path differs inside: name files relatively.

        Args:
            roots: what else it may read.
            environment: all it gets, but for PATH, HOME, TMPDIR and LANG.
            needs: the weakest level at which it may be run.

        Raises:
            Unavailable: this machine can't shut it in so well.
        """
        level = self.found.level
        if not level.holds(needs):
            raise Unavailable(
                "sandbox_missing",
                f"this machine can't shut programs in as it has to be: {self.found.words}",
            )
        inside = INSIDE if level.holds(Level.BWRAP) else str(job.path)
        everything = {
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "HOME": inside,
            "TMPDIR": inside,
            "LANG": "C.UTF-8",
            **environment,
        }
        began = time.monotonic()
        starting = _shut_in if level.holds(Level.BWRAP) else _bounded
        heard = bytearray()
        async with starting(argv, job.path, limits, roots, everything, level) as running:
            how = await _until_end(running, job.path, limits, heard)
        status = running.process.returncode
        assert status is not None
        how, status = _end(status, how, level)
        if how is How.EXITED:
            how = await asyncio.to_thread(watching.excess_written, job.path, limits) or how
        return Ended(
            how=how,
            status=status if how is How.EXITED else None,
            words=_CONTROL.sub("", heard.decode(errors="replace")),
            fault=fault_of(how, status, limits),
            wall_s=time.monotonic() - began,
        )


@dataclass(slots=True)
class _Running:
    process: asyncio.subprocess.Process
    words: asyncio.StreamReader
    # The process below which everything is; that of bubblewrap inside, which is 1 there.
    top: int


@asynccontextmanager
async def _bounded(
    argv: Sequence[str],
    folder: Path,
    limits: Limits,
    roots: Sequence[Path],
    environment: Mapping[str, str],
    level: Level,
) -> AsyncIterator[_Running]:
    """Start a program with limits only; its process group is ended with the block."""
    del roots, level
    async with _started(bounded(argv, limits), cwd=folder, env=environment) as (process, words):
        try:
            yield _Running(process, words, process.pid)
        finally:
            _end_group(process)
            await process.wait()


@asynccontextmanager
async def _shut_in(
    argv: Sequence[str],
    folder: Path,
    limits: Limits,
    roots: Sequence[Path],
    environment: Mapping[str, str],
    level: Level,
) -> AsyncIterator[_Running]:
    """Start a program in namespaces of its own, all of which are gone with the block."""
    told, telling = os.pipe()
    waiting, go_on = os.pipe()
    calls = memory_file(call_filter()) if level.holds(Level.BWRAP_SECCOMP) else None
    descriptors = Descriptors(info=telling, block=waiting, calls=calls)
    command = shut_in(
        bounded(argv, limits),
        folder=folder,
        roots=roots,
        environment=environment,
        descriptors=descriptors,
    )
    kept, given = [told, go_on], [each for each in (telling, waiting, calls) if each is not None]
    inner, group = None, None
    try:
        # Its own environment can be read in there, as that of process 1.
        async with _started(command, env={}, pass_fds=given) as (process, words):
            while given:
                os.close(given.pop())
            try:
                top = await asyncio.to_thread(_child, told)
                if top is not None:
                    inner = os.pidfd_open(top)
                    kept.append(inner)
                    group = counting.held(top, limits.tasks_max)
                    os.write(go_on, b"x")
                yield _Running(process, words, top or process.pid)
            finally:
                await _end_namespace(process, inner)
                counting.let_go(group)
    finally:
        for each in (*kept, *given):
            os.close(each)


@asynccontextmanager
async def _started(
    command: Sequence[str],
    *,
    env: Mapping[str, str],
    cwd: Path | None = None,
    pass_fds: Sequence[int] = (),
) -> AsyncIterator[tuple[asyncio.subprocess.Process, asyncio.StreamReader]]:
    """Start a program and lend it with what it says; whoever does ends it before the block ends.

    The pipe is ours: with asyncio's own, a process counts as running until all was read.
    """
    hearing, saying = os.pipe()
    words = asyncio.StreamReader()
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(words), os.fdopen(hearing, "rb", buffering=0)
    )
    try:
        try:
            process = await asyncio.create_subprocess_exec(
                shutil.which(command[0]) or command[0],
                *command[1:],
                stdin=asyncio.subprocess.DEVNULL,
                stdout=saying,
                stderr=saying,
                start_new_session=True,
                env=dict(env),
                cwd=cwd,
                pass_fds=pass_fds,
            )
        except OSError as error:
            raise Unavailable(
                "sandbox_failed", f"{command[0]} can't be started: {error}"
            ) from error
        finally:
            os.close(saying)
        yield process, words
    finally:
        transport.close()


def _child(told: int) -> int | None:
    """Return the process that is 1 inside, None where bubblewrap ended before there was one."""
    data = b""
    while chunk := os.read(told, 4096):
        data += chunk
        with suppress(ValueError):
            return int(json.loads(data)["child-pid"])
    return None


async def _until_end(
    running: _Running, folder: Path, limits: Limits, heard: bytearray
) -> How | None:
    """Return the limit at which a program has to be ended, None where it ended by itself."""
    with suppress(ProcessLookupError):
        os.setpriority(os.PRIO_PGRP, running.process.pid, _NICENESS)
    loop = asyncio.get_running_loop()
    deadline = loop.time() + limits.wall_s
    async with asyncio.TaskGroup() as group:
        leaving = group.create_task(running.process.wait(), name="sandbox-leaving")
        hearing = group.create_task(_hear(running.words, limits, heard), name="sandbox-hearing")
        looking = group.create_task(_look(running.top, folder, limits), name="sandbox-looking")
        pending: set[asyncio.Task[object]] = {leaving, hearing, looking}
        how = None
        while how is None and leaving in pending:
            done, pending = await asyncio.wait(
                pending,
                timeout=max(0.0, deadline - loop.time()),
                return_when=asyncio.FIRST_COMPLETED,
            )
            if not done:
                how = How.TOO_LONG
            for each in (hearing, looking):
                if each in done:
                    how = how or each.result()
        looking.cancel()
        if how is None and hearing in pending:
            # What it said last is in the pipe. One that it left behind may hold that open.
            await asyncio.wait({hearing}, timeout=1.0)
        hearing.cancel()
        leaving.cancel()
    return how


async def _hear(words: asyncio.StreamReader, limits: Limits, heard: bytearray) -> How | None:
    while chunk := await words.read(64 * 1024):
        heard.extend(chunk)
        if len(heard) > limits.said_kib * 1024:
            del heard[limits.said_kib * 1024 :]
            return How.TOO_MUCH_SAID
    return None


async def _look(top: int, folder: Path, limits: Limits) -> How:
    while True:
        found = await asyncio.to_thread(watching.excess, top, folder, limits)
        if found is not None:
            return found
        await asyncio.sleep(_LOOK_EVERY_S)


def _end_group(process: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


async def _end_namespace(process: asyncio.subprocess.Process, inner: int | None) -> None:
    """End everything inside and wait until the kernel says that it is gone."""
    if inner is not None:
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(inner, signal.SIGKILL)
        # Process 1 of a namespace is gone when all others in there are.
        await asyncio.wait_for(_gone(inner), _GONE_S_MAX)
    _end_group(process)
    await process.wait()


async def _gone(pidfd: int) -> None:
    loop = asyncio.get_running_loop()
    gone = asyncio.Event()
    loop.add_reader(pidfd, gone.set)
    try:
        await gone.wait()
    finally:
        loop.remove_reader(pidfd)


def _end(status: int, how: How | None, level: Level) -> tuple[How, int]:
    """Return how it ended, by its status and what we ended it for; crashed: with the signal."""
    if how is not None:
        return how, status
    # bubblewrap tells of a signal as shells do.
    number = -status if status < 0 else status - 128 if level.holds(Level.BWRAP) else 0
    match number:
        case signal.SIGXCPU:
            return How.TOO_MUCH_CPU, number
        case signal.SIGXFSZ:
            return How.TOO_MUCH_WRITTEN, number
        case _ if 0 < number < signal.NSIG:
            return How.CRASHED, number
    return How.EXITED, status
