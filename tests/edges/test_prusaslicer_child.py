"""The child process with the real PrusaSlicer: plates come out whole, failures leave nothing."""

import hashlib
import json
import os
import runpy
import signal
import struct
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
BARN = ROOT / "configs" / "dev" / "barn.stl"

Answer = tuple[int, list[dict[str, Any]]]


def environment(**changes: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), **changes}


def ask(request: dict[str, Any], **changes: str) -> Answer:
    """Run the child; return its exit status and its lines."""
    done = subprocess.run(
        [sys.executable, "-m", "slicing"],
        input=json.dumps(request, default=str).encode(),
        capture_output=True,
        env=environment(**changes),
        timeout=120,
    )
    assert done.returncode in (0, 3), done.stderr.decode()
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]


def slice_request(tmp_path: Path, **changes: Any) -> dict[str, Any]:
    return {
        "kind": "slice",
        "model_path": BARN,
        "printer": "farmhand-220",
        "material": "PLA",
        "quality": "draft",
        "output_path": tmp_path / "out" / "plate.gcode",
        "pictures": False,
        **changes,
    }


@pytest.fixture(autouse=True)
def _out(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()


def box_stl(path: Path, x: float, y: float, z: float) -> Path:
    make = runpy.run_path(str(ROOT / "configs" / "dev" / "barn.py"))
    path.write_bytes(make["stl"](make["box"]((0, 0, 0), (x, y, z))))
    return path


def assert_refused(answer: Answer, code: str, words: str, tmp_path: Path) -> None:
    status, lines = answer
    assert status == 3
    assert [line["kind"] for line in lines].count("failed") == 1
    assert lines[-1]["kind"] == "failed"
    assert lines[-1]["code"] == code
    assert words in lines[-1]["message"]
    assert list((tmp_path / "out").iterdir()) == []


def test_the_barn_becomes_a_plate_with_its_figures(tmp_path: Path) -> None:
    status, lines = ask(slice_request(tmp_path))
    result = lines[-1]
    assert (status, result["kind"]) == (0, "result")
    ratios = [line["ratio"] for line in lines if line["kind"] == "progress"]
    assert len(ratios) >= 4
    assert ratios == sorted(ratios)
    plate = Path(result["output_path"])
    content = plate.read_bytes()
    assert result["sha256"] == hashlib.sha256(content).hexdigest()
    assert result["size_bytes"] == len(content)
    assert result["lines"] == len(content.splitlines())
    assert 100 <= result["layers"] <= 110
    assert 29 < result["z_max_mm"] <= 30
    assert 1200 < result["time_s"] < 3600
    assert 5 < result["filament_g"] < 12
    assert result["engine"] == "prusaslicer"
    assert result["engine_version"][0].isdigit()
    assert list((tmp_path / "out").iterdir()) == [plate]


def test_the_same_request_gives_the_same_moves(tmp_path: Path) -> None:
    cube = box_stl(tmp_path / "cube.stl", 20, 20, 20)
    texts = []
    for _ in range(2):
        request = slice_request(tmp_path, model_path=cube, settings={"infill": "20%", "brim": 3})
        assert ask(request)[0] == 0
        lines = request["output_path"].read_text().splitlines()
        texts.append([line for line in lines if not line.startswith("; generated")])
    assert texts[0] == texts[1]
    assert "; brim_width = 3" in texts[0]
    assert "; fill_density = 20%" in texts[0]


def test_a_3mf_brings_its_shape_and_never_its_scripts(tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    script.chmod(0o755)
    data = box_stl(tmp_path / "cube.stl", 15, 15, 5).read_bytes()
    points = [
        struct.unpack_from("<3f", data, 84 + 50 * face + 12 * corner)
        for face in range(12)
        for corner in (1, 2, 3)
    ]
    vertices = "".join(f'<vertex x="{x}" y="{y}" z="{z}"/>' for x, y, z in points)
    faces = "".join(f'<triangle v1="{i}" v2="{i + 1}" v3="{i + 2}"/>' for i in range(0, 36, 3))
    core = "http://schemas.microsoft.com/3dmanufacturing/core/2015/02"
    model = tmp_path / "evil.3mf"
    with zipfile.ZipFile(model, "w") as archive:
        archive.writestr(
            "3D/3dmodel.model",
            f'<model unit="millimeter" xmlns="{core}"><resources><object id="1" type="model">'
            f"<mesh><vertices>{vertices}</vertices><triangles>{faces}</triangles></mesh></object>"
            '</resources><build><item objectid="1"/></build></model>',
        )
        archive.writestr("Metadata/Slic3r_PE.config", f"; post_process = {script}\n")
    status, lines = ask(slice_request(tmp_path, model_path=model))
    assert status == 0, lines[-1]
    assert not (tmp_path / "ran").exists()


def test_a_model_too_large_says_by_how_much(tmp_path: Path) -> None:
    model = box_stl(tmp_path / "a.stl", 300, 20, 20)
    answer = ask(slice_request(tmp_path, model_path=model))
    assert_refused(answer, "model_too_large", "80 mm in X", tmp_path)
    answer = ask({"kind": "inspect", "model_path": model, "printers": ["farmhand-220"]})
    assert_refused(answer, "model_too_large", "80 mm in X", tmp_path)


def test_a_part_is_turned_where_only_that_makes_it_fit(tmp_path: Path) -> None:
    model = box_stl(tmp_path / "a.stl", 60, 230, 1)
    status, lines = ask(slice_request(tmp_path, model_path=model, printer="prusa-mk3s"))
    assert status == 0, lines[-1]
    (low_x, _, _), (high_x, _, _) = lines[-1]["bounds_mm"]
    assert high_x - low_x == pytest.approx(230, abs=1)


def test_inspecting_tells_what_a_model_is_and_what_it_fits(tmp_path: Path) -> None:
    tall = {"name": "low", "size_mm": [200, 200, 10]}
    status, lines = ask({"kind": "inspect", "model_path": BARN, "printers": ["prusa-mk3s", tall]})
    result = lines[-1]
    assert status == 0
    assert result["watertight"]
    assert result["size_mm"] == [44, 30, 30]
    assert result["fits"] == ["prusa-mk3s"]
    assert result["too_large_for"] == [{"printer": "low", "exceeds_mm": [0, 0, 20]}]


def test_a_missing_slicer_says_how_to_install_it(tmp_path: Path) -> None:
    answer = ask(slice_request(tmp_path), PATH=str(tmp_path))
    assert_refused(answer, "engine_missing", "apt install prusa-slicer", tmp_path)


def test_a_slicer_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    answer = ask(slice_request(tmp_path, limits={"engine_s_max": 0.05}))
    assert_refused(answer, "engine_timed_out", "0.05 s", tmp_path)


def test_a_slicer_that_starves_is_reported(tmp_path: Path) -> None:
    answer = ask(slice_request(tmp_path, limits={"output_bytes_max": 100_000}))
    assert answer[0] == 3
    assert answer[1][-1]["code"] in ("engine_failed", "output_unwritable")
    assert list((tmp_path / "out").iterdir()) == []


def test_a_part_thinner_than_a_line_is_unprintable(tmp_path: Path) -> None:
    model = box_stl(tmp_path / "a.stl", 20, 0.05, 20)
    answer = ask(slice_request(tmp_path, model_path=model))
    assert_refused(answer, "model_unprintable", "thin", tmp_path)


def test_an_unknown_choice_lists_the_known_ones(tmp_path: Path) -> None:
    answer = ask(slice_request(tmp_path, material="unobtainium"))
    assert_refused(answer, "profile_unknown", "petg, pla", tmp_path)
    answer = ask({"kind": "inspect", "model_path": BARN, "quality": "superb"})
    assert_refused(answer, "profile_unknown", "draft, fine, standard", tmp_path)
    answer = ask(slice_request(tmp_path, engine="knife"))
    assert_refused(answer, "engine_unknown", "prusaslicer", tmp_path)


def test_a_missing_folder_is_told(tmp_path: Path) -> None:
    answer = ask(slice_request(tmp_path, output_path=tmp_path / "none" / "a.gcode"))
    assert_refused(answer, "output_unwritable", "create the folder", tmp_path)


def test_being_told_to_stop_ends_the_slicer_and_leaves_nothing(tmp_path: Path) -> None:
    request = slice_request(tmp_path, quality="fine", settings={"infill": 80})
    child = subprocess.Popen(
        [sys.executable, "-m", "slicing"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment(),
    )
    assert child.stdin is not None
    assert child.stdout is not None
    child.stdin.write(json.dumps(request, default=str).encode())
    child.stdin.close()
    lines = []
    for line in child.stdout:
        lines.append(json.loads(line))
        if lines[-1].get("stage") == "processing triangulated mesh":
            child.send_signal(signal.SIGTERM)
    assert child.wait(timeout=30) == 3
    assert lines[-1]["code"] == "cancelled"
    assert list((tmp_path / "out").iterdir()) == []


def test_copies_share_a_plate_with_labels_and_what_has_no_room_is_told(tmp_path: Path) -> None:
    model = box_stl(tmp_path / "tile.stl", 100, 60, 1)
    lid = {"model_path": box_stl(tmp_path / "b.stl", 30, 30, 1), "name": "A lid", "copies": 2}
    status, lines = ask(slice_request(tmp_path, model_path=model, copies=9, models=[lid]))
    result = lines[-1]
    assert status == 0, result
    on_plate, left = result["copies_on_plate"], result["copies_left"]
    assert 5 <= on_plate <= 7
    assert (on_plate + left, result["plates_needed"]) == (9, 2)
    names = [(part["name"], part["copies_on_plate"]) for part in result["parts"]]
    assert names == [("tile", on_plate), ("A lid", result["parts"][1]["copies_on_plate"])]
    assert any(f"{on_plate} of 9 copies have room" in one for one in result["warnings"])
    low, high = result["bounds_mm"]
    assert [low[axis] + high[axis] for axis in (0, 1)] == pytest.approx([220, 220], abs=1)
    content = Path(result["output_path"]).read_text()
    labels = {one for one in content.splitlines() if one.startswith("; printing object")}
    assert len(labels) == sum(part["copies_on_plate"] for part in result["parts"])
    assert any("A-lid-" in label for label in labels)


def test_a_torn_model_is_mended_turned_and_shown(tmp_path: Path) -> None:
    whole = box_stl(tmp_path / "a.stl", 10, 3, 40).read_bytes()
    torn = tmp_path / "torn.stl"
    torn.write_bytes(whole[:80] + struct.pack("<I", 11) + whole[84:-50])
    request = slice_request(tmp_path, model_path=torn, orient=True, pictures=True, unit="mm")
    status, lines = ask(request)
    result = lines[-1]
    assert status == 0, result
    (part,) = result["parts"]
    assert part["changes"]["holes_closed"] == 1
    assert part["changes"]["volume_after_mm3"] == pytest.approx(1200, rel=1e-4)
    assert (part["turned"], sorted(part["size_mm"])) == (True, pytest.approx([3, 10, 40]))
    assert part["size_mm"][2] == pytest.approx(3)
    pictures = [(one["shows"], one["size_px"]) for one in result["pictures"]]
    assert pictures == [("model", 400), ("model", 64), ("plate", 400), ("plate", 64)]
    names = {"plate.gcode", *(Path(one["path"]).name for one in result["pictures"])}
    assert {one.name for one in (tmp_path / "out").iterdir()} == names
    assert all(Path(one["path"]).read_bytes()[:4] == b"\x89PNG" for one in result["pictures"])


def test_the_barn_is_what_its_script_makes() -> None:
    make = runpy.run_path(str(ROOT / "configs" / "dev" / "barn.py"))
    assert make["stl"](make["barn"]()) == BARN.read_bytes()


def test_the_installed_slicer_tells_its_version() -> None:
    from slicing.registry import open_engine

    assert open_engine("prusaslicer").version()[0].isdigit()
