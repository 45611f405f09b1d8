"""What every provider of models keeps to, over a server that stands in for its service."""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from decimal import Decimal
from pathlib import Path
from typing import TypeVar

import pytest

from coordinator.domain.providing import (
    Again,
    Blame,
    CallingOff,
    Cancels,
    Phase,
    ProviderFault,
)
from coordinator.ports_providers import Deletes
from tests.contracts.provider_benches import BENCHES
from tests.fakes.paid_service import Trouble
from tests.fakes.provider_bench import ProviderBench, kept

DROPPED_BEFORE = Trouble(how="drop")
DROPPED_AFTER = Trouble(how="drop", after=True)
# Ways to lose the answer to a submit that took place.
LOST = [
    DROPPED_AFTER,
    Trouble(how="garbage", after=True),
    Trouble(how="halved", after=True),
    Trouble(how="hang", after=True),
    Trouble(status=502, after=True),
    Trouble(status=500, after=True),
]
T = TypeVar("T")


@pytest.fixture(params=sorted(BENCHES))
async def bench(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[ProviderBench]:
    async with BENCHES[request.param](tmp_path) as opened:
        yield opened


async def submit_fault(bench: ProviderBench) -> ProviderFault:
    with pytest.raises(ProviderFault) as caught:
        await bench.submitted()
    return caught.value


async def outcome(call: Awaitable[T]) -> T | ProviderFault:
    """Return what a call gives, or the fault that it raises; every other error is a failure."""
    try:
        return await call
    except ProviderFault as fault:
        return fault


async def test_an_offer_says_what_it_takes(bench: ProviderBench) -> None:
    offer = bench.provider.offer
    assert min(len(offer.service), len(offer.title), len(offer.kinds)) > 0
    assert offer.at_once_max >= 1
    assert offer.look_every_s > 0 < offer.patience_s
    assert len({option.name for option in offer.options}) == len(offer.options)
    assert bench.provider.objection(bench.wish) == ""
    assert bench.provider.objection(bench.refused) != ""


async def test_a_task_is_charged_once_and_never_more_than_was_foretold(
    bench: ProviderBench,
) -> None:
    foretold = await bench.provider.estimate(bench.wish)
    _, look = await bench.made()
    assert look.phase is Phase.SUCCEEDED
    assert len(bench.service.till.charges) == 1
    if foretold is not None:
        assert bench.service.till.taken <= foretold.amount
        assert foretold.amount < Decimal(100_000)
    if look.charged is not None and foretold is not None:
        assert look.charged.unit == foretold.unit
        assert look.charged.amount <= foretold.amount


async def test_what_was_made_can_be_fetched(bench: ProviderBench) -> None:
    _, look = await bench.made()
    meshes = [piece for piece in look.pieces if piece.role == "mesh"]
    assert meshes
    assert meshes[0].suffix.startswith(".")
    assert await bench.fetched(meshes[0]) == bench.service.file
    assert bench.artifacts.left_behind == []


async def test_a_key_is_not_shown_to_the_server_of_files(bench: ProviderBench) -> None:
    _, look = await bench.made()
    for piece in look.pieces:
        if not piece.own and piece.role == "mesh":
            await bench.fetched(piece)
    assert not any(bench.service.keys_at_files)


async def test_a_task_is_followed_from_its_beginning_to_its_end(bench: ProviderBench) -> None:
    submitted = await bench.submitted()
    if submitted.look is not None:
        assert submitted.look.phase is Phase.SUCCEEDED
        return
    seen = [(await bench.provider.look(submitted.handle))]
    while seen[-1].phase in (Phase.QUEUED, Phase.RUNNING):
        assert seen[-1].pieces == ()
        seen.append(await bench.provider.look(submitted.handle))
        assert len(seen) < 50
    assert seen[0].phase is Phase.QUEUED
    assert Phase.RUNNING in {look.phase for look in seen}
    assert seen[-1].phase is Phase.SUCCEEDED
    assert all(look.progress is None or 0 <= look.progress <= 1 for look in seen)


async def test_a_handle_is_all_that_a_restart_needs(bench: ProviderBench) -> None:
    submitted = await bench.submitted()
    if submitted.look is not None:
        return
    bench.service.finish()
    look = await bench.restarted().look(kept(submitted.handle))
    assert look.phase in (Phase.RUNNING, Phase.SUCCEEDED)


@pytest.mark.parametrize("trouble", LOST, ids=lambda each: f"{each.how}-{each.status}")
async def test_a_submit_whose_answer_was_lost_is_open(
    bench: ProviderBench, trouble: Trouble
) -> None:
    bench.service.misbehave("submit", trouble)
    fault = await submit_fault(bench)
    assert len(bench.service.till.charges) == 1
    if bench.provider.offer.again in (Again.LISTED, Again.NEVER):
        assert fault.blame is Blame.SUBMIT_UNSURE
    else:
        assert fault.blame in (Blame.SUBMIT_UNSURE, Blame.RETRY_SAFE)


async def test_a_submit_that_was_dropped_before_it_counted_is_open_too(
    bench: ProviderBench,
) -> None:
    bench.service.misbehave("submit", DROPPED_BEFORE)
    fault = await submit_fault(bench)
    assert bench.service.till.charges == []
    if bench.provider.offer.again in (Again.LISTED, Again.NEVER):
        assert fault.blame is Blame.SUBMIT_UNSURE


async def test_what_can_be_recalled_is_found_or_certainly_not_there(bench: ProviderBench) -> None:
    since = bench.began_at
    if bench.provider.offer.again is not Again.LISTED:
        found = await outcome(bench.provider.recall(bench.wish, "gen-1", since))
        # Where saying it again would cost, none must not be told for certain.
        assert bench.provider.offer.again is not Again.NEVER or isinstance(found, ProviderFault)
        return
    bench.service.misbehave("submit", DROPPED_BEFORE)
    await submit_fault(bench)
    missing = await outcome(bench.provider.recall(bench.wish, "gen-1", since))
    # Where a list may lag behind, not to find it is no proof.
    assert missing is None or isinstance(missing, ProviderFault)
    bench.service.misbehave("submit", DROPPED_AFTER)
    await submit_fault(bench)
    found = await bench.restarted().recall(bench.wish, "gen-1", since)
    assert found is not None
    assert (await bench.ended(found)).phase is Phase.SUCCEEDED
    assert len(bench.service.till.charges) == 1


async def test_the_same_key_is_the_same_call(bench: ProviderBench) -> None:
    if bench.provider.offer.again is not Again.SAME_KEY:
        return
    bench.service.misbehave("submit", DROPPED_AFTER)
    await submit_fault(bench)
    submitted = await bench.submitted()
    assert len(bench.service.till.charges) == 1
    bench.service.finish()
    assert (await bench.ended(submitted.handle)).phase is Phase.SUCCEEDED


async def test_too_many_calls_are_told_with_the_time_to_wait(bench: ProviderBench) -> None:
    bench.service.misbehave(
        "submit", Trouble(status=429, headers={"Retry-After": "7"}), Trouble(status=429)
    )
    told = await submit_fault(bench)
    assert told.blame in (Blame.RETRY_SAFE, Blame.WAIT_SLOT)
    assert told.after_s == 7
    silent = await submit_fault(bench)
    assert silent.blame in (Blame.RETRY_SAFE, Blame.WAIT_SLOT)
    assert silent.after_s is None
    assert bench.service.till.charges == []


@pytest.mark.parametrize(
    ("status", "blames"),
    [
        (400, (Blame.INVALID_INPUT,)),
        (401, (Blame.AUTH_CONFIG,)),
        (402, (Blame.QUOTA,)),
        (413, (Blame.INVALID_INPUT,)),
        (422, (Blame.INVALID_INPUT,)),
    ],
)
async def test_a_refusal_is_certain_and_says_whose_matter_it_is(
    bench: ProviderBench, status: int, blames: tuple[Blame, ...]
) -> None:
    bench.service.misbehave("submit", Trouble(status=status))
    assert (await submit_fault(bench)).blame in blames
    assert bench.service.till.charges == []


@pytest.mark.parametrize("how", ["drop", "hang", "halved", "garbage", "status"])
async def test_a_look_that_fails_is_said_again_and_changes_nothing(
    bench: ProviderBench, how: str
) -> None:
    submitted = await bench.submitted()
    if submitted.look is not None:
        return
    # The HTTP library asks once more by itself where somebody hangs up on a GET.
    bench.service.misbehave("look", *[Trouble(how=how)] * (2 if how == "drop" else 1))
    with pytest.raises(ProviderFault) as caught:
        await bench.provider.look(submitted.handle)
    assert caught.value.blame in (Blame.RETRY_SAFE, Blame.PROTOCOL)
    bench.service.behave()
    assert (await bench.ended(submitted.handle)).phase is Phase.SUCCEEDED
    assert len(bench.service.till.charges) == 1


async def test_a_failure_has_a_reason_and_nothing_to_fetch(bench: ProviderBench) -> None:
    submitted = await bench.submitted()
    if submitted.look is not None:
        return
    bench.service.fail()
    look = await bench.ended(submitted.handle)
    assert (look.phase, look.pieces) == (Phase.FAILED, ())
    assert look.fault is not None
    assert look.fault.blame is Blame.PROVIDER_FAILED


async def test_a_word_that_nobody_knows_is_no_success(bench: ProviderBench) -> None:
    submitted = await bench.submitted()
    if submitted.look is not None:
        return
    for task in bench.service.tasks.values():
        task.walk = ("pondering",)
    look = await bench.provider.look(submitted.handle)
    assert look.phase is not Phase.SUCCEEDED
    assert look.pieces == ()


async def test_a_task_that_the_service_lost_is_told_as_such(bench: ProviderBench) -> None:
    submitted = await bench.submitted()
    if submitted.look is not None:
        return
    bench.service.forget()
    found = await outcome(bench.provider.look(submitted.handle))
    if isinstance(found, ProviderFault):
        assert found.blame is Blame.EXPIRED
    else:
        assert found.phase is Phase.UNKNOWN


async def test_a_file_that_has_expired_is_asked_for_anew(bench: ProviderBench) -> None:
    handle, look = await bench.made()
    if look.pieces[0].data:
        return
    bench.service.expire_files()
    with pytest.raises(ProviderFault) as caught:
        await bench.fetched(look.pieces[0])
    assert caught.value.blame is Blame.EXPIRED
    again = await bench.provider.look(handle)
    assert await bench.fetched(again.pieces[0]) == bench.service.file
    assert len(bench.service.till.charges) == 1


async def test_a_file_that_breaks_off_is_fetched_again(bench: ProviderBench) -> None:
    _, look = await bench.made()
    if look.pieces[0].data:
        return
    bench.service.misbehave("file", Trouble(how="halved"), Trouble(status=503))
    for _ in range(2):
        with pytest.raises(ProviderFault) as caught:
            await bench.fetched(look.pieces[0])
        assert caught.value.blame is Blame.RETRY_SAFE
    assert await bench.fetched(look.pieces[0]) == bench.service.file


async def test_what_is_called_off_is_as_the_offer_says(bench: ProviderBench) -> None:
    submitted = await bench.submitted()
    if submitted.look is not None:
        return
    waiting = await bench.provider.call_off(submitted.handle)
    if bench.provider.offer.cancels is Cancels.NEVER:
        assert waiting is CallingOff.REFUSED
        assert bench.service.till.taken > 0
    else:
        assert waiting is CallingOff.DONE
        assert bench.service.till.taken == 0


async def test_what_has_ended_is_not_called_off_and_keeps_its_files(bench: ProviderBench) -> None:
    handle, look = await bench.made()
    assert await bench.provider.call_off(handle) is CallingOff.REFUSED
    assert await bench.fetched(look.pieces[0]) == bench.service.file
    assert bench.service.till.refunds == []


async def test_health_costs_nothing_and_tells_of_a_wrong_key(bench: ProviderBench) -> None:
    assert (await bench.provider.health()).ready
    bench.service.key = "another"
    health = await bench.provider.health()
    if "balance" in bench.service.free_calls:
        assert not health.ready
        assert health.words
    assert bench.service.till.charges == []


async def test_a_webhook_counts_only_with_its_signature(bench: ProviderBench) -> None:
    if bench.delivery is None:
        with pytest.raises(ProviderFault) as caught:
            bench.provider.hints({}, b"{}")
        assert caught.value.blame is Blame.AUTH_CONFIG
        return
    submitted = await bench.submitted()
    headers, body = bench.delivery(next(iter(bench.service.tasks)))
    hints = bench.provider.hints(headers, body)
    assert [hint.task_id for hint in hints] == [submitted.handle.task_id]
    assert bench.provider.hints(headers, body) == hints  # who keeps them knows them by their id
    for changed in ({}, {name: value[:-1] + "0" for name, value in headers.items()}):
        with pytest.raises(ProviderFault) as caught:
            bench.provider.hints(changed, body)
        assert caught.value.blame is Blame.AUTH_CONFIG


async def test_no_secret_is_shown_in_faults_looks_and_logs(
    bench: ProviderBench, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    leak = {"message": f"bad key {bench.secrets[0]} for data:image/png;base64,AAAA"}
    bench.service.misbehave("submit", Trouble(status=400, body=leak))
    shown = [repr(await submit_fault(bench)), repr(bench.provider)]
    _, look = await bench.made()
    shown += [repr(look), caplog.text, "".join(capsys.readouterr())]
    for secret in (*bench.secrets, "base64,AAAA", "hushhush"):
        assert not any(secret in each for each in shown)


@pytest.mark.parametrize(
    "body",
    [[], {}, 5, "words", None, {"id": 5}, {"status": []}, {"data": {"status": {}}}, {"jobs": 5}],
    ids=str,
)
async def test_whatever_a_service_answers_it_is_never_an_error_of_ours(
    bench: ProviderBench, body: object
) -> None:
    submitted = await bench.submitted()
    strange = Trouble(status=200, body=body)
    calls: dict[str, Callable[[], Awaitable[object]]] = {
        "look": lambda: bench.provider.look(submitted.handle),
        "result": lambda: bench.provider.look(submitted.handle),
        "list": lambda: bench.provider.recall(bench.wish, "gen-1", bench.began_at),
        "balance": bench.provider.health,
        "cancel": lambda: bench.provider.call_off(submitted.handle),
        "submit": bench.submitted,
    }
    for call, ask in calls.items():
        bench.service.misbehave(call, strange)
        if call == "result":
            bench.service.finish()
        found = await outcome(ask())
        if isinstance(found, ProviderFault):
            assert found.message
            if call == "submit" and bench.provider.offer.again in (Again.LISTED, Again.NEVER):
                assert found.blame is Blame.SUBMIT_UNSURE


async def test_every_call_but_a_submit_is_free(bench: ProviderBench) -> None:
    handle, look = await bench.made()
    await bench.provider.health()
    await outcome(bench.provider.recall(bench.wish, "gen-1", bench.began_at))
    await bench.fetched(look.pieces[0])
    if isinstance(bench.provider, Deletes):
        await bench.provider.delete(handle)
        await bench.provider.delete(handle)  # one that is gone is no fault
    assert len(bench.service.till.charges) == 1


async def test_nothing_is_left_behind(bench: ProviderBench) -> None:
    await bench.made()
    await bench.provider.close()
    await bench.provider.close()
