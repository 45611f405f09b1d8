"""Try what a service must not be able to do; runs inside of a unit, by the system's Python.

Usage: python3 sandbox_probe.py OWN_STATE OTHER_STATE

Tells as one JSON line what was refused, and why; null for what was done.
"""

import ctypes
import json
import mmap
import os
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

NEW_USER_NAMESPACE = 0x10000000
NO_RANDOM_ADDRESSES = 0x0040000
SET_USER_ID = 0o4755
KEY_OF_PROCESS = -2
# Made by the proof before: a machine's own files, and a device that is nobody's business here.
SECRET = "/home/anna/secret"
FOREIGN_DEVICE = "/dev/foreign"

libc = ctypes.CDLL(None, use_errno=True)


def called(result: int) -> None:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def write(folder: str) -> None:
    path = Path(folder, "probe")
    path.write_text("here\n")
    path.unlink()


def attempts(own: str, other: str) -> Iterator[tuple[str, Callable[[], object]]]:
    """Return what is tried, each with its name."""
    yield "write its own state", lambda: write(own)
    yield "write another's state", lambda: write(other)
    for folder in ("/usr/lib/shared", "/etc/shared", "/var/cache/shared"):
        yield f"write {folder}", lambda folder=folder: write(folder)
    yield "read what people have at home", lambda: Path(SECRET).read_text()
    yield "see the machine's /tmp", lambda: Path("/tmp/shared").stat()
    yield "see processes of others", lambda: Path("/proc/1/cmdline").read_bytes()
    yield "open a foreign device", lambda: os.close(os.open(FOREIGN_DEVICE, os.O_RDWR))
    yield "make a namespace", lambda: called(libc.unshare(NEW_USER_NAMESPACE))
    yield "change the personality", lambda: called(libc.personality(NO_RANDOM_ADDRESSES))
    yield (
        "make memory that is written and run",
        lambda: mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC).close(),
    )
    yield (
        "use a socket of the kernel's ciphers",
        lambda: socket.socket(socket.AF_ALG, socket.SOCK_SEQPACKET).close(),
    )
    yield "use a socket to a hypervisor", lambda: socket.socket(socket.AF_VSOCK).close()
    yield "make a file that runs as its owner", lambda: own_rights(Path(own, "set-user-id"))
    yield (
        "use the kernel's keyring",
        lambda: called(libc.syscall(ADD_KEY, b"user", b"probe", b"x", 1, KEY_OF_PROCESS)),
    )


ADD_KEY = {"x86_64": 248, "aarch64": 217}[os.uname().machine]


def own_rights(path: Path) -> None:
    path.write_text("")
    try:
        path.chmod(SET_USER_ID)
        if not path.stat().st_mode & 0o4000:
            raise PermissionError("the bit was not set")
    finally:
        path.unlink()


def main() -> None:
    """Try all of it; what kills the process would be seen by the proof as well."""
    told: dict[str, str | None] = {}
    for name, attempt in attempts(*sys.argv[1:3]):
        try:
            attempt()
            told[name] = None
        except OSError as error:
            told[name] = error.strerror or str(error)
    sys.stdout.write(json.dumps({"probe": told}) + "\n")


if __name__ == "__main__":
    main()
