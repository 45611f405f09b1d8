"""A configuration in CuraEngine's words: one flat table that leaves nothing to formulas.

Serves the native program and the one compiled to WebAssembly alike. The rules by which Cura's
interface would derive a value are applied here, since the engine itself ignores them.
"""

from slicing.curaengine_leaves import LEAVES
from slicing.profiles import Configuration, InfillPattern
from slicing.quality import Seam

_PATTERNS = {
    InfillPattern.GRID: ("grid", 2),
    InfillPattern.GYROID: ("gyroid", 1),
    InfillPattern.CUBIC: ("cubic", 3),
    InfillPattern.LINES: ("lines", 1),
}

_SEAMS = {
    Seam.ALIGNED: "sharpest_corner",
    Seam.REAR: "back",
    Seam.NEAREST: "shortest",
    Seam.RANDOM: "random",
}

# Of the material a support takes: strong enough to stand, weak enough to break.
_SUPPORT_DENSITY = 0.15

# Every kind of line, as the engine's names for width, speed and flow spell it.
_WALLS = ("wall_0", "wall_x")
_FACES = ("skin", "roofing")
_SUPPORTS = ("support", "support_roof", "support_bottom")
_RAFTS = ("raft_base", "raft_interface", "raft_surface")


def settings(configuration: Configuration, *, part_height_mm: float) -> dict[str, str]:
    """Return every setting that the engine asks for, as it wants it on its command line.

    Raises:
        SettingsRefused: the profiles are another engine's own.
    """
    configuration.native_for("curaengine")
    values = {
        **LEAVES,
        **_machine(configuration, part_height_mm),
        **_material(configuration),
        **_lines(configuration),
        **_part(configuration),
        **_speeds(configuration),
        **_support(configuration),
    }
    return {key: _word(value) for key, value in sorted(values.items())}


def _machine(configuration: Configuration, part_height_mm: float) -> dict[str, object]:
    printer = configuration.printer
    start, end = configuration.gcode(part_height_mm=part_height_mm)
    (width, depth), motion = printer.bed.size_mm, printer.motion
    retraction = printer.retraction
    centred = printer.bed.origin_mm == (-width / 2, -depth / 2)
    axes = {
        f"machine_max_{kind}_{axis}": value
        for kind, value in (
            ("feedrate", motion.speed_max_mm_s),
            ("acceleration", motion.acceleration_mm_s2),
        )
        for axis in "xye"
    }
    return {
        "machine_name": printer.name,
        "machine_width": width,
        "machine_depth": depth,
        "machine_height": printer.bed.height_mm,
        # It counts a mesh from the middle of the bed; ours is where the printer counts it.
        "machine_center_is_zero": centred,
        "mesh_position_x": 0.0 if centred else -width / 2,
        "mesh_position_y": 0.0 if centred else -depth / 2,
        "machine_nozzle_size": printer.nozzle.diameter_mm,
        "machine_start_gcode": start.strip(),
        # It goes back to absolute lengths first, where the end code's retraction by 2 mm would
        # mean: back to length -2, so all that was printed.
        "machine_end_gcode": f"M83\nG92 E0\n{end.strip()}",
        **axes,
        "machine_max_feedrate_z": motion.speed_z_max_mm_s,
        "machine_max_acceleration_z": min(100.0, motion.acceleration_mm_s2),
        "machine_acceleration": motion.acceleration_mm_s2,
        "machine_max_jerk_xy": motion.jerk_mm_s,
        "machine_max_jerk_z": 0.4,
        "machine_max_jerk_e": 5.0,
        "retraction_amount": retraction.length_mm,
        "retraction_extrusion_window": max(retraction.length_mm, 0.5),
        "retraction_speed": retraction.speed_mm_s,
        "retraction_retract_speed": retraction.speed_mm_s,
        "retraction_prime_speed": retraction.speed_mm_s,
        "retraction_hop_enabled": retraction.lift_mm > 0,
        "retraction_hop": retraction.lift_mm,
        "speed_z_hop": motion.speed_z_max_mm_s,
    }


def _material(configuration: Configuration) -> dict[str, object]:
    material = configuration.material
    heat, filament, cooling = material.temperatures, material.filament, material.cooling
    flow = 100 * filament.flow_factor
    kinds = (*_WALLS, *_FACES, "infill", *_SUPPORTS, "skirt_brim")
    return {
        "material_diameter": filament.diameter_mm,
        "material_flow_layer_0": 100,
        **{f"{kind}_material_flow": flow for kind in kinds},
        "material_print_temperature": heat.nozzle_celsius,
        "material_initial_print_temperature": heat.nozzle_celsius,
        "material_final_print_temperature": heat.nozzle_celsius,
        "material_print_temperature_layer_0": heat.nozzle_first_layer_celsius,
        "material_bed_temperature": heat.bed_celsius,
        "material_bed_temperature_layer_0": heat.bed_first_layer_celsius,
        "cool_fan_enabled": max(cooling.fan_min_percent, cooling.fan_max_percent) > 0,
        "cool_fan_speed": cooling.fan_min_percent,
        "cool_fan_speed_min": cooling.fan_min_percent,
        "cool_fan_speed_max": cooling.fan_max_percent,
        "cool_fan_full_layer": cooling.layers_without_fan + 1,
        "cool_min_layer_time": cooling.layer_s_min,
        "cool_min_layer_time_fan_speed_max": 4 * cooling.layer_s_min,
        "cool_min_speed": cooling.speed_min_mm_s,
    }


