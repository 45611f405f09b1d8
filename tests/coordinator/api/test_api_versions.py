"""Versions: nothing new is not sent again, and what changed meanwhile is not changed blindly."""

import aiohttp
import pytest

from tests.coordinator.api.test_api_jobs import submitted
from tests.fakes.served_farm import ServedFarm

# What is compressed may be a moment older.
PLAIN = {"Accept-Encoding": "identity"}


async def tag_of(session: aiohttp.ClientSession, path: str) -> str:
    async with session.get(path, headers=PLAIN) as response:
        tag = response.headers["ETag"]
        assert tag.startswith('W/"')
        return tag


async def status_of(session: aiohttp.ClientSession, path: str, tag: str) -> int:
    async with session.get(path, headers={**PLAIN, "If-None-Match": tag}) as response:
        assert (await response.read() == b"") == (response.status == 304)
        return response.status


@pytest.mark.parametrize("path", ["/api/v1/printers", "/api/v1/printers/p1"])
async def test_a_printer_is_sent_again_once_it_is_written_or_warmer(
    farm: ServedFarm, session: aiohttp.ClientSession, path: str
) -> None:
    await farm.printers_arrive("p1")
    first = await tag_of(session, path)
    assert await status_of(session, path, first) == 304
    assert await status_of(session, path, f'"x", {first}') == 304
    await farm.something_is_wrong("p1")
    warmer = await tag_of(session, path)
    assert await status_of(session, path, first) == 200
    async with session.post("/api/v1/printers/p1/clear"):
        pass
    assert await status_of(session, path, warmer) == 200


@pytest.mark.parametrize("path", ["/api/v1/jobs", "/api/v1/jobs?state=ready"])
async def test_jobs_are_sent_again_once_one_changed(
    session: aiohttp.ClientSession, path: str
) -> None:
    job = await submitted(session)
    tag = await tag_of(session, path)
    assert await status_of(session, path, tag) == 304
    async with session.post(f"/api/v1/jobs/{job['id']}/pause"):
        pass
    assert await status_of(session, path, tag) == 200


async def test_who_saw_an_older_job_does_not_change_it(
    farm: ServedFarm, session: aiohttp.ClientSession
) -> None:
    job = await submitted(session)
    path = f"/api/v1/jobs/{job['id']}"
    seen = await tag_of(session, path)
    async with session.post(f"{path}/pause", headers={"If-Match": seen}) as response:
        assert response.status == 200
        paused = response.headers["ETag"]
    lines = len(farm.store.tables.lines)
    async with session.post(f"{path}/cancel", headers={"If-Match": seen}) as response:
        assert (response.status, (await response.json())["code"]) == (412, "changed_meanwhile")
    assert len(farm.store.tables.lines) == lines
    for form in ("{now}", "*", "{seen}, {now}"):
        tags = form.format(now=paused, seen=seen)
        async with session.post(f"{path}/resume", headers={"If-Match": tags}) as response:
            assert response.status == 200
        async with session.post(f"{path}/pause") as response:
            paused = response.headers["ETag"]


async def test_a_printer_that_only_got_warmer_may_be_changed_and_one_that_was_written_not(
    farm: ServedFarm, session: aiohttp.ClientSession
) -> None:
    await farm.printers_arrive("p1")
    seen = await tag_of(session, "/api/v1/printers/p1")
    await farm.something_is_wrong("p1")
    headers = {"If-Match": seen}
    async with session.post("/api/v1/printers/p1/clear", headers=headers) as response:
        assert response.status == 200
    async with session.post("/api/v1/printers/p1/clearing", headers=headers) as response:
        assert response.status == 412
    service = "/api/v1/printers/p1/service"
    async with session.post(service, headers=headers, json={"in_service": True}) as response:
        assert response.status == 412


async def test_all_printers_come_compressed_where_that_is_asked_for(
    farm: ServedFarm, session: aiohttp.ClientSession
) -> None:
    await farm.printers_arrive("p1")
    async with session.get("/api/v1/printers", headers=PLAIN) as response:
        assert "Content-Encoding" not in response.headers
        expected = await response.json()
    async with session.get("/api/v1/printers") as response:
        assert response.headers["Content-Encoding"] == "gzip"
        assert await response.json() == expected
    async with session.post("/api/v1/printers/p1/service", json={"in_service": True}):
        pass
    async with session.get("/api/v1/printers") as response:
        assert (await response.json())["items"][0]["in_service"]
