"""Engines by name: entry points of the group `farmhand.engines`, and those that ship."""

from importlib import import_module
from importlib.metadata import entry_points
from typing import cast

from slicing.engine import Engine
from slicing.errors import EngineUnknown

GROUP = "farmhand.engines"

# Serves a checkout that is not installed, and so has no entry points.
_SHIPPED = {
    "curaengine": "slicing.curaengine:CuraEngine",
    "curawasm": "slicing.curawasm:CuraWasm",
    "orcaslicer": "slicing.orcaslicer:OrcaSlicer",
    "prusaslicer": "slicing.prusaslicer:PrusaSlicer",
}


def engine_names() -> tuple[str, ...]:
    """Return the names of all engines that are registered, installed on this machine or not."""
    return tuple(sorted({*_SHIPPED, *(point.name for point in entry_points(group=GROUP))}))


def open_engine(name: str) -> Engine:
    """Return an engine; only the one asked for is imported.

    Raises:
        EngineUnknown: nobody registered that name.
    """
    for point in entry_points(group=GROUP, name=name):
        return cast(Engine, point.load()())
    if name not in _SHIPPED:
        known = engine_names()
        raise EngineUnknown(
            f'There is no engine called "{name}"; choose one of: {", ".join(known)}.',
            name=name,
            known=known,
        )
    module, _, attribute = _SHIPPED[name].partition(":")
    return cast(Engine, getattr(import_module(module), attribute)())
