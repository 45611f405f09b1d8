"""Names that strangers choose: nothing of them reaches a path or a header unchecked."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordinator.api.names import NAME_CHARACTERS_MAX, disposition_of, file_name_of, suffix_of


@given(st.text(max_size=400))
def test_any_name_becomes_one_without_folders_and_control_characters(given_name: str) -> None:
    name = file_name_of(given_name)
    assert "/" not in name
    assert "\\" not in name
    assert not name.startswith(".")
    assert len(name) <= NAME_CHARACTERS_MAX
    assert not any(unicodedata.category(sign).startswith("C") for sign in name)


@given(st.text(max_size=400))
def test_making_a_name_safe_twice_changes_nothing_more(given_name: str) -> None:
    assert file_name_of(file_name_of(given_name)) == file_name_of(given_name)


@given(st.text(max_size=400))
def test_a_disposition_is_one_line_of_ascii_with_one_quoted_name(name: str) -> None:
    header = disposition_of(file_name_of(name))
    assert header.isascii()
    assert header.isprintable()
    assert header.count('"') == 2
    assert "\\" not in header


@pytest.mark.parametrize(
    ("given_name", "kept"),
    [
        ("barn.stl", "barn.stl"),
        ("../../etc/passwd", "passwd"),
        ("C:\\parts\\Barn.STL", "Barn.STL"),
        ("..", ""),
        (".stl", "stl"),
        ("a\x00b\nc.stl", "abc.stl"),
        ("invoice\u202elts.exe", "invoicelts.exe"),
        ("Gehäuse 2.3mf", "Gehäuse 2.3mf"),
        ("x" * 300 + ".gcode", "x" * (NAME_CHARACTERS_MAX - 6) + ".gcode"),
    ],
)
def test_a_hostile_name_keeps_only_what_is_harmless(given_name: str, kept: str) -> None:
    assert file_name_of(given_name) == kept


@pytest.mark.parametrize(
    ("name", "suffix"),
    [("a.STL", ".stl"), ("a", ""), (".stl", ""), ("a.", ""), ("a.s tl", ""), ("a.gcode", ".gcode")],
)
def test_a_suffix_is_a_plain_ending_or_none(name: str, suffix: str) -> None:
    assert suffix_of(name) == suffix
