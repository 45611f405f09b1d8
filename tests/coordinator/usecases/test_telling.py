import asyncio
from collections.abc import AsyncIterator

import pytest

from coordinator.domain.automation.topics import Message
from coordinator.usecases.telling import AT_ONCE, OTHERS, RATE, Telling
from tests.fakes.manual_clock import ManualClock
from tests.fakes.recording_automation import RecordingAutomation


class Mouth:
    """What tells to a broker in memory, and a clock that stands."""

    def __init__(self) -> None:
        self.link, self.clock = RecordingAutomation(), ManualClock()
        self.telling = Telling(self.link, self.clock.monotonic)
        self.link.connect()

    def said(self) -> list[str]:
        return [each.topic for each in self.link.said]

    async def says(self, count: int) -> list[str]:
        """Return the topics once so many messages were said in all."""
        await self.link.until(lambda: len(self.link.said) >= count)
        return self.said()


@pytest.fixture
async def mouth() -> Mouth:
    return Mouth()


@pytest.fixture
async def running(mouth: Mouth) -> AsyncIterator[Mouth]:
    """Tells as soon as the test lets others have their turn: what it puts at once waits."""
    task = asyncio.create_task(mouth.telling.run(mouth.link.session))
    yield mouth
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_what_was_decided_overtakes_all_that_waits(running: Mouth) -> None:
    """A farm of 500 printers is told again, and all of them measure."""
    telling = running.telling
    telling.again(Message(f"again/{number}", b"x") for number in range(3500))
    for number in range(500):
        telling.keep(f"live/{number}", b"x", measured=True)
    await running.says(1)
    before = len(running.said())
    telling.keep("printer", b"paused")
    await running.link.until(lambda: "printer" in running.said())
    # No more than what was on its way already.
    assert running.said().index("printer") - before <= AT_ONCE
    assert telling.others > 3500


async def test_a_part_of_the_rate_is_left_to_what_is_decided(running: Mouth) -> None:
    telling = running.telling
    telling.again(Message(f"again/{number}", b"x") for number in range(3500))
    await running.says(OTHERS.burst)
    await asyncio.sleep(0.05)
    assert len(running.link.said) == OTHERS.burst
    left = RATE.burst - OTHERS.burst
    telling.say(*(Message("event", b"x", retain=False) for _ in range(left)))
    assert (await running.says(RATE.burst))[OTHERS.burst :] == ["event"] * left
    # A second later there is room for what a second lets through.
    running.clock.advance(RATE.period_s * 10)
    telling.keep("printer", b"idle")
    assert (await running.says(RATE.burst + 1))[-1] == "printer"


async def test_of_what_is_retained_only_the_newest_is_said_and_of_what_happened_all(
    running: Mouth,
) -> None:
    telling = running.telling
    for number in range(3):
        assert telling.keep("printer", b"%d" % number)
        telling.say(Message("event", b"%d" % number, retain=False))
    assert not telling.keep("printer", b"2")
    await running.says(4)
    assert running.link.retained == {"printer": b"2"}
    assert running.link.on("event") == [0, 1, 2]


async def test_what_is_said_anew_is_not_said_again(running: Mouth) -> None:
    telling = running.telling
    telling.keep("printer", b"idle")
    telling.keep("live", b"1", measured=True)
    await running.says(2)
    telling.again([Message("device", b"old")])
    telling.say(Message("device", b"new"))
    telling.keep("live", b"2", measured=True)
    assert (await running.says(5))[2:] == ["device", "live", "printer"]
    assert running.link.retained == {"device": b"new", "live": b"2", "printer": b"idle"}


async def test_what_is_forgotten_is_taken_back_after_what_was_said_before(running: Mouth) -> None:
    """Of an empty document Home Assistant's entities would complain: first they are removed."""
    telling = running.telling
    telling.keep("printer", b"idle")
    telling.keep("live", b"1", measured=True)
    telling.show("picture", b"jpeg")
    telling.say(Message("device", b""))
    for topic in ("printer", "live", "picture"):
        telling.forget(topic)
    assert await running.says(4) == ["device", "printer", "live", "picture"]
    assert not any(each.payload for each in running.link.said)
    assert telling.keep("printer", b"idle")
    await running.says(5)
    assert running.link.retained == {"printer": b"idle"}


async def test_it_ends_with_its_session(mouth: Mouth, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("coordinator.usecases.telling.LOOK_S", 0.01)
    async with asyncio.timeout(10):
        task = asyncio.create_task(mouth.telling.run(mouth.link.session))
        mouth.telling.keep("printer", b"idle")
        await mouth.says(1)
        mouth.link.lose()
        await task
