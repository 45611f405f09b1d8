"""What a program in the sandbox may take, and how one ended."""

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a program may take; beyond that it is ended, with all its processes.

    Attributes:
        wall_s: time in all.
        cpu_s: CPU time of each process; the kernel's own limit, for where `wall_s` is long.
        memory_mib: of all its processes together.
        reserves_addresses: it maps far more than it writes to (V8 does), so that only what is in
            memory is counted; others are refused what they map beyond `memory_mib`.
        tasks_max: processes and threads.
        file_mib: one file; `folder_mib`, `files_max`: the whole job folder.
        said_kib: standard output and error together. A person reads none of it beyond a page.
    """

    wall_s: float = 120.0
    cpu_s: int = 120
    memory_mib: int = 2048
    reserves_addresses: bool = False
    tasks_max: int = 64
    file_mib: int = 256
    folder_mib: int = 512
    files_max: int = 1000
    said_kib: int = 512


class How(StrEnum):
    """How a program ended."""

    EXITED = "exited"  # by itself, with a status
    CRASHED = "crashed"  # by a signal that was not ours
    TOO_LONG = "too_long"
    TOO_MUCH_CPU = "too_much_cpu"
    TOO_MUCH_MEMORY = "too_much_memory"
    TOO_MANY_TASKS = "too_many_tasks"
    TOO_MUCH_SAID = "too_much_said"
    TOO_MUCH_WRITTEN = "too_much_written"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """What became of a program.

    Attributes:
        status: of its exit, where it `EXITED`.
        words: all it said, without control characters.
        fault: what went wrong, for a person; empty where it exited with 0.
    """

    how: How
    status: int | None
    words: str
    fault: str
    wall_s: float


def fault_of(how: How, status: int | None, limits: Limits) -> str:
    """Return in words what went wrong, empty where nothing did.

    Args:
        status: of the exit, or the number of the signal where it crashed.
    """
    match how:
        case How.EXITED:
            return "" if status == 0 else f"it ended with status {status}"
        case How.CRASHED:
            return f"it was ended by signal {status}"
        case How.TOO_LONG:
            return f"it ran longer than {limits.wall_s:g} s"
        case How.TOO_MUCH_CPU:
            return f"it took more than {limits.cpu_s} s of CPU time"
        case How.TOO_MUCH_MEMORY:
            return f"it took more than {limits.memory_mib} MiB of memory"
        case How.TOO_MANY_TASKS:
            return f"it started more than {limits.tasks_max} processes and threads"
        case How.TOO_MUCH_SAID:
            return f"it said more than {limits.said_kib} KiB"
        case How.TOO_MUCH_WRITTEN:
            return (
                f"it wrote more than {limits.file_mib} MiB into a file, {limits.folder_mib} MiB or "
                f"{limits.files_max} files in all, or folders too deep to look into"
            )
