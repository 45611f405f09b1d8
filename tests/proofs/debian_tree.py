"""A fresh Debian in a folder, and programs run inside of it with no network but loopback."""

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.proofs.swept import WITH_US

# What every Debian and Raspberry Pi OS has and the smallest tree has not.
PRESENT = ("python3", "systemd", "udev", "dbus")
# Debian's releases that packages are made for, and their Python.
PYTHONS = {"bookworm": "3.11", "trixie": "3.13"}
# An ELF file's first 20 bytes tell bits, byte order, kind and processor; elf(5).
_ELF = (
    "\\x7fELF{bits}\\x01\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x02\\x00{machine}\\x00"
)
_MASK = "\\xff" * 7 + "\\x00" + "\\xff" * 8 + "\\xfe\\xff\\xff\\xff"
# By Debian's word: how qemu calls a processor, and what stands in its programs' first bytes.
_EMULATED = {
    "arm64": ("aarch64", "\\x02", "\\xb7"),
    "armhf": ("arm", "\\x01", "\\x28"),
}
_TEACH = """
mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc &&
printf '%s' "$1" >/proc/sys/fs/binfmt_misc/register && echo taught && cat
"""
_INSIDE = """
mount --bind "$1" "$1" && mount -t proc proc "$1/proc" && mount --rbind /dev "$1/dev" || exit 1
ip link set lo up 2>/dev/null || python3 -c '
import fcntl, socket, struct
SIOCSIFFLAGS, UP = 0x8914, 0x49
fcntl.ioctl(socket.socket(), SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", UP))'
tree=$1; shift
exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive \
    chroot "$tree" "$@"
"""


class Broken(Exception):
    """A promise is broken; the text says which."""


def hold(true: bool, what: str) -> None:
    """Raise what is broken unless it is true.

    Raises:
        Broken: it is not.
    """
    if not true:
        raise Broken(what)


def call(*command: str, cwd: Path | None = None, timeout_s: float | None = None) -> str:
    """Run a command; return what it said on standard output.

    Raises:
        Broken: it failed, or took longer than it may.
    """
    try:
        done = subprocess.run(
            command, cwd=cwd, capture_output=True, text=True, check=False, timeout=timeout_s
        )
    except subprocess.TimeoutExpired:
        raise Broken(f"{' '.join(command[-4:])}: no end within {timeout_s:.0f} s") from None
    if done.returncode:
        shown = " ".join(command[-6:])
        raise Broken(f"{shown} ...:\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
    return done.stdout


def own_processor() -> str:
    """Return what Debian calls this machine's processor."""
    return call("dpkg", "--print-architecture").strip()


def missing(processor: str = "", programs: Sequence[str] = ()) -> str:
    """Return what this machine lacks for a tree, in words; nothing where it can be made."""
    if os.geteuid() != 0:
        return "a Debian tree is made by root"
    wanted = ["debootstrap", "unshare", "dpkg-deb", *programs]
    lacking = [each for each in wanted if not shutil.which(each)]
    if not lacking and processor not in ("", own_processor()):
        emulator = f"qemu-{_EMULATED[processor][0]}-static"
        if not shutil.which(emulator):
            return f"not here: {emulator} (apt-get install qemu-user-static)"
    return (
        f"not here: {', '.join(lacking)} (apt-get install {' '.join(lacking)})" if lacking else ""
    )


def mirror() -> str:
    """Return where this machine has its Debian from."""
    command = ("apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages")
    return call(*command).split()[0]


def make_tree(
    tree: Path, *, suite: str = "bookworm", processor: str = "", include: Sequence[str] = PRESENT
) -> None:
    """Make a Debian of the smallest kind with what every machine has.

    One for another processor is unpacked and no more: to run the scripts of all of Debian by
    emulation takes an hour, and what is proved in it are the scripts of our packages.

    Args:
        processor: Debian's word for it; this machine's where it is empty.
        include: packages beside the smallest kind's.
    """
    words = ("--variant=minbase", f"--include={','.join(include)}", suite, str(tree), mirror())
    # Alone, so that what it mounts in the tree is gone with it; and it with us.
    alone = (*WITH_US, "unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc")
    if processor in ("", own_processor()):
        call(*alone, "debootstrap", *words)
        return
    call(*alone, "debootstrap", f"--arch={processor}", "--download-only", *words)
    _unpack(tree)


def add_packages(tree: Path, *names: str) -> None:
    """Install packages of Debian in a tree, fetched as this machine fetches its own."""
    own = {
        "Dir::State": tree / "var/lib/apt",
        "Dir::State::status": tree / "var/lib/dpkg/status",
        "Dir::Cache": tree / "var/cache/apt",
        "Dir::Etc::sourcelist": tree / "etc/apt/sources.list",
        "Dir::Etc::sourceparts": "/dev/null",
    }
    apt = ("apt-get", "--quiet", "--yes", "--no-install-recommends")
    ours = (*apt, *(f"--option={name}={value}" for name, value in own.items()))
    call(*ours, "update")
    call(*ours, "--download-only", "install", *names)
    inside(tree, *apt, "--no-download", "install", *names)
    inside(tree, "apt-get", "clean")


def _unpack(tree: Path) -> None:
    """Unpack what was downloaded into a tree; dpkg takes it for installed."""
    for folder in ("bin", "sbin", "lib"):
        (tree / "usr" / folder).mkdir(parents=True, exist_ok=True)
        if not (tree / folder).exists():
            (tree / folder).symlink_to(f"usr/{folder}")
    status = []
    for package in sorted((tree / "var/cache/apt/archives").glob("*.deb")):
        into = ("tar", "--extract", "--keep-directory-symlink", "--directory", str(tree))
        with subprocess.Popen(
            ("dpkg-deb", "--fsys-tarfile", str(package)), stdout=subprocess.PIPE
        ) as files:
            subprocess.run(into, stdin=files.stdout, check=True)
        about = call("dpkg-deb", "--field", str(package)).strip()
        status.append(f"{about}\nStatus: install ok installed\n")
    (tree / "var/lib/dpkg/status").write_text("\n".join(status))
    for name in ("passwd", "group"):
        master = tree / "usr/share/base-passwd" / f"{name}.master"
        shutil.copyfile(master, tree / "etc" / name)


@contextmanager
def emulated(processor: str) -> Iterator[None]:
    """Have the kernel run another processor's programs by qemu, in chroots too, until the end.

    Raises:
        Broken: the kernel does not let us.
    """
    if processor == own_processor():
        yield
        return
    name, bits, machine = _EMULATED[processor]
    magic = _ELF.format(bits=bits, machine=machine)
    rule = f":farmhand-{processor}:M::{magic}:{_MASK}:{shutil.which(f'qemu-{name}-static')}:F"
    # The rule is gone with the last mount, and that with this process, however it ends.
    with subprocess.Popen(
        ("unshare", "--mount", "sh", "-c", _TEACH, "sh", rule),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as holder:
        assert holder.stdin is not None
        assert holder.stdout is not None
        try:
            hold(
                holder.stdout.readline() == "taught\n", "this kernel runs no emulator (binfmt_misc)"
            )
            yield
        finally:
            holder.stdin.close()


def inside(tree: Path, *command: str) -> str:
    """Run something in the tree with no network but loopback; return what it said."""
    alone = ("unshare", "--mount", "--pid", "--net", "--fork", "--kill-child", "--mount-proc")
    return call(*alone, "sh", "-c", _INSIDE, "sh", str(tree), *command)


def mebibytes(folder: Path) -> float:
    """Return what a folder takes of the disk."""
    return int(call("du", "-sk", str(folder)).split()[0]) / 1024
