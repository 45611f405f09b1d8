"""A place where a printer may be, and how it is written for the configuration."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One place where a printer may be.

    Attributes:
        address: for the configuration: what survives replugging, where there is such a name.
        driver: which driver speaks to it.
        setting: which of the driver's settings the address is.
        names: other names of the same place.
        firmware: what answered; empty where it does not tell.
        machine: what its owner calls it; empty where that is not told.
        baud_rate: what it speaks; 0 where there is none to speak of.
        missing: settings that a person has to fill in, with an example each.
        hint: where a person finds those.
        trouble: why it can't be said; empty when it answered.
    """

    address: str
    driver: str = "marlin_serial"
    setting: str = "port"
    names: tuple[str, ...] = ()
    firmware: str = ""
    machine: str = ""
    baud_rate: int = 0
    missing: Mapping[str, str] = field(default_factory=dict)
    hint: str = ""
    trouble: str = ""


def written(found: Found, number: int) -> list[str]:
    """Return what was found as lines of an agent's configuration; what can't be used as comment."""
    others = [f"#   also {_plain(name)}" for name in found.names if name != found.address]
    if found.trouble:
        return [f"# {found.address}: {_plain(found.trouble)}", *others, ""]
    name = found.machine or found.firmware or "printer"
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40].strip("-") or "printer"
    settings = {found.setting: found.address, **found.missing}
    table = ", ".join(f'{key} = "{_quotable(value)}"' for key, value in settings.items())
    baud_rate = f", baud_rate = {found.baud_rate}" if found.baud_rate else ""
    return [
        f"# {_plain(found.firmware) or 'a firmware that does not tell its name'}",
        *others,
        *([f"#   {found.hint}"] if found.hint else []),
        "[[printers]]",
        f'id = "{slug}-{number}"',
        f'driver = "{found.driver}"',
        'printer_class = "?"  # as the coordinator calls it',
        f"settings = {{ {table}{baud_rate} }}",
        "",
    ]


def _plain(words: str) -> str:
    """Return words without what would end a comment: a network tells them, so anybody does."""
    return "".join(each if each.isprintable() else " " for each in words)


def _quotable(value: str) -> str:
    """Return what can stand between TOML's quotes as it is."""
    return "".join(each for each in value if each.isprintable() and each not in '"\\')
