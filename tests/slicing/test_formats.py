"""Every kind of file comes out in millimetres with Z up; cut-off and hostile ones are refused."""

import base64
import json
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import trimesh

from slicing.errors import (
    ModelBroken,
    ModelError,
    ModelTooComplex,
    ModelUnsupported,
    RequestInvalid,
)
from slicing.geometry import load
from slicing.request import Limits, parse_request
from tests.fakes.meshes import Corners, ball, box, stored
from tests.fakes.step_file import step_box

AMF = "<amf unit='inch'>{objects}</amf>"


def amf(corners: Corners, *, more: str = "") -> bytes:
    points = "".join(
        f"<vertex><coordinates><x>{x}</x><y>{y}</y><z>{z}</z></coordinates></vertex>"
        for x, y, z in corners.reshape(-1, 3)
    )
    faces = "".join(
        f"<triangle><v1>{n}</v1><v2>{n + 1}</v2><v3>{n + 2}</v3></triangle>"
        for n in range(0, 3 * len(corners), 3)
    )
    body = f"<vertices>{points}</vertices><volume>{faces}</volume>"
    made = f"<object id='1'><mesh>{body}</mesh></object>{more}"
    return ("<?xml version='1.0'?>" + AMF.format(objects=made)).encode()


def exported(kind: str) -> Callable[[Corners], bytes]:
    def export(corners: Corners) -> bytes:
        mesh = trimesh.Trimesh(**trimesh.triangles.to_kwargs(corners))
        made = mesh.export(file_type=kind)
        return made if isinstance(made, bytes) else made.encode()

    return export


def gltf(corners: Corners) -> bytes:
    """Return a glTF whose buffer is inside."""
    mesh = trimesh.Trimesh(**trimesh.triangles.to_kwargs(corners))
    files = trimesh.exchange.gltf.export_gltf(trimesh.Scene(mesh))
    tree = json.loads(files.pop("model.gltf"))
    for buffer in tree["buffers"]:
        content = base64.b64encode(files[buffer["uri"]]).decode()
        buffer["uri"] = f"data:application/octet-stream;base64,{content}"
    return json.dumps(tree).encode()


# What a box of 10 x 20 x 30 in a file comes out as.
FORMATS: dict[str, tuple[Callable[[Corners], bytes], tuple[float, float, float]]] = {
    "ply": (exported("ply"), (10, 20, 30)),
    "obj": (exported("obj"), (10, 20, 30)),
    "amf": (amf, (254, 508, 762)),
    "glb": (exported("glb"), (10_000, 30_000, 20_000)),
    "gltf": (gltf, (10_000, 30_000, 20_000)),
}


@pytest.mark.parametrize("kind", FORMATS)
def test_a_file_comes_out_in_millimetres_with_z_up(tmp_path: Path, kind: str) -> None:
    make, size = FORMATS[kind]
    path = tmp_path / f"a.{kind}"
    path.write_bytes(make(box(10, 20, 30)))
    mesh = load(path, limits=Limits())
    assert (mesh.format, mesh.triangles) == (kind, 12)
    assert mesh.size_mm == pytest.approx(size)
    assert mesh.volume_mm3 == pytest.approx(np.prod(size))
    assert mesh.watertight()


@pytest.mark.parametrize("kind", ["ply", "glb", "amf", "gltf"])
@pytest.mark.parametrize("share", [0.5, 0.9, 0.995])
def test_a_file_that_is_cut_off_is_refused(tmp_path: Path, kind: str, share: float) -> None:
    content = FORMATS[kind][0](box(10, 20, 30)).rstrip()
    path = tmp_path / f"a.{kind}"
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(ModelBroken, match=r"cut off|can't be read"):
        load(path, limits=Limits())


def test_nothing_beside_a_file_is_read(tmp_path: Path) -> None:
    tree = json.loads(gltf(box(10, 20, 30)))
    data = base64.b64decode(tree["buffers"][0]["uri"].partition(",")[2])
    (tmp_path / "beside.bin").write_bytes(data)
    tree["buffers"][0]["uri"] = "beside.bin"
    path = tmp_path / "a.gltf"
    path.write_text(json.dumps(tree))
    with pytest.raises(ModelBroken, match="names another file"):
        load(path, limits=Limits())


def test_an_obj_that_stops_in_a_line_is_refused(tmp_path: Path) -> None:
    content = FORMATS["obj"][0](box(10, 20, 30))
    path = tmp_path / "a.obj"
    path.write_bytes(content[: content.rindex(b"f ") + 3])
    with pytest.raises(ModelBroken, match="stops in the middle"):
        load(path, limits=Limits())


def test_seams_of_a_texture_are_welded(tmp_path: Path) -> None:
    corners = stored(ball(1, 12))
    mesh = trimesh.Trimesh(corners.reshape(-1, 3), np.arange(3 * len(corners)).reshape(-1, 3))
    path = tmp_path / "a.glb"
    path.write_bytes(mesh.export(file_type="glb"))
    assert load(path, limits=Limits()).watertight()


def test_an_amf_in_a_zip_is_read_where_its_instances_stand(tmp_path: Path) -> None:
    more = (
        "<constellation id='2'>"
        "<instance objectid='1'><deltax>4</deltax><rz>90</rz></instance>"
        "<instance objectid='1'><deltax>-4</deltax></instance></constellation>"
    )
    path = tmp_path / "a.amf"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.amf", amf(box(1, 2, 1), more=more))
    mesh = load(path, limits=Limits())
    assert mesh.triangles == 24
    assert mesh.size_mm == pytest.approx((8 * 25.4, 2 * 25.4, 25.4))


