"""Files with flipped, lost and added bytes: each is a mesh or refused, and never a crash."""

from pathlib import Path

import numpy as np
import pytest

from slicing import stl
from slicing.errors import ModelError
from slicing.geometry import load
from slicing.repair import repair
from slicing.request import Limits
from tests.fakes.meshes import Random, box
from tests.slicing.test_formats import FORMATS
from tests.slicing.test_geometry import text, three_mf

EACH = 60


def good(kind: str, folder: Path) -> bytes:
    """Return a good file."""
    path = folder / f"good.{kind}"
    match kind:
        case "stl":
            stl.write(box(), path)
        case "text":
            path.write_bytes(text(box()))
        case "3mf":
            three_mf(path, unit="inch", corners=box())
        case _:
            path.write_bytes(FORMATS[kind][0](box()))
    return path.read_bytes()


def mutated(content: bytes, random: Random) -> bytes:
    """Return the bytes with one to five faults."""
    found = bytearray(content)
    for _ in range(random.integers(1, 6)):
        at = int(random.integers(len(found)))
        match int(random.integers(4)):
            case 0:
                found[at] = int(random.integers(256))
            case 1:
                del found[at : at + int(random.integers(1, 40))]
            case 2:
                found[at:at] = random.bytes(int(random.integers(1, 9)))
            case _:
                found[at : at + 4] = b"\xff\xff\xff\x7f"
        found = found or bytearray(b"x")
    return bytes(found)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", ["stl", "text", "3mf", *FORMATS])
def test_a_mutated_file_is_a_mesh_or_refused(tmp_path: Path, kind: str) -> None:
    random, content = np.random.default_rng(7), good(kind, tmp_path)
    path = tmp_path / f"a.{kind}"
    refused = 0
    for _ in range(EACH):
        path.write_bytes(mutated(content, random))
        try:
            mesh = load(path, limits=Limits())
        except ModelError:
            refused += 1
        else:
            assert np.isfinite(repair(mesh).mesh.corners).all()
    assert refused > EACH / 4
