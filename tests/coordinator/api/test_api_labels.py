"""Labels over HTTP; what is drawn is read back by a reader of codes."""

import re

import aiohttp
import numpy
import pytest
import zxingcpp

from tests.coordinator.api.test_api_library import ask
from tests.fakes.served_farm import ServedFarm

STROKE = re.compile(r"M(\d+) (\d+)h(\d+)v1h-(\d+)z")


def read(path: str, modules: int) -> list[str]:
    """Draw a path as dark squares on white, and return what a reader finds there."""
    assert STROKE.sub("", path) == ""
    picture = numpy.full((modules, modules), 255, dtype=numpy.uint8)
    for x, y, width, back in (map(int, found) for found in STROKE.findall(path)):
        assert width == back
        picture[y, x : x + width] = 0
    large = numpy.kron(picture, numpy.ones((4, 4), dtype=numpy.uint8))
    return [found.text for found in zxingcpp.read_barcodes(large)]


async def test_a_code_leads_to_its_printers_page(
    farm: ServedFarm, session: aiohttp.ClientSession
) -> None:
    await farm.printers_arrive("p-1", "p-2")
    _, found = await ask(session, "GET", "labels?base=http://farm.local:8150/shop/")
    assert found["base"] == "http://farm.local:8150/shop"
    for label, printer_id in zip(found["items"], ("p-1", "p-2"), strict=True):
        assert label["url"] == f"http://farm.local:8150/shop/p/{printer_id}"
        assert read(label["path"], label["modules"]) == [label["url"]]
    _, one = await ask(session, "GET", "labels?printer=p-2")
    assert [label["printer_id"] for label in one["items"]] == ["p-2"]
    assert one["base"] == str(session._base_url).rstrip("/")


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("printer=p-9", 404, "unknown_printer"),
        ("base=ftp://farm", 422, "invalid_query"),
        ("base=http://", 422, "invalid_query"),
        ("base=http://farm/%3Ftoken=a", 422, "invalid_query"),
        ("base=http://anna:secret@farm", 422, "invalid_query"),
        ("base=http://farm:0x", 422, "invalid_query"),
    ],
)
async def test_what_is_no_address_is_on_no_label(
    farm: ServedFarm, session: aiohttp.ClientSession, query: str, status: int, code: str
) -> None:
    await farm.printers_arrive("p-1")
    answered, problem = await ask(session, "GET", f"labels?{query}")
    assert (answered, problem["code"]) == (status, code)
