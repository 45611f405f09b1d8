"""A quality: how finely a part is built, how solid, and how patiently."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from slicing.shapes import Layers, Name, Percent, Shape, Speed


class LayerSettings(Shape):
    """How high the layers are."""

    height_mm: Annotated[float, Field(ge=0.02, le=2)]
    first_height_mm: Annotated[float, Field(ge=0.05, le=2)]


class Seam(StrEnum):
    """Where a wall begins and ends, which leaves a mark."""

    ALIGNED = "aligned"
    REAR = "rear"
    NEAREST = "nearest"
    RANDOM = "random"


class ShellSettings(Shape):
    """What closes the part towards the outside.

    Attributes:
        ironing: go over top faces once more, hot and all but dry, to smooth them.
    """

    perimeters: Annotated[int, Field(ge=0, le=20)]
    top_layers: Layers
    bottom_layers: Layers
    seam: Seam = Seam.ALIGNED
    ironing: bool = False


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
    """What holds the part: to the bed, and up in the air.

    Attributes:
        support_overhang_degrees: a face that leans further than this from the vertical is held.
        supports_from_bed_only: no support stands on the part itself.
    """

    brim_mm: Annotated[float, Field(ge=0, le=30)]
    supports: bool
    support_overhang_degrees: Annotated[float, Field(ge=0, le=89)] = 50.0
    supports_from_bed_only: bool = False


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

    name: Name
    title: str
    layers: LayerSettings
    shell: ShellSettings
    infill: InfillSettings
    adhesion: AdhesionSettings
    speed: SpeedSettings
