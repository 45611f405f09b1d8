"""A printer class: the build volume, the nozzle, how it moves, and its start and end code."""

import re
from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, model_validator

from slicing.shapes import Celsius, Millimetres, Name, Shape, Speed

PLACEHOLDERS = ("nozzle_celsius", "bed_celsius", "bed_x_mm", "bed_y_mm", "park_z_mm")
_PLACEHOLDER = re.compile(r"\{(\w*)\}")


class Dialect(StrEnum):
    """The firmware's tongue; the same names as in protocols/gcode/dialects.py."""

    MARLIN = "marlin"
    PRUSA = "prusa"
    KLIPPER = "klipper"
    REPETIER = "repetier"
    REPRAPFIRMWARE = "reprapfirmware"
    SMOOTHIE = "smoothie"


class BedShape(Shape):
    """The build volume: a rectangle and a height.

    Attributes:
        origin_mm: the front left corner in the printer's own coordinates; a delta counts from the
            middle of its bed.
    """

    size_mm: tuple[Millimetres, Millimetres]
    height_mm: Millimetres
    origin_mm: tuple[float, float] = (0.0, 0.0)


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

    name: Name
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
            fill(getattr(self, key), dict.fromkeys(PLACEHOLDERS, 0.0), key)
        return self


def fill(template: str, values: dict[str, float], key: str) -> str:
    """Return a template with its placeholders filled in; what is left can't mean anything."""
    unknown = [name for name in _PLACEHOLDER.findall(template) if name not in values]
    if unknown:
        raise ValueError(
            f"{key} holds {{{unknown[0]}}}, and only {', '.join(PLACEHOLDERS)} can be filled in"
        )
    text = _PLACEHOLDER.sub(lambda found: f"{values[found[1]]:g}", template)
    # An engine reads brackets and braces as its own macros, which can hold whole programs.
    if re.search(r"[\[\]{}]", text):
        raise ValueError(f"{key} holds a bracket that is no placeholder")
    return text.strip() + "\n"
