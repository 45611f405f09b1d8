"""Packages for the proofs: found where they are, else built; also those of an earlier commit."""

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.proofs.debian_tree import PYTHONS, call, hold, own_processor

ROOT = Path(__file__).parents[2]
PACKAGES = ("farmhand-agent", "farmhand-coordinator")
PROCESSORS = ("amd64", "arm64", "armhf")


def built(
    out: Path,
    revision: str,
    *,
    processor: str = "",
    suite: str = "bookworm",
    commit: str | None = None,
    agent_only: bool = False,
) -> list[Path]:
    """Return packages of a revision, built where they are not there yet.

    Args:
        out: the folder of the packages; those of a commit have one of their own below it.
        processor: Debian's word for it; this machine's where it is empty.
        suite: of Debian, whose Python they are for.
        commit: whose source it is; None for the working copy's.

    Raises:
        Broken: they can't be built.
    """
    processor = processor or own_processor()
    folder = out / commit if commit else out
    wanted = ("--python", PYTHONS[suite], "--revision", revision, "--processor", processor)
    found = []
    names = PACKAGES[:1] if agent_only else PACKAGES
    for name in names:
        if not list(folder.glob(f"{name}_*-{revision}_{processor}.deb")):
            short = name.removeprefix("farmhand-")
            with TemporaryDirectory(prefix="farmhand-source-") as source:
                root = _checked_out(commit, Path(source)) if commit else ROOT
                builder = root / "systemd/packages/build_packages.py"
                # The page of an earlier time is not what is proved, and building one takes node.
                page = ("env", "FARMHAND_PAGE=skip") if commit else ()
                made = ("--out", str(folder.resolve()))
                call(*page, sys.executable, str(builder), short, *wanted, *made)
        found += folder.glob(f"{name}_*-{revision}_{processor}.deb")
    hold(len(found) == len(names), f"in {folder} are {[each.name for each in found]}")
    return found


def _checked_out(commit: str, folder: Path) -> Path:
    """Return a folder with the source of a commit."""
    with subprocess.Popen(("git", "archive", commit), cwd=ROOT, stdout=subprocess.PIPE) as archive:
        subprocess.run(("tar", "-x", "-C", str(folder)), stdin=archive.stdout, check=True)
    return folder


def version_of(package: Path) -> str:
    """Return a package's version."""
    return call("dpkg-deb", "--field", str(package), "Version").strip()