def _lines(configuration: Configuration) -> dict[str, object]:
    width, quality = configuration.printer.nozzle.diameter_mm, configuration.quality
    kinds = (*_FACES, "infill", *_SUPPORTS, *_RAFTS, "skirt_brim", "prime_tower")
    return {
        "line_width": width,
        "wall_line_width_0": width,
        "wall_line_width_x": width,
        **{f"{kind}_line_width": width for kind in kinds},
        **{f"{kind}_line_spacing": 2 * width for kind in _RAFTS},
        **{f"{kind}_thickness": quality.layers.height_mm for kind in _RAFTS},
        "ironing_inset": width / 2,
        "infill_overlap_mm": 0.1 * width,
        "skin_overlap_mm": 0.1 * width,
    }


def _part(configuration: Configuration) -> dict[str, object]:
    quality, width = configuration.quality, configuration.printer.nozzle.diameter_mm
    layers, shell, percent = quality.layers, quality.shell, quality.infill.percent
    # Only straight lines can be laid without gaps.
    chosen = InfillPattern.LINES if percent >= 100 else quality.infill.pattern
    pattern, directions = _PATTERNS[chosen]
    wall = width * shell.perimeters
    return {
        "layer_height": layers.height_mm,
        "layer_height_0": layers.first_height_mm,
        "infill_sparse_thickness": layers.height_mm,
        "wall_line_count": shell.perimeters,
        "wall_thickness": wall,
        "top_layers": shell.top_layers,
        "bottom_layers": shell.bottom_layers,
        # Faces narrower than the wall are the wall's; a face reaches as far below its neighbour.
        "top_skin_preshrink": wall,
        "bottom_skin_preshrink": wall,
        "top_skin_expand_distance": wall,
        "bottom_skin_expand_distance": wall,
        "infill_pattern": pattern,
        "infill_sparse_density": percent,
        "infill_line_distance": directions * width * 100 / percent if percent else 0,
        "z_seam_type": _SEAMS[shell.seam],
        "ironing_enabled": shell.ironing,
        "adhesion_type": "brim" if quality.adhesion.brim_mm else "none",
        "brim_width": quality.adhesion.brim_mm,
        "brim_line_count": round(quality.adhesion.brim_mm / width),
    }


def _speeds(configuration: Configuration) -> dict[str, object]:
    speed = configuration.quality.speed
    travel = speed.travel_mm_s
    wanted = {
        "speed_wall_0": speed.outer_wall_mm_s,
        "speed_wall_x": speed.inner_wall_mm_s,
        "speed_infill": speed.infill_mm_s,
        "speed_topbottom": speed.solid_mm_s,
        "speed_roofing": speed.top_mm_s,
        "speed_ironing": speed.top_mm_s / 2,
        "bridge_wall_speed": speed.bridge_mm_s,
        "bridge_skin_speed": speed.bridge_mm_s,
        "bridge_skin_speed_2": speed.bridge_mm_s,
        "bridge_skin_speed_3": speed.bridge_mm_s,
        "speed_support_infill": speed.outer_wall_mm_s,
        "speed_support_roof": speed.outer_wall_mm_s,
        "speed_support_bottom": speed.outer_wall_mm_s,
        "speed_prime_tower": speed.outer_wall_mm_s,
        "raft_base_speed": speed.first_layer_mm_s,
        "raft_interface_speed": speed.first_layer_mm_s,
        "raft_surface_speed": speed.first_layer_mm_s,
        "speed_print_layer_0": speed.first_layer_mm_s,
        "skirt_brim_speed": speed.first_layer_mm_s,
    }
    # The engine has no setting for what the hot end can melt.
    melts = configuration.material.filament.flow_max_mm3_s / (
        configuration.printer.nozzle.diameter_mm * configuration.quality.layers.height_mm
    )
    kinds = {key.removeprefix("speed_") for key in wanted if key.startswith("speed_")}
    kinds |= {"travel", "travel_layer_0", "skirt_brim"}
    motion = configuration.printer.motion
    return {
        **{key: min(value, melts) for key, value in wanted.items()},
        "speed_travel": travel,
        "speed_travel_layer_0": travel / 2,
        **{f"acceleration_{kind}": motion.acceleration_mm_s2 for kind in kinds},
        **{f"jerk_{kind}": motion.jerk_mm_s for kind in kinds},
    }


def _support(configuration: Configuration) -> dict[str, object]:
    quality, width = configuration.quality, configuration.printer.nozzle.diameter_mm
    layer_mm, distance = quality.layers.height_mm, width / _SUPPORT_DENSITY
    adhesion = quality.adhesion
    return {
        "support_enable": adhesion.supports,
        "support_structure": "normal",
        "support_type": "buildplate" if adhesion.supports_from_bed_only else "everywhere",
        "support_angle": adhesion.support_overhang_degrees,
        "support_top_distance": layer_mm,
        "support_bottom_distance": layer_mm,
        "support_infill_sparse_thickness": layer_mm,
        "support_line_distance": distance,
        "support_initial_layer_line_distance": distance,
    }


def _word(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.6g}" if isinstance(value, float) else str(value)
