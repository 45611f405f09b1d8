"""Messages to endpoints: all of them, in order, whatever an endpoint does."""

import asyncio
import random
from pathlib import Path

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from coordinator.domain.webhooks import DELAYS_S, DeliveryState
from coordinator.errors import Unavailable
from coordinator.ports_outward import Answer, Question
from coordinator.usecases import controlling, webhooks
from coordinator.usecases.absorbing import absorb
from coordinator.usecases.farm import Farm
from coordinator.usecases.webhooks import Wish
from protocols.wire.vocabulary import EventKind, RunPhase
from tests.fakes.fake_farm import new_farm, order_gcode
from tests.fakes.fake_outside import FakeOutside, answers, takes
from tests.fakes.story import arm, connect, end, say, start, work
from tests.fakes.webhook_story import carry, clock, courier, happens, hook, ids, stored, turns

HOUR_S = 3600.0


@pytest.fixture
def outside() -> FakeOutside:
    return FakeOutside()


@pytest.fixture
def farm(tmp_path: Path, outside: FakeOutside) -> Farm:
    return new_farm(tmp_path, outside=outside)


async def test_a_prints_life_is_told_in_order_and_signed(farm: Farm, outside: FakeOutside) -> None:
    agent = await connect(farm, "a")
    endpoint = await hook(farm, types=["job.*", "printer.*", "run.*"])
    job = await order_gcode(farm, name="bracket")
    await work(farm, agent)
    await start(farm, agent)
    await end(farm, agent)
    await controlling.clear_printer(farm, agent.printer_id, "user:anna", "request r2")
    await carry(farm)
    said = outside.said()
    assert [each["type"] for each in said] == [
        "job.received",
        "job.ready",
        "job.leased",
        "run.printing",
        "job.printing",
        "run.finished",
        "printer.needs_clearing",
        "job.finished",
        "printer.cleared",
    ]
    finished = said[5]["data"]
    assert finished["job_id"] == job.job_id
    assert finished["job_name"] == "bracket"
    assert finished["printer_id"] == agent.printer_id
    assert finished["changes"]["state"] == "finished"
    assert "nonce" not in str(said)
    for question in outside.asked:
        # The library looks at the clock itself.
        with pytest.raises(WebhookVerificationError, match=r"too (new|old)"):
            Webhook(endpoint.secret).verify(question.body, dict(question.headers))
    assert len({question.headers["webhook-id"] for question in outside.asked}) == 9


async def test_a_bed_that_a_print_occupies_is_no_work_for_a_person_before_it_ends(
    farm: Farm, outside: FakeOutside
) -> None:
    """The report that something came onto it may be heard before the event that it began."""
    agent = await connect(farm, "a")
    await hook(farm, types=["printer.needs_clearing", "run.*"])
    await order_gcode(farm)
    await work(farm, agent)
    await arm(farm, agent, "n1")
    await work(farm, agent)
    assert agent.run is not None
    agent.run.phase, agent.printing = RunPhase.PRINTING, agent.run.run_id
    agent.occupation += 1
    agent.note(EventKind.STARTED)
    await absorb(farm, agent.reported())
    await say(farm, agent)
    await end(farm, agent)
    await carry(farm)
    types = [each["type"] for each in outside.said()]
    assert types == ["run.printing", "run.finished", "printer.needs_clearing"]


async def test_a_failed_and_a_paused_print_are_told(farm: Farm, outside: FakeOutside) -> None:
    agent = await connect(farm, "a")
    await hook(farm, types=["run.failed", "printer.needs_clearing", "job.failed"])
    await order_gcode(farm)
    await work(farm, agent)
    await start(farm, agent)
    await end(farm, agent, EventKind.FAILED)
    await carry(farm)
    types = [each["type"] for each in outside.said()]
    assert types == ["run.failed", "printer.needs_clearing"]


async def test_only_what_is_wanted_is_said_and_only_from_now_on(
    farm: Farm, outside: FakeOutside
) -> None:
    await happens(farm, "job.finished")
    endpoint = await hook(farm, types=["job.f*"])
    await happens(farm, "job.received", "job.finished", "plate.wanted", "job.failed")
    await carry(farm)
    assert [each["type"] for each in outside.said()] == ["job.finished", "job.failed"]
    assert (await stored(farm, endpoint)).failures == 0


