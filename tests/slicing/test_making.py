"""The request `make`: whatever comes in, what is written can be printed, or it is told why not."""

import hashlib
import json
import re
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import trimesh

from slicing import stl, three_mf
from slicing.coarsening import coarsen
from slicing.converting import convert
from slicing.debris import clear
from slicing.geometry import load
from slicing.making import make_printable
from slicing.request import ConvertRequest, Limits, MakeRequest, parse_request
from slicing.results import MakeResult
from slicing.topology import volume
from tests.fakes.meshes import Corners, ball, box, broken, fine, ring, stored


def made(folder: Path, model: Corners | Path, **wishes: Any) -> MakeResult:
    path = model if isinstance(model, Path) else folder / "a.stl"
    if not isinstance(model, Path):
        stl.write(model, path)
    output = folder / "made"
    output.mkdir(exist_ok=True)
    wishes = {"printers": ["farmhand-220"], "pictures": False} | wishes
    request = {"kind": "make", "model_path": str(path), "output_folder": str(output), **wishes}
    parsed = parse_request(json.dumps(request))
    assert isinstance(parsed, MakeRequest)
    return make_printable(parsed, lambda *_: None)


def glb(path: Path, corners: Corners) -> Path:
    """Write a model in mm with Z up as a GLB has it: in metres with Y up."""
    turned = corners[:, :, (0, 2, 1)] * np.array((1, 1, -1)) / 1000
    path.write_bytes(trimesh.Trimesh(**trimesh.triangles.to_kwargs(turned)).export(file_type="glb"))
    return path


def test_a_sound_model_is_written_as_it_is(tmp_path: Path) -> None:
    found = made(tmp_path, box(20, 30, 10) + 100)
    assert (found.faults, found.remarks, found.fits) == ((), (), ("farmhand-220",))
    mesh = load(Path(found.output_path), limits=Limits())
    assert mesh.format == "3mf"
    assert mesh.bounds_mm == ((0, 0, 0), (20, 30, 10))
    assert mesh.watertight()
    assert mesh.volume_mm3 == found.volume_mm3 == 6000


def test_equal_models_give_equal_bytes_and_say_whose_they_are(tmp_path: Path) -> None:
    hashes = set()
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        found = made(
            tmp_path / name, ball(10, 12), name="Ball <&>", author='A "B"\n\x00', licence="CC0-1.0"
        )
        content = Path(found.output_path).read_bytes()
        hashes.add(hashlib.sha256(content).hexdigest())
    assert len(hashes) == 1
    text = zipfile.ZipFile(found.output_path).read("3D/3dmodel.model").decode()
    said = dict(re.findall(r'<metadata name="(\w+)">(.*)</metadata>', text))
    assert said == {
        "Title": "Ball &lt;&amp;&gt;",
        "Designer": 'A "B"',
        "LicenseTerms": "CC0-1.0",
        "Application": "Farmhand",
    }


def test_metres_with_y_up_become_millimetres_with_z_up(tmp_path: Path) -> None:
    found = made(tmp_path, glb(tmp_path / "a.glb", box(20, 30, 10)), orient=False)
    assert found.size_mm == pytest.approx((20, 30, 10), rel=1e-3)


def test_the_size_that_is_wanted_is_that_of_the_part_without_its_debris(tmp_path: Path) -> None:
    speck = ball(0.2, 6) + np.array((300, 0, 50))
    found = made(tmp_path, np.concatenate((fine(box(20, 30, 10), 2), speck)), fit_mm=60)
    assert max(found.size_mm) == pytest.approx(60)
    assert found.bodies == 1
    assert any("1 tiny loose body removed" in one for one in found.remarks)


def test_the_scale_that_a_size_asked_for_makes_a_changed_part_as_large(tmp_path: Path) -> None:
    speck = ball(0.2, 6) + np.array((300, 0, 50))
    first = made(tmp_path, np.concatenate((fine(box(20, 30, 10), 2), speck)), fit_mm=60)
    assert first.scale == pytest.approx(2)
    longer = made(tmp_path, fine(box(20, 45, 10), 2), scale=first.scale)
    assert sorted(longer.size_mm) == pytest.approx([20, 40, 90])
    assert longer.scale == pytest.approx(first.scale)


