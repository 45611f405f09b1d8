"""What CuraEngine asks for and no profile of ours varies: features that stay off, and constants.

The engine has no defaults and evaluates no formulas: a setting without a value ends it. Names are
those of CuraEngine 4.6 to 4.13, and a version ignores what it does not know. Lengths in mm, areas
in mm2, speeds in mm/s, angles in degrees, flows in percent.
"""

_ZERO = """
    adhesion_extruder_nr brim_gap clean_between_layers cool_fan_speed_0 cross_infill_pocket_size
    extruder_nr extruder_prime_pos_x extruder_prime_pos_y extruder_prime_pos_z
    gradual_infill_step_height gradual_infill_steps gradual_support_infill_step_height
    gradual_support_infill_steps hole_xy_offset infill_extruder_nr infill_mesh_order
    infill_offset_x infill_offset_y infill_wall_line_count infill_wipe_dist initial_bottom_layers
    layer_0_z_overlap layer_start_x layer_start_y machine_extruder_cooling_fan_number
    machine_minimum_feedrate machine_nozzle_offset_x machine_nozzle_offset_y
    max_extrusion_before_wipe min_infill_area min_skin_width_for_expansion minimum_bottom_area
    minimum_roof_area minimum_support_area multiple_mesh_overlap raft_airgap
    raft_base_acceleration raft_base_fan_speed raft_base_jerk raft_interface_acceleration
    raft_interface_fan_speed raft_interface_jerk raft_margin raft_smoothing
    raft_surface_acceleration raft_surface_fan_speed raft_surface_jerk raft_surface_layers
    retraction_extra_prime_amount
    retraction_hop_after_extruder_switch_height roofing_extruder_nr roofing_layer_count
    skin_edge_support_layers skin_outline_count small_feature_max_length
    speed_slowdown_layers support_bottom_extruder_nr support_bottom_offset
    support_bottom_stair_step_min_slope support_extruder_nr_layer_0 support_infill_extruder_nr
    support_offset support_roof_extruder_nr support_roof_offset support_wall_count
    switch_extruder_extra_prime_amount top_bottom_extruder_nr wall_0_extruder_nr wall_0_inset
    wall_0_wipe_dist wall_min_flow wall_x_extruder_nr wipe_brush_pos_x wipe_hop_amount
    wipe_move_distance wipe_pause wipe_repeat_count wipe_retraction_amount
    wipe_retraction_extra_prime_amount xy_offset xy_offset_layer_0 z_seam_x z_seam_y
"""

_FALSE = """
    acceleration_enabled adaptive_layer_height_enabled alternate_carve_order
    alternate_extra_perimeter anti_overhang_mesh bridge_enable_more_layers
    bridge_settings_enabled brim_replaces_support carve_multiple_volumes center_object
    coasting_enable conical_overhang_enabled connect_infill_polygons connect_skin_polygons
    cool_lift_head cutting_mesh draft_shield_enabled extruder_prime_pos_abs
    fill_outline_gaps    infill_before_walls infill_enable_travel_optimization infill_mesh
    infill_randomize_start_location infill_support_enabled ironing_only_highest_layer jerk_enabled
    limit_support_retractions machine_always_write_active_tool machine_center_is_zero
    machine_extruders_share_heater machine_extruders_share_nozzle machine_firmware_retract
    machine_heated_build_volume machine_use_extruder_offset_to_offset_coords
    magic_fuzzy_skin_enabled magic_fuzzy_skin_outside_only magic_spiralize
    material_bed_temp_prepend material_bed_temp_wait material_flow_dependent_temperature
    material_print_temp_prepend material_print_temp_wait meshfix_extensive_stitching
    meshfix_keep_open_polygons meshfix_union_all_remove_holes mold_enabled ooze_shield_enabled
    outer_inset_first prime_blob_enable prime_tower_brim_enable prime_tower_enable
    retract_at_layer_change retraction_hop_after_extruder_switch retraction_hop_only_when_collides
    roofing_monotonic skin_monotonic smooth_spiralized_contours speed_equalize_flow_enabled
    support_bottom_enable support_brim_enable support_conical_enabled support_fan_enable
    support_interface_enable support_mesh support_mesh_drop_down support_roof_enable
    support_skip_some_zags support_use_towers travel_avoid_other_parts travel_avoid_supports
    travel_retract_before_outer_wall wall_min_flow_retract wipe_hop_enable wipe_retraction_enable
    wireframe_enabled z_seam_relative
"""

_TRUE = """
    brim_outside_only filter_out_tiny_gaps machine_heated_bed
    machine_nozzle_temp_enabled meshfix_union_all optimize_wall_printing_order relative_extrusion
    remove_empty_first_layers retraction_enable skin_no_small_gaps_heuristic
    support_connect_zigzags travel_compensate_overlapping_walls_0_enabled
    travel_compensate_overlapping_walls_x_enabled zig_zaggify_infill zig_zaggify_support
"""

