"""`farmhand verify` and the request behind it, as processes."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

FARMHAND = Path(sys.executable).with_name("farmhand")
PLATE = "G28\nM109 S200\n;LAYER_CHANGE\nG1 X10 Y10 Z0.2 F3000\nG1 X{x} E1\n"


def farmhand(*arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    command = [FARMHAND, "verify", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture
def good(tmp_path: Path) -> Path:
    path = tmp_path / "good.gcode"
    path.write_text(PLATE.format(x=20))
    return path


def test_a_good_plate_is_let_pass_and_a_bad_one_is_told_with_its_line(
    good: Path, tmp_path: Path
) -> None:
    assert (ended := farmhand(good, "--printer", "farmhand-220")).returncode == 0, ended.stderr
    assert "nothing speaks against it" in ended.stdout
    bad = tmp_path / "bad.gco"
    bad.write_text(PLATE.format(x=400))
    ended = farmhand(bad, "--printer", "farmhand-220", "--json")
    assert ended.returncode == 1
    said = json.loads(ended.stdout)
    assert [(each["rule"], each["line"]) for each in said["findings"]] == [("envelope", 5)]
    lenient = farmhand(bad, "--printer", "farmhand-220", "--rule", "envelope=warn")
    assert lenient.returncode == 0


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--printer", "nobody"], 2, "nobody"),
        (["--printer", "farmhand-220", "--rule", "cold"], 2, "RULE=refuse"),
        (["--printer", "farmhand-220", "--rule", "colt=warn"], 2, "colt"),
    ],
)
def test_what_is_typed_wrongly_is_told(
    good: Path, arguments: list[str], code: int, words: str
) -> None:
    ended = farmhand(good, *arguments)
    assert ended.returncode == code
    assert words in ended.stderr


def test_a_file_that_is_no_gcode_is_told(tmp_path: Path) -> None:
    for content, words in ((b"", "empty"), (bytes(100), "no G-code"), (b"GCDE", "cut off")):
        path = tmp_path / "a.gcode"
        path.write_bytes(content)
        ended = farmhand(path, "--printer", "farmhand-220")
        assert ended.returncode == 1
        assert words in ended.stderr


def sliced(request: dict[str, Any]) -> dict[str, Any]:
    """Return the last line that the child says."""
    command = [sys.executable, "-m", "slicing"]
    ended = subprocess.run(
        command, input=json.dumps(request), capture_output=True, text=True, check=False
    )
    said: dict[str, Any] = json.loads(ended.stdout.splitlines()[-1])
    return said


def test_a_model_that_was_sliced_before_comes_from_the_cache_as_it_was(tmp_path: Path) -> None:
    barn = Path(__file__).parents[2] / "configs" / "dev" / "barn.stl"
    request = {
        "kind": "slice",
        "model_path": str(barn),
        "printer": "farmhand-220",
        "material": "PLA",
        "quality": "draft",
        "output_path": str(tmp_path / "one.gcode"),
        "cache_folder": str(tmp_path / "cache"),
    }
    first = sliced(request)
    second = sliced({**request, "output_path": str(tmp_path / "two.gcode")})
    assert (first["cached"], second["cached"]) == (False, True)
    assert (tmp_path / "one.gcode").read_bytes() == (tmp_path / "two.gcode").read_bytes()
    assert second["output_path"] == str(tmp_path / "two.gcode")
    for one, result in (("one", first), ("two", second)):
        paths = [Path(each.pop("path")) for each in result["pictures"]]
        assert all(path.name.startswith(one) and path.stat().st_size > 0 for path in paths)
    assert {**second, "cached": False, "output_path": ""} == {**first, "output_path": ""}
    third = sliced({**request, "settings": {"infill": "40%"}})
    assert third["cached"] is False


def test_where_a_part_came_from_is_found_in_its_plate_and_costs_no_slicing(tmp_path: Path) -> None:
    barn = Path(__file__).parents[2] / "configs" / "dev" / "barn.stl"
    request = {
        "kind": "slice",
        "model_path": str(barn),
        "printer": "farmhand-220",
        "material": "PLA",
        "quality": "draft",
        "pictures": False,
        "cache_folder": str(tmp_path / "cache"),
    }
    plain, said = tmp_path / "plain.gcode", tmp_path / "said.gcode"
    facts = {"prompt": "a barn\nM112 \x1b[2J; G28", "author": "Anna"}
    first = sliced({**request, "output_path": str(plain)})
    second = sliced({**request, "output_path": str(said), "provenance": facts})
    assert (first["cached"], second["cached"]) == (False, True)
    assert said.read_bytes().startswith(plain.read_bytes())
    assert second["sha256"] == hashlib.sha256(said.read_bytes()).hexdigest()
    assert second["lines"] == said.read_bytes().count(b"\n") > first["lines"]
    assert second["size_bytes"] == said.stat().st_size
    looked = farmhand(said, "--printer", "farmhand-220", "--json")
    assert (looked.returncode, json.loads(looked.stdout)["provenance"]) == (0, facts)
    shown = farmhand(said, "--printer", "farmhand-220").stdout
    assert "a barn M112  [2J; G28" in shown
    assert "\x1b" not in shown
