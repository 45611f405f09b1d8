"""What tests of rendering need: the sandbox of this machine, and engines that are fetched."""

from pathlib import Path

import pytest

from coordinator.adapters.rendering import setting_up
from coordinator.adapters.rendering.openscad import OpenScad
from coordinator.adapters.sandbox import levels
from coordinator.adapters.sandbox.levels import Level
from coordinator.adapters.sandbox.limits import Limits
from coordinator.adapters.sandbox.sandbox import Sandbox
from coordinator.errors import Unavailable

FOUND = levels.find()
LIMITS = Limits(wall_s=180.0, cpu_s=120)


def shut_in() -> Sandbox:
    """Return the sandbox, or skip where this machine has none for code of strangers."""
    if not FOUND.level.holds(Level.BWRAP):
        pytest.skip(f"programs can't be shut in here: {FOUND.words}")
    return Sandbox(FOUND)


def fetched(part: str) -> None:
    """Fetch a part once, or skip where it can't be had."""
    try:
        setting_up.fetch(part)
    except Unavailable as error:
        pytest.skip(f"{part} can't be installed here: {error.message}")


def openscad(engine: str, folder: Path, sandbox: Sandbox | None = None) -> OpenScad:
    """Return a renderer with BOSL2, or skip where its engine can't be had."""
    fetched("openscad")
    made = OpenScad(sandbox or shut_in(), folder, engine=engine)
    if made.trouble:
        pytest.skip(made.trouble)
    return made
