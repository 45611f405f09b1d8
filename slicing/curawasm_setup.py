"""Fetch CuraEngine as WebAssembly: `python -m slicing.curawasm_setup`, or `farmhand setup wasm`.

By name and version from npm, with the npm that comes with node and whatever registry that is set up
for. Only a file with the pinned hash is kept. The engine is under the AGPL, its licence is kept
beside it; it is run as a program of its own and no part of Farmhand.
"""

import base64
import hashlib
import os
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from slicing.curawasm import PACKAGE, VERSION, engine_file, node
from slicing.errors import EngineMissing

# Of the package, in base 64 as npm's own lock files write it.
SHA512 = "lvK0mQWchO9MTiCOv7xGN2i/rCmXLnvcfxatDk5MiRRDLucgJVisRPxxR5UvvF1la4ZzRM2lSaIxci0ohiffAg=="

# The package has 3.8 MB; a line that takes longer than this will not do it either.
_FETCH_S_MAX = 120.0
_WANTED = {"package/src/CuraEngine.js": "CuraEngine.js", "package/LICENSE": "LICENSE"}


def fetch() -> Path:
    """Return the compiled engine, fetched first where it is not there yet.

    Raises:
        EngineMissing: there is no node, or the package can't be had, or is not the one expected.
    """
    wanted = engine_file()
    if wanted.is_file():
        return wanted
    try:
        wanted.parent.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=wanted.parent.parent) as folder:
            unpacked = _unpack(_packed(Path(folder)), Path(folder) / "whole")
            if not wanted.parent.exists():
                unpacked.rename(wanted.parent)
    except OSError as error:
        raise EngineMissing(f"{wanted.parent} can't be written ({error.strerror}).") from error
    return wanted


def _packed(folder: Path) -> Path:
    """Return the package as npm fetched it, its hash checked."""
    runtime = node()
    if runtime is None:
        raise EngineMissing("There is no node: install Farmhand's extra `wasm` first.")
    try:
        done = subprocess.run(
            [
                *_npm(runtime),
                "pack",
                f"{PACKAGE}@{VERSION}",
                "--silent",
                "--pack-destination",
                folder,
            ],
            cwd=folder,
            env={**os.environ, "PATH": f"{runtime.parent}{os.pathsep}{os.environ.get('PATH', '')}"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_FETCH_S_MAX,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise EngineMissing("npm did not answer in time: try again later.") from error
    packed = folder / f"{PACKAGE}-{VERSION}.tgz"
    if done.returncode != 0 or not packed.is_file():
        said = (done.stderr or done.stdout).strip().splitlines()
        raise EngineMissing(f"npm can't fetch {PACKAGE}: {said[-1] if said else 'it said nothing'}")
    check(packed)
    return packed


def check(packed: Path) -> None:
    """Return where a package is the one that is expected.

    Raises:
        EngineMissing: it is another one.
    """
    digest = hashlib.sha512(packed.read_bytes()).digest()
    if base64.b64encode(digest).decode() != SHA512:
        raise EngineMissing(f"What npm fetched is not the {PACKAGE} that is expected: not kept.")


def _npm(runtime: Path) -> list[str]:
    beside = runtime.parent.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return [str(runtime), str(beside)] if beside.is_file() else ["npm"]


def _unpack(packed: Path, folder: Path) -> Path:
    folder.mkdir()
    with tarfile.open(packed) as archive:
        for member, name in _WANTED.items():
            file = archive.extractfile(member)
            assert file is not None  # the hash says which file this is
            (folder / name).write_bytes(file.read())
    return folder


def main() -> int:
    """Fetch it; return 0 where it is there in the end."""
    try:
        sys.stdout.write(f"{fetch()}\n")
    except EngineMissing as error:
        sys.stderr.write(f"farmhand: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
