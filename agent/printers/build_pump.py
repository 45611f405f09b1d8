"""Builds the pump from pump.c where the machine has a C compiler; else Python does the same.

`python3 agent/printers/build_pump.py` does nothing where it is built from just this source.
Standard library only: it runs inside package builds too.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
SOURCE = HERE / "pump.c"
LIBRARY = HERE / "libpump.so"
STAMP = HERE / "libpump.sha256"
# Warnings that a compiler of another version adds are no reason to go without.
OPTIONS = ("-std=gnu11", "-O2", "-fPIC", "-shared")


def build() -> bool:
    """Build it if need be; returns whether it is there."""
    source = f"{hashlib.sha256(SOURCE.read_bytes()).hexdigest()} {os.uname().machine}"
    if LIBRARY.is_file() and STAMP.is_file() and STAMP.read_text() == source:
        return True
    compiler = shutil.which(os.environ.get("CC", "cc"))
    if compiler is None:
        return False
    made = LIBRARY.with_suffix(".new")
    command = [compiler, *OPTIONS, "-o", str(made), str(SOURCE), "-lm"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.stderr.write(done.stderr)
        return False
    made.replace(LIBRARY)
    STAMP.write_text(source)
    return True


if __name__ == "__main__":
    sys.exit(not build())
