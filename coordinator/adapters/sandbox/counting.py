"""A cgroup of a program's own, so that the kernel itself ends its forking: where we may make one.

Looks ten times a second end a fork bomb as well, but not before it has thousands of tasks where the
machine is busy. man 7 cgroups: the pids controller of version 1, or of 2 where it is delegated.
"""

import os
from contextlib import suppress
from pathlib import Path

_CGROUPS = Path("/sys/fs/cgroup")
# More than is let through, so that whoever looks sees that there are too many.
_SPARE = 8


def held(pid: int, tasks_max: int) -> Path | None:
    """Bound the tasks of a process and all that it starts; return the cgroup, None without one."""
    for place in _places():
        group = place / f"farmhand-{pid}"
        try:
            group.mkdir()
        except OSError:
            continue  # there is no such controller, or it is not ours
        try:
            (group / "pids.max").write_text(str(tasks_max + _SPARE))
            (group / "cgroup.procs").write_text(str(pid))
        except OSError:
            let_go(group)
            continue
        return group
    return None


def let_go(group: Path | None) -> None:
    """Remove a cgroup in which nothing runs any more."""
    if group is not None:
        with suppress(OSError):
            os.rmdir(group)


def _places() -> list[Path]:
    """Return where cgroups that count tasks may be made: below the one that we are in."""
    try:
        lines = Path("/proc/self/cgroup").read_text().splitlines()
    except OSError:
        return []
    found = []
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers in ("pids", ""):
            found.append(_CGROUPS / controllers / path.lstrip("/"))
    return found
