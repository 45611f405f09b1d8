"""An order that is sent again with its key is carried out once."""

import asyncio

import aiohttp
import pytest

from coordinator.errors import Unavailable
from coordinator.usecases import reading
from tests.coordinator.api.test_api_jobs import form
from tests.fakes.served_farm import ServedFarm

KEY = {"Idempotency-Key": "order-7 of anna"}


async def order(session: aiohttp.ClientSession, **given: str) -> tuple[int, dict, bool]:
    """Status, answer, and whether it was given before."""
    async with session.post("/api/v1/jobs", data=form(**given), headers=KEY) as response:
        replayed = response.headers.get("Idempotent-Replayed") == "true"
        return response.status, await response.json(content_type=None), replayed


async def test_the_same_order_with_the_same_key_makes_one_job_and_answers_alike(
    farm: ServedFarm, session: aiohttp.ClientSession
) -> None:
    first = await order(session, copies="2")
    assert (first[0], first[2]) == (201, False)
    # Another boundary, and the file after the fields: it is the same order.
    again = await order(session, copies="2", after=True)  # type: ignore[arg-type]
    assert again == (201, first[1], True)
    assert len(farm.store.tables.jobs) == 1


async def test_another_order_with_the_same_key_is_refused(
    farm: ServedFarm, session: aiohttp.ClientSession
) -> None:
    await order(session, copies="2")
    status, problem, _ = await order(session, copies="3")
    assert (status, problem["code"]) == (422, "idempotency_key_reused")
    assert len(farm.store.tables.jobs) == 1


async def test_an_order_that_was_refused_leaves_its_key_to_the_mended_one(
    farm: ServedFarm, session: aiohttp.ClientSession
) -> None:
    status, problem, _ = await order(session, copies="0")
    assert (status, problem["code"]) == (422, "copies_out_of_range")
    status, job, replayed = await order(session, copies="1")
    assert (status, replayed) == (201, False)
    assert list(farm.store.tables.jobs) == [job["id"]]


async def test_an_order_whose_answer_was_lost_is_found_again(
    farm: ServedFarm, session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def locked(*_: object, **__: object) -> None:
        raise Unavailable("store_locked", "locked")

    with monkeypatch.context() as patch:
        patch.setattr(reading, "job_view", locked)
        status, _, _ = await order(session)
        assert status == 503
    [made] = farm.store.tables.jobs
    status, job, replayed = await order(session)
    assert (status, job["id"], replayed) == (201, made, True)
    assert len(farm.store.tables.jobs) == 1


async def test_while_an_order_is_carried_out_the_same_one_is_told_to_wait(
    farm: ServedFarm, session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, may_end = asyncio.Event(), asyncio.Event()
    inspect = farm.slicer.inspect

    async def slowly(*given: object, **said: object) -> object:
        begun.set()
        await may_end.wait()
        return await inspect(*given, **said)  # type: ignore[arg-type]

    monkeypatch.setattr(farm.slicer, "inspect", slowly)
    model = {"file": b"solid cube\n", "file_name": "cube.stl"}
    first = asyncio.ensure_future(order(session, **model))  # type: ignore[arg-type]
    await begun.wait()
    status, problem, _ = await order(session, **model)  # type: ignore[arg-type]
    assert (status, problem["code"]) == (409, "in_flight")
    may_end.set()
    assert (await first)[0] == 201


async def test_a_key_is_forgotten_after_a_day(
    farm: ServedFarm, session: aiohttp.ClientSession
) -> None:
    await order(session)
    farm.clock.advance(24 * 3600 + 1)
    status, _, replayed = await order(session, copies="2")
    assert (status, replayed) == (201, False)
    assert len(farm.store.tables.jobs) == 2


async def test_a_key_that_is_none_is_refused(session: aiohttp.ClientSession) -> None:
    headers = {"Idempotency-Key": "k" * 256}
    async with session.post("/api/v1/jobs", data=form(), headers=headers) as response:
        assert (response.status, (await response.json())["code"]) == (
            400, "idempotency_key_invalid",
        )  # fmt: skip
