"""Plates that were made before: found again whole, or not at all."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from slicing.cache import Cache, key

PLATE = b"G28\nG1 X1 E1\n" * 1000


def kept(folder: Path, name: str = "a" * 64, content: bytes = PLATE) -> Cache:
    source = folder / "source.gcode"
    source.write_bytes(content)
    cache = Cache(folder / "cache", bytes_max=30_000)
    cache.put(name, source, {"layers": 7})
    return cache


def test_a_plate_is_found_again_with_its_result(tmp_path: Path) -> None:
    cache, output = kept(tmp_path), tmp_path / "out.gcode"
    assert cache.get("b" * 64, output) is None
    assert cache.get("a" * 64, output) == {"layers": 7}
    assert output.read_bytes() == PLATE
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "cache",
        "out.gcode",
        "source.gcode",
    ]


@pytest.mark.parametrize("part", ["gcode", "json"])
@pytest.mark.parametrize("harm", ["cut", "flipped", "gone", "empty"])
def test_what_is_garbled_is_no_plate_and_is_made_anew(tmp_path: Path, part: str, harm: str) -> None:
    cache, output = kept(tmp_path), tmp_path / "out.gcode"
    path = tmp_path / "cache" / f"{'a' * 64}.{part}"
    content = path.read_bytes()
    match harm:
        case "cut":
            path.write_bytes(content[: len(content) // 2])
        case "flipped":
            path.write_bytes(content[:-9] + bytes([content[-9] ^ 1]) + content[-8:])
        case "gone":
            path.unlink()
        case _:
            path.write_bytes(b"")
    found = cache.get("a" * 64, output)
    if part == "gcode" or harm != "flipped":
        assert found is None
        assert not output.exists()
    again = kept(tmp_path)
    assert again.get("a" * 64, output) == {"layers": 7}


def test_the_least_recently_used_goes_first(tmp_path: Path) -> None:
    cache = kept(tmp_path, "a" * 64)
    kept(tmp_path, "b" * 64)
    for name, seconds in (("a", 1), ("b", 2)):
        path = tmp_path / "cache" / f"{name * 64}.json"
        subprocess.run(["touch", "-d", f"@{seconds}", path], check=True)
    assert cache.get("a" * 64, tmp_path / "out.gcode") is not None  # used just now
    kept(tmp_path, "c" * 64)
    names = {path.stem[0] for path in (tmp_path / "cache").iterdir()}
    assert names == {"a", "c"}


def test_what_a_killed_process_left_goes_and_what_is_being_written_stays(tmp_path: Path) -> None:
    kept(tmp_path)
    left, written = (tmp_path / "cache" / f".farmhand-cache-{name}" for name in ("left", "now"))
    left.touch()
    written.touch()
    os.utime(left, (1, 1))
    kept(tmp_path, "b" * 64)
    assert (left.exists(), written.exists()) == (False, True)


def test_a_result_counts_as_the_plate_does(tmp_path: Path) -> None:
    kept(tmp_path)
    source = tmp_path / "source.gcode"
    cache = Cache(tmp_path / "cache", bytes_max=30_000)
    cache.put("b" * 64, source, {"beside": "x" * 10_000})
    assert {path.stem for path in (tmp_path / "cache").iterdir()} == {"b" * 64}


def test_a_plate_larger_than_the_cache_is_not_kept(tmp_path: Path) -> None:
    cache = kept(tmp_path, content=bytes(40_000))
    assert cache.get("a" * 64, tmp_path / "out.gcode") is None


def test_whatever_shapes_a_plate_is_in_its_name(tmp_path: Path) -> None:
    model, other = tmp_path / "a.stl", tmp_path / "b.stl"
    model.write_bytes(b"solid")
    other.write_bytes(b"other")
    words = {
        "placement": {"b": 1, "a": 2},
        "configuration": "c",
        "engine": "e",
        "installation": "1",
    }

    def name(path: Path = model, **changed: object) -> str:
        return key([path], **{**words, **changed})  # type: ignore[arg-type]

    assert name(placement={"a": 2, "b": 1}) == name()
    names = {
        name(),
        name(other),
        name(placement={"copies": 2}),
        name(configuration="d"),
        name(engine="f"),
        name(installation="2"),
    }
    assert len(names) == 6


def test_looking_into_the_cache_loads_no_heavy_library() -> None:
    code = "import sys, slicing.remembering; print({'numpy', 'trimesh'} & set(sys.modules))"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == "set()"
