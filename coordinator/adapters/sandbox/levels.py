"""How well this machine can shut a program in: found by trying it, not by versions."""

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from coordinator.adapters.sandbox.calls import call_filter
from coordinator.adapters.sandbox.limits import Limits

# bubblewrap takes some 5 ms; a machine that swaps may need longer.
_TRY_S_MAX = 10.0
INSIDE = "/job"

# Read-only, where they are there: fonts, what points into /usr, and where libraries lie.
_SYSTEM_FILES = ("/etc/fonts", "/etc/alternatives", "/etc/ld.so.cache")
_SYSTEM_FOLDERS = ("/bin", "/sbin", "/lib", "/lib32", "/lib64")


class Level(StrEnum):
    """What a program is shut in by, the weakest first."""

    NONE = "none"
    RLIMITS = "rlimits"  # bounded, but it sees every file and the network
    BWRAP = "bwrap"  # its own folder, no network, no other process
    BWRAP_SECCOMP = "bwrap+seccomp"  # and without the calls that nobody needs

    def holds(self, wanted: "Level") -> bool:
        """Whether this is as good as what is wanted, or better."""
        order = tuple(Level)
        return order.index(self) >= order.index(wanted)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A level, and why it is not a better one; empty where it is the best."""

    level: Level
    words: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Descriptors:
    """Open files that bubblewrap gets: it tells of its child, waits for us, reads the filter."""

    info: int
    block: int
    calls: int | None = None


def find(*, best: Level = Level.BWRAP_SECCOMP) -> Found:
    """Return the best level that works here, by running `true` in it.

    Args:
        best: where to begin; lower ones are for tests and measurements.
    """
    if shutil.which("prlimit") is None:
        return Found(level=Level.NONE, words="there is no prlimit: install the package util-linux")
    if not best.holds(Level.BWRAP):
        return Found(level=best)
    if shutil.which("bwrap") is None:
        return Found(
            level=Level.RLIMITS, words="there is no bwrap: sudo apt-get install bubblewrap"
        )
    calls = call_filter() if best.holds(Level.BWRAP_SECCOMP) else b""
    refused = _refused(calls)
    if calls and refused:
        calls, refused = b"", _refused(b"")
    if refused:
        return Found(
            level=Level.RLIMITS,
            words=f"bwrap can't be used here ({refused}): the kernel has to allow user namespaces, "
            "on Ubuntu an AppArmor profile for bwrap, under systemd the drop-in sandbox.conf",
        )
    if calls:
        return Found(level=Level.BWRAP_SECCOMP)
    return Found(
        level=Level.BWRAP, words="there is no libseccomp: sudo apt-get install libseccomp2"
    )


def bounded(argv: Sequence[str], limits: Limits) -> list[str]:
    """Return a command with the kernel's own limits for each of its processes."""
    mib = 1024 * 1024
    options = [
        f"--cpu={limits.cpu_s}:{limits.cpu_s + 5}",
        f"--fsize={limits.file_mib * mib}",
        f"--nproc={limits.tasks_max}",
        "--nofile=256",
        "--core=0",
    ]
    if not limits.reserves_addresses:
        options.append(f"--as={limits.memory_mib * mib}")
    return ["prlimit", *options, "--", *argv]


def shut_in(
    argv: Sequence[str],
    *,
    folder: Path,
    roots: Sequence[Path],
    environment: Mapping[str, str],
    descriptors: Descriptors,
) -> list[str]:
    """Return a command that sees `folder` as /job, and besides it only what can be read by all.

    Args:
        roots: further files and folders that it may read, at their own places.
    """
    command = [shutil.which("bwrap") or "bwrap", "--unshare-all", "--unshare-user"]
    command += ["--disable-userns", "--die-with-parent"]
    command += ["--new-session", "--clearenv", "--hostname", "sandbox"]
    command += ["--uid", "65534", "--gid", "65534", "--cap-drop", "ALL"]
    command += ["--ro-bind", "/usr", "/usr"]
    for each in _SYSTEM_FOLDERS:
        if os.path.islink(each):
            command += ["--symlink", os.readlink(each), each]
        elif os.path.isdir(each):
            command += ["--ro-bind", each, each]
    for each in _SYSTEM_FILES:
        command += ["--ro-bind-try", each, each]
    for root in roots:
        command += ["--ro-bind", str(root), str(root)]
    # Where the farm is root, so is the owner of /proc/sys in there. The root itself and /dev/shm
    # would hold files that no limit counts.
    command += ["--proc", "/proc", "--remount-ro", "/proc"]
    command += ["--dev", "/dev", "--remount-ro", "/dev"]
    command += ["--bind", str(folder), INSIDE, "--chdir", INSIDE, "--remount-ro", "/"]
    for name, value in environment.items():
        command += ["--setenv", name, value]
    command += ["--info-fd", str(descriptors.info), "--block-fd", str(descriptors.block)]
    if descriptors.calls is not None:
        command += ["--seccomp", str(descriptors.calls)]
    return [*command, "--", *argv]


def memory_file(data: bytes) -> int:
    """Return the descriptor of a file that is nowhere, with these bytes, at its beginning."""
    descriptor = os.memfd_create("sandbox")
    os.write(descriptor, data)
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor


def _refused(calls: bytes) -> str:
    """Return what bubblewrap says against a program that does nothing; empty if it ran it."""
    go_on = memory_file(b"x")
    told = memory_file(b"")
    filtering = memory_file(calls) if calls else None
    descriptors = Descriptors(info=told, block=go_on, calls=filtering)
    given = [each for each in (go_on, told, filtering) if each is not None]
    try:
        done = subprocess.run(
            shut_in(
                bounded(["true"], Limits()),
                folder=Path("/var/empty") if Path("/var/empty").is_dir() else Path("/usr"),
                roots=(),
                environment={"PATH": "/usr/bin:/bin"},
                descriptors=descriptors,
            ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            pass_fds=given,
            env={},
            timeout=_TRY_S_MAX,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    finally:
        for each in given:
            os.close(each)
    said = done.stderr.decode(errors="replace").strip().splitlines()
    return "" if done.returncode == 0 else (said[-1] if said else f"status {done.returncode}")
