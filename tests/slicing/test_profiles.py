"""Profiles: what ships is valid, merging is pure, and a mistake is named."""

import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slicing.catalogue import Catalogue, configs_folder
from slicing.curaengine_settings import settings
from slicing.errors import ProfileInvalid, ProfileUnknown, SettingsRefused
from slicing.overrides import settings_known
from slicing.profiles import Overrides, merge
from slicing.prusaslicer_ini import ini

CATALOGUE = Catalogue()
PRINTERS, MATERIALS, QUALITIES = (
    CATALOGUE.printers(),
    CATALOGUE.materials(),
    CATALOGUE.qualities(),
)

# What the simulated firmware and every Marlin execute.
KNOWN_COMMANDS = {
    "G0",
    "G1",
    "G4",
    "G28",
    "G29",
    "G90",
    "G92",
    "M82",
    "M83",
    "M84",
    "M73",
    "M104",
    "M106",
    "M107",
    "M109",
    "M117",
    "M140",
    "M190",
    "M400",
}

# Which materials a printer can heat for.
PAIRS = [
    (printer, material)
    for printer in PRINTERS
    for material in MATERIALS
    if material.temperatures.nozzle_first_layer_celsius <= printer.nozzle.celsius_max
    and material.temperatures.nozzle_celsius <= printer.nozzle.celsius_max
]

overrides = st.builds(
    Overrides,
    layer_height=st.none() | st.floats(0.05, 0.3),
    infill=st.none() | st.floats(0, 100),
    supports=st.none() | st.booleans(),
    brim=st.none() | st.floats(0, 30),
    perimeters=st.none() | st.integers(0, 20),
    speed=st.none() | st.floats(10, 300),
)


def test_the_classes_that_the_project_promises_are_there() -> None:
    assert {"farmhand-220", "prusa-mk3s", "creality-ender3"} <= {one.name for one in PRINTERS}
    assert {"pla", "petg", "abs", "asa", "tpu"} <= {one.name for one in MATERIALS}
    assert {"draft", "standard", "fine"} <= {one.name for one in QUALITIES}


@pytest.mark.parametrize("printer", PRINTERS, ids=lambda printer: printer.name)
def test_start_and_end_code_hold_only_commands_that_every_firmware_knows(printer) -> None:
    configuration = merge(printer, MATERIALS[0], QUALITIES[0])
    code = "".join(configuration.gcode(part_height_mm=30.0))
    commands = {line.split()[0] for line in code.splitlines() if line.partition(";")[0].strip()}
    assert commands <= KNOWN_COMMANDS


@given(
    st.sampled_from(PAIRS),
    st.sampled_from(QUALITIES),
    overrides,
)
def test_an_override_wins_and_speeds_never_pass_the_printer(pair, quality, wishes) -> None:
    printer, material = pair
    merged = merge(printer, material, quality, wishes).quality
    wanted = {
        "layer_height": (merged.layers.height_mm, quality.layers.height_mm),
        "infill": (merged.infill.percent, quality.infill.percent),
        "supports": (merged.adhesion.supports, quality.adhesion.supports),
        "brim": (merged.adhesion.brim_mm, quality.adhesion.brim_mm),
        "perimeters": (merged.shell.perimeters, quality.shell.perimeters),
    }
    for key, (got, inherited) in wanted.items():
        wish = getattr(wishes, key)
        assert got == (inherited if wish is None else wish)
    assert max(merged.speed.model_dump().values()) <= printer.motion.speed_max_mm_s
    assert merge(printer, material, quality, wishes) == merge(printer, material, quality, wishes)


@given(st.floats(0, 5000))
def test_parking_never_leaves_the_printer(height_mm: float) -> None:
    printer = PRINTERS[0]
    _, end = merge(printer, MATERIALS[0], QUALITIES[0]).gcode(part_height_mm=height_mm)
    lifts = [float(line.split("Z")[1].split()[0]) for line in end.splitlines() if " Z" in line]
    assert lifts
    assert max(lifts) <= printer.bed.height_mm


