"""Vendors' bundles of PrusaSlicer: read from the machine, their inheritance resolved.

A bundle is one INI file a vendor, with sections `[printer:NAME]`, `[print:NAME]`, `[filament:NAME]`
and `[printer_model:ID]`. They are data of PrusaSlicer's project under its licence: read where they
lie, never copied into ours. Rules as of PrusaSlicer 2.5.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from slicing.errors import ProfileInvalid

_BUNDLE_BYTES_MAX = 16 * 1024 * 1024  # the largest that ships has 0.4 MB

# Of a preset itself, and so never handed on to those that inherit from it.
_OWN = frozenset({"inherits", "renamed_from"})
_KINDS = ("printer", "print", "filament")

# More parents in a chain than any bundle has; an endless one is an error, not a hang.
_DEPTH_MAX = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """One preset with everything it inherits.

    Attributes:
        kind: printer, print or filament.
        alias: the short name: what stands before the `@`.
    """

    kind: str
    name: str
    alias: str
    keys: Mapping[str, str]
    names_before: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """One vendor's presets, as they are to be chosen from."""

    vendor: str
    version: str
    presets: Mapping[str, tuple[Preset, ...]] = field(default_factory=dict)

    @property
    def printers(self) -> tuple[Preset, ...]:
        """Every printer preset that prints with filament and whose model has its variant."""
        return self.presets["printer"]


def read_bundle(path: Path) -> Bundle:
    """Return a bundle's presets.

    Raises:
        ProfileInvalid: it can't be read, or inherits from what is not there.
    """
    try:
        if path.stat().st_size > _BUNDLE_BYTES_MAX:
            raise ProfileInvalid(f"{path} is too large for a bundle of presets.", file=str(path))
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise ProfileInvalid(f"{path} can't be read ({error.strerror}).", file=str(path)) from error
    sections = parse_sections(text)
    presets = {kind: _presets(kind, sections, path) for kind in _KINDS}
    presets["printer"] = tuple(
        preset for preset in presets["printer"] if _model_exists(preset, sections)
    )
    return Bundle(
        vendor=path.stem,
        version=sections.get("vendor", {}).get("config_version", ""),
        presets=MappingProxyType(presets),
    )


def read_presets(text: str, path: Path) -> Iterator[Preset]:
    """Yield the presets of a bundle that a user exported, of all kinds; raises as `read_bundle`."""
    sections = parse_sections(text)
    for kind in _KINDS:
        yield from _presets(kind, sections, path)


def parse_sections(text: str) -> dict[str, dict[str, str]]:
    """Return the keys of each section; those before the first one under the empty name."""
    keys: dict[str, str] = {}
    sections = {"": keys}
    for line in map(str.strip, text.splitlines()):
        if not line or line[0] in "#;":
            continue
        if line[0] == "[" and line[-1] == "]":
            keys = sections.setdefault(line[1:-1].strip(), {})
        elif "=" in line:
            key, _, value = line.partition("=")
            keys[key.strip()] = value.strip()
    return sections


def words_of(text: str) -> list[str]:
    """Return the items of a list such as `A; B; "C; D"`."""
    return [
        quoted.replace('\\"', '"') or plain.strip()
        for quoted, plain in re.findall(r'\s*(?:"((?:[^"\\]|\\.)*)"|([^;]+))\s*(?:;|$)', text)
        if quoted or plain.strip()
    ]


def _presets(kind: str, sections: dict[str, dict[str, str]], path: Path) -> tuple[Preset, ...]:
    prefix = f"{kind}:"
    own = {
        name.removeprefix(prefix).strip(): keys
        for name, keys in sections.items()
        if name.startswith(prefix)
    }
    whole: dict[str, dict[str, str]] = {}

    def resolve(name: str, depth: int) -> dict[str, str]:
        if name not in own or depth > _DEPTH_MAX:
            raise ProfileInvalid(
                f'{path} is wrong: a {kind} inherits from "{name}", which is '
                f"{'its own ancestor' if name in own else 'not there'}.",
                file=str(path),
            )
        if name not in whole:
            keys: dict[str, str] = {}
            for parent in words_of(own[name].get("inherits", "")):
                keys |= resolve(parent, depth + 1)  # a later parent wins
            whole[name] = keys | {k: v for k, v in own[name].items() if k not in _OWN}
        return whole[name]

    return tuple(
        Preset(
            kind=kind,
            name=name,
            alias=keys.get("alias") or name.partition("@")[0].strip(),
            keys=MappingProxyType(resolve(name, 0)),
            names_before=tuple(words_of(keys.get("renamed_from", ""))),
        )
        for name, keys in own.items()
        if not name.startswith("*")  # those are only there to be inherited from
    )


def _model_exists(preset: Preset, sections: dict[str, dict[str, str]]) -> bool:
    model = sections.get(f"printer_model:{preset.keys.get('printer_model', '')}", {})
    variants = words_of(model.get("variants", ""))
    technology = model.get("technology", preset.keys.get("printer_technology", "FFF"))
    return preset.keys.get("printer_variant") in variants and technology == "FFF"
