"""What is paid: once, within what may be spent, and never on a guess."""

import asyncio
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from coordinator.domain.generations import GenerationState
from coordinator.domain.ledger import Budget, Purse
from coordinator.domain.providing import (
    Again,
    Blame,
    Look,
    Phase,
    ProviderFault,
)
from coordinator.errors import NotNow, Refused
from coordinator.usecases import generating
from coordinator.usecases.generating import Settlement
from tests.coordinator.usecases.generation_bench import Bench
from tests.fakes.scripted_provider import DONE, PRICE, RUNNING, ScriptedProvider, offering

S = GenerationState
HALF_HOUR_S = 1800.0


def fault(blame: Blame, code: str = "code", after_s: float | None = None) -> ProviderFault:
    return ProviderFault(blame, code, "words", after_s=after_s)


@pytest.mark.parametrize("made_it", [True, False])
async def test_a_lost_answer_is_put_to_a_person_and_never_sent_again(
    tmp_path: Path, made_it: bool
) -> None:
    lost = [fault(Blame.SUBMIT_UNSURE)]
    provider = ScriptedProvider(after=lost) if made_it else ScriptedProvider(before=lost)
    bench = Bench(tmp_path, provider)
    its_id = await bench.want()
    await bench.work(HALF_HOUR_S)
    unsure = await bench.show(its_id)
    assert (unsure.state, unsure.next_at) == (S.UNSURE, None)
    assert "person" in unsure.waits
    assert len(provider.service.calls) == 1
    assert bench.spent == "0.250000"  # nobody knows: it counts


async def test_a_person_settles_a_lost_answer_each_way(tmp_path: Path) -> None:
    for settlement, task_id, state, calls, spent in (
        (Settlement.HAPPENED, "task-1", S.DONE, 1, "0.250000"),
        (Settlement.NEVER, "", S.DONE, 2, "0.250000"),
        (Settlement.GIVE_UP, "", S.FAILED, 1, "0.250000"),
    ):
        bench = Bench(tmp_path, ScriptedProvider(after=[fault(Blame.SUBMIT_UNSURE)]))
        its_id = await bench.want()
        await bench.work(60)
        await generating.settle(bench.farm, its_id, settlement, "user:boss", task_id=task_id)
        await bench.work(60)
        assert (await bench.show(its_id)).state is state
        assert len(bench.provider.service.calls) == calls
        assert bench.spent == spent
        with pytest.raises(NotNow):
            await generating.settle(bench.farm, its_id, Settlement.NEVER, "user:boss")


async def test_a_task_that_is_another_generations_is_not_taken(tmp_path: Path) -> None:
    bench = Bench(tmp_path, ScriptedProvider())
    first = await bench.want()
    await bench.work(60)
    bench.provider.after = [fault(Blame.SUBMIT_UNSURE)]
    second = await bench.want()
    await bench.work(60)
    assert (await bench.show(first)).state is S.DONE
    with pytest.raises(Refused, match=first):
        await generating.settle(
            bench.farm, second, Settlement.HAPPENED, "user:boss", task_id="task-1"
        )


async def test_a_provider_that_lists_its_tasks_is_asked_for_the_lost_one(tmp_path: Path) -> None:
    offer = offering(again=Again.LISTED)
    for hides, state in ((False, S.DONE), (True, S.UNSURE)):
        lost = [fault(Blame.SUBMIT_UNSURE)]
        bench = Bench(tmp_path, ScriptedProvider(offer=offer, after=lost, hides=hides))
        its_id = await bench.want()
        await bench.work(HALF_HOUR_S)
        assert (await bench.show(its_id)).state is state
        assert len(bench.provider.service.calls) == 1
        assert bench.provider.service.till == PRICE


