"""A configuration in PrusaSlicer's words: one flat INI that leaves nothing to presets."""

from slicing.printer import BedShape
from slicing.profiles import Configuration, Dialect, InfillPattern, LayerSettings

_FLAVOURS = {
    Dialect.MARLIN: "marlin2",
    Dialect.PRUSA: "marlin",
    # 2.5 knows no flavour for Klipper, which takes Marlin's.
    Dialect.KLIPPER: "marlin",
    Dialect.REPETIER: "repetier",
    Dialect.REPRAPFIRMWARE: "reprapfirmware",
    Dialect.SMOOTHIE: "smoothie",
}


def ini(configuration: Configuration, *, part_height_mm: float) -> str:
    """Return the text of a file for `--load`."""
    native = configuration.native_for("prusaslicer")
    if native is not None:
        return "".join(
            f"{key} = {value}\n" for key, value in {**native, "post_process": ""}.items()
        )
    start, end = configuration.gcode(part_height_mm=part_height_mm)
    keys = {
        **_printer(configuration),
        **_material(configuration),
        **_quality(configuration),
        **_speed(configuration),
        "start_gcode": _escaped(start),
        "end_gcode": _escaped(end),
        # Left out, it would be taken from elsewhere, and it names programs to run.
        "post_process": "",
    }
    return "".join(f"{key} = {_word(value)}\n" for key, value in keys.items())


def _printer(configuration: Configuration) -> dict[str, object]:
    printer = configuration.printer
    motion, retraction = printer.motion, printer.retraction
    return {
        "printer_technology": "FFF",
        "gcode_flavor": _FLAVOURS[printer.dialect],
        "bed_shape": ",".join(f"{a:g}x{b:g}" for a, b in _corners(printer.bed)),
        "max_print_height": printer.bed.height_mm,
        "nozzle_diameter": printer.nozzle.diameter_mm,
        # Only for its estimate: a printer's limits are its firmware's business.
        "machine_limits_usage": "time_estimate_only",
        "machine_max_feedrate_x": motion.speed_max_mm_s,
        "machine_max_feedrate_y": motion.speed_max_mm_s,
        "machine_max_feedrate_z": motion.speed_z_max_mm_s,
        "machine_max_acceleration_x": motion.acceleration_mm_s2,
        "machine_max_acceleration_y": motion.acceleration_mm_s2,
        "machine_max_acceleration_extruding": motion.acceleration_mm_s2,
        "machine_max_acceleration_travel": motion.acceleration_mm_s2,
        "machine_max_jerk_x": motion.jerk_mm_s,
        "machine_max_jerk_y": motion.jerk_mm_s,
        "retract_length": retraction.length_mm,
        "retract_speed": retraction.speed_mm_s,
        "retract_lift": retraction.lift_mm,
        # Relative lengths survive a stop in the middle; the reset keeps rounding from adding up.
        "use_relative_e_distances": True,
        "before_layer_gcode": _escaped("G92 E0\n"),
        "remaining_times": True,
        "gcode_label_objects": True,
        "gcode_comments": False,
    }


def _corners(bed: BedShape) -> list[tuple[float, float]]:
    (width, depth), (x, y) = bed.size_mm, bed.origin_mm
    return [(x, y), (x + width, y), (x + width, y + depth), (x, y + depth)]


def _material(configuration: Configuration) -> dict[str, object]:
    material = configuration.material
    heat, filament, cooling = material.temperatures, material.filament, material.cooling
    return {
        "filament_type": material.name.upper(),
        "temperature": heat.nozzle_celsius,
        "first_layer_temperature": heat.nozzle_first_layer_celsius,
        "bed_temperature": heat.bed_celsius,
        "first_layer_bed_temperature": heat.bed_first_layer_celsius,
        "filament_diameter": filament.diameter_mm,
        "filament_density": filament.density_g_cm3,
        "filament_cost": filament.cost_per_kg,
        "filament_max_volumetric_speed": filament.flow_max_mm3_s,
        "extrusion_multiplier": filament.flow_factor,
        "cooling": True,
        "fan_always_on": cooling.fan_min_percent > 0,
        "min_fan_speed": cooling.fan_min_percent,
        "max_fan_speed": cooling.fan_max_percent,
        "bridge_fan_speed": cooling.fan_bridge_percent,
        "disable_fan_first_layers": cooling.layers_without_fan,
        "slowdown_below_layer_time": cooling.layer_s_min,
        "fan_below_layer_time": 4 * cooling.layer_s_min,
        "min_print_speed": cooling.speed_min_mm_s,
    }


def _quality(configuration: Configuration) -> dict[str, object]:
    quality = configuration.quality
    layers: LayerSettings = quality.layers
    percent = quality.infill.percent
    # Only straight lines can be laid without gaps.
    pattern = InfillPattern.LINES if percent >= 100 else quality.infill.pattern
    return {
        "layer_height": layers.height_mm,
        "first_layer_height": layers.first_height_mm,
        # The other generator gives another file every time, and nothing could be compared.
        "perimeter_generator": "classic",
        "perimeters": quality.shell.perimeters,
        "top_solid_layers": quality.shell.top_layers,
        "bottom_solid_layers": quality.shell.bottom_layers,
        "seam_position": quality.shell.seam.value,
        "ironing": quality.shell.ironing,
        "fill_density": f"{percent:g}%",
        "fill_pattern": pattern.value,
        "support_material": quality.adhesion.supports,
        "support_material_auto": quality.adhesion.supports,
        # Counted from the bed; 0 would mean: as it likes.
        "support_material_threshold": max(1, round(90 - quality.adhesion.support_overhang_degrees)),
        "support_material_buildplate_only": quality.adhesion.supports_from_bed_only,
        "brim_type": "outer_only" if quality.adhesion.brim_mm else "no_brim",
        "brim_width": quality.adhesion.brim_mm,
        "skirts": 0,  # the start code wipes the nozzle, and the whole bed stays free
    }


def _speed(configuration: Configuration) -> dict[str, object]:
    speed = configuration.quality.speed
    return {
        "first_layer_speed": speed.first_layer_mm_s,
        "external_perimeter_speed": speed.outer_wall_mm_s,
        "small_perimeter_speed": speed.outer_wall_mm_s,
        "perimeter_speed": speed.inner_wall_mm_s,
        "gap_fill_speed": speed.outer_wall_mm_s,
        "infill_speed": speed.infill_mm_s,
        "solid_infill_speed": speed.solid_mm_s,
        "top_solid_infill_speed": speed.top_mm_s,
        "bridge_speed": speed.bridge_mm_s,
        "support_material_speed": speed.outer_wall_mm_s,
        "travel_speed": speed.travel_mm_s,
    }


def _word(value: object) -> str:
    if isinstance(value, bool):
        return str(int(value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def _escaped(gcode: str) -> str:
    return gcode.replace("\\", "\\\\").replace("\n", "\\n")
