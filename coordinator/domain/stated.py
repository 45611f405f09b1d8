"""For which printer a slicer says that its G-code is, and which class of the farm that means.

PrusaSlicer, SuperSlicer, OrcaSlicer and Bambu Studio write `; printer_model = MK3S`, Cura
`;TARGET_MACHINE.NAME:Creality Ender-3`. People name classes as they like: `prusa-mk3s`, `mk3s`.
"""

import re
from collections.abc import Collection, Iterable

# What is said first counts less: `printer_settings_id` may be anything that a person typed.
_KEYS = ("printer_settings_id", "TARGET_MACHINE.NAME", "printer_model")
_SAID = re.compile(r";\s*(?P<key>[A-Za-z_.]+)\s*[=:]\s*(?P<value>[^;]{1,100}?)\s*$")
# A shorter name without its maker's ends too many others: `3`.
_CHARACTERS_MIN = 3


def printer_stated(lines: Iterable[str]) -> str:
    """Return the printer as the slicer names it in these lines, empty where it does not."""
    found: dict[str, str] = {}
    for line in lines:
        said = _SAID.match(line) if line.startswith(";") else None
        if said is not None and said["key"] in _KEYS:
            found[said["key"]] = said["value"]
    return next((found[key] for key in reversed(_KEYS) if key in found), "")


def class_stated(printer: str, classes: Collection[str]) -> str:
    """Return the class that a slicer's printer is of, empty where that is not clear.

    A class is meant by its whole name, or by the end of the printer's with or without the class's
    maker: `prusa-mk3s` by `Original Prusa i3 MK3S`, but not by `MK3` or `MK3S MMU`.
    """
    name = _plain(printer)
    exact = [each for each in classes if _plain(each) == name]
    meant = exact or [each for each in classes if name and _is_end_of(name, each)]
    return meant[0] if len(meant) == 1 else ""


def _is_end_of(name: str, printer_class: str) -> bool:
    model = _plain(printer_class.partition("-")[2]) or _plain(printer_class)
    return len(model) >= _CHARACTERS_MIN and name.endswith(model)


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.casefold())
