"""What machine code wheels bring: all of it is for one processor, and starts on Debian 12."""

import re
import struct
import zipfile
from collections.abc import Iterator
from pathlib import Path

# By Debian's word: bits (1: 32, 2: 64) and number of the processor, of an ELF file; elf(5).
_ELF = {"amd64": (2, 62), "arm64": (2, 183), "armhf": (1, 40)}
_GLIBC = re.compile(rb"GLIBC_2\.(\d+)")


def unfit(wheels: Path, processor: str, *, glibc_minor_max: int) -> list[str]:
    """Return which files in wheels would not start, each with the reason.

    Args:
        processor: Debian's word for it.
        glibc_minor_max: newest C library, 2.x, of which symbols may be wanted.
    """
    faults = []
    for name, data in _programs(wheels):
        bits, machine = data[4], struct.unpack_from("<H", data, 18)[0]
        if (bits, machine) != _ELF[processor]:
            faults.append(f"{name} is for another processor ({machine}, {bits * 32} bits)")
        newest = max((int(minor) for minor in _GLIBC.findall(data)), default=0)
        if newest > glibc_minor_max:
            faults.append(f"{name} wants a C library of 2.{newest}")
    return faults


def count(wheels: Path) -> int:
    """Return how many files of machine code wheels bring."""
    return sum(1 for _ in _programs(wheels))


def _programs(wheels: Path) -> Iterator[tuple[str, bytes]]:
    for path in sorted(wheels.glob("*.whl")):
        with zipfile.ZipFile(path) as wheel:
            for name in wheel.namelist():
                with wheel.open(name) as file:
                    if file.read(4) == b"\x7fELF":
                        yield f"{path.name}/{name}", b"\x7fELF" + file.read()
