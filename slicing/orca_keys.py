"""OrcaSlicer's and Bambu Studio's JSON profiles: flattened, and in PrusaSlicer's keys.

Their settings grew out of PrusaSlicer's and mean the same under other names, so that one white list
(prusaslicer_keys.py) serves both.
"""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from slicing.errors import ProfileInvalid

_DEPTH_MAX = 32
_FILE_BYTES_MAX = 16 * 1024 * 1024

# Orca's key -> PrusaSlicer's.
_NAMES = {
    "printable_area": "bed_shape",
    "printable_height": "max_print_height",
    "nozzle_diameter": "nozzle_diameter",
    "gcode_flavor": "gcode_flavor",
    "machine_max_speed_x": "machine_max_feedrate_x",
    "machine_max_speed_z": "machine_max_feedrate_z",
    "machine_max_acceleration_extruding": "machine_max_acceleration_extruding",
    "machine_max_jerk_x": "machine_max_jerk_x",
    "retraction_length": "retract_length",
    "retraction_speed": "retract_speed",
    "z_hop": "retract_lift",
    "machine_start_gcode": "start_gcode",
    "machine_end_gcode": "end_gcode",
    "nozzle_temperature": "temperature",
    "nozzle_temperature_initial_layer": "first_layer_temperature",
    "hot_plate_temp": "bed_temperature",
    "hot_plate_temp_initial_layer": "first_layer_bed_temperature",
    "filament_diameter": "filament_diameter",
    "filament_density": "filament_density",
    "filament_cost": "filament_cost",
    "filament_flow_ratio": "extrusion_multiplier",
    "filament_max_volumetric_speed": "filament_max_volumetric_speed",
    "fan_min_speed": "min_fan_speed",
    "fan_max_speed": "max_fan_speed",
    "overhang_fan_speed": "bridge_fan_speed",
    "close_fan_the_first_x_layers": "disable_fan_first_layers",
    "slow_down_layer_time": "slowdown_below_layer_time",
    "slow_down_min_speed": "min_print_speed",
    "layer_height": "layer_height",
    "initial_layer_print_height": "first_layer_height",
    "wall_loops": "perimeters",
    "top_shell_layers": "top_solid_layers",
    "bottom_shell_layers": "bottom_solid_layers",
    "seam_position": "seam_position",
    "sparse_infill_density": "fill_density",
    "sparse_infill_pattern": "fill_pattern",
    "brim_type": "brim_type",
    "brim_width": "brim_width",
    "enable_support": "support_material",
    "support_threshold_angle": "support_material_threshold",
    "support_on_build_plate_only": "support_material_buildplate_only",
    "initial_layer_speed": "first_layer_speed",
    "outer_wall_speed": "external_perimeter_speed",
    "inner_wall_speed": "perimeter_speed",
    "sparse_infill_speed": "infill_speed",
    "internal_solid_infill_speed": "solid_infill_speed",
    "top_surface_speed": "top_solid_infill_speed",
    "bridge_speed": "bridge_speed",
    "travel_speed": "travel_speed",
}

# Values that are spelt otherwise.
_VALUES = {
    ("seam_position", "back"): "rear",
    ("sparse_infill_pattern", "zig-zag"): "rectilinear",
    ("sparse_infill_pattern", "crosshatch"): "grid",
}

# Of the profile itself.
_ABOUT = frozenset(
    {"type", "name", "from", "inherits", "version", "instantiation", "setting_id", "is_custom"}
)
_KINDS = {"machine": "printer", "filament": "filament", "process": "print"}
_SIGNS = {"printer": "printable_area", "filament": "filament_diameter", "print": "wall_loops"}


def flattened(keys: Mapping[str, Any], folders: Iterable[Path], depth: int = 0) -> dict[str, Any]:
    """Return a profile with everything it inherits; a parent is a file of its name in a folder.

    Raises:
        ProfileInvalid: a parent is not to be found: without it, most values would be wrong.
    """
    if not isinstance(keys, dict):
        raise ProfileInvalid("The file holds no profile: a profile is a JSON object.")
    parent = str(keys.get("inherits", "") or "")
    if not parent:
        return dict(keys)
    places = list(folders)
    # A project holds all values, beside the names of what they came from.
    if keys.get("from") == "project" or str(keys.get("name", "")) == "project_settings":
        return dict(keys)
    for folder in places:
        path = folder / f"{parent}.json"
        # A name is no path: no parent lies outside the folders.
        if path.parent == folder and path.is_file() and path.stat().st_size <= _FILE_BYTES_MAX:
            if depth >= _DEPTH_MAX:
                raise ProfileInvalid(f'The profile "{parent}" is its own ancestor.')
            above = flattened(json.loads(path.read_text(encoding="utf-8")), places, depth + 1)
            return above | keys
    raise ProfileInvalid(
        f'The profile inherits from "{parent}", which is not to be found: put {parent}.json beside '
        "it, or name the folder of the slicer's profiles with --beside.",
        parent=parent,
    )


def kinds(keys: Mapping[str, Any]) -> list[str]:
    """Return which of printer, filament and print a flat profile holds."""
    own = _KINDS.get(str(keys.get("type", "")))
    return [own] if own else [kind for kind, sign in _SIGNS.items() if sign in keys]


def title(keys: Mapping[str, Any], otherwise: str) -> str:
    """Return what the profile is called."""
    name = str(keys.get("name", ""))
    return otherwise if name in ("", "project_settings") else name


def translated(keys: Mapping[str, Any]) -> tuple[dict[str, str], frozenset[str]]:
    """Return what is known in PrusaSlicer's keys, and the keys that are not."""
    found = {
        ours: _value(key, keys[key], whole=ours == "bed_shape")
        for key, ours in _NAMES.items()
        if key in keys
    }
    if found.get("min_fan_speed", "0") not in ("", "0"):
        found["fan_always_on"] = "1"
    if keys.get("ironing_type", "no ironing") != "no ironing":
        found["ironing"] = "1"
    return found, frozenset(keys) - frozenset(_NAMES) - _ABOUT - {"ironing_type"}


def _value(key: str, value: Any, *, whole: bool) -> str:
    """Return a value as PrusaSlicer would write it; of a list, the first unless all count."""
    if isinstance(value, list):
        value = ",".join(map(str, value)) if whole else value[0] if value else ""
    return _VALUES.get((key, str(value)), str(value))