def test_what_stands_beside_a_part_is_no_debris(tmp_path: Path) -> None:
    pin = box(1, 1, 1) + np.array((30, 0, 0))
    touching = box(1, 1, 1) + np.array((5, 5, 9.5))
    found = made(tmp_path, np.concatenate((fine(box(20, 30, 10), 2), pin, touching)))
    assert found.bodies == 2
    assert found.volume_mm3 == pytest.approx(6000 + 1 + 0.5)


def test_bubbles_are_filled_hollows_stay_and_loose_sheets_go() -> None:
    part = fine(box(), 3)
    bubble, hollow = ball(0.5, 8)[:, ::-1] + 5, ball(4, 12)[:, ::-1] + 12
    sheet = box()[:2] / 5 + 40
    found = clear(stored(np.concatenate((part, bubble, hollow, sheet))))
    assert (found.bodies, found.cavities, found.bubbles, found.sheets) == (1, 1, 1, 1)
    assert volume(found.corners) == pytest.approx(8000 - abs(volume(hollow)))


def test_a_torn_model_is_mended_and_said(tmp_path: Path) -> None:
    corners, volume_mm3 = broken("knot", "holes, cracks and turns")
    found = made(tmp_path, corners)
    assert found.faults == ()
    assert found.watertight
    assert found.volume_mm3 == pytest.approx(volume_mm3, rel=0.02)
    assert "repaired" in found.remarks[0]


def test_what_has_more_triangles_than_a_print_shows_is_made_coarser(tmp_path: Path) -> None:
    knot = ring(20, 4, 400, 80, turns=5)
    found = made(tmp_path, knot, triangles_wanted=25_000)
    assert found.triangles <= 25_000
    assert found.watertight
    assert found.volume_mm3 == pytest.approx(volume(knot), rel=5e-3)
    assert any("64,000 triangles became" in one for one in found.remarks)


def test_what_can_not_be_made_coarser_stays() -> None:
    torn = stored(ball(10, 20))[1:]
    assert coarsen(torn, triangles_max=100) is torn


FAULTS: dict[str, tuple[Corners, str]] = {
    "sheets": (np.concatenate((box()[:2], box()[:2] + 5)), "encloses no volume"),
    "a grain": (box(0.5, 0.5, 0.5), "measures only"),
    "a film": (box(50, 50, 0.1), "less than a layer"),
    "paper": (box(50, 0.2, 50), "thinner than a nozzle"),
    "a house": (box(9000, 5000, 4000), "too large for farmhand-220 by"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_what_keeps_it_from_being_printed_is_told_and_it_is_written_all_the_same(
    tmp_path: Path, name: str
) -> None:
    corners, words = FAULTS[name]
    found = made(tmp_path, corners, orient=False, format="stl")
    assert any(words in one for one in found.faults), found.faults
    assert Path(found.output_path).name == "model.stl"
    assert len(load(Path(found.output_path), limits=Limits()).corners) == len(corners)


def test_printers_that_can_not_take_it_are_told_with_the_axis(tmp_path: Path) -> None:
    beds = [
        {"name": "small", "size_mm": [100, 100, 100]},
        {"name": "large", "size_mm": [300, 300, 300]},
    ]
    found = made(tmp_path, box(150, 150, 50), printers=beds)
    assert found.fits == ("large",)
    assert "too large for small by 50 mm in X and 50 mm in Y" in found.remarks[-1]


def test_a_model_becomes_an_stl_just_as_it_is(tmp_path: Path) -> None:
    torn = box(20, 30, 10)[:-1] + 100
    three_mf.write(torn, tmp_path / "a.3mf", {})
    request = {"kind": "convert", "model_path": str(tmp_path / "a.3mf")}
    parsed = parse_request(json.dumps({**request, "output_path": str(tmp_path / "a.stl")}))
    assert isinstance(parsed, ConvertRequest)
    found = convert(parsed)
    assert (found.format, found.triangles) == ("3mf", 11)
    mesh = load(tmp_path / "a.stl", limits=Limits())
    assert np.array_equal(mesh.corners, torn)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.3mf", "a.stl"]