def test_a_wish_reaches_every_engine_in_its_own_words() -> None:
    wishes = Overrides(
        seam="rear",
        ironing=True,
        supports=True,
        support_overhang=60,
        supports_from_bed_only=True,
        infill_pattern="gyroid",
        nozzle_temperature=222,
        bed_temperature=51,
        flow="105%",
        first_layer_height=0.25,
        top_layers=9,
    )
    merged = merge(PRINTERS[0], CATALOGUE.material("pla"), QUALITIES[0], wishes)
    prusa = ini(merged, part_height_mm=10.0).splitlines()
    assert {
        "seam_position = rear",
        "ironing = 1",
        "support_material_threshold = 30",
        "support_material_buildplate_only = 1",
        "fill_pattern = gyroid",
        "temperature = 222",
        "first_layer_temperature = 222",
        "bed_temperature = 51",
        "extrusion_multiplier = 1.05",
        "first_layer_height = 0.25",
        "top_solid_layers = 9",
    } <= set(prusa)
    cura = settings(merged, part_height_mm=10.0)
    expected = {
        "z_seam_type": "back",
        "ironing_enabled": "true",
        "support_angle": "60",
        "support_type": "buildplate",
        "infill_pattern": "gyroid",
        "material_print_temperature": "222",
        "material_bed_temperature_layer_0": "51",
        "infill_material_flow": "105",
        "layer_height_0": "0.25",
        "top_layers": "9",
    }
    assert {key: cura[key] for key in expected} == expected


def test_every_setting_is_shown_with_its_meaning() -> None:
    shown = {setting.name: setting for setting in settings_known()}
    assert list(shown) == list(Overrides.model_fields)
    assert all(setting.words for setting in shown.values())
    layer = shown["layer_height"]
    assert (layer.kind, layer.unit, layer.least, layer.most) == ("number", "mm", 0.02, 2)
    assert shown["seam"].kind == "aligned, rear, nearest, random"


def test_the_ini_forbids_programs_to_run_and_is_flat() -> None:
    text = ini(merge(PRINTERS[0], MATERIALS[0], QUALITIES[0]), part_height_mm=10.0)
    assert "post_process = \n" in text
    assert "perimeter_generator = classic\n" in text
    assert all(" = " in line for line in text.splitlines())


def test_too_thick_a_layer_is_refused_with_the_thickest_allowed() -> None:
    with pytest.raises(SettingsRefused, match=r"0\.32 mm or less"):
        merge(PRINTERS[0], MATERIALS[0], QUALITIES[0], Overrides(layer_height=0.4))


def test_a_material_hotter_than_the_printer_is_refused() -> None:
    hot = MATERIALS[0].temperatures.model_copy(update={"nozzle_celsius": 290.0})
    material = MATERIALS[0].model_copy(update={"temperatures": hot})
    with pytest.raises(SettingsRefused, match="290 °C"):
        merge(CATALOGUE.printer("creality-ender3"), material, QUALITIES[0])


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(ProfileUnknown, match=r'"nylon".*petg, pla, tpu'):
        CATALOGUE.material("nylon")
    with pytest.raises(ProfileUnknown, match="farmhand-220"):
        CATALOGUE.printer("../printers/farmhand-220")


def test_names_are_found_in_capitals() -> None:
    assert CATALOGUE.material("PLA").name == "pla"


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("height_mm = 250.0", "height_mm = 250.0\nhieght_mm = 1.0", r"bed\.hieght_mm.*no such key"),
        ("height_mm = 250.0", "", r"bed\.height_mm.*missing"),
        ("height_mm = 250.0", "height_mm = -3", r"bed\.height_mm.*greater than 0"),
        ("height_mm = 250.0", "height_mm = nan", r"bed\.height_mm.*finite"),
        ("height_mm = 250.0", "height_mm = ", "is wrong: "),
        ("S{nozzle_celsius}", "S{nozle}", r"\{nozle\}"),
        ("S{nozzle_celsius}", "S[temperature]", "bracket"),
        ('name = "farmhand-220"', 'name = "other"', "name of the file"),
    ],
)
def test_a_wrong_profile_is_refused_with_its_file_and_key(
    tmp_path: Path, before: str, after: str, words: str
) -> None:
    shutil.copytree(configs_folder() / "printers", tmp_path / "printers")
    path = tmp_path / "printers" / "farmhand-220.toml"
    path.write_text(path.read_text().replace(before, after, 1))
    with pytest.raises(ProfileInvalid, match=r"farmhand-220\.toml") as caught:
        Catalogue(tmp_path).printer("farmhand-220")
    assert caught.match(words)
