"""Files and wishes that can't become a plate: each is one sentence, and nothing is kept of it."""

import json
import struct
from collections.abc import Iterator
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from tests.fakes.processes import Coordinator, coordinator

MODEL = Path(__file__).parents[2] / "configs" / "dev" / "barn.stl"


@pytest.fixture(scope="module")
def farm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Coordinator]:
    with coordinator(tmp_path_factory.mktemp("farm") / "state") as running:
        yield running


def pyramid(side_mm: float) -> bytes:
    """Return a binary STL."""
    low, far, top = (0.0, 0.0, 0.0), side_mm, (side_mm / 2, side_mm / 2, side_mm)
    base = [low, (far, 0.0, 0.0), (far, far, 0.0), (0.0, far, 0.0)]
    facets = [(base[0], base[2], base[1]), (base[0], base[3], base[2])]
    facets += [(base[n], base[(n + 1) % 4], top) for n in range(4)]
    packed = b"".join(
        struct.pack("<12fH", 0, 0, 0, *(value for corner in facet for value in corner), 0)
        for facet in facets
    )
    return bytes(80) + struct.pack("<I", len(facets)) + packed


BARN = MODEL.read_bytes()
TOO_MANY = BARN[:80] + struct.pack("<I", struct.unpack("<I", BARN[80:84])[0] + 7) + BARN[84:]
WORDS = b"solid barn\nfacet normal 0 0 1\nouter loop\n" + b"vertex far away up\n" * 3 + b"endloop\n"
BAD_FILES = {
    "a letter called a model": ("letter.stl", b"Dear aunt,\nthank you.\n" * 40, "model_broken"),
    "a picture": ("barn.png", b"\x89PNG\r\n\x1a\n" + bytes(200), "unknown_file_type"),
    "a file without an ending": ("barn", BARN, "unknown_file_type"),
    "an empty model": ("empty.stl", b"", "empty_file"),
    "empty G-code": ("empty.gcode", b"", "empty_file"),
    "G-code that is none": ("poem.gcode", b"roses are red\n" * 9, "not_gcode"),
    "a model cut off": ("cut.stl", BARN[: len(BARN) // 2], "model_broken"),
    "a model with a lying count": ("count.stl", TOO_MANY, "model_broken"),
    "text without a facet": ("solid.stl", b"solid barn\nfacet normal x y z\n", "model_empty"),
    "text with words for numbers": ("words.stl", WORDS, "model_broken"),
    "an archive that is none": ("barn.3mf", b"PK\x03\x04 and no more", "model_broken"),
    "a model larger than every bed": ("huge.stl", pyramid(2000), "model_too_large"),
    "a model of no triangles": ("none.stl", bytes(84), "model_empty"),
}


@pytest.mark.parametrize(("name", "body", "code"), BAD_FILES.values(), ids=BAD_FILES)
def test_a_file_that_is_no_good_is_refused_and_not_kept(
    farm: Coordinator, tmp_path: Path, name: str, body: bytes, code: str
) -> None:
    file = tmp_path / name
    file.write_bytes(body)
    ended = farm.farmhand("job", "submit", file)
    assert (ended.code, ended.out) == (1, "")
    assert len(ended.sentence("farmhand")) > 15
    assert (farm.jobs(), farm.kept()) == ([], [])
    said = (422, "application/problem+json", code, ended.sentence("farmhand"))
    assert said_by_api(farm, file) == said


BAD_WISHES = {
    "material": (("--material", "unobtainium"), "unobtainium"),
    "quality": (("--quality", "perfect"), "draft"),
    "class": (("--class", "nowhere"), "farmhand-220"),
    "printer": (("--printer", "nobody"), "nobody"),
    "setting": (("--set", "brimm=4"), "brim, perimeters"),
    "value of a setting": (("--set", "infill=130%"), "infill"),
    "number of copies": (("--copies", "1000000"), "copies"),
}


@pytest.mark.parametrize(("flags", "words"), BAD_WISHES.values(), ids=BAD_WISHES)
def test_a_wish_that_nobody_knows_is_refused_and_names_what_there_is(
    farm: Coordinator, flags: tuple[str, ...], words: str
) -> None:
    ended = farm.farmhand("job", "submit", MODEL, *flags)
    assert ended.code == 1
    assert words in ended.sentence("farmhand")
    assert (farm.jobs(), farm.kept()) == ([], [])


def test_a_file_that_is_not_there_is_told_by_its_name(farm: Coordinator, tmp_path: Path) -> None:
    for path, words in ((tmp_path / "no.stl", "No such file"), (tmp_path, "directory")):
        ended = farm.farmhand("job", "submit", path)
        assert ended.code == 1
        assert str(path) in ended.sentence("farmhand")
        assert words in ended.err


def test_a_coordinator_that_refused_all_this_is_well(farm: Coordinator) -> None:
    status, health = farm.ask("health")
    assert (status, health["status"], health["troubles"]) == (200, "ok", [])
    assert "Traceback" not in farm.log.read_text()


def said_by_api(farm: Coordinator, file: Path) -> tuple[int, str, str, str]:
    """Send a file as another program would; return status, type, code and sentence."""
    head = f'--x\r\nContent-Disposition: form-data; name="file"; filename="{file.name}"\r\n\r\n'
    body = head.encode() + file.read_bytes() + b"\r\n--x--\r\n"
    headers = {
        "Authorization": f"Bearer {farm.token}",
        "Content-Type": "multipart/form-data; boundary=x",
    }
    try:
        urlopen(Request(f"{farm.url}/api/v1/jobs", data=body, headers=headers))
    except HTTPError as error:
        problem = json.load(error)
        kind = error.headers.get_content_type()
        return error.code, kind, problem["code"], problem["detail"]
    raise AssertionError("it was taken")