def test_an_amf_with_entities_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.amf"
    bomb = b"<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b 'c'>]>"
    path.write_bytes(bomb + amf(box()).partition(b"?>")[2])
    with pytest.raises(ModelBroken, match="entities"):
        load(path, limits=Limits())


# What the request says, and what becomes of a box of 1 x 2 x 3 in an STL.
SAID = {
    "nothing": ({}, (1, 2, 3)),
    "cm": ({"unit": "cm"}, (10, 20, 30)),
    "m": ({"unit": "m"}, (1000, 2000, 3000)),
    "inch": ({"unit": "inch"}, (25.4, 50.8, 76.2)),
    "a size": ({"fit_mm": 60}, (20, 40, 60)),
    "Y is up": ({"up": "y"}, (1, 3, 2)),
}


@pytest.mark.parametrize(("said", "size"), SAID.values(), ids=SAID)
def test_what_the_request_says_of_the_numbers_counts(
    tmp_path: Path, said: dict[str, object], size: tuple[float, float, float]
) -> None:
    from slicing import stl

    path = tmp_path / "a.stl"
    stl.write(box(1, 2, 3), path)
    mesh = load(path, limits=Limits(), **said)  # type: ignore[arg-type]
    assert mesh.size_mm == pytest.approx(size)
    assert mesh.volume_mm3 > 0
    assert len(mesh.warnings) == len(said) - ("up" in said)


def test_a_unit_outranks_what_the_format_says(tmp_path: Path) -> None:
    path = tmp_path / "a.glb"
    path.write_bytes(FORMATS["glb"][0](box(10, 20, 30)))
    assert load(path, limits=Limits(), unit="mm").size_mm == pytest.approx((10, 30, 20))


def test_a_cube_of_one_unit_is_asked_for_its_size(tmp_path: Path) -> None:
    path = tmp_path / "a.glb"
    path.write_bytes(FORMATS["glb"][0](box(1, 2, 1)))
    assert "fit_mm" in load(path, limits=Limits()).warnings[0]


def test_a_unit_and_a_size_together_are_refused() -> None:
    request = {"kind": "inspect", "model_path": "a.stl", "unit": "cm", "fit_mm": 3}
    with pytest.raises(RequestInvalid, match="either the unit or the size"):
        parse_request(json.dumps(request))


STEP = b"ISO-10303-21;\nHEADER;\nENDSEC;\nDATA;\nENDSEC;\nEND-ISO-10303-21;\n"


def test_a_step_file_is_read_in_millimetres(tmp_path: Path) -> None:
    path = tmp_path / "a.step"
    path.write_bytes(step_box(30, 20, 10))
    mesh = load(path, limits=Limits())
    assert mesh.format == "step"
    assert mesh.size_mm == pytest.approx((30, 20, 10))
    assert mesh.watertight()


@pytest.mark.parametrize(
    ("content", "words"), [(STEP[:-20], "cut off"), (STEP, "can't be read|no")]
)
def test_a_step_file_without_a_solid_is_refused(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "a.stp"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=words):
        load(path, limits=Limits())


def test_without_its_library_a_step_file_is_refused_by_the_name_of_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.step"
    path.write_bytes(STEP)
    monkeypatch.setitem(sys.modules, "cascadio", None)
    with pytest.raises(ModelUnsupported, match=r"farmhand\[slicing,step\]"):
        load(path, limits=Limits())


def archive(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in members.items():
            made.writestr(name, content)
    return path


HOSTILE = {
    "a ratio of a bomb": ({"3D/a.model": b" " * 9_000_000}, ModelTooComplex, "times when unpacked"),
    "a way out": ({"3D/a.model": b"", "../../etc/x": b""}, ModelBroken, "outside of itself"),
    "a drive": ({"3D/a.model": b"", "C:\\x": b""}, ModelBroken, "outside of itself"),
    "too many files": (
        {"3D/a.model": b"", **{f"{n}": b"" for n in range(10_001)}},
        ModelTooComplex,
        "10,002 files",
    ),
}


@pytest.mark.parametrize(("members", "kind", "words"), HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_archive_is_refused_by_its_directory(
    tmp_path: Path, members: dict[str, bytes], kind: type[Exception], words: str
) -> None:
    path = archive(tmp_path / "a.3mf", members)
    with pytest.raises(kind, match=words):
        load(path, limits=Limits())


def test_members_that_share_their_bytes_are_refused(tmp_path: Path) -> None:
    path = archive(tmp_path / "a.3mf", {"3D/a.model": bytes(range(256)) * 999})
    content = path.read_bytes()
    at = content.rindex(b"PK\x01\x02")
    entry, end = (
        content[at : content.rindex(b"PK\x05\x06")],
        content[content.rindex(b"PK\x05\x06") :],
    )
    count, size = (3).to_bytes(2, "little"), (3 * len(entry)).to_bytes(4, "little")
    path.write_bytes(content[:at] + 3 * entry + end[:8] + count + count + size + end[16:])
    with pytest.raises(ModelBroken, match="share their bytes"):
        load(path, limits=Limits())
