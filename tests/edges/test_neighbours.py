"""Slicers on the network find the farm by its records, over real multicast on the loopback."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from zeroconf import IPVersion, ServiceStateChange, Zeroconf
from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo, AsyncZeroconf

from coordinator.adapters import neighbours
from coordinator.adapters.neighbours import TYPE, keep_told, records, told
from coordinator.settings import Settings
from tests.fakes.fake_farm import new_farm
from tests.fakes.mosquitto import free_port
from tests.fakes.story import connect

HOST = "127.0.0.1"


class Browser:
    """A slicer's dialogue: what it shows now."""

    def __init__(self) -> None:
        self.zeroconf = AsyncZeroconf(interfaces=[HOST], ip_version=IPVersion.V4Only)
        self._names: set[str] = set()
        self._changed = asyncio.Event()

    def heard(
        self, zeroconf: Zeroconf, service_type: str, name: str, state_change: ServiceStateChange
    ) -> None:
        (self._names.discard if state_change is ServiceStateChange.Removed else self._names.add)(
            name
        )
        self._changed.set()

    async def shows(self, port: int, *paths: str) -> None:
        """Wait until it shows records with these paths, and no others, at our port."""
        async with asyncio.timeout(20):
            while sorted(paths) != await self._paths(port):
                await self._changed.wait()
                self._changed.clear()

    async def _paths(self, port: int) -> list[str]:
        found = []
        for name in self._names:
            info = AsyncServiceInfo(TYPE, name)
            if await info.async_request(self.zeroconf.zeroconf, 3000) and info.port == port:
                assert info.parsed_addresses() == [HOST]
                assert info.decoded_properties["version"] == "1.2.3"
                found.append(info.decoded_properties["path"] or "")
        return sorted(found)


@asynccontextmanager
async def browsing() -> AsyncIterator[Browser]:
    browser = Browser()
    search = AsyncServiceBrowser(browser.zeroconf.zeroconf, TYPE, handlers=[browser.heard])
    try:
        yield browser
    finally:
        await search.async_cancel()
        await browser.zeroconf.async_close()


async def test_the_network_hears_of_the_farm_and_of_its_classes_and_of_their_end() -> None:
    port, farm, mk4 = free_port(), "/octoprint/farm/", "/octoprint/prusa-mk4/"
    async with browsing() as browser:
        async with told(host=HOST, port=port, version="1.2.3") as network:
            await network.tell({"prusa-mk4"})
            await browser.shows(port, farm, mk4)
            await network.tell({"prusa-mk4"})
            await network.tell(set())
            await browser.shows(port, farm)
        await browser.shows(port)


def test_there_is_one_record_for_the_farm_and_one_a_class() -> None:
    found = records(["xl", "mk 4", "xl"], "shop")
    assert [each.path for each in found] == [
        "/octoprint/farm/", "/octoprint/mk%204/", "/octoprint/xl/",
    ]  # fmt: skip
    assert found[0].name == "Farmhand on shop"
    (_, long) = records(["ü" * 60 + "."], "shop")
    assert len(long.name.encode()) <= 63


@pytest.mark.parametrize(
    ("host", "port", "announce", "told"),
    [
        ("127.0.0.1", 8150, True, False),
        ("127.1.2.3", 8150, True, False),
        ("::1", 8150, True, False),
        ("localhost", 8150, True, False),
        ("0.0.0.0", 8150, True, True),
        ("0.0.0.0", 8150, False, False),
        ("0.0.0.0", 0, True, False),
        ("192.168.1.5", 8150, True, True),
        ("farm.example", 8150, True, True),
    ],
)
def test_nothing_is_told_of_a_farm_that_nobody_else_reaches(
    host: str, port: int, announce: bool, told: bool
) -> None:
    assert Settings(host=host, port=port, announce=announce).announces is told


async def test_a_network_that_takes_no_word_does_not_end_the_farm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(**_: object) -> AsyncZeroconf:
        raise OSError("no such device")

    monkeypatch.setattr(neighbours, "AsyncZeroconf", refuses)
    async with asyncio.timeout(5):
        await keep_told(new_farm(tmp_path), host=HOST, port=1, version="1")


async def test_the_farm_tells_of_the_classes_that_it_has(tmp_path: Path) -> None:
    farm, port = new_farm(tmp_path), free_port()
    await connect(farm, "a")  # its printer is an mk4
    async with browsing() as browser:
        telling = asyncio.create_task(keep_told(farm, host=HOST, port=port, version="1.2.3"))
        await browser.shows(port, "/octoprint/farm/", "/octoprint/mk4/")
        telling.cancel()
        await asyncio.wait([telling])
        await browser.shows(port)
