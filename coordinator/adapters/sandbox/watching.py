"""What a running program takes, looked at from outside: memory, tasks, files.

The kernel limits each process; these are the sums. Blocking, for a thread.
"""

import os
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from coordinator.adapters.sandbox.limits import How, Limits

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
# Nothing that makes geometry needs more; deeper ones can't be looked into by their names.
_DEPTH_MAX = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What a process and all below it take."""

    memory_bytes: int
    tasks: int


def excess(pid: int, folder: Path, limits: Limits) -> How | None:
    """Return the first limit that a process, all below it and their folder are beyond."""
    taken = taken_below(pid)
    if taken.memory_bytes > limits.memory_mib * 1024 * 1024:
        return How.TOO_MUCH_MEMORY
    if taken.tasks > limits.tasks_max:
        return How.TOO_MANY_TASKS
    return excess_written(folder, limits)


def taken_below(pid: int) -> Taken:
    """Return what a process and its descendants take; all 0 where it is gone."""
    children: dict[int, list[int]] = defaultdict(list)
    sizes: dict[int, tuple[int, int]] = {}
    for name in os.listdir("/proc"):
        if not name.isdecimal():
            continue
        try:
            line = Path("/proc", name, "stat").read_bytes()
        except OSError:
            continue  # it ended meanwhile
        # The name before it may hold spaces and brackets. man proc: state, ppid, ...
        fields = line[line.rindex(b")") + 2 :].split()
        children[int(fields[1])].append(int(name))
        sizes[int(name)] = int(fields[21]) * _PAGE_BYTES, int(fields[17])
    memory_bytes = tasks = 0
    wanted = [pid]
    while wanted:
        each = wanted.pop()
        memory, threads = sizes.get(each, (0, 0))
        memory_bytes, tasks = memory_bytes + memory, tasks + threads
        wanted.extend(children[each])
    return Taken(memory_bytes=memory_bytes, tasks=tasks)


def excess_written(folder: Path, limits: Limits) -> How | None:
    """Return whether a folder holds too much; counting ends where it does."""
    room = limits.folder_mib * 1024 * 1024
    files = 0
    wanted = [(folder, 0)]
    while wanted:
        path, depth = wanted.pop()
        if depth > _DEPTH_MAX:
            return How.TOO_MUCH_WRITTEN
        try:
            entries = os.scandir(path)
        except PermissionError:
            return How.TOO_MUCH_WRITTEN  # hidden from us, and so beyond any count
        except OSError:
            continue  # removed meanwhile
        with entries:
            for entry in entries:
                files += 1
                try:
                    found = entry.stat(follow_symlinks=False)
                except OSError:
                    continue
                room -= found.st_blocks * 512
                if entry.is_dir(follow_symlinks=False):
                    wanted.append((Path(entry.path), depth + 1))
                if room < 0 or files > limits.files_max:
                    return How.TOO_MUCH_WRITTEN
    return None
