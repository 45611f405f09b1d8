"""Printer, material and quality: their shapes, and how they merge into one configuration.

The vocabulary is ours and speaks of no engine; each engine translates a `Configuration` into its
own keys. Everything here is pure: the files are read by catalogue.py.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, model_validator

from slicing.errors import SettingsRefused
from slicing.shapes import Shape

Millimetres = Annotated[float, Field(gt=0, le=5000)]
Speed = Annotated[float, Field(gt=0, le=1000)]  # mm/s
Celsius = Annotated[float, Field(ge=0, le=500)]
Percent = Annotated[float, Field(ge=0, le=100)]
Layers = Annotated[int, Field(ge=0, le=1000)]

# Thicker than this share of the nozzle and a layer no longer sticks to the one below.
LAYER_HEIGHT_SHARE_MAX = 0.8

_PLACEHOLDER = re.compile(r"\{(\w*)\}")


class Dialect(StrEnum):
    """The firmware's tongue; the same names as in protocols/gcode/dialects.py."""

    MARLIN = "marlin"
    PRUSA = "prusa"


class BedShape(Shape):
    """The build volume: a rectangle with its origin in the front left corner, and a height."""

    size_mm: tuple[Millimetres, Millimetres]
    height_mm: Millimetres


class Nozzle(Shape):
    """One nozzle, and how hot it may get."""

    diameter_mm: Annotated[float, Field(gt=0, le=5)]
    celsius_max: Celsius
    bed_celsius_max: Celsius


class Motion(Shape):
    """How fast the machine moves: for time estimates, and a cap on every speed."""

    speed_max_mm_s: Speed
    speed_z_max_mm_s: Speed
    acceleration_mm_s2: Annotated[float, Field(gt=0, le=50_000)]
    jerk_mm_s: Annotated[float, Field(ge=0, le=100)]


class Retraction(Shape):
    """How filament is pulled back before a travel."""

    length_mm: Annotated[float, Field(ge=0, le=20)]
    speed_mm_s: Speed
    lift_mm: Annotated[float, Field(ge=0, le=5)] = 0.0


class Printer(Shape):
    """A class of printers: all that are the same to a slicer.

    Attributes:
        start_gcode: what runs first; `{nozzle_celsius}`, `{bed_celsius}`, `{bed_x_mm}`,
            `{bed_y_mm}` and `{park_z_mm}` are filled in. `end_gcode` likewise.
    """

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$")]
    title: str
    dialect: Dialect
    bed: BedShape
    nozzle: Nozzle
    motion: Motion
    retraction: Retraction
    start_gcode: str
    end_gcode: str

    @property
    def volume_mm(self) -> tuple[float, float, float]:
        """The build volume as x, y, z."""
        return (*self.bed.size_mm, self.bed.height_mm)

    @model_validator(mode="after")
    def _placeholders_known(self) -> Self:
        for key in ("start_gcode", "end_gcode"):
            _fill(getattr(self, key), dict.fromkeys(_PLACEHOLDERS, 0.0), key)
        return self


class Temperatures(Shape):
    """What the heaters are set to; the first layer gets its own, to stick."""

    nozzle_celsius: Celsius
    nozzle_first_layer_celsius: Celsius
    bed_celsius: Celsius
    bed_first_layer_celsius: Celsius


class Filament(Shape):
    """The material as a thread on a spool."""

    diameter_mm: Annotated[float, Field(gt=0.5, le=5)]
    density_g_cm3: Annotated[float, Field(gt=0, le=20)]
    cost_per_kg: Annotated[float, Field(ge=0)]
    flow_max_mm3_s: Annotated[float, Field(gt=0, le=200)]
    flow_factor: Annotated[float, Field(ge=0.5, le=1.5)] = 1.0


class Cooling(Shape):
    """The part fan, and how long a layer must take at least."""

    fan_min_percent: Percent
    fan_max_percent: Percent
    fan_bridge_percent: Percent
    layers_without_fan: Layers
    layer_s_min: Annotated[float, Field(ge=0, le=300)]
    speed_min_mm_s: Speed


