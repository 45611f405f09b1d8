"""AMF (ISO/ASTM 52915): XML with a unit, objects of volumes, and where these stand.

Read as a stream of tags, with the parser of the standard library; a file that declares entities
is refused, for these can grow without bound. Curved edges, colours and formulas are passed over.
"""

import zipfile
from pathlib import Path
from typing import IO
from xml.parsers import expat

import numpy as np
from numpy.typing import NDArray

from slicing.errors import ModelBroken
from slicing.stl import too_many

_READ_BYTES = 1 << 20
_NUMBERS = frozenset(
    {"x", "y", "z", "v1", "v2", "v3", "deltax", "deltay", "deltaz", "rx", "ry", "rz"}
)


def read(path: Path, *, triangles_max: int) -> tuple[NDArray[np.float64], str]:
    """Return the corners in an AMF, zipped or not, shape (n, 3, 3), and its word for the unit.

    Raises:
        ModelBroken: it is cut off, no AMF, or refers to what is not there.
        ModelTooComplex: it holds more than `triangles_max`.
    """
    document = _Document(triangles_max)
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                name = next(one for one in archive.namelist() if one.lower().endswith(".amf"))
                with archive.open(name) as file:
                    document.parse(file)
        else:
            with path.open("rb") as file:
                document.parse(file)
        return document.corners(), document.unit
    except (expat.ExpatError, ValueError, KeyError, IndexError, zipfile.BadZipFile) as error:
        raise ModelBroken(
            f"The AMF file is cut off or wrong ({error}): export or download it again."
        ) from error


class _Document:
    """What the tags said so far."""

    def __init__(self, triangles_max: int) -> None:
        self.unit = "millimeter"
        self._triangles_max = triangles_max
        self._objects: dict[str, tuple[list[float], list[int]]] = {}
        self._places: list[tuple[str, dict[str, float]]] = []
        self._now = ""
        self._text = ""
        self._triangles = 0

    def parse(self, file: IO[bytes]) -> None:
        parser = expat.ParserCreate()
        parser.StartElementHandler = self._begin
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._hear
        parser.EntityDeclHandler = _no_entities
        parser.buffer_text = True
        while chunk := file.read(_READ_BYTES):
            parser.Parse(chunk, False)
        parser.Parse(b"", True)

    def corners(self) -> NDArray[np.float64]:
        """Return every object where its instances stand, or as it is where there are none."""
        parts = []
        for name, place in self._places or [(name, {}) for name in self._objects]:
            points, faces = self._objects[name]
            vertices = np.array(points, dtype=np.float64).reshape(-1, 3)
            numbers = np.array(faces, dtype=np.int64).reshape(-1, 3)
            if len(numbers) and numbers.min() < 0:
                raise IndexError("a triangle has a negative corner")
            parts.append(_placed(vertices[numbers], place))
        return np.concatenate(parts) if parts else np.zeros((0, 3, 3))

    def _begin(self, tag: str, attributes: dict[str, str]) -> None:
        self._text = ""
        if tag == "amf":
            self.unit = attributes.get("unit", self.unit)
        elif tag == "object":
            self._now = attributes["id"]
            self._objects[self._now] = ([], [])
        elif tag == "instance":
            self._places.append((attributes["objectid"], {}))
        elif tag == "triangle":
            self._triangles += 1
            if self._triangles > self._triangles_max:
                raise too_many(self._triangles, self._triangles_max)

    def _hear(self, text: str) -> None:
        self._text += text

    def _end(self, tag: str) -> None:
        if tag not in _NUMBERS or not self._text.strip():
            return
        if tag in ("x", "y", "z"):
            self._objects[self._now][0].append(float(self._text))
        elif tag[0] == "v":
            self._objects[self._now][1].append(int(self._text))
        elif self._places:
            self._places[-1][1][tag] = float(self._text)


def _placed(corners: NDArray[np.float64], place: dict[str, float]) -> NDArray[np.float64]:
    """Return corners turned about X, Y and Z by degrees, then moved."""
    for axis, name in enumerate(("rx", "ry", "rz")):
        if angle := np.radians(place.get(name, 0.0)):
            one, other = (axis + 1) % 3, (axis + 2) % 3
            turn = np.eye(3)
            turn[one, one] = turn[other, other] = np.cos(angle)
            turn[other, one], turn[one, other] = np.sin(angle), -np.sin(angle)
            corners = corners @ turn.T
    shift = [place.get(name, 0.0) for name in ("deltax", "deltay", "deltaz")]
    moved: NDArray[np.float64] = corners + np.array(shift)
    return moved


def _no_entities(*_: object) -> None:
    raise ValueError("it declares entities")
