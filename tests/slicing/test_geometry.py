"""Models: good ones are measured, each bad one is refused for its own reason."""

import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slicing import stl
from slicing.errors import (
    ModelBroken,
    ModelEmpty,
    ModelMissing,
    ModelTooComplex,
    ModelUnprintable,
    ModelUnsupported,
)
from slicing.geometry import load
from slicing.mesh import Mesh, exceeds, fits, placed
from slicing.pack import Item, pack
from slicing.request import Limits

lengths = st.floats(1.0, 400.0)


def block(x: float, y: float, z: float) -> np.ndarray:
    """Return the 12 triangles of a box from the origin, outward."""
    corners = np.array([[i & 1, i >> 1 & 1, i >> 2] for i in range(8)]) * np.array(
        (x, y, z), dtype=np.float64
    )
    quads = [(0, 2, 3, 1), (4, 5, 7, 6), (0, 1, 5, 4), (2, 6, 7, 3), (0, 4, 6, 2), (1, 3, 7, 5)]
    return np.array([corners[[a, *pair]] for a, b, c, d in quads for pair in ((b, c), (c, d))])


def binary(corners: np.ndarray, *, count: int | None = None) -> bytes:
    body = b"".join(struct.pack("<12fH", 0, 0, 0, *one.ravel(), 0) for one in corners)
    return b"test".ljust(80) + struct.pack("<I", len(corners) if count is None else count) + body


def text(corners: np.ndarray) -> bytes:
    facets = "".join(
        "facet normal 0 0 0\nouter loop\n"
        + "".join(f"vertex {x} {y} {z}\n" for x, y, z in one)
        + "endloop\nendfacet\n"
        for one in corners
    )
    return f"solid test\n{facets}endsolid test\n".encode()


def three_mf(path: Path, *, unit: str, corners: np.ndarray) -> Path:
    points = corners.reshape(-1, 3)
    vertices = "".join(f'<vertex x="{x}" y="{y}" z="{z}"/>' for x, y, z in points)
    faces = "".join(
        f'<triangle v1="{i}" v2="{i + 1}" v3="{i + 2}"/>' for i in range(0, len(points), 3)
    )
    core = "http://schemas.microsoft.com/3dmanufacturing/core/2015/02"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(
            "3D/3dmodel.model",
            f'<model unit="{unit}" xmlns="{core}"><resources><object id="1" type="model"><mesh>'
            f"<vertices>{vertices}</vertices><triangles>{faces}</triangles></mesh></object>"
            '</resources><build><item objectid="1"/></build></model>',
        )
    return path


CUBE = block(20, 20, 20)


