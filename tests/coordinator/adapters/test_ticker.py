"""The bell."""

import asyncio
import logging
import time

import pytest

from coordinator.adapters.ticker import Bell, Ticker
from coordinator.errors import Unavailable

NEVER_S = 3600.0


async def ring(ticker: Ticker) -> asyncio.Task[None]:
    return asyncio.create_task(ticker.run())


async def end(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_work_is_done_again_and_again() -> None:
    done: asyncio.Queue[None] = asyncio.Queue()
    task = await ring(Ticker({"work": Bell(lambda: done.put(None), every_s=0.01)}))
    async with asyncio.timeout(10):
        for _ in range(3):
            await done.get()
    await end(task)


async def test_a_poke_does_not_wait_for_the_time() -> None:
    done: asyncio.Queue[None] = asyncio.Queue()
    ticker = Ticker({"work": Bell(lambda: done.put(None), every_s=NEVER_S)})
    task = await ring(ticker)
    ticker.poke("work")
    async with asyncio.timeout(10):
        await done.get()
    await end(task)


async def test_pokes_during_work_become_one_more_round_and_never_two_at_once() -> None:
    rounds, together, most = 0, 0, 0
    begun, finished = asyncio.Event(), asyncio.Queue[None]()
    go = asyncio.Semaphore(0)

    async def work() -> None:
        nonlocal rounds, together, most
        rounds, together = rounds + 1, together + 1
        most = max(most, together)
        begun.set()
        await go.acquire()
        together -= 1
        finished.put_nowait(None)

    ticker = Ticker({"work": Bell(work, every_s=NEVER_S)})
    task = await ring(ticker)
    ticker.poke("work")
    await begun.wait()
    for _ in range(5):
        ticker.poke("work")
    go.release()
    go.release()
    go.release()
    async with asyncio.timeout(10):
        await finished.get()
        await finished.get()
    assert (rounds, most) == (2, 1)
    await end(task)


async def test_work_that_fails_is_tried_again_and_others_go_on() -> None:
    attempts: asyncio.Queue[None] = asyncio.Queue()
    other: asyncio.Queue[None] = asyncio.Queue()

    async def fail() -> None:
        attempts.put_nowait(None)
        raise Unavailable("store_locked", "locked")

    bells = {"bad": Bell(fail, every_s=NEVER_S), "good": Bell(lambda: other.put(None), NEVER_S)}
    ticker = Ticker(bells)
    task = await ring(ticker)
    ticker.poke("bad")
    async with asyncio.timeout(10):
        await attempts.get()
        ticker.poke("good")
        await other.get()
        await attempts.get()
    await end(task)


async def test_work_with_two_hands_is_done_twice_at_once_and_never_three_times() -> None:
    together, most = 0, 0
    begun, go = asyncio.Semaphore(0), asyncio.Event()

    async def work() -> None:
        nonlocal together, most
        together += 1
        most = max(most, together)
        begun.release()
        await go.wait()
        together -= 1

    ticker = Ticker({"work": Bell(work, every_s=NEVER_S, hands=2)})
    task = await ring(ticker)
    async with asyncio.timeout(10):
        ticker.poke("work")
        await begun.acquire()
        ticker.poke("work")
        await begun.acquire()
        ticker.poke("work")
        go.set()
        await begun.acquire()
    assert most == 2
    await end(task)


@pytest.mark.parametrize("passes", range(6))
async def test_an_end_just_when_all_bells_are_due_is_no_error_of_theirs(
    passes: int, caplog: pytest.LogCaptureFixture
) -> None:
    rung = asyncio.Event()

    async def work() -> None:
        rung.set()

    bells = {f"work-{number}": Bell(work, every_s=0.005) for number in range(7)}
    task = await ring(Ticker(bells))
    async with asyncio.timeout(10):
        await rung.wait()
    for _ in range(passes):
        await asyncio.sleep(0)
    # A machine with much to do: the loop does not come round for longer than between two rings.
    busy_until = time.monotonic() + 0.02
    while time.monotonic() < busy_until:
        pass
    with caplog.at_level(logging.ERROR):
        await end(task)
        for _ in range(10):
            await asyncio.sleep(0)
    assert [record.getMessage() for record in caplog.records] == []