async def test_the_same_key_is_said_again_and_charged_once(tmp_path: Path) -> None:
    lost = [fault(Blame.SUBMIT_UNSURE), fault(Blame.PROTOCOL)]
    provider = ScriptedProvider(offer=offering(again=Again.SAME_KEY), after=lost)
    bench = Bench(tmp_path, provider)
    its_id = await bench.want()
    await bench.work(60)
    assert (await bench.show(its_id)).state is S.DONE
    assert len(provider.service.calls) == 3
    assert len(set(provider.service.calls)) == 1
    assert provider.service.till == PRICE
    assert bench.spent == "0.250000"


@pytest.mark.parametrize("blame", [Blame.WAIT_SLOT, Blame.RETRY_SAFE, Blame.QUOTA])
async def test_what_may_be_paid_stays_reserved_while_its_call_is_repeated(
    tmp_path: Path, blame: Blame
) -> None:
    lost = [fault(Blame.SUBMIT_UNSURE)]
    provider = ScriptedProvider(offer=offering(again=Again.SAME_KEY), after=lost)
    bench = Bench(tmp_path, provider, budget=Budget(day=PRICE))
    its_id = await bench.want()
    await bench.work_now()
    provider.before = [fault(blame)]
    await bench.work(2)
    other = await bench.want(prompt="another")
    assert bench.spent == "0.250000"
    await bench.work(HALF_HOUR_S)
    assert (await bench.show(its_id)).state is S.DONE
    assert (await bench.show(other)).state is S.FAILED
    assert provider.service.till == PRICE


async def test_calls_that_only_cost_are_counted_each(tmp_path: Path) -> None:
    lost = [fault(Blame.SUBMIT_UNSURE)]
    provider = ScriptedProvider(offer=offering(again=Again.COSTS_ONLY), after=lost)
    bench = Bench(tmp_path, provider)
    its_id = await bench.want()
    await bench.work(60)
    assert (await bench.show(its_id)).state is S.DONE
    assert provider.service.till == 2 * PRICE
    assert bench.spent == "0.500000"


async def test_what_its_worker_died_at_goes_on_without_a_second_call(tmp_path: Path) -> None:
    bench = Bench(tmp_path, ScriptedProvider())
    its_id = await bench.want()
    async with bench.farm.store.write() as unit:
        known = await bench.show(its_id)
        now = bench.clock.now()
        dead = generating.generating.begun(known, bench.provider.offer, now)
        await unit.save_generation(replace(dead, worker="w-1", leased_until=now.replace(year=2031)))
    bench.provider.service.charge("gen-lost", "", ())
    await bench.work(30, worker="w-2")
    assert (await bench.show(its_id)).state is S.SUBMITTING  # leased by another
    async with bench.farm.store.write() as unit:
        await unit.free_generations("w-1")
    await bench.work(30, worker="w-1")
    assert (await bench.show(its_id)).state is S.UNSURE
    assert bench.provider.service.calls == []


async def test_an_answer_that_comes_after_the_call_was_given_up_is_used(tmp_path: Path) -> None:
    provider = ScriptedProvider(gate=asyncio.Event())
    bench = Bench(tmp_path, provider)
    its_id = await bench.want()
    slow = asyncio.create_task(bench.work_now("w-1"))
    await provider.called.wait()
    bench.clock.advance(61)  # its lease has ended: it was frozen
    await bench.work_now("w-2")
    assert (await bench.show(its_id)).state is S.UNSURE
    assert provider.gate is not None
    provider.gate.set()
    await slow
    await bench.work(30)
    assert (await bench.show(its_id)).state is S.DONE
    assert provider.service.till == PRICE


