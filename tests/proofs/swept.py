"""A folder that is gone in the end, with the cgroup of its name, however this process ends.

Who is killed cleans nothing up; so that is done by a process beside this one, which waits for a
pipe to close.
"""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

# Begins a program so that it is killed when this process ends, even by a kill itself.
WITH_US = ("setpriv", "--pdeathsig", "KILL")
SWEEP_S_MAX = 120.0
# What ran in there is dying meanwhile, and may make a file until it is dead.
_SWEEP = """
trap '' HUP INT TERM
read -r _
for _ in $(seq 600); do
    [ ! -d "$2" ] || find "$2" -depth -type d -exec rmdir {} \\;
    rm -rf --one-file-system "$1"
    [ -e "$1" ] || [ -e "$2" ] || exit 0
    sleep 0.2
done
exit 1
"""


@contextmanager
def swept(prefix: str, cgroups: Path) -> Iterator[Path]:
    """Lend an empty folder; it is gone in the end.

    Args:
        cgroups: where this machine has its cgroups; that of the folder's name goes with it.
    """
    folder = Path(mkdtemp(prefix=prefix))
    with subprocess.Popen(
        ("sh", "-c", _SWEEP, "sh", str(folder), str(cgroups / folder.name)),
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as sweeper:
        try:
            yield folder
        finally:
            assert sweeper.stdin is not None
            sweeper.stdin.close()
            sweeper.wait(SWEEP_S_MAX)
