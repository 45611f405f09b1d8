"""Endpoints as people change them: sent back, archived behind, refused, removed."""

import asyncio
import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from coordinator.domain.messages import TYPES
from coordinator.errors import NotFound, NotNow, Refused
from coordinator.ports_outward import Answer, Question
from coordinator.usecases import delivering, sealing, webhooks
from coordinator.usecases.farm import Farm
from coordinator.usecases.webhooks import Wish
from tests.fakes.fake_farm import new_farm
from tests.fakes.fake_outside import FakeOutside, takes
from tests.fakes.webhook_story import carry, courier, happens, hook, ids, stored, turns


@pytest.fixture
def outside() -> FakeOutside:
    return FakeOutside()


@pytest.fixture
def farm(tmp_path: Path, outside: FakeOutside) -> Farm:
    return new_farm(tmp_path, outside=outside)


async def test_a_replay_says_again_what_follows_a_line(farm: Farm, outside: FakeOutside) -> None:
    endpoint = await hook(farm)
    await happens(farm, "job.received", "job.ready", "job.finished")
    await carry(farm)
    first = outside.said()[0]["data"]["number"]
    before = [each.headers["webhook-id"] for each in outside.asked]
    await webhooks.replay(farm, endpoint.endpoint_id, "user:anna", "request r2", after=first)
    await carry(farm)
    assert ids(outside) == ["job-0", "job-1", "job-2", "job-1", "job-2"]
    again = [each.headers["webhook-id"] for each in outside.asked[3:]]
    assert again == before[1:], "who receives knows them by their ids"


async def test_a_replay_during_a_delivery_is_not_lost(farm: Farm, outside: FakeOutside) -> None:
    endpoint = await hook(farm)
    await happens(farm, "job.received", "job.ready")
    asked = asyncio.Event()

    async def answer(question: Question) -> Answer:
        if len(outside.asked) == 2:
            await asked.wait()
        return await takes(question)

    outside.answer = answer
    async with courier(farm) as carrier:
        await carrier.look()
        await turns()
        start = endpoint.cursor
        await webhooks.replay(farm, endpoint.endpoint_id, "user:anna", "r", after=start)
        asked.set()
        await turns()
        await carrier.look()
        await turns()
    assert ids(outside) == ["job-0", "job-1", "job-0", "job-1"]


async def test_lines_that_are_not_there_can_not_be_replayed(farm: Farm) -> None:
    endpoint = await hook(farm)
    with pytest.raises(Refused, match="no event 10000"):
        await webhooks.replay(farm, endpoint.endpoint_id, "user:anna", "r", after=10_000)
    with pytest.raises(NotFound):
        await webhooks.replay(farm, "webhook-nobody", "user:anna", "r", after=0)


async def test_what_an_endpoint_was_not_told_yet_is_not_archived(
    farm: Farm, outside: FakeOutside
) -> None:
    endpoint = await hook(farm, types=["job.failed"])
    await happens(farm, "job.received", "job.failed", "job.ready")
    upto = (await webhooks.view(farm, endpoint.endpoint_id)).behind + endpoint.cursor
    digest = await _archive(farm, upto)
    with pytest.raises(NotNow, match="was not told of event"):
        await sealing.seal(farm, upto=upto, archive_sha256=digest, actor="user:anna")
    await carry(farm)
    await sealing.seal(farm, upto=upto, archive_sha256=digest, actor="user:anna")
    assert (await stored(farm, endpoint)).cursor == upto
    with pytest.raises(NotNow, match="archive"):
        await webhooks.replay(farm, endpoint.endpoint_id, "user:anna", "r", after=0)
    await happens(farm, "job.failed")
    await carry(farm)
    assert len(outside.asked) == 2


async def _archive(farm: Farm, upto: int) -> str:
    hashed = hashlib.sha256()
    async for part in sealing.archive(farm, upto):
        hashed.update(part)
    return hashed.hexdigest()


async def test_many_lines_that_nobody_wants_are_passed_with_few_commits(
    farm: Farm, outside: FakeOutside
) -> None:
    endpoint = await hook(farm, types=["job.failed"])
    await happens(farm, *["job.ready"] * (delivering.UNWANTED_LINES_MAX + 300))
    async with courier(farm) as carrier:
        await carrier.look()
        await turns()
        assert (await stored(farm, endpoint)).cursor > endpoint.cursor
        await happens(farm, "job.failed")
        await carrier.look()
        await turns()
    assert len(outside.asked) == 1


async def test_a_removed_endpoint_is_told_nothing(farm: Farm, outside: FakeOutside) -> None:
    endpoint = await hook(farm)
    await happens(farm, "job.ready")
    await webhooks.remove(farm, endpoint.endpoint_id, "user:anna", "request r2")
    await carry(farm)
    assert not outside.asked


@pytest.mark.parametrize(
    ("wish", "code"),
    [
        ({"url": "ftp://x"}, "address_not_allowed"),
        ({"types": []}, "types_out_of_range"),
        ({"types": ["job.flies"]}, "unknown_type"),
        ({"types": list(TYPES)}, "types_out_of_range"),
        ({"description": "x" * 201}, "description_too_long"),
        ({"after": 10_000}, "no_such_event"),
    ],
)
async def test_what_can_not_be_wanted_is_refused(farm: Farm, wish: Any, code: str) -> None:
    with pytest.raises(Refused) as caught:
        await webhooks.create(farm, replace(Wish(url="https://x.test/"), **wish), "user:anna", "r")
    assert caught.value.code == code


async def test_changes_are_lines_of_history_without_secrets_or_addresses(farm: Farm) -> None:
    endpoint = await hook(farm, "https://one.test/?key=word")
    await webhooks.rotate(farm, endpoint.endpoint_id, "user:anna", "request r2")
    await webhooks.remove(farm, endpoint.endpoint_id, "user:anna", "request r3")
    async with farm.store.read() as unit:
        lines = await unit.history("webhook", endpoint.endpoint_id)
    assert [line.name for line in lines] == [
        "webhook.created",
        "webhook.rotated",
        "webhook.removed",
    ]
    assert {line.actor for line in lines} == {"user:anna"}
    assert not any(word in str(lines) for word in ("whsec_", "one.test", "word"))
