"""For which printer a slicer says its G-code is, and which class that means."""

import pytest

from coordinator.domain.stated import class_stated, printer_stated


@pytest.mark.parametrize(
    ("text", "printer"),
    [
        ("; printer_model = MK3S\nG28", "MK3S"),
        ("; printer_settings_id = My own\n; printer_model = MINI", "MINI"),
        ("; printer_model = MINI\n; printer_settings_id = My own", "MINI"),
        ("; printer_settings_id = My own", "My own"),
        (";FLAVOR:Marlin\n;TARGET_MACHINE.NAME:Creality Ender-3", "Creality Ender-3"),
        ("; printer_model =\nG28", ""),
        ("G1 X1 ; printer_model = MK3S", ""),
        ("", ""),
    ],
)
def test_the_printer_is_found_in_what_slicers_write(text: str, printer: str) -> None:
    assert printer_stated(text.splitlines()) == printer


CLASSES = ("prusa-mk3s", "creality-ender3", "mini", "x1")


@pytest.mark.parametrize(
    ("printer", "expected"),
    [
        ("MK3S", "prusa-mk3s"),
        ("Original Prusa i3 MK3S", "prusa-mk3s"),
        ("Prusa MK3S", "prusa-mk3s"),
        ("Creality Ender-3", "creality-ender3"),
        ("Original Prusa MINI", "mini"),
        ("X1", "x1"),
        ("MK3", ""),
        ("MK3S MMU2", ""),
        ("Ender-3 S1", ""),
        ("Anker X1", ""),  # two letters say too little
        ("", ""),
    ],
)
def test_only_a_clear_name_means_a_class(printer: str, expected: str) -> None:
    assert class_stated(printer, CLASSES) == expected


def test_a_name_that_means_two_classes_means_none() -> None:
    assert class_stated("Ender3", ["creality-ender3", "my-ender3"]) == ""
    assert class_stated("ender3", ["ender3", "my-ender3"]) == "ender3"
