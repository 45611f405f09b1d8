"""What is asked of generations beside making them, over HTTP."""

from collections.abc import AsyncIterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import aiohttp
import pytest

from coordinator.domain.access import Role
from coordinator.domain.ledger import Budget
from coordinator.domain.providing import Blame, Piece, ProviderFault
from coordinator.usecases.producing import Producer
from coordinator.usecases.sources import Source, Sources
from tests.coordinator.api.test_api_generations import HOOK, ask, key_of
from tests.coordinator.usecases.generation_bench import worked
from tests.coordinator.usecases.test_variants import CODED, parts
from tests.fakes.scripted_provider import DONE, MESH, ScriptedProvider, offering
from tests.fakes.served_farm import ServedFarm, served


@pytest.fixture
def provider() -> ScriptedProvider:
    return ScriptedProvider(offer=offering(look_every_s=0.0), at_once=True, done=CODED)


@pytest.fixture
def farm(tmp_path: Path, provider: ScriptedProvider) -> ServedFarm:
    budget = Budget(day=Decimal("0.40"))
    source = Source(name="mesh", provider=provider, budget=budget, callback="t")
    return ServedFarm(tmp_path, sources=Sources([source]))


@pytest.fixture
async def session(farm: ServedFarm) -> AsyncIterator[aiohttp.ClientSession]:
    async with served(farm) as session:
        yield session


async def test_a_form_is_told_and_its_values_make_a_further_version(
    farm: ServedFarm, session: aiohttp.ClientSession, provider: ScriptedProvider
) -> None:
    provider.price = None
    made = await ask(session, "POST", "generations", **HOOK)
    path = f"generations/{made['id']}/again"
    assert await ask(session, "POST", path, parameters={"width": 30}) == (409, "generation_open")
    await worked(Producer(farm.farm, "w-1"))
    done = await ask(session, "GET", f"generations/{made['id']}")
    [field] = done["form"]
    assert (field["name"], field["type"], field["default"]) == ("width", "number", 40.0)
    assert (field["minimum"], field["maximum"], field["choices"]) == (10.0, None, [])
    wide = await ask(session, "POST", path, parameters={"width": 30}, print={"copies": 2})
    assert (wide["kind"], wide["parameters"]) == ("code", {"width": 30})
    await worked(Producer(farm.farm, "w-1"))
    shown = await ask(session, "GET", f"generations/{wide['id']}")
    [version] = shown["made"]
    assert (version["version"], version["name"]) == (2, HOOK["prompt"])
    assert version["pictures"]["model-64"].startswith("/api/v1/artifacts/")
    assert shown["job_ids"] == [shown["job_id"]] != [""]
    source = (await ask(session, "GET", version["url"].removeprefix("/api/v1/")))["source"]
    assert source["parameters"] == {"width": 30}


async def test_what_has_no_code_is_not_made_again(
    farm: ServedFarm, session: aiohttp.ClientSession, provider: ScriptedProvider
) -> None:
    mesh = Piece(role="mesh", name="m", suffix=".stl", data=MESH)
    provider.done = replace(DONE, pieces=(mesh,))
    made = await ask(session, "POST", "generations", **HOOK)
    await worked(Producer(farm.farm, "w-1"))
    path = f"generations/{made['id']}/again"
    assert await ask(session, "POST", path, parameters={}) == (422, "no_code")
    assert await ask(session, "POST", "generations/gen-0/again", parameters={}) == (
        404,
        "unknown_generation",
    )


async def test_an_estimate_tells_what_it_would_cost_and_makes_nothing(
    farm: ServedFarm, session: aiohttp.ClientSession, provider: ScriptedProvider
) -> None:
    found = await ask(session, "POST", "generations/estimate", **HOOK)
    assert (found["amount"], found["unit"], found["objection"]) == ("0.25", "USD", "")
    assert (found["provider"], found["like"]) == ("mesh", None)
    words = "may be spent on this provider in a day"
    assert found["limits"] == [{"words": words, "most": "0.4", "spent": "0"}]
    assert (await ask(session, "GET", "generations"))["items"] == []
    made = await ask(session, "POST", "generations", **HOOK)
    await worked(Producer(farm.farm, "w-1"))
    found = await ask(session, "POST", "generations/estimate", **HOOK)
    assert found["like"] == made["id"]
    assert found["objection"].startswith("0.4 USD may be spent")
    bob = await key_of(farm, "bob", Role.SUBMITTER)
    assert (await ask(session, "POST", "generations/estimate", bob, **HOOK))["like"] is None
    assert await ask(session, "POST", "generations/estimate", provider="mesh") == (
        422,
        "wish_not_met",
    )
    provider.price = None
    assert (await ask(session, "POST", "generations/estimate", **HOOK))["amount"] is None


async def test_a_provider_that_does_not_tell_its_price_is_said_so(
    session: aiohttp.ClientSession, provider: ScriptedProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def silent(_: object) -> None:
        raise ProviderFault(Blame.RETRY_SAFE, "silent", "it says nothing")

    monkeypatch.setattr(provider, "estimate", silent)
    assert await ask(session, "POST", "generations/estimate", **HOOK) == (503, "no_estimate")


async def test_a_gallery_is_narrowed_to_ones_own_and_to_words(
    farm: ServedFarm, session: aiohttp.ClientSession, provider: ScriptedProvider
) -> None:
    provider.price = None
    boss = await key_of(farm, "boss", Role.OPERATOR)
    link = "https://models.test/box.zip"
    await ask(session, "POST", "generations", **HOOK)
    await ask(session, "POST", "generations", boss, **{**HOOK, "prompt": "a CLIP"})
    await worked(Producer(farm.farm, "w-1"))
    provider.done, provider.at_once = parts("lid", "hinge"), False
    await ask(session, "POST", "generations", boss, url=link)
    await worked(Producer(farm.farm, "w-1"))

    async def found(query: str, key: str = boss) -> list[str]:
        listed = (await ask(session, "GET", f"generations?{query}", key))["items"]
        return [each["prompt"] or each["url"] for each in listed]

    assert await found("") == [link, "a CLIP", HOOK["prompt"]]
    assert await found("mine=true") == [link, "a CLIP"]
    assert await found("mine=true", "") == [HOOK["prompt"]]
    assert await found("text=clip") == ["a CLIP"]
    assert await found("text=BOX.zip&mine=true") == [link]
    [both] = (await ask(session, "GET", "generations?text=box", boss))["items"]
    assert [each["name"] for each in both["made"]] == ["Box, lid", "Box, hinge"]
    second = both["made"][1]["model_id"]
    assert await found(f"model_id={second}") == [link]
