"""A Debian tree that is booted: systemd as its first process, shut in.

It has namespaces and a cgroup of its own, no network but loopback, and of devices what every
container has.
"""

import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.proofs.debian_tree import Broken, call, hold
from tests.proofs.swept import WITH_US

BOOT_S_MAX = 90.0
# An installation compiles what it brings: minutes on a machine that does other things too.
CALL_S_MAX = 1200.0
_JOIN = """
set -e
mkdir "$2" && echo $$ >"$2/cgroup.procs"
exec unshare --cgroup --mount --pid --net --ipc --uts --fork --kill-child=SIGKILL \
    sh -c "$3" sh "$1"
"""
# What systemd wants of whoever starts it in a container: https://systemd.io/CONTAINER_INTERFACE
_BOOT = """
set -e
mount --make-rprivate /
mount --bind "$1" "$1"
cd "$1"
mount -t proc -o nosuid,nodev,noexec proc proc
mount -t sysfs -o ro,nosuid,nodev,noexec sysfs sys
mount -t cgroup2 -o nosuid,nodev,noexec cgroup2 sys/fs/cgroup
mount -t tmpfs -o mode=755 tmpfs dev
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=666,mode=620,gid=5 devpts dev/pts
ln -s pts/ptmx dev/ptmx
mknod -m 666 dev/null c 1 3
mknod -m 666 dev/zero c 1 5
mknod -m 666 dev/full c 1 7
mknod -m 666 dev/random c 1 8
mknod -m 666 dev/urandom c 1 9
mknod -m 666 dev/tty c 5 0
mount -t tmpfs -o mode=755 tmpfs run
mkdir run/before
pivot_root . run/before
umount -l /run/before
rmdir /run/before
mount --make-rshared /
exec env -i container=farmhand PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd
"""


class Machine:
    """What was booted."""

    def __init__(self, pid: int) -> None:
        """Take its first process, as this machine numbers it."""
        self._pid = pid

    def call(self, *command: str) -> str:
        """Run something in it as root; return what it said.

        Raises:
            Broken: it failed.
        """
        enter = ("nsenter", "--target", str(self._pid), "--mount", "--pid", "--net", "--ipc")
        clean = ("env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8")
        rest = ("DEBIAN_FRONTEND=noninteractive", *command)
        return call(*enter, "--uts", "--cgroup", *clean, *rest, timeout_s=CALL_S_MAX)

    def on_its_network(self, *command: str, cwd: Path) -> str:
        """Run a program of ours that sees our files, and this machine's network alone.

        Raises:
            Broken: it failed.
        """
        network = ("nsenter", "--target", str(self._pid), "--net")
        return call(*network, *command, cwd=cwd, timeout_s=CALL_S_MAX)

    def show(self, unit: str, *names: str) -> dict[str, str]:
        """Return properties of a unit by their names."""
        said = self.call("systemctl", "show", unit, *(f"--property={each}" for each in names))
        return dict(line.split("=", 1) for line in said.splitlines() if "=" in line)


@contextmanager
def booted(tree: Path, group: Path, log: Path) -> Iterator[Machine]:
    """Boot a tree; lend it once systemd says that it is up; ended, all of it, in the end.

    However this process ends: what is in a pid namespace ends with its first process, and that
    with us.

    Args:
        group: the cgroup to make for it.

    Raises:
        Broken: this kernel does not let us, or it does not come up.
    """
    with log.open("wb") as words:
        process = subprocess.Popen(
            [*WITH_US, "sh", "-c", _JOIN, "sh", str(tree), str(group), _BOOT],
            stdin=subprocess.DEVNULL,
            stdout=words,
            stderr=words,
        )
    try:
        machine = Machine(_first_process(process, log))
        _wait_until_up(machine, process, log)
        yield machine
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()


def cgroup2() -> Path:
    """Return where this machine has its cgroups of the second kind."""
    for line in Path("/proc/self/mounts").read_text().splitlines():
        _, place, kind, *_ = line.split()
        if kind == "cgroup2":
            return Path(place)
    raise Broken("this kernel has no cgroup2 mounted, which systemd wants")


def _first_process(process: "subprocess.Popen[bytes]", log: Path) -> int:
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    ends = time.monotonic() + BOOT_S_MAX
    while time.monotonic() < ends and process.poll() is None:
        found = children.read_text().split()
        if found and Path(f"/proc/{found[0]}/comm").read_text().strip() == "systemd":
            return int(found[0])
        time.sleep(0.05)
    raise Broken(f"systemd did not start: {log.read_text()[-2000:]}")


def _wait_until_up(machine: Machine, process: "subprocess.Popen[bytes]", log: Path) -> None:
    ends, said = time.monotonic() + BOOT_S_MAX, ""
    while time.monotonic() < ends and process.poll() is None:
        try:
            said = machine.call("sh", "-c", "systemctl is-system-running || true").strip()
        except Broken as error:
            said = str(error)
        if said in ("running", "degraded"):
            failed = machine.call("systemctl", "list-units", "--failed", "--no-legend", "--plain")
            hold(not failed.strip(), f"units that failed at boot: {failed}")
            return
        time.sleep(0.2)
    raise Broken(f"systemd did not come up, {said!r}: {log.read_text()[-2000:]}")
