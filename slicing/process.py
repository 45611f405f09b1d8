"""A foreign program under limits on time, memory and output, in a process group of its own.

However the call ends (result, time-out, an exception from a signal handler), nothing of the group
is left running. Should this process be killed outright, Linux ends the program as well.
"""

import contextlib
import ctypes
import os
import resource
import selectors
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

# What a failing program says last is what matters; this many lines are kept.
_LINES_KEPT = 200
_LINE_BYTES_MAX = 4096
_READ_BYTES = 65536

# Behind the farm's own work, which prints by the second.
_NICENESS = 5

_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessLimits:
    """What a program may use: wall time, address space, and bytes of one file.

    Attributes:
        reserves_addresses: bound the memory that it can write to, and not its address space.
    """

    wall_s_max: float
    memory_bytes_max: int
    output_bytes_max: int
    reserves_addresses: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """How a program ended.

    Attributes:
        status: exit status, or the negative number of the signal that ended it.
        timed_out: it was ended because its time was up.
        lines: its last lines, standard output and error together.
    """

    status: int
    timed_out: bool
    lines: tuple[str, ...]


def run(
    arguments: Sequence[str],
    *,
    folder: Path,
    environment: Mapping[str, str],
    limits: ProcessLimits,
    on_line: Callable[[str], None],
) -> Finished:
    """Run a program to its end and return how it ended.

    Args:
        arguments: the program and its arguments; no shell is involved.
        folder: where it runs.
        environment: all that it sees of ours.
        limits: see `ProcessLimits`.
        on_line: called with each line as it appears.

    Raises:
        OSError: it can't be started.
    """
    lines: deque[str] = deque(maxlen=_LINES_KEPT)
    deadline = time.monotonic() + limits.wall_s_max
    with subprocess.Popen(
        arguments,
        cwd=folder,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        preexec_fn=_confine(limits),
    ) as program:
        try:
            for line in _lines(program, deadline):
                lines.append(line)
                on_line(line)
            status = program.wait(timeout=max(0.0, deadline - time.monotonic()))
            timed_out = False
        except (TimeoutError, subprocess.TimeoutExpired):
            status, timed_out = -signal.SIGKILL, True
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(program.pid, signal.SIGKILL)
    return Finished(status=status, timed_out=timed_out, lines=tuple(lines))


def end_with_parent() -> None:
    """Have this process told to stop (SIGTERM) when the one that started it is gone; Linux only."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def limit_own_memory(memory_bytes_max: int) -> None:
    """Bound this process's address space: beyond it, Python raises MemoryError."""
    _lower(resource.RLIMIT_AS, memory_bytes_max)


def _lines(program: subprocess.Popen[bytes], deadline: float) -> Iterator[str]:
    """Yield each line until the program closes its output.

    Raises:
        TimeoutError: the deadline has passed.
    """
    assert program.stdout is not None
    pending = b""
    with selectors.DefaultSelector() as selector:
        selector.register(program.stdout, selectors.EVENT_READ)
        while True:
            left_s = deadline - time.monotonic()
            if left_s <= 0 or not selector.select(left_s):
                raise TimeoutError
            chunk = os.read(program.stdout.fileno(), _READ_BYTES)
            *whole, pending = (pending + chunk).split(b"\n")
            pending = pending[:_LINE_BYTES_MAX]
            for line in [*whole, pending] if not chunk else whole:
                text = line[:_LINE_BYTES_MAX].decode("utf-8", "replace").strip()
                if text:
                    yield text
            if not chunk:
                return


def _confine(limits: ProcessLimits) -> Callable[[], None]:
    """Return what the new process does to itself before it becomes the program."""
    prctl = ctypes.CDLL(None).prctl if sys.platform == "linux" else None
    parent = os.getpid()

    def confine() -> None:
        memory = resource.RLIMIT_DATA if limits.reserves_addresses else resource.RLIMIT_AS
        _lower(memory, limits.memory_bytes_max)
        _lower(resource.RLIMIT_FSIZE, limits.output_bytes_max)
        _lower(resource.RLIMIT_CORE, 0)
        os.nice(_NICENESS)
        if prctl is not None:
            prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != parent:  # it died before the line above
                os._exit(1)

    return confine


def _lower(which: int, wanted: int) -> None:
    """Set a limit, never above the one that already holds."""
    _, hard = resource.getrlimit(which)
    value = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(which, (value, value))
