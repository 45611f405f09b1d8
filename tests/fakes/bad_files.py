"""Files that hold no mesh that anybody could print, each with the code that refuses it."""

import io
import itertools
import json
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import trimesh

from tests.fakes.meshes import Corners, ball, box
from tests.fakes.step_file import step_box

Write = Callable[[Path], object]

_XML = (
    '<model unit="millimeter" xmlns="http://schemas.microsoft.com/3dmanufacturing/core/2015/02">'
    '<resources><object id="1"><mesh>{mesh}</mesh></object></resources>'
    '<build><item objectid="1"/></build></model>'
)
_BOMB = '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a "{a}">{more}]>' + _XML.format(mesh="&j;")


def _stl(corners: Corners = box()) -> bytes:  # noqa: B008 - read only
    body = b"".join(struct.pack("<12fH", 0, 0, 0, *triangle.reshape(-1), 0) for triangle in corners)
    return bytes(80) + struct.pack("<I", len(corners)) + body


def _counted(count: int) -> bytes:
    return bytes(80) + struct.pack("<I", count) + _stl()[84:]


def _with(number: float) -> bytes:
    corners = ball(20, 8)
    corners[7, 1, 2] = number
    return _stl(corners)


def _text(*, end: str = "endsolid", number: str = "1") -> bytes:
    facet = f"facet normal 0 0 1\nouter loop\n{f'vertex {number} 2 3' + chr(10)}"
    facet += "vertex 4 5 6\nvertex 7 8 0\nendloop\nendfacet\n"
    return f"solid a\n{facet * 4}{end}\n".encode()


def _exported(kind: str) -> bytes:
    made = trimesh.Trimesh(**trimesh.triangles.to_kwargs(box())).export(file_type=kind)
    return made if isinstance(made, bytes) else made.encode()


