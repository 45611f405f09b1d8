"""The loop for lines on real descriptors: served, rested, ended, and asyncio all the while."""

import asyncio
import itertools
import math
import os
import select
import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest

from agent.line_thread import LineThread
from agent.printers import line_loop
from agent.printers.line_loop import LineLoop


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    ends = os.pipe()
    os.set_blocking(ends[0], False)
    yield ends
    for end in ends:
        with suppress(OSError):
            os.close(end)


def lines_loop() -> LineLoop:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, LineLoop)
    return loop


async def test_a_line_is_served_while_asyncio_waits_and_wakes_what_waits_for_it(
    pipe: tuple[int, int],
) -> None:
    heard: asyncio.Queue[bytes] = asyncio.Queue()

    def serve(ready: bool, now: float) -> float:
        heard.put_nowait(os.read(pipe[0], 100))
        return 0.0

    lines_loop().lines.add_line(pipe[0], serve)
    os.write(pipe[1], b"ok\n")
    assert await asyncio.wait_for(heard.get(), 5) == b"ok\n"
    lines_loop().lines.remove_line(pipe[0])


async def test_what_comes_while_a_line_rests_is_served_in_one_go(pipe: tuple[int, int]) -> None:
    served: list[tuple[bool, bytes]] = []
    done = asyncio.Event()

    def serve(ready: bool, now: float) -> float:
        try:
            data = os.read(pipe[0], 100)
        except BlockingIOError:
            data = b""
        served.append((ready, data))
        if len(served) == 1:
            os.write(pipe[1], b"two ")
            os.write(pipe[1], b"three")
            return 0.02
        done.set()
        return 0.0

    lines_loop().lines.add_line(pipe[0], serve)
    os.write(pipe[1], b"one")
    await asyncio.wait_for(done.wait(), 5)
    assert served == [(True, b"one"), (False, b"two three")]
    lines_loop().lines.remove_line(pipe[0])


async def test_a_rest_in_which_nothing_came_ends_in_watching_again(pipe: tuple[int, int]) -> None:
    served: list[tuple[bool, bytes]] = []
    rested, done = asyncio.Event(), asyncio.Event()

    def serve(ready: bool, now: float) -> float:
        try:
            data = os.read(pipe[0], 100)
        except BlockingIOError:
            data = b""
        served.append((ready, data))
        if len(served) == 1:
            return 0.002
        (rested if len(served) == 2 else done).set()
        return 0.0

    lines_loop().lines.add_line(pipe[0], serve)
    os.write(pipe[1], b"one")
    await asyncio.wait_for(rested.wait(), 5)
    os.write(pipe[1], b"two")
    await asyncio.wait_for(done.wait(), 5)
    assert served == [(True, b"one"), (False, b""), (True, b"two")]
    lines_loop().lines.remove_line(pipe[0])


async def test_a_line_that_is_always_ready_keeps_no_timer_and_no_other_task_waiting(
    pipe: tuple[int, int],
) -> None:
    os.write(pipe[1], b"never read")
    served = 0

    def serve(ready: bool, now: float) -> float:
        nonlocal served
        served += 1
        return 0.0

    lines_loop().lines.add_line(pipe[0], serve)
    await asyncio.wait_for(asyncio.sleep(0.01), 5)
    asked = asyncio.get_running_loop().create_future()
    threading.Thread(target=lines_loop().call_soon_threadsafe, args=(asked.set_result, 1)).start()
    assert await asyncio.wait_for(asked, 5) == 1
    assert served > 1
    lines_loop().lines.remove_line(pipe[0])


async def test_the_other_end_closed_during_a_rest_is_seen(pipe: tuple[int, int]) -> None:
    ended = asyncio.Event()

    def serve(ready: bool, now: float) -> float:
        if os.read(pipe[0], 100) == b"" and ready:
            ended.set()
            lines_loop().lines.remove_line(pipe[0])
            return 0.0
        os.close(pipe[1])
        return 5.0

    lines_loop().lines.add_line(pipe[0], serve)
    os.write(pipe[1], b"one")
    await asyncio.wait_for(ended.wait(), 2)


async def test_a_line_thread_does_work_elsewhere_and_brings_back_what_came_of_it() -> None:
    thread = LineThread()

    async def where() -> int:
        assert isinstance(asyncio.get_running_loop(), LineLoop)
        return threading.get_ident()

    async def fail() -> None:
        raise LookupError("there")

    assert await thread.do(where()) != threading.get_ident()
    with pytest.raises(LookupError, match="there"):
        await thread.do(fail())
    thread.close()


async def doing_for_ever(thread: LineThread) -> tuple[asyncio.Task[None], threading.Event]:
    """Begin something on a thread that ends only when cancelled, and tells that it did."""
    began, ended = threading.Event(), threading.Event()

    async def forever() -> None:
        began.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    task = asyncio.create_task(thread.do(forever()))
    await asyncio.to_thread(began.wait, 5)
    return task, ended


async def test_cancelling_what_is_done_on_a_line_thread_cancels_it_there() -> None:
    thread = LineThread()
    task, ended = await doing_for_ever(thread)
    task.cancel()
    assert await asyncio.to_thread(ended.wait, 5)
    thread.close()


async def test_closing_a_line_thread_ends_what_is_done_there_first() -> None:
    thread = LineThread()
    task, ended = await doing_for_ever(thread)
    await asyncio.to_thread(thread.close)
    assert ended.is_set()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.parametrize("uptime_s", [0.123, 26_000.123, 987_654.321, 31_536_000.987])
def test_a_rest_of_seven_milliseconds_is_not_rounded_up_to_eight(
    uptime_s: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits_s: list[float] = []
    clock = itertools.count()

    class Epoll:
        def register(self, descriptor: int, events: int) -> None: ...
        def modify(self, descriptor: int, events: int) -> None: ...
        def close(self) -> None: ...

        def fileno(self) -> int:
            return -1

        def poll(self, wait_s: float) -> list[tuple[int, int]]:
            waits_s.append(wait_s)
            return [(7, select.EPOLLIN)] if len(waits_s) == 1 else []

    def serve(ready: bool, now: float) -> float:
        lines.called = len(waits_s) == 50
        return 0.007

    monkeypatch.setattr(line_loop, "monotonic", lambda: uptime_s + next(clock) * 0.01)
    monkeypatch.setattr(select, "epoll", Epoll)
    lines = line_loop.LineSelector()
    lines.add_line(7, serve)
    lines.select(1000.0)
    lines.close()
    assert {math.ceil(wait_s * 1000) for wait_s in waits_s[1:]} == {7}
