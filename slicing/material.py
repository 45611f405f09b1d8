"""A material: how hot, how thick, how heavy, and how it wants to be cooled."""

from typing import Annotated

from pydantic import Field

from slicing.shapes import Celsius, Layers, Name, Percent, Shape, Speed


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

    name: Name
    title: str
    temperatures: Temperatures
    filament: Filament
    cooling: Cooling