class Material(Shape):
    """What is printed with."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$")]
    title: str
    temperatures: Temperatures
    filament: Filament
    cooling: Cooling


class LayerSettings(Shape):
    """How high the layers are."""

    height_mm: Annotated[float, Field(ge=0.02, le=2)]
    first_height_mm: Annotated[float, Field(ge=0.05, le=2)]


class ShellSettings(Shape):
    """What closes the part towards the outside."""

    perimeters: Annotated[int, Field(ge=0, le=20)]
    top_layers: Layers
    bottom_layers: Layers


class InfillPattern(StrEnum):
    """Patterns that every engine knows."""

    GRID = "grid"
    GYROID = "gyroid"
    CUBIC = "cubic"
    LINES = "rectilinear"


class InfillSettings(Shape):
    """What fills it."""

    percent: Percent
    pattern: InfillPattern


class AdhesionSettings(Shape):
    """What holds the part: to the bed, and up in the air."""

    brim_mm: Annotated[float, Field(ge=0, le=30)]
    supports: bool


class SpeedSettings(Shape):
    """How fast each kind of line is drawn, in mm/s."""

    first_layer_mm_s: Speed
    outer_wall_mm_s: Speed
    inner_wall_mm_s: Speed
    infill_mm_s: Speed
    solid_mm_s: Speed
    top_mm_s: Speed
    bridge_mm_s: Speed
    travel_mm_s: Speed


class Quality(Shape):
    """How finely, and how patiently."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$")]
    title: str
    layers: LayerSettings
    shell: ShellSettings
    infill: InfillSettings
    adhesion: AdhesionSettings
    speed: SpeedSettings


def _without_percent_sign(value: Any) -> Any:
    return value.strip().removesuffix("%") if isinstance(value, str) else value


class Overrides(Shape):
    """What a request may change of a quality; None leaves it as it is.

    Attributes:
        layer_height: mm.
        infill: percent, with or without the sign.
        brim: width in mm, 0 for none.
        perimeters: walls.
    """

    layer_height: Annotated[float, Field(ge=0.02, le=2)] | None = None
    infill: Annotated[Percent, BeforeValidator(_without_percent_sign)] | None = None
    supports: bool | None = None
    brim: Annotated[float, Field(ge=0, le=30)] | None = None
    perimeters: Annotated[int, Field(ge=0, le=20)] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """All that an engine must know, with nothing left to inherit or override."""

    printer: Printer
    material: Material
    quality: Quality

    def flat(self) -> dict[str, Any]:
        """Return every value under one name, `quality.infill.percent`; G-code texts left out."""
        nested = {
            "printer": self.printer.model_dump(mode="json", exclude={"start_gcode", "end_gcode"}),
            "material": self.material.model_dump(mode="json"),
            "quality": self.quality.model_dump(mode="json"),
        }
        return dict(_leaves("", nested))

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
            _fill(self.printer.start_gcode, values, "start_gcode"),
            _fill(self.printer.end_gcode, values, "end_gcode"),
        )


_PLACEHOLDERS = ("nozzle_celsius", "bed_celsius", "bed_x_mm", "bed_y_mm", "park_z_mm")


def merge(
    printer: Printer, material: Material, quality: Quality, overrides: Overrides | None = None
) -> Configuration:
    """Return the one configuration that the four amount to.

    An override wins over the quality, the printer's limits win over both: speeds are capped.

    Raises:
        SettingsRefused: the printer can't heat that much, or the nozzle can't lay such layers.
    """
    wishes = overrides or Overrides()
    layers, shell = quality.layers, quality.shell
    infill, adhesion = quality.infill, quality.adhesion
    if wishes.layer_height is not None:
        layers = layers.model_copy(update={"height_mm": wishes.layer_height})
    if wishes.perimeters is not None:
        shell = shell.model_copy(update={"perimeters": wishes.perimeters})
    if wishes.infill is not None:
        infill = infill.model_copy(update={"percent": wishes.infill})
    if wishes.brim is not None:
        adhesion = adhesion.model_copy(update={"brim_mm": wishes.brim})
    if wishes.supports is not None:
        adhesion = adhesion.model_copy(update={"supports": wishes.supports})
    speed_max = printer.motion.speed_max_mm_s
    speeds = {key: min(value, speed_max) for key, value in quality.speed.model_dump().items()}
    _check_layers(printer, layers)
    _check_heat(printer, material)
    return Configuration(
        printer=printer,
        material=material,
        quality=quality.model_copy(
            update={
                "layers": layers,
                "shell": shell,
                "infill": infill,
                "adhesion": adhesion,
                "speed": SpeedSettings(**speeds),
            }
        ),
    )


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


def _fill(template: str, values: dict[str, float], key: str) -> str:
    """Return a template with its placeholders filled in; what is left can't mean anything."""
    unknown = [name for name in _PLACEHOLDER.findall(template) if name not in values]
    if unknown:
        raise ValueError(
            f"{key} holds {{{unknown[0]}}}, and only {', '.join(_PLACEHOLDERS)} can be filled in"
        )
    text = _PLACEHOLDER.sub(lambda found: f"{values[found[1]]:g}", template)
    # An engine reads brackets and braces as its own macros, which can hold whole programs.
    if re.search(r"[\[\]{}]", text):
        raise ValueError(f"{key} holds a bracket that is no placeholder")
    return text.strip() + "\n"


def _leaves(prefix: str, nested: dict[str, Any]) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for key, value in nested.items():
        name = f"{prefix}{key}"
        found += _leaves(f"{name}.", value) if isinstance(value, dict) else [(name, value)]
    return found
