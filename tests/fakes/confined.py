"""A program shut in as a systemd unit says, on machines where no systemd runs.

System calls, address families, namespaces, memory that is written and run, capabilities, the user,
and what may be written: `python -m tests.fakes.confined UNIT PROGRAM ...` is the inner half.
"""

import ctypes
import errno
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
NOBODY = 65534
_PR_SET_MDWE = 65
_NAMESPACES = 0x7E020000


def command(
    units: Sequence[Path], writable: Sequence[Path], readable: Sequence[Path] = ()
) -> list[str]:
    """Return what stands before a program's own command; root only.

    Args:
        units: the unit, and files that change it.
        writable: the unit's folders, nobody's to own.
        readable: others below /tmp, which is empty else.
    """
    outer = ["bwrap", "--ro-bind", "/", "/"]
    for each in ("/dev", "/proc"):
        outer += ["--dev-bind", each, each]
    if "yes" in _last(units, "ProtectKernelTunables"):
        outer += ["--ro-bind", "/proc/sys", "/proc/sys"]
    outer += ["--tmpfs", "/root", "--tmpfs", "/home", "--die-with-parent"]
    for path in ("/tmp", "/var/tmp"):
        outer += ["--perms", "1777", "--tmpfs", path]
    # The interpreter and the checkout may lie in a home.
    for path in (*map(Path, {sys.base_prefix, sys.prefix, ROOT}), *readable):
        outer += [*_way_to(path), "--ro-bind", str(path), str(path)]
    for path in writable:
        outer += [*_way_to(path), "--bind", str(path), str(path)]
    # Homes are empty, as ProtectHome has it, and open to nobody as those of packages are.
    nobody = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    nobody += ["--bounding-set=-all", "--inh-caps=-all", "--no-new-privs"]
    return [
        *outer,
        "--",
        *nobody,
        sys.executable,
        "-m",
        "tests.fakes.confined",
        ":".join(map(str, units)),
    ]


def _way_to(path: Path) -> list[str]:
    """Return what lets everybody come there, where its folders are made anew."""
    folders = [each for each in reversed(path.parents) if len(each.parts) > 2]
    fresh = [each for each in folders if each.parts[1] in ("tmp", "root", "home")]
    return [word for each in fresh for word in ("--perms", "0755", "--dir", str(each))]


def possible() -> bool:
    """Whether all that is wanted for it is here."""
    tools = ("bwrap", "setpriv", "systemd-analyze")
    return os.geteuid() == 0 and all(shutil.which(each) for each in tools)


def _values(units: Sequence[Path], key: str) -> Iterator[str]:
    for line in "".join(unit.read_text() for unit in units).splitlines():
        if line.startswith(f"{key}="):
            yield line.partition("=")[2]


def _last(units: Sequence[Path], key: str) -> list[str]:
    return [*_values(units, key), ""][-2:][0].split()


@cache
def _calls(name: str) -> frozenset[str]:
    """Return the system calls of one of systemd's sets."""
    if name[0] != "@":
        return frozenset({name})
    told = subprocess.run(
        ["systemd-analyze", "syscall-filter", name], capture_output=True, text=True, check=True
    ).stdout.splitlines()[1:]
    found = (line.strip() for line in told)
    return frozenset().union(*(_calls(each) for each in found if each and each[0] != "#"))


def _allowed(units: Sequence[Path]) -> set[str]:
    allowed = set(_calls("@default"))
    for value in _values(units, "SystemCallFilter"):
        names = set().union(*(_calls(each) for each in value.removeprefix("~").split()))
        allowed = allowed - names if value[0] == "~" else allowed | names
    return allowed


def _shut_in(units: Sequence[Path]) -> None:
    import pyseccomp

    found = pyseccomp.SyscallFilter(defaction=pyseccomp.ERRNO(errno.EPERM))
    arch = pyseccomp.system_arch()
    families = {
        int(getattr(socket, each))
        for value in _values(units, "RestrictAddressFamilies")
        for each in value.split()
    }
    for name in sorted(_allowed(units) - {"socket", "clone", "clone3"}):
        if pyseccomp.resolve_syscall(arch, name) != -1:
            found.add_rule(pyseccomp.ALLOW, name)
    for family in families:
        found.add_rule(pyseccomp.ALLOW, "socket", pyseccomp.Arg(0, pyseccomp.EQ, family))
    kept_out = _NAMESPACES if "yes" in _last(units, "RestrictNamespaces") else 0
    none_new = pyseccomp.Arg(0, pyseccomp.MASKED_EQ, kept_out, 0)
    found.add_rule(pyseccomp.ALLOW, "clone", none_new)
    found.add_rule(pyseccomp.ERRNO(errno.ENOSYS), "clone3")
    found.load()
    if "yes" not in _last(units, "MemoryDenyWriteExecute"):
        return
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_MDWE, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "this kernel can't deny memory to be run")


if __name__ == "__main__":
    _shut_in([Path(each) for each in sys.argv[1].split(":")])
    os.execvp(sys.argv[2], sys.argv[2:])