@pytest.mark.parametrize("content", [binary(CUBE), text(CUBE)], ids=["binary", "text"])
def test_an_stl_is_measured_whatever_its_name(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "0a1b2c"
    path.write_bytes(content)
    mesh = load(path, limits=Limits())
    assert (mesh.format, mesh.triangles, mesh.size_mm) == ("stl", 12, (20, 20, 20))
    assert mesh.volume_mm3 == pytest.approx(8000)
    assert mesh.watertight()


def test_a_3mf_in_inches_comes_out_in_millimetres(tmp_path: Path) -> None:
    mesh = load(three_mf(tmp_path / "a.3mf", unit="inch", corners=CUBE / 20), limits=Limits())
    assert mesh.size_mm == pytest.approx((25.4, 25.4, 25.4))
    assert "inch" in mesh.warnings[0]


def test_an_obj_is_read(tmp_path: Path) -> None:
    points = CUBE.reshape(-1, 3)
    lines = [f"v {x} {y} {z}" for x, y, z in points]
    lines += [f"f {i} {i + 1} {i + 2}" for i in range(1, len(points), 3)]
    path = tmp_path / "a.obj"
    path.write_text("\n".join(lines))
    mesh = load(path, limits=Limits())
    assert mesh.format == "obj"
    assert mesh.size_mm == pytest.approx((20, 20, 20))
    assert mesh.watertight()


def test_a_glb_is_turned_up_and_scaled_from_metres(tmp_path: Path) -> None:
    import trimesh

    path = tmp_path / "a.glb"
    path.write_bytes(trimesh.creation.box((0.01, 0.02, 0.03)).export(file_type="glb"))
    mesh = load(path, limits=Limits())
    assert mesh.size_mm == pytest.approx((10, 30, 20))  # its height is along Y
    assert mesh.volume_mm3 == pytest.approx(6000)


NAN = CUBE.copy()
NAN[3, 1, 2] = np.nan

BAD = {
    "empty file": (b"", ModelEmpty, "empty"),
    "no triangles": (binary(CUBE[:0]), ModelEmpty, "no triangles"),
    "web page": (b"<!DOCTYPE html><html>no</html>", ModelUnsupported, "web page"),
    "random": (bytes(range(256)) * 9, ModelBroken, "promises"),
    "header only": (b"x" * 40, ModelBroken, "cut off"),
    "truncated": (binary(CUBE)[:-77], ModelBroken, r"12 triangles and has room for 10\.5"),
    "lying count": (binary(CUBE, count=3), ModelBroken, "bytes behind its end"),
    "text cut off": (text(CUBE)[:-300], ModelBroken, "cut off"),
    "text with words": (text(CUBE).replace(b"20", b"ten"), ModelBroken, "not three numbers"),
    "NaN": (binary(NAN), ModelBroken, "1 of the model's 12"),
    "infinite": (binary(np.where(CUBE == 20, np.inf, 0.0)), ModelBroken, "no numbers"),
    "flat": (binary(CUBE * (1, 1, 0)), ModelUnprintable, "flat"),
    "not a zip": (b"PK\x03\x04" + b"?" * 99, ModelBroken, "3MF"),
}


@pytest.mark.parametrize(("content", "kind", "words"), BAD.values(), ids=BAD)
def test_a_bad_file_is_refused_for_its_reason(
    tmp_path: Path, content: bytes, kind: type[Exception], words: str
) -> None:
    path = tmp_path / "model.stl"
    path.write_bytes(content)
    with pytest.raises(kind, match=words):
        load(path, limits=Limits())


def test_a_missing_file_is_told_apart_from_a_bad_one(tmp_path: Path) -> None:
    with pytest.raises(ModelMissing, match="check the path"):
        load(tmp_path / "none.stl", limits=Limits())


def test_an_archive_that_would_unpack_beyond_the_limit_is_not_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "bomb.3mf"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("3D/3dmodel.model", b" " * 5_000_000)
    assert path.stat().st_size < 10_000
    with pytest.raises(ModelTooComplex, match="unpack to 5 MB"):
        load(path, limits=Limits(unpacked_bytes_max=4_000_000))


def test_a_zip_without_a_model_says_so(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "hello")
    with pytest.raises(ModelUnsupported, match="without a 3MF model"):
        load(path, limits=Limits())


def test_a_broken_3mf_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.3mf"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("3D/3dmodel.model", "<model><resources>")
    with pytest.raises(ModelBroken, match="3MF"):
        load(path, limits=Limits())


def test_too_many_triangles_are_refused_before_they_are_read(tmp_path: Path) -> None:
    path = tmp_path / "a.stl"
    path.write_bytes(binary(CUBE))
    with pytest.raises(ModelTooComplex, match="12 triangles, and 11"):
        load(path, limits=Limits(triangles_max=11))


def test_a_missing_triangle_is_seen() -> None:
    assert not Mesh(CUBE[1:], "stl").watertight()


@given(lengths, lengths, lengths, st.tuples(st.floats(-1e3, 1e3), st.floats(-1e3, 1e3)))
def test_what_fits_lies_inside_the_bed_once_it_is_set_down(
    x: float, y: float, z: float, shift: tuple[float, float]
) -> None:
    bed = (250.0, 210.0, 200.0)
    mesh = Mesh(block(x, y, z) + np.array((*shift, -7.0)), "stl")
    ((at,),) = pack([Item(width_mm=mesh.size_mm[0], depth_mm=mesh.size_mm[1])], bed[:2])
    assert (at.x_mm, at.y_mm) == (125, 105)
    laid = placed(mesh, at.x_mm, at.y_mm, turned=at.turned)
    low, high = laid.bounds_mm
    assert laid.volume_mm3 == pytest.approx(mesh.volume_mm3)
    inside = all(a > -1e-3 and b < room + 1e-3 for a, b, room in zip(low, high, bed, strict=True))
    assert inside == (not any(beyond > 1e-3 for beyond in exceeds(mesh.size_mm, bed)))
    if fits(mesh.size_mm, bed):
        assert inside


@given(st.integers(1, 30))
def test_an_stl_that_is_written_reads_back_equal(tmp_path_factory, triangles: int) -> None:
    path = tmp_path_factory.mktemp("stl") / "a.stl"
    corners = np.arange(triangles * 9, dtype=np.float64).reshape(-1, 3, 3)
    stl.write(corners, path)
    assert np.array_equal(stl.read_binary(path, triangles_max=30), corners)
