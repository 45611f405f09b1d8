"""A configuration in OrcaSlicer's words: three JSON profiles that inherit from nothing.

The command line does not resolve `inherits`; what is missing silently takes a hard-coded value.
Each profile names its type and origin, or is refused.
"""

from typing import Any

from slicing.profiles import Configuration, Dialect, InfillPattern
from slicing.quality import Seam

_FLAVOURS = {
    Dialect.MARLIN: "marlin",
    Dialect.PRUSA: "marlin2",
    Dialect.KLIPPER: "klipper",
    Dialect.REPETIER: "repetier",
    Dialect.REPRAPFIRMWARE: "reprapfirmware",
    Dialect.SMOOTHIE: "smoothie",
}
_SEAMS = {Seam.REAR: "back"}
_PATTERNS = {InfillPattern.LINES: "rectilinear"}


def profiles(
    configuration: Configuration, *, part_height_mm: float
) -> dict[str, dict[str, str | list[str]]]:
    """Return the profiles `machine`, `process` and `filament`, ready for JSON.

    Raises:
        SettingsRefused: the configuration is another engine's own.
    """
    configuration.native_for("orcaslicer")
    machine = _machine(configuration, part_height_mm)
    made = {
        "machine": machine,
        "process": _process(configuration),
        "filament": _filament(configuration),
    }
    names = {
        "machine": configuration.printer.name,
        "process": configuration.quality.name,
        "filament": configuration.material.name,
    }
    return {
        kind: {
            "type": kind,
            "from": "User",
            "name": f"farmhand {names[kind]}",
            "version": "1.0.0.0",
            **(
                {}
                if kind == "machine"
                else {"compatible_printers": [f"farmhand {names['machine']}"]}
            ),
            **{key: _word(value) for key, value in values.items()},
        }
        for kind, values in made.items()
    }


def _machine(configuration: Configuration, part_height_mm: float) -> dict[str, Any]:
    printer = configuration.printer
    start, end = configuration.gcode(part_height_mm=part_height_mm)
    (x, y), (width, depth) = printer.bed.origin_mm, printer.bed.size_mm
    corners = [(x, y), (x + width, y), (x + width, y + depth), (x, y + depth)]
    motion, retraction = printer.motion, printer.retraction
    return {
        "printer_settings_id": f"farmhand {printer.name}",
        "printer_technology": "FFF",
        "gcode_flavor": _FLAVOURS[printer.dialect],
        "printable_area": [f"{a:g}x{b:g}" for a, b in corners],
        "printable_height": printer.bed.height_mm,
        "nozzle_diameter": [printer.nozzle.diameter_mm],
        "machine_start_gcode": start,
        "machine_end_gcode": end,
        "use_relative_e_distances": True,
        "before_layer_change_gcode": "",
        "layer_change_gcode": "G92 E0",
        **{f"machine_max_speed_{axis}": [motion.speed_max_mm_s] for axis in "xye"},
        "machine_max_speed_z": [motion.speed_z_max_mm_s],
        **{f"machine_max_acceleration_{axis}": [motion.acceleration_mm_s2] for axis in "xy"},
        "machine_max_acceleration_extruding": [motion.acceleration_mm_s2],
        "machine_max_acceleration_travel": [motion.acceleration_mm_s2],
        **{f"machine_max_jerk_{axis}": [motion.jerk_mm_s] for axis in "xy"},
        "retraction_length": [retraction.length_mm],
        "retraction_speed": [retraction.speed_mm_s],
        "deretraction_speed": [retraction.speed_mm_s],
        "z_hop": [retraction.lift_mm],
    }


def _filament(configuration: Configuration) -> dict[str, Any]:
    material = configuration.material
    heat, filament, cooling = material.temperatures, material.filament, material.cooling
    # One for each kind of bed sheet; which one is on is not our choice.
    sheets = ("hot_plate", "cool_plate", "eng_plate", "textured_plate")
    return {
        "filament_settings_id": [f"farmhand {material.name}"],
        "filament_type": [material.name.upper()],
        "nozzle_temperature": [heat.nozzle_celsius],
        "nozzle_temperature_initial_layer": [heat.nozzle_first_layer_celsius],
        **{f"{sheet}_temp": [heat.bed_celsius] for sheet in sheets},
        **{f"{sheet}_temp_initial_layer": [heat.bed_first_layer_celsius] for sheet in sheets},
        "filament_diameter": [filament.diameter_mm],
        "filament_density": [filament.density_g_cm3],
        "filament_cost": [filament.cost_per_kg],
        "filament_flow_ratio": [filament.flow_factor],
        "filament_max_volumetric_speed": [filament.flow_max_mm3_s],
        "fan_min_speed": [cooling.fan_min_percent],
        "fan_max_speed": [cooling.fan_max_percent],
        "overhang_fan_speed": [cooling.fan_bridge_percent],
        "close_fan_the_first_x_layers": [cooling.layers_without_fan],
        "slow_down_layer_time": [cooling.layer_s_min],
        "fan_cooling_layer_time": [4 * cooling.layer_s_min],
        "slow_down_min_speed": [cooling.speed_min_mm_s],
    }


def _process(configuration: Configuration) -> dict[str, Any]:
    quality = configuration.quality
    adhesion, speed, percent = quality.adhesion, quality.speed, quality.infill.percent
    # Only straight lines can be laid without gaps.
    pattern = InfillPattern.LINES if percent >= 100 else quality.infill.pattern
    return {
        "print_settings_id": f"farmhand {quality.name}",
        "layer_height": quality.layers.height_mm,
        "initial_layer_print_height": quality.layers.first_height_mm,
        # The other generator differs from run to run.
        "wall_generator": "classic",
        "wall_loops": quality.shell.perimeters,
        "top_shell_layers": quality.shell.top_layers,
        "bottom_shell_layers": quality.shell.bottom_layers,
        "seam_position": _SEAMS.get(quality.shell.seam, quality.shell.seam.value),
        "ironing_type": "top" if quality.shell.ironing else "no ironing",
        "sparse_infill_density": f"{percent:g}%",
        "sparse_infill_pattern": _PATTERNS.get(pattern, pattern.value),
        "brim_type": "outer_only" if adhesion.brim_mm else "no_brim",
        "brim_width": adhesion.brim_mm,
        "skirt_loops": 0,
        "enable_support": adhesion.supports,
        "support_type": "normal(auto)",
        "support_threshold_angle": max(1, round(90 - adhesion.support_overhang_degrees)),
        "support_on_build_plate_only": adhesion.supports_from_bed_only,
        "initial_layer_speed": speed.first_layer_mm_s,
        "initial_layer_infill_speed": speed.first_layer_mm_s,
        "outer_wall_speed": speed.outer_wall_mm_s,
        "inner_wall_speed": speed.inner_wall_mm_s,
        "gap_infill_speed": speed.outer_wall_mm_s,
        "sparse_infill_speed": speed.infill_mm_s,
        "internal_solid_infill_speed": speed.solid_mm_s,
        "top_surface_speed": speed.top_mm_s,
        "bridge_speed": speed.bridge_mm_s,
        "support_speed": speed.outer_wall_mm_s,
        "travel_speed": speed.travel_mm_s,
        "enable_prime_tower": False,
        # It refuses programs to run on its command line, and ours has none.
        "post_process": [],
    }


def _word(value: Any) -> str | list[str]:
    """Return a value as its JSON wants it: text, or a list of texts."""
    if isinstance(value, list):
        return [str(_word(each)) for each in value]
    if isinstance(value, bool):
        return str(int(value))
    return f"{value:g}" if isinstance(value, float) else str(value)