_HUNDRED = """
    bridge_fan_speed bridge_fan_speed_2 bridge_fan_speed_3 bridge_skin_density
    bridge_skin_density_2 bridge_skin_density_3 bridge_skin_material_flow
    bridge_skin_material_flow_2 bridge_skin_material_flow_3 bridge_wall_material_flow
    initial_layer_line_width_factor material_shrinkage_percentage
    material_shrinkage_percentage_xy material_shrinkage_percentage_z small_feature_speed_factor
    small_feature_speed_factor_0 wall_overhang_speed_factor
"""

LEAVES: dict[str, object] = {
    **dict.fromkeys(_ZERO.split(), 0),
    **dict.fromkeys(_FALSE.split(), False),
    **dict.fromkeys(_TRUE.split(), True),
    **dict.fromkeys(_HUNDRED.split(), 100),
    # One extruder, and the mesh as it is.
    "machine_extruder_count": 1,
    "extruders_enabled_count": 1,
    "machine_gcode_flavor": "RepRap (Marlin/Sprinter)",
    "machine_shape": "rectangular",
    "machine_buildplate_type": "glass",
    "machine_extruder_start_code": "",
    "machine_extruder_end_code": "",
    "machine_nozzle_tip_outer_diameter": 1.0,
    "machine_nozzle_id": "",
    "material_guid": "",
    "material_flow_temp_graph": "[]",
    "material_standby_temperature": 0,
    "material_extrusion_cool_down_speed": 0.7,
    "machine_nozzle_cool_down_speed": 2.0,
    "machine_nozzle_heat_up_speed": 2.0,
    "machine_min_cool_heat_time_window": 50,
    "flow_rate_max_extrusion_offset": 0,
    "flow_rate_extrusion_offset_factor": 100,
    "mesh_rotation_matrix": "[[1,0,0],[0,1,0],[0,0,1]]",
    "mesh_position_z": 0,
    "magic_mesh_surface_mode": "normal",
    # 0.5 mm chords within 0.025 mm of the mesh: finer ones only starve a serial line.
    "meshfix_maximum_resolution": 0.5,
    "meshfix_maximum_travel_resolution": 0.8,
    "meshfix_maximum_deviation": 0.025,
    "minimum_polygon_circumference": 1.0,
    "slicing_tolerance": "middle",
    # Walls and faces.
    "fill_perimeter_gaps": "everywhere",
    "z_seam_corner": "z_seam_corner_inner",
    "top_bottom_pattern": "lines",
    "top_bottom_pattern_0": "lines",
    "roofing_pattern": "lines",
    "roofing_angles": "[]",
    "skin_angles": "[]",
    "infill_angles": "[]",
    "infill_multiplier": 1,
    "ironing_pattern": "zigzag",
    "ironing_monotonic": False,
    "ironing_flow": 10.0,
    "ironing_line_spacing": 0.1,
    "wall_overhang_angle": 90,
    "bridge_sparse_infill_max_density": 0,
    "bridge_skin_support_threshold": 50,
    "bridge_wall_coast": 0,
    "bridge_wall_min_length": 5,
    # Moves between lines.
    "retraction_combing": "all",
    "retraction_combing_max_distance": 0,
    "retraction_min_travel": 1.5,
    "retraction_count_max": 90,
    "travel_avoid_distance": 0.6,
    "switch_extruder_retraction_amount": 0,
    # Supports: zigzag walls that snap off.
    "support_pattern": "zigzag",
    "support_roof_pattern": "concentric",
    "support_bottom_pattern": "concentric",
    "support_infill_angles": "[]",
    "support_roof_angles": "[]",
    "support_bottom_angles": "[]",
    "support_roof_height": 1.0,
    "support_bottom_height": 1.0,
    "support_roof_line_distance": 1.0,
    "support_bottom_line_distance": 1.0,
    "support_interface_skip_height": 0.3,
    "support_xy_distance": 0.7,
    "support_xy_distance_overhang": 0.2,
    "support_xy_overrides_z": "z_overrides_xy",
    "support_join_distance": 2.0,
    "support_bottom_stair_step_height": 0.3,
    "support_bottom_stair_step_width": 5.0,
    "support_zag_skip_count": 0,
    "support_supported_skin_fan_speed": 100,
    "support_conical_min_width": 5.0,
    "support_conical_angle": 30,
    "support_tower_diameter": 3.0,
    "support_tower_maximum_supported_diameter": 3.0,
    "support_tower_roof_angle": 65,
    "support_tree_angle": 40,
    "support_tree_branch_diameter": 2.0,
    "support_tree_branch_diameter_angle": 5,
    "support_tree_branch_distance": 1.0,
    "support_tree_collision_resolution": 0.2,
    "support_tree_wall_count": 1,
    # Adhesion.
    "skirt_gap": 3.0,
    "skirt_line_count": 0,
    "skirt_brim_minimal_length": 0,
    "draft_shield_dist": 10,
    "ooze_shield_dist": 2,
    "ooze_shield_angle": 60,
    # Not used with one extruder, but asked for.
    "prime_tower_flow": 100,
    "wipe_retraction_retract_speed": 25,
    "wipe_retraction_prime_speed": 25,
    "wipe_hop_speed": 10,
    "switch_extruder_retraction_speed": 20,
    "switch_extruder_prime_speed": 20,
}