async def test_what_fails_is_said_again_and_nothing_overtakes_it(
    farm: Farm, outside: FakeOutside
) -> None:
    endpoint = await hook(farm)
    await happens(farm, "job.received", "job.ready", "job.finished")
    outside.answer = answers(500)
    for _ in range(3):
        await carry(farm)
        await carry(farm)  # before it is due nothing happens
        clock(farm).advance(DELAYS_S[2] * 2)
    assert ids(outside) == ["job-0"] * 3
    assert len({each.headers["webhook-id"] for each in outside.asked}) == 1
    [failing] = await webhooks.deliveries(farm, endpoint.endpoint_id, 10)
    assert (failing.state, failing.attempts, failing.status) == (DeliveryState.FAILING, 3, 500)
    outside.answer = takes
    await carry(farm)
    assert ids(outside) == ["job-0"] * 4 + ["job-1", "job-2"]
    done = await webhooks.deliveries(farm, endpoint.endpoint_id, 10)
    assert {each.state for each in done} == {DeliveryState.DELIVERED}
    assert [each.attempts for each in done] == [1, 1, 4]


async def test_an_endpoint_that_hangs_holds_up_no_other(farm: Farm, outside: FakeOutside) -> None:
    await hook(farm, "https://hangs.test/")
    await hook(farm, "https://works.test/")
    hanging = asyncio.Event()

    async def answer(question: Question) -> Answer:
        if "hangs" in question.url:
            await hanging.wait()
        return await takes(question)

    outside.answer = answer
    async with courier(farm) as carrier:
        for number in range(5):
            await happens(farm, *(["job.ready"] * (number + 1)))
            await carrier.look()
            await turns()
        assert len(outside.said("https://works.test/")) == 15
        assert len(outside.said("https://hangs.test/")) == 1, "one at a time"
        hanging.set()
        await turns()
        assert len(outside.said("https://hangs.test/")) == 15


async def test_what_was_under_way_at_a_kill_is_said_once_more_and_nothing_is_skipped(
    farm: Farm, outside: FakeOutside
) -> None:
    await hook(farm)
    await happens(farm, *["job.ready"] * 5)
    arrived = list[int]()

    async def answer(question: Question) -> Answer:
        arrived.append(outside.said()[-1]["data"]["number"])
        if len(arrived) % 2:
            return await takes(question)
        await asyncio.Event().wait()  # it arrived, but nobody hears the answer
        raise AssertionError("it waits for ever")

    outside.answer = answer
    for _ in range(10):
        await carry(farm)
    told = list(dict.fromkeys(arrived))
    assert told == list(range(told[0], told[0] + 5))
    assert arrived == sorted(arrived)
    assert len(arrived) > 5


async def test_410_disables_and_the_history_and_others_are_told(
    farm: Farm, outside: FakeOutside
) -> None:
    gone = await hook(farm, "https://gone.test/", types=["job.*"])
    await hook(farm, "https://other.test/", types=["webhook.*"])

    async def answer(question: Question) -> Answer:
        return await answers(410)(question) if "gone" in question.url else await takes(question)

    outside.answer = answer
    await happens(farm, "job.ready")
    await carry(farm)
    await carry(farm)
    known = await stored(farm, gone)
    assert not known.enabled
    assert "410" in known.disabled_reason
    [said] = outside.said("https://other.test/")
    assert (said["type"], said["data"]["id"]) == ("webhook.disabled", gone.endpoint_id)
    assert "gone.test" not in str(said), "an address may hold a secret"
    clock(farm).advance(HOUR_S)
    await carry(farm)
    assert len(outside.said("https://gone.test/")) == 1
    # Enabled again it goes on where it was: the line that it refused comes first.
    outside.answer = takes
    await webhooks.change(farm, gone.endpoint_id, Wish(enabled=True), "user:anna", "request r2")
    await carry(farm)
    assert ids(outside, "https://gone.test/") == ["job-0", "job-0"]