async def test_a_late_refusal_is_not_taken_for_that_of_the_call_that_followed(
    tmp_path: Path,
) -> None:
    refused = [fault(Blame.WAIT_SLOT)]
    offer = offering(again=Again.COSTS_ONLY)
    provider = ScriptedProvider(offer=offer, gate=asyncio.Event(), after=refused)
    bench = Bench(tmp_path, provider)
    its_id = await bench.want()
    slow = asyncio.create_task(bench.work_now("w-1"))
    await provider.called.wait()
    provider.called.clear()
    assert provider.gate is not None
    first, provider.gate = provider.gate, asyncio.Event()
    bench.clock.advance(61)
    follows = asyncio.create_task(bench.work_now("w-2"))
    await provider.called.wait()
    first.set()
    await slow
    assert (await bench.show(its_id)).state is S.SUBMITTING
    provider.gate.set()
    await follows
    await bench.work(60)
    assert (await bench.show(its_id)).state is S.DONE
    assert provider.service.calls == [f"{its_id}-1"] * 2
    assert bench.spent == "0.500000"


async def test_what_was_cancelled_while_its_provider_was_asked_stays_ended(tmp_path: Path) -> None:
    class Slow(ScriptedProvider):
        async def recall(self, *_: object) -> None:  # type: ignore[override]
            await generating.cancel(bench.farm, its_id, "user:anna")
            raise fault(Blame.RETRY_SAFE)

    lost = [fault(Blame.SUBMIT_UNSURE)]
    bench = Bench(tmp_path, Slow(offer=offering(again=Again.LISTED), after=lost))
    its_id = await bench.want()
    await bench.work(30)
    ended = await bench.show(its_id)
    assert (ended.state, ended.next_at, ended.worker) == (S.CANCELLED, None, "")


async def test_a_call_that_a_person_denied_counts_as_paid_once_its_answer_comes(
    tmp_path: Path,
) -> None:
    silent = replace(DONE, charged=None)  # as many providers: they do not tell what they charged
    provider = ScriptedProvider(gate=asyncio.Event(), done=silent)
    bench = Bench(tmp_path, provider)
    its_id = await bench.want()
    slow = asyncio.create_task(bench.work_now("w-1"))
    await provider.called.wait()
    bench.clock.advance(61)
    await bench.work_now("w-2")
    await generating.settle(bench.farm, its_id, Settlement.NEVER, "user:boss")
    assert bench.spent == "0.000000"
    assert provider.gate is not None
    provider.gate.set()
    await slow
    await bench.work(30)
    assert (await bench.show(its_id)).state is S.DONE
    assert provider.service.till == PRICE
    assert bench.spent == "0.250000"


async def test_nothing_is_submitted_that_a_budget_does_not_allow(tmp_path: Path) -> None:
    for limits in (
        {"budget": Budget(day=2 * PRICE)},
        {"budget": Budget(user_day=2 * PRICE)},
        {"purse": Purse(day={"USD": 2 * PRICE})},
        {"purse": Purse(user_day={"USD": 2 * PRICE})},
    ):
        bench = Bench(tmp_path, ScriptedProvider(), **limits)  # type: ignore[arg-type]
        ids = [await bench.want(prompt=f"hook {number}") for number in range(4)]
        await bench.work(120)
        states = [(await bench.show(each)).state for each in ids]
        assert states == [S.DONE, S.DONE, S.FAILED, S.FAILED]
        refused = (await bench.show(ids[2])).trouble
        assert refused is not None
        assert (refused.blame, refused.code) == (Blame.QUOTA, "budget_spent")
        assert bench.provider.service.till == 2 * PRICE


async def test_one_users_budget_is_not_anothers(tmp_path: Path) -> None:
    bench = Bench(tmp_path, ScriptedProvider(), budget=Budget(user_day=PRICE))
    ids = [await bench.want(owner) for owner in ("user:anna", "user:anna", "user:bob")]
    await bench.work(120)
    assert [(await bench.show(each)).state for each in ids] == [S.DONE, S.FAILED, S.DONE]


async def test_a_new_day_is_a_new_budget(tmp_path: Path) -> None:
    bench = Bench(tmp_path, ScriptedProvider(), budget=Budget(day=PRICE))
    await bench.want()
    await bench.work(60)
    bench.clock.advance(86_400)
    later = await bench.want(prompt="another")
    await bench.work(60)
    assert (await bench.show(later)).state is S.DONE


