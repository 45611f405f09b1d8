"""Vendors' bundles: inheritance, conditions, and which presets go together."""

from pathlib import Path

import pytest

from slicing.bundle_conditions import ConditionInvalid, holds
from slicing.bundles import read_bundle, words_of
from slicing.errors import EngineMissing, ProfileInvalid, ProfileUnknown
from slicing.overrides import Overrides
from slicing.prusaslicer_ini import ini
from slicing.prusaslicer_keys import Keys, printer_of
from slicing.vendor import bundles, configuration, printer
from tests.fakes.solids import write_box
from tests.proofs.presets import failure, names

HEIGHTS = {"draft": 0.28, "standard": 0.2, "fine": 0.12}

BUNDLE = """
# A comment, and a model with two variants.
[vendor]
config_version = 1.2.3
[printer_model:ONE]
variants = 0.4; 0.6
technology = FFF
[print:*base*]
layer_height = 0.2
perimeters = 2
fill_density = 10%
[print:*more*]
perimeters = 4
infill_speed = 90
[print:Plain]
inherits = *base*; *more*
fill_density = 30%
[printer:One 0.4]
printer_model = ONE
printer_variant = 0.4
nozzle_diameter = 0.4
[printer:One 0.8]
printer_model = ONE
printer_variant = 0.8
[filament:A @ONE]
renamed_from = "Old; A"; B
filament_type = PLA
"""

KEYS = {
    "printer_notes": "PRINTER_VENDOR_A\\nPRINTER_MODEL_MK3S\\n",
    "nozzle_diameter": "0.4,0.6",
    "printer_model": "MK3S",
    "single_extruder_multi_material": "1",
    "num_extruders": "5",
}


@pytest.fixture
def bundle(tmp_path: Path):
    (tmp_path / "One.ini").write_text(BUNDLE)
    return read_bundle(tmp_path / "One.ini")


def test_the_own_key_wins_over_the_last_parent_and_that_over_the_first(bundle) -> None:
    (plain,) = bundle.presets["print"]
    assert plain.keys == {
        "layer_height": "0.2",
        "perimeters": "4",
        "infill_speed": "90",
        "fill_density": "30%",
    }


def test_only_a_printer_whose_model_has_its_variant_counts(bundle) -> None:
    assert [one.name for one in bundle.printers] == ["One 0.4"]


def test_old_names_and_aliases_are_kept_and_never_inherited(bundle) -> None:
    (thread,) = bundle.presets["filament"]
    assert thread.alias == "A"
    assert thread.names_before == ("Old; A", "B")


@pytest.mark.parametrize("parent", ["Plain", "*nobody*"])
def test_a_chain_without_an_end_is_refused(tmp_path: Path, parent: str) -> None:
    (tmp_path / "a.ini").write_text(f"[print:Plain]\ninherits = {parent}\n")
    with pytest.raises(ProfileInvalid, match="inherits"):
        read_bundle(tmp_path / "a.ini")


def test_lists_may_quote_their_items() -> None:
    assert words_of('A; B @C ; "D; E";') == ["A", "B @C", "D; E"]
    assert words_of("") == []


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("", True),
        ("printer_notes=~/.*MODEL_MK3.*/", True),
        ("printer_notes=~/MODEL_MK3/", False),  # the whole text has to match
        ("printer_notes!~/.*MK4.*/ and nozzle_diameter[0]==0.4", True),
        ("nozzle_diameter[1]>=0.6 && nozzle_diameter[0] < 0.6", True),
        ("nozzle_diameter[7]==0.4", True),  # past the end counts the first
        ('printer_model=="MK4" or printer_model!="MINI"', True),
        ("! (single_extruder_multi_material and num_extruders>1)", False),
        ("not single_extruder_multi_material || num_extruders == 5", True),
        ("no_such_key == 0", True),
        ("no_such_key", False),
        ("true and not false", True),
    ],
)
def test_conditions_hold_as_the_slicer_has_it(condition: str, expected: bool) -> None:
    assert holds(condition, KEYS) is expected


@pytest.mark.parametrize(
    "condition",
    [
        "__import__('os').system('true')",
        "nozzle_diameter[",
        "(num_extruders==5",
        "num_extruders == 5 5",
        "printer_model > 3",
        "printer_model =~ 3",
        "== 3",
        "num_extruders == ",
    ],
)
def test_what_is_no_condition_is_refused_and_never_run(condition: str) -> None:
    with pytest.raises(ConditionInvalid):
        holds(condition, KEYS)


def test_of_a_round_bed_the_largest_rectangle_inside_it_is_used() -> None:
    octagon = "100x0,70x70,0x100,-70x70,-100x0,-70x-70,0x-100,70x-70"
    bed = printer_of(Keys({"bed_shape": octagon}), "a", "A").bed
    assert bed.size_mm == pytest.approx((140, 140), abs=0.1)
    assert bed.origin_mm == pytest.approx((-70, -70), abs=0.1)
    shifted = printer_of(Keys({"bed_shape": "5x0,215x0,215x220,5x220"}), "a", "A").bed
    assert (shifted.size_mm, shifted.origin_mm) == ((210, 220), (5, 0))


MK3S = "vendor/PrusaResearch/Original Prusa i3 MK3S & MK3S+"


def test_the_installed_bundles_are_read_whole() -> None:
    read = list(bundles())
    counted = {
        kind: sum(len(one.presets[kind]) for one in read)
        for kind in ("printer", "print", "filament")
    }
    assert counted["printer"] >= 300
    assert counted["print"] >= 300
    assert counted["filament"] >= 500


def test_a_vendors_printer_comes_with_what_suits_it() -> None:
    made = configuration(MK3S, "petg", "standard", Overrides(infill=33), heights_mm=HEIGHTS)
    assert made.printer.name == MK3S
    assert made.printer.bed.size_mm == (250, 210)
    assert made.material.name == "petg"
    assert made.native is not None
    assert made.native.keys["fill_density"] == "33%"
    assert made.quality.infill.percent == 33
    text = ini(made, part_height_mm=10)
    assert "\npost_process = \n" in text
    assert "compatible_printers" not in text
    fine = configuration(MK3S, "PLA", "fine", Overrides(), heights_mm=HEIGHTS)
    assert fine.quality.layers.height_mm == pytest.approx(0.12, abs=0.04)
    assert fine.fingerprint() != made.fingerprint()


def test_what_a_vendor_does_not_have_is_listed() -> None:
    with pytest.raises(ProfileUnknown, match="PrusaResearch"):
        printer("vendor/Nobody/One")
    with pytest.raises(ProfileUnknown, match="MK3S"):
        printer("vendor/PrusaResearch/One")
    with pytest.raises(ProfileUnknown, match="PETG"):
        configuration(MK3S, "chocolate", "standard", Overrides(), heights_mm=HEIGHTS)
    with pytest.raises(ProfileUnknown, match="QUALITY"):
        configuration(MK3S, "pla", "superb", Overrides(), heights_mm=HEIGHTS)


def test_without_a_slicer_there_are_no_vendors(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EngineMissing, match="install"):
        printer(MK3S)


def test_some_presets_of_unlike_vendors_slice_a_cube(tmp_path: Path) -> None:
    write_box(tmp_path / "cube.stl", 20, 20, 4)
    wanted = list(names())[::80]
    assert len(wanted) >= 4
    assert [failure(name, material, tmp_path) for name, material in wanted] == [""] * len(wanted)
