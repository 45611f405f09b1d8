"""What OpenSCAD says becomes complaints with file, line and weight."""

import pytest

from coordinator.adapters.rendering.openscad_words import complaints_of


@pytest.mark.parametrize(
    ("said", "file", "line", "message", "fatal"),
    [
        (
            "ERROR: Parser error: syntax error in file syn.scad, line 1",
            *("syn.scad", 1, "Parser error: syntax error", True),
        ),
        (
            "WARNING: Ignoring unknown module 'foo' in file /job/warn.scad, line 3",
            *("warn.scad", 3, "Ignoring unknown module 'foo'", True),
        ),
        (
            "WARNING: Can't open library 'nothere.scad'.",
            *("", 0, "Can't open library 'nothere.scad'.", True),
        ),
        (
            'WARNING: Ignoring unknown variable "w" in file /model.scad, line 12',
            *("model.scad", 12, 'Ignoring unknown variable "w"', True),
        ),
        (
            "WARNING: undefined operation (undefined * number) in file model.scad, line 1",
            *("model.scad", 1, "undefined operation (undefined * number)", False),
        ),
        (
            "ERROR: Assertion '(1 == 2)' failed: \"bad size\" in file as.scad, line 1",
            *("as.scad", 1, "Assertion '(1 == 2)' failed: \"bad size\"", True),
        ),
        (
            "Current top level object is empty.",
            *("", 0, "Current top level object is empty.", True),
        ),
    ],
)
def test_a_line_is_read(said: str, file: str, line: int, message: str, fatal: bool) -> None:
    (found,) = complaints_of(f"Geometries in cache: 1\n{said}\nTotal rendering time: 0:00:00\n")
    assert (found.file, found.line, found.message, found.fatal) == (file, line, message, fatal)


def test_what_is_repeated_is_told_once_and_the_fatal_first() -> None:
    words = "WARNING: mild in file a.scad, line 1\n" * 500
    words += "".join(f"ERROR: bad {n} in file a.scad, line {n}\n" for n in range(1, 99))
    found = complaints_of(words)
    assert len(found) == 20
    assert all(each.fatal for each in found)
    assert str(found[0]) == "a.scad, line 1: bad 1"


def test_what_code_echoes_is_no_complaint() -> None:
    assert complaints_of('ECHO: "ERROR: not one"\nECHO: width = 3\n') == ()
