"""Generations and providers over HTTP."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from structlog.testing import capture_logs

from coordinator.domain.access import Role
from coordinator.domain.policy import Policy
from coordinator.domain.providing import Blame, ProviderFault
from coordinator.usecases import users
from coordinator.usecases.admitting import ROOT
from coordinator.usecases.producing import Producer
from coordinator.usecases.sources import Source, Sources
from tests.coordinator.usecases.generation_bench import worked
from tests.fakes.scripted_provider import ScriptedProvider, offering
from tests.fakes.served_farm import ServedFarm, served

TOKEN = "a-token-in-the-address"
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 40
HOOK = {"provider": "mesh", "prompt": "a hook for a 25 mm rail", "size_mm": 60.0}


@pytest.fixture
def provider() -> ScriptedProvider:
    return ScriptedProvider(offer=offering(look_every_s=0.0))


@pytest.fixture
def farm(tmp_path: Path, provider: ScriptedProvider) -> ServedFarm:
    source = Source(name="mesh", provider=provider, callback=TOKEN)
    return ServedFarm(tmp_path, sources=Sources([source]), policy=Policy(approve_generations=True))


@pytest.fixture
async def session(farm: ServedFarm) -> AsyncIterator[aiohttp.ClientSession]:
    async with served(farm) as session:
        yield session


async def ask(
    session: aiohttp.ClientSession, method: str, path: str, key: str = "", **said: Any
) -> Any:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    async with session.request(
        method, f"/api/v1/{path}", json=said or None, headers=headers
    ) as response:
        document = await response.json()
        if response.status >= 300:
            return response.status, document["code"]
        return document


async def key_of(farm: ServedFarm, name: str, role: Role) -> str:
    await users.add_user(farm.gate, name, role, "user:admin", password="correct horse battery")
    _, _, shown = await users.create_key(farm.farm, ROOT, "test", of=name)
    return shown


async def test_a_generation_is_asked_for_worked_on_and_shown(
    farm: ServedFarm, session: aiohttp.ClientSession
) -> None:
    printing = {"copies": 2, "material": "PETG"}
    made = await ask(session, "POST", "generations", **HOOK, print=printing, seed=5)
    assert (made["state"], made["kind"], made["name"]) == ("wanted", "text", HOOK["prompt"])
    assert made["print"]["copies"] == 2
    await worked(Producer(farm.farm, "w-1"))
    done = await ask(session, "GET", f"generations/{made['id']}")
    assert (done["state"], done["task_id"]) == ("done", "task-1")
    [cost] = done["costs"]
    assert (cost["unit"], cost["reserved"], cost["charged"]) == ("USD", "0.25", "0.25")
    [version] = done["made"]
    shown = await ask(session, "GET", version["url"].removeprefix("/api/v1/"))
    assert shown["origin"]["generation_id"] == made["id"]
    job = await ask(session, "GET", f"jobs/{done['job_id']}")
    assert (job["copies"], job["material"]) == (2, "PETG")
    listed = await ask(session, "GET", "generations?state=done&provider=mesh")
    assert [each["id"] for each in listed["items"]] == [made["id"]]


async def test_the_same_key_makes_one_generation(session: aiohttp.ClientSession) -> None:
    ids = set()
    for _ in range(2):
        headers = {"Idempotency-Key": "k-1"}
        async with session.post("/api/v1/generations", json=HOOK, headers=headers) as response:
            assert response.status == 201
            ids.add((await response.json())["id"])
    assert len(ids) == 1


@pytest.mark.parametrize(
    ("data", "media_type"), [(PNG, "image/png"), (b"RIFF\x04\0\0\0WEBP", "image/webp")]
)
async def test_a_picture_is_brought_first_and_then_named(
    session: aiohttp.ClientSession,
    farm: ServedFarm,
    provider: ScriptedProvider,
    data: bytes,
    media_type: str,
) -> None:
    form = aiohttp.FormData()
    form.add_field("file", data, filename="x.exe")
    async with session.post("/api/v1/generation-pictures", data=form) as response:
        assert response.status == 201
        picture = await response.json()
    assert (picture["media_type"], picture["size_bytes"]) == (media_type, len(data))
    made = await ask(session, "POST", "generations", pictures=[picture["sha256"]])
    assert made["kind"] == "image"
    await worked(Producer(farm.farm, "w-1"))
    assert provider.wishes[0].pictures[0].data == data


async def test_what_is_no_picture_is_refused(session: aiohttp.ClientSession) -> None:
    form = aiohttp.FormData()
    form.add_field("file", b"<svg>", filename="x.png")
    async with session.post("/api/v1/generation-pictures", data=form) as response:
        assert (response.status, (await response.json())["code"]) == (422, "not_a_picture")
    assert await ask(session, "POST", "generations", pictures=["0" * 64]) == (422, "not_a_picture")


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"prompt": "x", "provider": "other"}, (404, "unknown_provider")),
        ({"provider": "mesh"}, (422, "wish_not_met")),
        ({"mesh_sha256": "0" * 64}, (422, "wish_not_met")),
        ({"prompt": "x", "model_id": "model-9"}, (404, "unknown_model")),
        ({"prompt": "x", "project_id": "p-9"}, (404, "unknown_project")),
        ({"prompt": "x", "print": {"copies": 5000}}, (422, "copies_out_of_range")),
        ({"prompt": "x", "size": 60}, (422, "invalid_fields")),
        ({"prompt": "x", "size_mm": "60"}, (422, "invalid_fields")),
    ],
)
async def test_what_makes_no_sense_is_refused(
    session: aiohttp.ClientSession, said: dict[str, Any], expected: tuple[int, str]
) -> None:
    assert await ask(session, "POST", "generations", **said) == expected


async def test_each_sees_and_ends_only_their_own_but_for_operators(
    farm: ServedFarm, session: aiohttp.ClientSession
) -> None:
    anna = await key_of(farm, "anna", Role.SUBMITTER)
    bob = await key_of(farm, "bob", Role.SUBMITTER)
    boss = await key_of(farm, "boss", Role.OPERATOR)
    viewer = await key_of(farm, "viewer", Role.VIEWER)
    made = await ask(session, "POST", "generations", anna, **HOOK)
    assert (made["owner"], made["approved"]) == ("user:anna", False)
    path = f"generations/{made['id']}"
    assert await ask(session, "GET", path, bob) == (404, "unknown_generation")
    assert (await ask(session, "GET", "generations", bob))["items"] == []
    assert await ask(session, "POST", f"{path}/cancel", bob) == (403, "not_your_generation")
    assert await ask(session, "POST", "generations", viewer, **HOOK) == (403, "not_permitted")
    await worked(Producer(farm.farm, "w-1"))
    assert (await ask(session, "GET", path, boss))["state"] == "awaiting_approval"
    assert await ask(session, "POST", f"{path}/approve", anna) == (403, "not_permitted")
    assert (await ask(session, "POST", f"{path}/approve", boss))["state"] == "done"
    assert await ask(session, "POST", f"{path}/reject", boss, reason="x") == (
        409,
        "generation_not_waiting",
    )
    assert await ask(session, "POST", f"{path}/cancel", anna) == (409, "generation_ended")


async def test_a_conversation_goes_on_with_the_same_model(
    farm: ServedFarm, session: aiohttp.ClientSession
) -> None:
    made = await ask(session, "POST", "generations", **HOOK)
    path = f"generations/{made['id']}/messages"
    assert await ask(session, "POST", path, prompt="rounder") == (409, "generation_open")
    await worked(Producer(farm.farm, "w-1"))
    more = await ask(session, "POST", path, prompt="rounder")
    assert more["continues"] == made["id"]
    await worked(Producer(farm.farm, "w-1"))
    [version] = (await ask(session, "GET", f"generations/{more['id']}"))["made"]
    assert version["version"] == 2


async def test_a_lost_answer_is_settled(
    farm: ServedFarm, session: aiohttp.ClientSession, provider: ScriptedProvider
) -> None:
    provider.after = [ProviderFault(Blame.SUBMIT_UNSURE, "reset", "the connection broke")]
    made = await ask(session, "POST", "generations", **HOOK)
    await worked(Producer(farm.farm, "w-1"))
    path = f"generations/{made['id']}"
    unsure = await ask(session, "GET", path)
    assert (unsure["state"], unsure["trouble"]["blame"]) == ("unsure", "submit_unsure")
    assert unsure["costs"][0]["charged"] is None
    settle = f"{path}/settle"
    assert await ask(session, "POST", settle, outcome="happened") == (422, "task_id_needed")
    found = await ask(session, "POST", settle, outcome="happened", task_id="task-1")
    assert found["state"] == "running"
    assert await ask(session, "POST", settle, outcome="never") == (409, "generation_not_unsure")


async def test_too_many_requests_that_may_cost_are_refused(
    farm: ServedFarm, session: aiohttp.ClientSession
) -> None:
    anna = await key_of(farm, "anna", Role.SUBMITTER)
    answers = [await ask(session, "POST", "generations", anna, **HOOK) for _ in range(31)]
    assert answers[-1] == (429, "too_many_requests")
    assert all(isinstance(each, dict) for each in answers[:-1])


async def test_providers_tell_what_they_take_and_what_was_spent(
    farm: ServedFarm, session: aiohttp.ClientSession
) -> None:
    anna = await key_of(farm, "anna", Role.SUBMITTER)
    await ask(session, "POST", "generations", **HOOK)
    await worked(Producer(farm.farm, "w-1"))
    [shown] = (await ask(session, "GET", "providers"))["items"]
    assert (shown["name"], shown["running"], shown["spent_today"]) == ("mesh", 0, {"USD": "0.25"})
    assert shown["calls"] == {"submit": "closed", "read": "closed", "download": "closed"}
    assert shown["webhook_path"].endswith(TOKEN)
    assert (await ask(session, "GET", "providers/mesh", anna))["webhook_path"] == ""
    assert await ask(session, "GET", "providers/mesh/health") == {
        "ready": True,
        "words": "",
        "balance": "9 USD",
    }
    assert await ask(session, "GET", "providers/other") == (404, "unknown_provider")


async def test_a_webhook_needs_its_address_and_its_signature_and_is_only_a_hint(
    farm: ServedFarm, session: aiohttp.ClientSession, provider: ScriptedProvider
) -> None:
    async def deliver(token: str, secret: str) -> Any:
        async with session.post(
            f"/api/v1/provider-webhooks/mesh/{token}",
            data="task-1 task-unknown",
            headers={"X-Secret": secret, "Authorization": ""},
        ) as response:
            document = await response.json()
            return document.get("code", document)

    with capture_logs() as logged:
        assert await deliver("wrong", "right") == "unknown_provider"
        assert await deliver(TOKEN, "wrong") == "webhook_unsigned"
        assert await deliver(TOKEN, "right") == {"hints": 2}
    assert TOKEN not in str(logged)


async def test_who_looks_on_sees_it_come_go_on_and_end(
    farm: ServedFarm, session: aiohttp.ClientSession, provider: ScriptedProvider
) -> None:
    provider.told = (0.25, "drawing")
    provider.gate = asyncio.Event()
    async with session.ws_connect("/api/v1/live") as socket:
        assert (await socket.receive_json(timeout=10))["generations"] == []
        its_id = (await ask(session, "POST", "generations", **HOOK))["id"]
        shown: dict[str, Any] = {}
        working = asyncio.create_task(worked(Producer(farm.farm, "w-1")))
        seen = []
        while shown.get("state") != "done":
            said = await socket.receive_json(timeout=10)
            shown |= said.get("generations", {}).get(its_id, {})
            seen.append((shown.get("progress"), shown.get("stage")))
            if seen[-1] == (0.25, "drawing"):
                provider.gate.set()
        await working
    assert (0.25, "drawing") in seen
    assert shown["model_id"].startswith("model-")