async def test_who_fails_for_days_is_disabled_and_loses_nothing(
    farm: Farm, outside: FakeOutside
) -> None:
    endpoint = await hook(farm, types=["job.*"])
    await happens(farm, "job.ready")
    outside.answer = answers(503)
    for _ in range(5 * 24):
        await carry(farm)
        clock(farm).advance(HOUR_S * 1.2)
    known = await stored(farm, endpoint)
    assert not known.enabled
    assert known.cursor == endpoint.cursor
    assert len(outside.asked) < 120


async def test_an_answer_may_put_us_off(farm: Farm, outside: FakeOutside) -> None:
    await hook(farm)
    await happens(farm, "job.ready")
    outside.answer = answers(429, retry_after="600")
    await carry(farm)
    clock(farm).advance(500)
    await carry(farm)
    assert len(outside.asked) == 1
    clock(farm).advance(101)
    await carry(farm)
    assert len(outside.asked) == 2


async def test_no_answer_is_a_failure_with_its_reason(farm: Farm, outside: FakeOutside) -> None:
    async def nobody(question: Question) -> Answer:
        raise Unavailable("no_answer", "it hung up without an answer")

    outside.answer = nobody
    endpoint = await hook(farm)
    await happens(farm, "job.ready")
    await carry(farm)
    [failing] = await webhooks.deliveries(farm, endpoint.endpoint_id, 10)
    assert (failing.status, failing.words) == (None, "it hung up without an answer")


async def test_a_test_that_is_taken_ends_the_waiting(farm: Farm, outside: FakeOutside) -> None:
    endpoint = await hook(farm)
    await happens(farm, "job.ready")
    outside.answer = answers(500)
    await carry(farm)
    assert not (await webhooks.send_test(farm, endpoint.endpoint_id)).taken
    outside.answer = takes
    assert (await webhooks.send_test(farm, endpoint.endpoint_id)).taken
    await carry(farm)
    assert [each["type"] for each in outside.said()] == [
        "job.ready",
        "webhook.test",
        "webhook.test",
        "job.ready",
    ]


@pytest.mark.parametrize("seed", range(8))
async def test_whatever_happens_every_line_arrives_and_none_overtakes_another(
    farm: Farm, outside: FakeOutside, seed: int
) -> None:
    """Kills, failures, silence and waits in any order, for two endpoints with other wishes."""
    chance = random.Random(seed)
    every = await hook(farm, "https://every.test/")
    some = await hook(farm, "https://some.test/", types=["job.finished"])

    taken: dict[str, list[int]] = {every.url: [], some.url: []}

    async def take(question: Question) -> Answer:
        taken[question.url].append(outside.said(question.url)[-1]["data"]["number"])
        return await takes(question)

    async def answer(question: Question) -> Answer:
        match chance.randrange(4):
            case 0:
                return await answers(chance.choice([302, 404, 429, 500]))(question)
            case 1:
                raise Unavailable("no_answer", "it hung up")
            case 2:
                await asyncio.Event().wait()  # until it is killed
        return await take(question)

    outside.answer = answer
    for _ in range(40):
        names = ["job.ready", "job.finished", "plate.wanted"]
        await happens(farm, *chance.choices(names, k=chance.randrange(4)))
        await carry(farm)
        clock(farm).advance(chance.choice([0.0, 1.0, HOUR_S * 1.2]))
    outside.answer = take
    clock(farm).advance(HOUR_S * 1.2)
    await carry(farm)
    async with farm.store.read() as unit:
        lines = await unit.events(limit=1000, after=every.cursor)
    for endpoint, types in ((every, ("job.ready", "job.finished")), (some, ("job.finished",))):
        wanted = [
            line.number for line in lines if line.name in types and line.number > endpoint.cursor
        ]
        arrived = [said["data"]["number"] for said in outside.said(endpoint.url)]
        assert taken[endpoint.url] == wanted, f"seed {seed}"
        assert list(dict.fromkeys(arrived)) == wanted, f"seed {seed}"
        assert arrived == sorted(arrived), f"seed {seed}"
        assert (await stored(farm, endpoint)).enabled
