"""PrusaSlicer's keys in our words: what is understood of a flat configuration, and nothing else.

This is the white list through which foreign profiles come in. Scripts, host addresses and G-code
that is not a start or end code have no entry here, and so no way through.
"""

import math
import re
from collections.abc import Mapping

from slicing.material import Cooling, Filament, Material, Temperatures
from slicing.printer import BedShape, Dialect, Motion, Nozzle, Printer, Retraction
from slicing.quality import (
    AdhesionSettings,
    InfillPattern,
    InfillSettings,
    LayerSettings,
    Quality,
    Seam,
    ShellSettings,
    SpeedSettings,
)

_DIALECTS = {
    "klipper": Dialect.KLIPPER,
    "repetier": Dialect.REPETIER,
    "reprap": Dialect.REPRAPFIRMWARE,
    "reprapfirmware": Dialect.REPRAPFIRMWARE,
    "smoothie": Dialect.SMOOTHIE,
}
_PATTERNS = {
    "grid": InfillPattern.GRID,
    "gyroid": InfillPattern.GYROID,
    "cubic": InfillPattern.CUBIC,
    "adaptivecubic": InfillPattern.CUBIC,
    "rectilinear": InfillPattern.LINES,
    "alignedrectilinear": InfillPattern.LINES,
    "line": InfillPattern.LINES,
}
_SEAMS = {"rear": Seam.REAR, "nearest": Seam.NEAREST, "random": Seam.RANDOM}

# No profile tells how hot a machine may get; its own presets stay below these.
_NOZZLE_CELSIUS_MAX, _BED_CELSIUS_MAX = 320.0, 140.0

# By how much a part clears the bed's edge is found in so many halvings.
_HALVINGS = 20


class Keys:
    """A flat configuration, read by key; notes which keys were asked for."""

    def __init__(self, keys: Mapping[str, str]) -> None:
        """Take the keys; of a vector only the first value counts."""
        self._keys = keys
        self.taken: set[str] = set()

    def text(self, key: str, default: str = "") -> str:
        """Return a value as it stands, of a vector the first one."""
        return re.split(r"[,;]", self.whole(key) or default)[0].strip()

    def whole(self, key: str) -> str:
        """Return a value as it stands, with all items of a list."""
        self.taken.add(key)
        return self._keys.get(key, "").strip()

    def number(self, key: str, default: float, *, of: float = 0.0) -> float:
        """Return a number; of a percentage, that share of `of`. What is no number is left out."""
        text = self.text(key)
        share = text.endswith("%")
        try:
            value = float(text.removesuffix("%"))
        except ValueError:
            return default
        if not math.isfinite(value):
            return default
        return of * value / 100 if share else value

    def speed(self, key: str, default: float) -> float:
        """Return a speed in mm/s; zero means as it likes, and a percentage is one of `default`."""
        value = self.number(key, default, of=default)
        return min(value, 1000.0) if value > 0 else default

    def true(self, key: str) -> bool:
        """Return whether a switch is on."""
        return self.text(key) in ("1", "true")


def quality_of(keys: Keys, name: str, title: str) -> Quality:
    """Return what a print preset amounts to; values that it lacks are PrusaSlicer's own."""
    height = keys.number("layer_height", 0.2)
    walls = keys.speed("perimeter_speed", 60.0)
    outer = keys.speed("external_perimeter_speed", walls / 2)
    if keys.text("external_perimeter_speed").endswith("%"):
        outer = keys.number("external_perimeter_speed", walls / 2, of=walls) or walls / 2
    solid = keys.speed("solid_infill_speed", keys.speed("infill_speed", 80.0))
    pattern = _PATTERNS.get(keys.text("fill_pattern"), InfillPattern.GRID)
    brim = keys.number("brim_width", 0.0)
    if keys.text("brim_type") == "no_brim":
        brim = 0.0
    overhang = keys.number("support_material_threshold", 0.0)
    return Quality(
        name=name,
        title=title,
        layers=LayerSettings(
            height_mm=height,
            # In percent it is a share of the other layers.
            first_height_mm=keys.number("first_layer_height", height, of=height) or height,
        ),
        shell=ShellSettings(
            perimeters=round(keys.number("perimeters", 3)),
            top_layers=round(keys.number("top_solid_layers", 3)),
            bottom_layers=round(keys.number("bottom_solid_layers", 3)),
            seam=_SEAMS.get(keys.text("seam_position"), Seam.ALIGNED),
            ironing=keys.true("ironing"),
        ),
        infill=InfillSettings(percent=keys.number("fill_density", 20.0, of=100.0), pattern=pattern),
        adhesion=AdhesionSettings(
            brim_mm=min(brim, 30.0),
            supports=keys.true("support_material"),
            support_overhang_degrees=90 - overhang if 1 <= overhang <= 90 else 50.0,
            supports_from_bed_only=keys.true("support_material_buildplate_only"),
        ),
        speed=SpeedSettings(
            first_layer_mm_s=keys.speed("first_layer_speed", 30.0),
            outer_wall_mm_s=outer,
            inner_wall_mm_s=walls,
            infill_mm_s=keys.speed("infill_speed", 80.0),
            solid_mm_s=solid,
            top_mm_s=keys.speed("top_solid_infill_speed", solid),
            bridge_mm_s=keys.speed("bridge_speed", 60.0),
            travel_mm_s=keys.speed("travel_speed", 130.0),
        ),
    )


