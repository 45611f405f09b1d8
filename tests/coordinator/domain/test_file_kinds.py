"""What a file is, by its bytes."""

from pathlib import Path

import pytest

from coordinator.domain.file_kinds import kind_of, suffix_of
from tests.fakes.solids import write_box
from tests.fakes.step_file import step_box


def test_a_binary_stl_is_known_by_its_length_also_where_it_begins_like_a_text_one(
    tmp_path: Path,
) -> None:
    path = tmp_path / "box.stl"
    write_box(path, 1, 2, 3)
    data = b"solid facet" + path.read_bytes()[11:]
    assert kind_of(data, len(data)) == ".stl"
    assert kind_of(b"\0" * 11 + data[11:], len(data) + 1) == ""


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"solid cube\n facet normal 0 0 1\n", ".stl"),
        (b"glTF\x02\0\0\0", ".glb"),
        (b'{"asset": {"version": "2.0"}}', ".gltf"),
        (b"ply\nformat ascii 1.0\n", ".ply"),
        (b"# a comment\nmtllib box.mtl\nv 0 0 0\n", ".obj"),
        (step_box(1, 1, 1), ".step"),
        (b"PK\x03\x04rest", ".zip"),
        (b'<?xml version="1.0"?><amf unit="mm">', ".amf"),
        (b"\xef\xbb\xbf\n <!DOCTYPE html><html>", ".html"),
        (b"\x89PNG\r\n\x1a\n", ".png"),
        (b"\xff\xd8\xff\xe0", ".jpg"),
        (b"RIFF\x24\0\0\0WEBPVP8 ", ".webp"),
        (b"RIFF\x24\0\0\0WAVEfmt ", ""),
        (b"M104 S200\nG28\n", ""),
        (b"solid as a rock", ""),
        (b"", ""),
    ],
)
def test_the_first_bytes_tell_what_a_file_is(head: bytes, kind: str) -> None:
    assert kind_of(head, len(head)) == kind


@pytest.mark.parametrize(
    ("name", "suffix"),
    [
        ("hook.STL", ".stl"),
        ("a/b.c/part.stp", ".step"),
        ("a.zip/part", ""),
        ("photo.jpeg", ".jpg"),
        ("", ""),
    ],
)
def test_a_name_says_one_word_for_each_kind(name: str, suffix: str) -> None:
    assert suffix_of(name) == suffix
