"""A whole coordinator, its workshop and a stand-in for Meshy: from words to a model's version."""

import asyncio
import time
from base64 import b64decode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp

from slicing.stl import looks_binary
from tests.edges.test_coordinator_process import running
from tests.fakes.fake_meshy import FakeMeshy
from tests.fakes.paid_service import served
from tests.fakes.solids import write_box

LOOK_S = 0.1
WITHIN_S = 120.0
ENDED = ("done", "failed", "cancelled", "unsure")
CONFIG = """
[providers.mine]
service = "meshy"
api_key_file = "{key}"
base_url = "{url}"
budget_per_day = 30
"""


async def seen(
    session: aiohttp.ClientSession, place: str, holds: Callable[[Any], bool]
) -> dict[str, Any]:
    """Return a generation once something holds of it."""
    async with asyncio.timeout(WITHIN_S):
        while True:
            async with session.get(place) as answer:
                shown: dict[str, Any] = await answer.json()
            if holds(shown):
                return shown
            await asyncio.sleep(LOOK_S)


async def wished(session: aiohttp.ClientSession, places: str, prompt: str) -> str:
    """Ask for a model, and return where its generation is."""
    return await asked(session, places, {"prompt": prompt, "size_mm": 80})


async def asked(session: aiohttp.ClientSession, places: str, said: dict[str, Any]) -> str:
    """Ask for something, and return where its generation is."""
    wish = {"provider": "mine", **said}
    async with session.post(places, json=wish) as answer:
        made = await answer.json()
        assert answer.status == 201, made
    return f"{places}/{made['id']}"


async def test_words_become_a_model_within_what_may_be_spent(tmp_path: Path) -> None:
    write_box(tmp_path / "box.stl", 20, 30, 40)
    async with served(FakeMeshy()) as service:
        service.now_ms = int(time.time() * 1000)
        service.file = (tmp_path / "box.stl").read_bytes()
        (tmp_path / "key").write_text(service.key)
        config = tmp_path / "farm.toml"
        config.write_text(CONFIG.format(key=tmp_path / "key", url=service.url))
        state = tmp_path / "state"
        async with running(state, "--config", str(config)) as farm:
            headers = {"Authorization": f"Bearer {(state / 'token').read_text().strip()}"}
            places = f"{farm.api_url}/api/v1/generations"
            async with aiohttp.ClientSession(headers=headers) as session:
                place = await wished(session, places, "a box")
                done = await seen(session, place, lambda each: each["state"] in ENDED)
                assert done["state"] == "done", done
                assert [cost["charged"] for cost in done["costs"]] == ["20"]
                async with session.get(f"{farm.api_url}{done['made'][0]['url']}") as answer:
                    version = await answer.json()
                # What it has is a 3MF, and Meshy takes none.
                wish = {"mesh_sha256": version["sha256"], "model_id": version["model_id"]}
                place = await asked(session, places, {**wish, "options": {"operation": "repair"}})
                mended = await seen(session, place, lambda each: each["state"] in ENDED)
                assert mended["state"] == "done", mended
                assert mended["made"][0]["version"] == 2
                # Twenty more would be beyond what may be spent in a day.
                place = await wished(session, places, "another box")
                beyond = await seen(session, place, lambda each: each["state"] in ENDED)
                assert beyond["trouble"]["code"] == "budget_spent", beyond
    assert max(version["size_mm"]) == 80
    assert version["origin"]["service"] == "meshy"
    assert version["file_name"].endswith(".3mf")
    sent = b64decode(service.tasks["task-0002"].asked["model_url"].partition(",")[2])
    assert looks_binary(sent, len(sent)), "an STL of the model's triangles"
    assert [float(amount) for _, amount in service.till.charges] == [20, 10]