def _archive(members: dict[str, str | bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()


def _model(mesh: str) -> bytes:
    return _archive({"3D/3dmodel.model": _XML.format(mesh=mesh)})


def _encrypted() -> bytes:
    content = bytearray(_model(""))
    for sign, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(sign) + at] |= 1
    return bytes(content)


def _shared_bytes() -> bytes:
    content = _archive({"3D/a.model": np.random.default_rng(5).bytes(250_000)})
    at, end = content.rindex(b"PK\x01\x02"), content.rindex(b"PK\x05\x06")
    entry, tail = content[at:end], content[end:]
    count = (3).to_bytes(2, "little")
    size = (3 * len(entry)).to_bytes(4, "little")
    return content[:at] + 3 * entry + tail[:8] + count + count + size + tail[16:]


def _entities() -> bytes:
    names = "abcdefghij"
    more = "".join(
        f'<!ENTITY {one} "{f"&{before};" * 10}">' for before, one in itertools.pairwise(names)
    )
    return _archive({"3D/3dmodel.model": _BOMB.format(a="a" * 100, more=more)})


def _gltf_with_neighbour() -> bytes:
    buffer = {"uri": "../../etc/passwd", "byteLength": 36}
    view = {"buffer": 0, "byteLength": 36}
    accessor = {"bufferView": 0, "componentType": 5126, "count": 3, "type": "VEC3"}
    tree = {
        "asset": {"version": "2.0"},
        "buffers": [buffer],
        "bufferViews": [view],
        "accessors": [accessor],
        "meshes": [{"primitives": [{"attributes": {"POSITION": 0}}]}],
        "nodes": [{"mesh": 0}],
        "scenes": [{"nodes": [0]}],
    }
    return json.dumps(tree).encode()


def _glb_pointing_beyond() -> bytes:
    content = bytearray(_exported("glb"))
    length = struct.unpack("<I", content[12:16])[0]
    binary = 20 + length + 8
    content[binary : binary + 2] = b"\xff\xff"
    return bytes(content)


def _sparse(triangles: int) -> Write:
    """Return who writes an STL of so many triangles, all of them zeros that take no room."""

    def write(path: Path) -> None:
        with path.open("wb") as file:
            file.write(bytes(80) + struct.pack("<I", triangles))
            file.truncate(84 + 50 * triangles)

    return write


def _bytes(content: Callable[[], bytes]) -> Write:
    return lambda path: path.write_bytes(content())


_CONTENTS: dict[str, tuple[str, Callable[[], bytes], str]] = {
    "nothing": (".stl", lambda: b"", "model_empty"),
    "a web page": (".stl", lambda: b"<!DOCTYPE html><html>Not found", "model_unsupported"),
    "noise": (".stl", lambda: np.random.default_rng(3).bytes(5000), "model_broken"),
    "a picture": (".obj", lambda: b"\x89PNG\r\n\x1a\n" + bytes(300), "model_(broken|empty)"),
    "G-code": (".gcode", lambda: b"; made\nG28\nG1 X1\n" * 9, "model_unsupported"),
    "a cut STL": (".stl", lambda: _stl()[:300], "model_broken"),
    "an STL that promises more": (".stl", lambda: _counted(13), "model_broken"),
    "an STL that promises less": (".stl", lambda: _counted(11), "model_broken"),
    "an STL that promises millions": (".stl", lambda: _counted(2**32 - 1), "model_broken"),
    "an STL of no triangles": (".stl", lambda: bytes(84), "model_empty"),
    "a cut text STL": (".stl", lambda: _text(end=""), "model_broken"),
    "a text STL with words": (".stl", lambda: _text(number="far"), "model_broken"),
    "a text STL of no numbers": (".stl", lambda: _text(number="nan"), "model_broken"),
    "a corner that is no number": (".stl", lambda: _with(np.nan), "model_broken"),
    "a corner at infinity": (".stl", lambda: _with(np.inf), "model_broken"),
    "a corner beyond all sizes": (".stl", lambda: _with(1e30), "model_broken"),
    "a flat sheet": (".stl", lambda: _stl(box()[:2]), "model_unprintable"),
    "one point": (".stl", lambda: _stl(np.zeros((12, 3, 3))), "model_unprintable"),
    "a cut GLB": (".glb", lambda: _exported("glb")[:-40], "model_broken"),
    "a GLB that points beyond": (".glb", _glb_pointing_beyond, "model_broken"),
    "a glTF with a neighbour": (".gltf", _gltf_with_neighbour, "model_broken"),
    "a cut PLY": (".ply", lambda: _exported("ply")[:-30], "model_broken"),
    "a cut OBJ": (".obj", lambda: _exported("obj").rstrip()[:-3], "model_broken"),
    "an OBJ that names no corner": (".obj", lambda: b"v 0 0 1\nf 1 2 9\n", "model_broken"),
    "a cut AMF": (".amf", lambda: b"<?xml version='1.0'?><amf><object>", "model_broken"),
    "a cut STEP": (".step", lambda: step_box(10, 20, 30)[:-60], "model_broken"),
    "a zip that is none": (".3mf", lambda: b"PK\x03\x04 and no more", "model_broken"),
    "a zip of pictures": (".3mf", lambda: _archive({"a.png": b"x"}), "model_unsupported"),
    "a cut 3MF": (".3mf", lambda: _model("")[:-50], "model_broken"),
    "a 3MF without a mesh": (".3mf", lambda: _model(""), "model_(broken|empty)"),
    "a 3MF of broken XML": (".3mf", lambda: _model("<vertices>"), "model_broken"),
    "a 3MF that names no corner": (
        ".3mf",
        lambda: _model('<vertices/><triangles><triangle v1="0" v2="1" v3="2"/></triangles>'),
        "model_(broken|empty)",
    ),
    "a 3MF that leads outside": (".3mf", lambda: _archive({"../a.model": ""}), "model_broken"),
    "an encrypted 3MF": (".3mf", _encrypted, "model_broken"),
    "a 3MF of shared bytes": (".3mf", _shared_bytes, "model_broken"),
    "a bomb of spaces": (".3mf", lambda: _model(" " * 100_000_000), "model_too_complex"),
    "a bomb of members": (
        ".3mf",
        lambda: _archive({f"{n}.model": "" for n in range(10_001)}),
        "model_too_complex",
    ),
    "a bomb of entities": (".3mf", _entities, "model_(broken|empty)"),
}

FILES: dict[str, tuple[str, Write, str]] = {
    **{
        name: (suffix, _bytes(content), code) for name, (suffix, content, code) in _CONTENTS.items()
    },
    "three million triangles": (".stl", _sparse(3_000_001), "model_too_complex"),
    "half a gigabyte": (".stl", _sparse(11_000_000), "model_too_complex"),
}
"""Each with its suffix, who writes it, and the code that refuses it, as a regular expression."""
