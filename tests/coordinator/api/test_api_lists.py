"""Lists come in pages, narrowed by what is asked for."""

import aiohttp
import pytest

from tests.coordinator.api.test_api_jobs import submitted
from tests.fakes.served_farm import ServedFarm


async def get(session: aiohttp.ClientSession, path: str) -> dict:
    async with session.get(f"/api/v1/{path}") as response:
        assert response.status == 200, await response.text()
        return await response.json()


async def pages(session: aiohttp.ClientSession, path: str) -> list[list[str]]:
    """The ids on every page of a list."""
    found, cursor = [], ""
    while cursor is not None:
        page = await get(session, f"{path}&cursor={cursor}")
        found.append([item["id"] for item in page["items"]])
        cursor = page["next"]
    return found


@pytest.mark.parametrize("order", ["arrival", "newest"])
async def test_pages_of_jobs_one_after_the_other_are_the_list(
    farm: ServedFarm, session: aiohttp.ClientSession, order: str
) -> None:
    ids = []
    for _ in range(5):
        ids.append((await submitted(session))["id"])
        farm.clock.advance(0.001)
    found = await pages(session, f"jobs?order={order}&limit=2")
    assert [len(page) for page in found] == [2, 2, 1]
    assert [each for page in found for each in page] == (ids if order == "arrival" else ids[::-1])
    assert (await get(session, "jobs?limit=2"))["total"] == 5


async def test_jobs_are_asked_for_by_state_material_and_time(
    farm: ServedFarm, session: aiohttp.ClientSession
) -> None:
    old = await submitted(session, material="PLA")
    farm.clock.advance(60.0)
    new = await submitted(session, material="PETG")
    async with session.post(f"/api/v1/jobs/{new['id']}/cancel"):
        pass

    async def ids(query: str) -> list[str]:
        return [job["id"] for job in (await get(session, f"jobs?{query}"))["items"]]

    assert await ids("state=ready") == [old["id"]]
    assert await ids("state=ready&state=cancelled") == [old["id"], new["id"]]
    assert await ids("material=PETG") == [new["id"]]
    assert await ids(f"since={new['created_at']}") == [new["id"]]
    assert await ids("printer_class=other") == []


async def test_printers_are_asked_for_by_what_they_are_in_pages(
    farm: ServedFarm, session: aiohttp.ClientSession
) -> None:
    await farm.printers_arrive("p1", "p2", "p3")
    assert await pages(session, "printers?limit=2") == [["p1", "p2"], ["p3"]]
    async with session.post("/api/v1/printers/p2/service", json={"in_service": True}):
        pass
    assert await pages(session, "printers?status=in_service") == [["p2"]]
    assert await pages(session, "printers?agent=pi-1&material=PLA") == [["p1", "p2", "p3"]]
    assert await pages(session, "printers?printer_class=other") == [[]]
