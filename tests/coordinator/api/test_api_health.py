"""How the farm is, over HTTP: to probes, to strangers, and in full."""

from contextlib import suppress
from dataclasses import replace
from typing import Any

import aiohttp
import pytest

from coordinator.errors import Unavailable
from coordinator.ports_disk import EndlessDisk
from coordinator.usecases import controlling, dispatching
from protocols.wire.vocabulary import PrinterId
from tests.contracts.test_store_telling_contract import ENDPOINT
from tests.fakes.fake_farm import order_gcode
from tests.fakes.served_farm import ServedFarm

STRANGER = {"Authorization": ""}
HEALTHY = {
    "status": "ok",
    "version": "1.2.3",
    "database": "ok",
    "history": "ok",
    "broker": "ok",
    "slicer": "ok",
    "disk": "ok",
    "webhooks": "ok",
    "providers": "ok",
}
UNTOLD = {"troubles": None, "figures": None}
NOTHING = {
    "agents": {"all": 0, "well": 0},
    "webhooks": {"all": 0, "well": 0},
    "providers": {"all": 0, "well": 0},
    "printers": {},
    "jobs": {},
    "outbox": {"waiting": 0, "oldest_s": 0.0},
    "disk_free_bytes": 2**50,
}


async def test_health_tells_whether_all_parts_work(session: aiohttp.ClientSession) -> None:
    async with session.get("/api/v1/health") as response:
        assert (response.status, await response.json()) == (
            200,
            {**HEALTHY, "troubles": [], "figures": NOTHING},
        )
    async with session.get("/api/v1/health", headers=STRANGER) as response:
        assert (response.status, await response.json()) == (200, {**HEALTHY, **UNTOLD})


async def test_a_farm_without_broker_and_slicer_is_degraded_and_says_why(
    farm: ServedFarm, session: aiohttp.ClientSession
) -> None:
    farm.link.connected, farm.slicer.trouble = False, "install prusa-slicer"
    degraded = {**HEALTHY, "status": "degraded", "broker": "failing", "slicer": "failing"}
    async with session.get("/api/v1/health") as response:
        assert response.status == 200
        assert await response.json() == {
            **degraded,
            "troubles": [
                {"part": "broker", "words": farm.link.trouble},
                {"part": "slicer", "words": "install prusa-slicer"},
            ],
            "figures": NOTHING,
        }
    async with session.get("/api/v1/health", headers=STRANGER) as response:
        assert await response.json() == {**degraded, **UNTOLD}


async def test_a_farm_without_database_fails_and_tells_strangers_no_places(
    farm: ServedFarm, session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    def locked() -> None:
        raise Unavailable("locked", "the database /secret/place is locked")

    monkeypatch.setattr(farm.store, "read", locked)
    async with session.get("/api/v1/health", headers=STRANGER) as response:
        assert response.status == 503
        document = await response.json()
        assert (document["status"], document["database"]) == ("failing", "failing")
        assert "secret" not in await response.text()
    async with session.get("/api/v1/health") as response:
        assert "secret" in await response.text()


async def test_probes_tell_whether_it_lives_and_whether_it_can_answer(
    farm: ServedFarm, session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def probed(path: str) -> tuple[int, object]:
        async with session.get(f"/api/v1/health/{path}", headers=STRANGER) as response:
            return response.status, await response.json()

    assert await probed("live") == await probed("ready") == (200, {"status": "ok"})

    def locked() -> None:
        raise Unavailable("locked", "the database is locked")

    monkeypatch.setattr(farm.store, "read", locked)
    assert await probed("live") == (200, {"status": "ok"})
    assert await probed("ready") == (503, {"status": "failing"})


async def test_health_counts_what_there_is_and_what_waits(
    farm: ServedFarm, session: aiohttp.ClientSession
) -> None:
    async def figures() -> Any:
        async with session.get("/api/v1/health") as response:
            return (await response.json())["figures"]

    await farm.printers_arrive("mk3", "mk4")
    await order_gcode(farm.farm)
    await dispatching.flush_outbox(farm.farm)
    found = await figures()
    assert found["agents"] == {"all": 1, "well": 1}
    assert found["printers"] == {"needs_clearing": 2}
    assert found["jobs"] == {"ready": 1}
    assert found["outbox"] == {"waiting": 0, "oldest_s": 0.0}
    farm.link.connected = False
    await controlling.clear_printer(farm.farm, PrinterId("mk3"), "user:anna")
    await dispatching.dispatch_jobs(farm.farm)
    with suppress(Unavailable):
        await dispatching.flush_outbox(farm.farm)
    farm.clock.advance(90.0)
    assert (await figures())["outbox"]["oldest_s"] == 90.0
    await farm.agent_leaves()
    assert (await figures())["agents"] == {"all": 1, "well": 0}


async def test_a_disk_that_is_nearly_full_and_a_webhook_that_fails_are_told(
    farm: ServedFarm, session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def little() -> int:
        return 5 * 1024**2

    monkeypatch.setattr(EndlessDisk, "free_bytes", lambda _: little())
    async with farm.store.write() as unit:
        await unit.save_endpoint(replace(ENDPOINT, failures=1))
    async with session.get("/api/v1/health") as response:
        told = await response.json()
    assert (response.status, told["status"], told["disk"]) == (200, "degraded", "failing")
    assert "only 5 MiB are free" in told["troubles"][0]["words"]
    assert "1 of 1 webhooks fail" in told["troubles"][1]["words"]