def material_of(keys: Keys, name: str, title: str) -> Material:
    """Return what a filament preset amounts to."""
    nozzle = keys.number("temperature", 200.0)
    bed = keys.number("bed_temperature", 0.0)
    fan = keys.number("max_fan_speed", 100.0)
    cost_per_kg = keys.number("filament_cost", 0.0)
    return Material(
        name=name,
        title=title,
        temperatures=Temperatures(
            nozzle_celsius=nozzle,
            nozzle_first_layer_celsius=keys.number("first_layer_temperature", nozzle) or nozzle,
            bed_celsius=bed,
            bed_first_layer_celsius=keys.number("first_layer_bed_temperature", bed),
        ),
        filament=Filament(
            diameter_mm=keys.number("filament_diameter", 1.75),
            density_g_cm3=keys.number("filament_density", 1.24) or 1.24,
            cost_per_kg=cost_per_kg,
            # Zero means: without a limit.
            flow_max_mm3_s=keys.number("filament_max_volumetric_speed", 0.0) or 15.0,
            flow_factor=keys.number("extrusion_multiplier", 1.0),
        ),
        cooling=Cooling(
            fan_min_percent=keys.number("min_fan_speed", fan) if keys.true("fan_always_on") else 0,
            fan_max_percent=fan,
            fan_bridge_percent=keys.number("bridge_fan_speed", 100.0),
            layers_without_fan=round(keys.number("disable_fan_first_layers", 1)),
            layer_s_min=keys.number("slowdown_below_layer_time", 5.0),
            speed_min_mm_s=keys.number("min_print_speed", 10.0) or 10.0,
        ),
    )


def printer_of(
    keys: Keys, name: str, title: str, *, start_gcode: str = "", end_gcode: str = ""
) -> Printer:
    """Return what a printer preset amounts to, with the start and end code that are given."""
    speed = keys.speed("machine_max_feedrate_x", 200.0)
    return Printer(
        name=name,
        title=title,
        dialect=_DIALECTS.get(keys.text("gcode_flavor"), Dialect.MARLIN),
        bed=_bed(keys),
        nozzle=Nozzle(
            diameter_mm=keys.number("nozzle_diameter", 0.4),
            celsius_max=_NOZZLE_CELSIUS_MAX,
            bed_celsius_max=_BED_CELSIUS_MAX,
        ),
        motion=Motion(
            speed_max_mm_s=speed,
            speed_z_max_mm_s=keys.speed("machine_max_feedrate_z", 12.0),
            acceleration_mm_s2=keys.number("machine_max_acceleration_extruding", 1500.0) or 1500.0,
            jerk_mm_s=keys.number("machine_max_jerk_x", 10.0),
        ),
        retraction=Retraction(
            length_mm=min(keys.number("retract_length", 2.0), 20.0),
            speed_mm_s=keys.speed("retract_speed", 40.0),
            lift_mm=min(keys.number("retract_lift", 0.0), 5.0),
        ),
        start_gcode=start_gcode,
        end_gcode=end_gcode,
    )


def _bed(keys: Keys) -> BedShape:
    """Return the bed as a rectangle; of a round one, the largest that lies inside it."""
    pairs = [pair.split("x") for pair in keys.whole("bed_shape").split(",") if "x" in pair]
    corners = [(float(x), float(y)) for x, y in pairs]
    corners = corners or [(0.0, 0.0), (200.0, 0.0), (200.0, 200.0), (0.0, 200.0)]
    low = [min(place[axis] for place in corners) for axis in (0, 1)]
    high = [max(place[axis] for place in corners) for axis in (0, 1)]
    centre = [(low[axis] + high[axis]) / 2 for axis in (0, 1)]
    half = [(high[axis] - low[axis]) / 2 for axis in (0, 1)]
    share, step = 1.0, 0.5
    if not _inside(corners, centre, half, 1.0):
        share = 0.0
        for _ in range(_HALVINGS):
            if _inside(corners, centre, half, share + step):
                share += step
            step /= 2
    return BedShape(
        size_mm=(2 * half[0] * share, 2 * half[1] * share),
        height_mm=keys.number("max_print_height", 200.0) or 200.0,
        origin_mm=(centre[0] - half[0] * share, centre[1] - half[1] * share),
    )


def _inside(
    corners: list[tuple[float, float]], centre: list[float], half: list[float], share: float
) -> bool:
    """Whether a rectangle lies in a convex outline, whichever way that one runs."""
    signs = set()
    for (x1, y1), (x2, y2) in zip(corners, corners[1:] + corners[:1], strict=True):
        for along, across in ((1, 1), (1, -1), (-1, 1), (-1, -1)):
            x, y = centre[0] + along * half[0] * share, centre[1] + across * half[1] * share
            turn = (x2 - x1) * (y - y1) - (y2 - y1) * (x - x1)
            if abs(turn) > 1e-6:
                signs.add(turn > 0)
    return len(signs) <= 1
