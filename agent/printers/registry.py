"""Kind of printer -> its driver. Imports only what the configuration names.

Drivers of other packages are entry points of the group `farmhand.drivers`; a driver's class takes
`(printer_id, settings, *, state_dir)` and may raise SettingsInvalid.
"""

from collections.abc import Mapping
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, cast

from agent.errors import SettingsInvalid
from agent.printers.driver import Driver
from protocols.wire.vocabulary import PrinterId

GROUP = "farmhand.drivers"

# Ours, so that a checkout works without being installed.
_BUILT_IN = {
    "marlin_serial": "agent.printers.marlin_serial:MarlinSerial",
    "moonraker": "agent.printers.moonraker:Moonraker",
    "octoprint": "agent.printers.octoprint:OctoPrint",
    "prusalink": "agent.printers.prusalink:PrusaLink",
}


def driver_kinds() -> dict[str, str]:
    """Return every known kind with the `module:class` that drives it."""
    return {entry.name: entry.value for entry in entry_points(group=GROUP)} | _BUILT_IN


def open_driver(
    kind: str,
    printer_id: PrinterId,
    settings: Mapping[str, Any],
    *,
    state_dir: Path | None = None,
) -> Driver:
    """Return a driver for one printer, not yet running.

    Args:
        kind: a key of `driver_kinds`.
        printer_id: what it is called in the logs.
        settings: the driver's own table.
        state_dir: a folder of this printer's alone, for what must outlive this process; None: the
            driver forgets everything.

    Raises:
        SettingsInvalid: the kind is unknown, or its settings are wrong.
    """
    kinds = driver_kinds()
    if kind not in kinds:
        known = ", ".join(sorted(kinds))
        raise SettingsInvalid(f"printer {printer_id}: no driver {kind!r}; known: {known}")
    module, _, name = kinds[kind].partition(":")
    driver_class = getattr(import_module(module), name)
    return cast(Driver, driver_class(printer_id, settings, state_dir=state_dir))
