"""Printer, material and quality, and how they merge into one configuration.

The vocabulary is ours and speaks of no engine; each engine translates a `Configuration` into its
own keys. Everything here is pure: the files are read by catalogue.py.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from slicing.errors import SettingsRefused
from slicing.material import Material
from slicing.overrides import Overrides, changed_material, changed_quality
from slicing.printer import Dialect, Printer, fill
from slicing.quality import InfillPattern, LayerSettings, Quality

__all__ = [
    "Configuration",
    "Dialect",
    "InfillPattern",
    "LayerSettings",
    "Material",
    "Native",
    "Overrides",
    "Printer",
    "Quality",
    "merge",
]

# Thicker than this share of the nozzle and a layer no longer sticks to the one below.
LAYER_HEIGHT_SHARE_MAX = 0.8


@dataclass(frozen=True, slots=True, kw_only=True)
class Native:
    """A configuration in one engine's own keys, as its vendor wrote them.

    Attributes:
        engine: the only one that understands them.
        keys: all of them, G-code texts too.
    """

    engine: str
    keys: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """All that an engine must know, with nothing left to inherit or override.

    Attributes:
        native: where the profiles are a vendor's own: these count, and printer, material and
            quality say the same as far as our words go.
    """

    printer: Printer
    material: Material
    quality: Quality
    native: Native | None = None

    def native_for(self, engine: str) -> Mapping[str, str] | None:
        """Return an engine's own keys, None where the configuration is in our words.

        Raises:
            SettingsRefused: they are another engine's.
        """
        if self.native is None:
            return None
        if self.native.engine != engine:
            raise SettingsRefused(
                f"{self.printer.title} is a profile of {self.native.engine} and works with no "
                f"other engine: choose that one, or a printer class of our own.",
                engine=self.native.engine,
            )
        return self.native.keys

    def flat(self) -> dict[str, Any]:
        """Return every value under one name, `quality.infill.percent`; G-code texts left out."""
        nested = {
            "printer": self.printer.model_dump(mode="json", exclude={"start_gcode", "end_gcode"}),
            "material": self.material.model_dump(mode="json"),
            "quality": self.quality.model_dump(mode="json"),
        }
        native = self.native.keys if self.native else {}
        shown = {f"native.{key}": text for key, text in native.items() if "gcode" not in key}
        return dict(_leaves("", nested)) | shown

    def fingerprint(self) -> str:
        """Return the sha256 of everything that shapes a plate, G-code texts included."""
        whole = [
            self.printer.model_dump(mode="json"),
            self.material.model_dump(mode="json"),
            self.quality.model_dump(mode="json"),
            [self.native.engine, dict(self.native.keys)] if self.native else None,
        ]
        return hashlib.sha256(json.dumps(whole, sort_keys=True).encode()).hexdigest()

    def gcode(self, *, part_height_mm: float) -> tuple[str, str]:
        """Return start and end code, filled in for a part of that height."""
        heat = self.material.temperatures
        values = {
            "nozzle_celsius": heat.nozzle_first_layer_celsius,
            "bed_celsius": heat.bed_first_layer_celsius,
            "bed_x_mm": self.printer.bed.size_mm[0],
            "bed_y_mm": self.printer.bed.size_mm[1],
            # 10 mm clear the part; a part near the ceiling must not drive the axis into its stop.
            "park_z_mm": min(part_height_mm + 10.0, self.printer.bed.height_mm),
        }
        return (
            fill(self.printer.start_gcode, values, "start_gcode"),
            fill(self.printer.end_gcode, values, "end_gcode"),
        )


def merge(
    printer: Printer, material: Material, quality: Quality, overrides: Overrides | None = None
) -> Configuration:
    """Return the one configuration that the four amount to.

    An override wins over quality and material, the printer's limits win over all: speeds are
    capped.

    Raises:
        SettingsRefused: the printer can't heat that much, or the nozzle can't lay such layers.
    """
    wishes = overrides or Overrides()
    chosen = changed_quality(quality, wishes, speed_max_mm_s=printer.motion.speed_max_mm_s)
    melted = changed_material(material, wishes)
    _check_layers(printer, chosen.layers)
    _check_heat(printer, melted)
    return Configuration(printer=printer, material=melted, quality=chosen)


def _check_layers(printer: Printer, layers: LayerSettings) -> None:
    nozzle = printer.nozzle.diameter_mm
    allowed = round(nozzle * LAYER_HEIGHT_SHARE_MAX, 3)
    for height in (layers.height_mm, layers.first_height_mm):
        if height > allowed:
            raise SettingsRefused(
                f"A layer of {height:g} mm is too thick for the {nozzle:g} mm nozzle of "
                f"{printer.name}: choose {allowed:g} mm or less.",
                layer_height_mm=height,
                layer_height_mm_max=allowed,
            )


def _check_heat(printer: Printer, material: Material) -> None:
    heat, nozzle = material.temperatures, printer.nozzle
    wanted = {
        "nozzle": (max(heat.nozzle_celsius, heat.nozzle_first_layer_celsius), nozzle.celsius_max),
        "bed": (max(heat.bed_celsius, heat.bed_first_layer_celsius), nozzle.bed_celsius_max),
    }
    for part, (celsius, celsius_max) in wanted.items():
        if celsius > celsius_max:
            raise SettingsRefused(
                f"{material.title} wants the {part} at {celsius:g} °C, and {printer.name} allows "
                f"{celsius_max:g} °C: choose another material or printer.",
                heater=part,
                celsius=celsius,
                celsius_max=celsius_max,
            )


def _leaves(prefix: str, nested: dict[str, Any]) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for key, value in nested.items():
        name = f"{prefix}{key}"
        found += _leaves(f"{name}.", value) if isinstance(value, dict) else [(name, value)]
    return found
