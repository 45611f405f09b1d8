"""What people and programs outside are told of generations."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from coordinator.domain.generations import Printing
from coordinator.domain.ledger import Budget
from coordinator.domain.messages import type_of
from coordinator.domain.notices import Pace
from coordinator.domain.policy import Policy
from coordinator.domain.providing import Blame, Kind, ProviderFault
from coordinator.domain.webhooks import Endpoint
from coordinator.usecases import generating
from coordinator.usecases.generating import Settlement
from coordinator.usecases.noticing import Herald
from coordinator.usecases.outgoing import next_message
from tests.coordinator.usecases.generation_bench import Bench
from tests.fakes.fake_people import FakePeople
from tests.fakes.scripted_provider import ScriptedProvider

ENDPOINT = Endpoint(
    endpoint_id="w-1",
    url="https://one.test/",
    secret="s",
    created_at=datetime(2030, 1, 1, tzinfo=UTC),
)
LOST = ProviderFault(Blame.SUBMIT_UNSURE, "reset", "the connection broke")


async def notices_of(bench: Bench) -> tuple[Herald, FakePeople]:
    people = FakePeople()
    herald = Herald(bench.farm, people, Pace(gather_s=0.0), ("*",))
    await herald.look()
    return herald, people


async def told(herald: Herald, people: FakePeople) -> list[str]:
    await herald.look()
    lines = [line for notice in people.sent for line in notice.text.splitlines()]
    people.sent.clear()
    return [line.partition("UTC  ")[2] for line in lines]


async def types_told(bench: Bench, generation_id: str) -> list[str]:
    async with bench.farm.store.read() as unit:
        lines = await unit.events(after=0, limit=99)
    about = [each for each in lines if each.subject_id == generation_id]
    return [its_type for line in about if (its_type := type_of(line))]


async def test_what_waits_for_approval_is_told_until_somebody_approved_it(tmp_path: Path) -> None:
    policy = Policy(approve_generations=True)
    bench = Bench(tmp_path, ScriptedProvider(), policy=policy)
    herald, people = await notices_of(bench)
    first, second = [await bench.want(printing=Printing()) for _ in range(2)]
    await bench.work(60)
    await generating.approve(bench.farm, first, "user:boss")
    await bench.work(5)
    [words] = await told(herald, people)
    assert words == f"a hook ({second}): approve or reject what mesh made"
    assert await types_told(bench, first) == ["generation.awaiting_approval", "generation.finished"]


async def test_a_lost_paid_call_is_told_to_who_can_settle_it(tmp_path: Path) -> None:
    bench = Bench(tmp_path, ScriptedProvider(after=[LOST, LOST]))
    herald, people = await notices_of(bench)
    lost = await bench.want()
    await bench.work(5)
    [words] = await told(herald, people)
    assert words.startswith(f"a hook ({lost}): look at mesh and settle whether it was made")
    settled = await bench.want()
    await bench.work(5)
    await generating.settle(bench.farm, settled, Settlement.GIVE_UP, "user:boss")
    assert await told(herald, people) == []
    assert await types_told(bench, settled) == ["generation.unsure", "generation.failed"]


async def test_a_budget_that_is_reached_is_told_and_other_failures_are_not(tmp_path: Path) -> None:
    provider = ScriptedProvider(before=[ProviderFault(Blame.CONTENT_BLOCKED, "blocked", "no")])
    bench = Bench(tmp_path, provider, budget=Budget(day=Decimal("0.30")))
    herald, people = await notices_of(bench)
    for _ in range(3):  # one is refused there, one is paid for, and one is too much
        await bench.want()
        await bench.work(60)
    [words] = await told(herald, people)
    assert "was not asked of mesh: 0.3 USD may be spent on this provider in a day" in words


async def test_a_message_names_the_generation_and_what_came_of_it(tmp_path: Path) -> None:
    bench = Bench(tmp_path, ScriptedProvider())
    its_id = await bench.want(kind=Kind.TEXT)
    await bench.work(60)
    made = await bench.show(its_id)
    endpoint = replace(ENDPOINT, types=("generation.finished",))
    async with bench.farm.store.read() as unit:
        message, _ = await next_message(unit, endpoint, 0)
    assert message is not None
    for words in (its_id, "a hook", made.versions[0][0], "mesh", "user:anna"):
        assert f'"{words}"'.encode() in message.body


@pytest.mark.parametrize("pattern", ["generation.*", "generation.failed"])
async def test_a_request_that_failed_is_a_message_with_its_code(
    tmp_path: Path, pattern: str
) -> None:
    blocked = ProviderFault(Blame.CONTENT_BLOCKED, "blocked", "not wanted there")
    bench = Bench(tmp_path, ScriptedProvider(before=[blocked]))
    await bench.want()
    await bench.work(5)
    async with bench.farm.store.read() as unit:
        message, _ = await next_message(unit, replace(ENDPOINT, types=(pattern,)), 0)
    assert message is not None
    assert message.type == "generation.failed"
    assert b'"code":"blocked"' in message.body


async def test_a_provider_without_credit_is_told_once_until_it_is_mended(tmp_path: Path) -> None:
    unpaid = ProviderFault(Blame.QUOTA, "http_402", "no credit is left: add some")
    bench = Bench(tmp_path, ScriptedProvider(before=[unpaid], ready=False))
    herald, people = await notices_of(bench)
    waiting = [await bench.want() for _ in range(3)]
    await bench.work(5)
    assert await told(herald, people) == ["mesh: requests wait: no credit is left: add some"]
    assert "generation.held_up" in await types_told(bench, waiting[0])
    bench.provider.ready = True
    await bench.work(3600)
    assert await told(herald, people) == []