async def test_a_failed_task_is_made_anew_only_within_what_it_may_cost(tmp_path: Path) -> None:
    broken = Look(phase=Phase.FAILED, fault=fault(Blame.PROVIDER_FAILED))
    for cost_max, calls, state in (
        (None, 1, S.FAILED),
        (PRICE, 1, S.FAILED),
        (2 * PRICE, 2, S.FAILED),
        (Decimal(9), 3, S.FAILED),
    ):
        bench = Bench(tmp_path, ScriptedProvider(looks=(broken,)))
        its_id = await bench.want(cost_max=cost_max)
        await bench.work(300)
        failed = await bench.show(its_id)
        assert failed.state is state
        assert failed.trouble is not None
        assert failed.trouble.code == "code"  # why the task failed, not that money is spent
        assert len(bench.provider.service.calls) == calls


async def test_no_more_tasks_run_than_the_provider_takes(tmp_path: Path) -> None:
    bench = Bench(tmp_path, ScriptedProvider(looks=(RUNNING,) * 3))
    ids = [await bench.want(prompt=f"hook {number}") for number in range(5)]
    await bench.work_now()
    states = [(await bench.show(each)).state for each in ids]
    assert states == [S.RUNNING, S.RUNNING, S.WANTED, S.WANTED, S.WANTED]
    await bench.work(300)
    assert {(await bench.show(each)).state for each in ids} == {S.DONE}


async def test_a_provider_that_fails_is_left_alone_and_asked_for_free_until_it_is_well(
    tmp_path: Path,
) -> None:
    provider = ScriptedProvider(before=[fault(Blame.RETRY_SAFE)] * 100, ready=False)
    bench = Bench(tmp_path, provider)
    ids = [await bench.want(prompt=f"hook {number}") for number in range(8)]
    await bench.work(10)
    calls = len(provider.service.calls)
    assert calls <= 7  # five in a row, and what was under way
    await bench.work(600)
    assert len(provider.service.calls) == calls
    provider.before, provider.ready = [], True
    await bench.work(700)
    assert {(await bench.show(each)).state for each in ids} == {S.DONE}


async def test_without_credit_everything_waits_and_nothing_is_lost(tmp_path: Path) -> None:
    provider = ScriptedProvider(before=[fault(Blame.QUOTA, "no_credit")] * 9, ready=False)
    bench = Bench(tmp_path, provider)
    ids = [await bench.want(prompt=f"hook {number}") for number in range(3)]
    await bench.work(HALF_HOUR_S)
    assert len(provider.service.calls) <= 2
    waiting = await bench.show(ids[0])
    assert (waiting.state, waiting.waits) == (S.WANTED, "words")
    provider.before, provider.ready = [], True
    await bench.work(HALF_HOUR_S)
    assert {(await bench.show(each)).state for each in ids} == {S.DONE}


async def test_what_nobody_answers_for_a_day_is_given_up(tmp_path: Path) -> None:
    slot = [fault(Blame.WAIT_SLOT, after_s=600.0)] * 1000
    bench = Bench(tmp_path, ScriptedProvider(before=slot))
    its_id = await bench.want()
    await bench.work(90_000)
    failed = await bench.show(its_id)
    assert (failed.state, bench.spent) == (S.FAILED, "0.000000")


async def test_a_defect_of_an_adapter_ends_nothing_but_counts_as_a_lost_answer(
    tmp_path: Path,
) -> None:
    class Broken(ScriptedProvider):
        async def submit(self, wish, key, told):  # type: ignore[no-untyped-def]
            await super().submit(wish, key, told)
            raise KeyError("task_id")

    bench = Bench(tmp_path, Broken())
    its_id = await bench.want()
    await bench.work(60)
    assert (await bench.show(its_id)).state is S.UNSURE
