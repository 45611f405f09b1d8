"""What waits to be said to programs beside the farm: what matters first, and how fast it is said.

Theory. Whoever composes never waits for the broker. What was decided goes before what was measured,
and that before what is said once more; of what is retained only the newest waits, so that a slow
broker hears less, but nothing that is over. Some messages are on their way at once: to wait for
each answer alone takes longer than all there is to say. A rate bounds all of it, for who listens
has to keep up, and a part of it is left to what is decided.
"""

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace

from coordinator.domain.automation.topics import Message
from coordinator.domain.rates import Rate, arrive
from coordinator.ports_automation import AutomationLink

# All of a farm of 100 printers is 700 messages, and said in 1.5 s; of 500 printers in 8.5 s. The
# burst is far below what Mosquitto keeps for one listener (1,000): nothing is dropped.
RATE = Rate(burst=200, period_s=0.0025)
# What is not decided leaves so much of it.
OTHERS = replace(RATE, burst=100)
# So many are on their way while something that matters more may come: one answer of the broker.
AT_ONCE = 100
# Where the rate is used up; and until it is seen that the session has ended.
PAUSE_S, LOOK_S = 0.02, 1.0

# A topic, and a number where each message counts and not the newest alone.
_Key = tuple[str, int]


class Telling:
    """What waits in one session; `run` has to run."""

    def __init__(self, link: AutomationLink, now_s: Callable[[], float]) -> None:
        """Take the way to say it; `now_s` is monotonic."""
        self._link, self._now_s = link, now_s
        self._decided: dict[_Key, Message] = {}
        self._measured: dict[_Key, Message] = {}
        self._again: dict[_Key, Message] = {}
        self._told: dict[str, bytes] = {}
        self._arrived = asyncio.Event()
        self._number = 0
        self._empty_at_s = 0.0

    @property
    def decided(self) -> int:
        """How many messages wait of what was decided."""
        return len(self._decided)

    @property
    def others(self) -> int:
        """How many messages wait that matter less."""
        return len(self._measured) + len(self._again)

    def begin(self) -> None:
        """Know of nothing that was said: a session begins."""
        for each in (self._decided, self._measured, self._again, self._told):
            each.clear()

    def say(self, *messages: Message) -> None:
        """Say each of these, in this order, as decided."""
        for message in messages:
            self._number += 1
            self._again.pop((message.topic, 0), None)
            self._decided[message.topic, self._number] = message
        self._arrived.set()

    def keep(self, topic: str, payload: bytes, *, measured: bool = False) -> bool:
        """Have the broker retain this, where it does not already; return whether that is new."""
        if self._told.get(topic) == payload:
            return False
        self._told[topic] = payload
        self._put(Message(topic, payload, qos=0 if measured else 1), measured)
        return True

    def show(self, topic: str, picture: bytes) -> None:
        """Have the broker retain a picture, which is too large to be remembered here."""
        self._put(Message(topic, picture, qos=0), measured=True)

    def forget(self, topic: str) -> None:
        """Have the broker retain nothing there, after all that was decided before."""
        self._told.pop(topic, None)
        self._decided.pop((topic, 0), None)
        self._measured.pop((topic, 0), None)
        self._put(Message(topic, b""), measured=False)

    def again(self, first: Iterable[Message]) -> None:
        """Say these once more, and then all that is retained since the session began."""
        told = (Message(topic, payload) for topic, payload in self._told.items())
        self._again = {(each.topic, 0): each for each in (*first, *told)}
        self._arrived.set()

    async def run(self, session: int) -> None:
        """Say what waits until the session is over.

        Raises:
            Unavailable: the broker does not answer.
        """
        while self._link.session == session:
            if batch := self._next():
                await self._link.say(*batch)
            else:
                await self._more()

    def _put(self, message: Message, measured: bool) -> None:
        key = (message.topic, 0)
        self._again.pop(key, None)
        line = self._measured if measured and key not in self._decided else self._decided
        line[key] = message
        self._arrived.set()

    def _next(self) -> list[Message]:
        """Return what is said next, as far as the rate has room for it."""
        now_s, batch = self._now_s(), list[Message]()
        for line, rate in (
            (self._decided, RATE),
            (self._measured, OTHERS),
            (self._again, OTHERS),
        ):
            while line and len(batch) < AT_ONCE:
                verdict = arrive(rate, self._empty_at_s, now_s)
                if not verdict.admitted:
                    break
                self._empty_at_s = verdict.empty_at_s
                batch.append(line.pop(next(iter(line))))
            if batch:
                break
        return batch

    async def _more(self) -> None:
        """Return when there may be something to say."""
        self._arrived.clear()
        waits = self._decided or self._measured or self._again
        with suppress(TimeoutError):
            async with asyncio.timeout(PAUSE_S if waits else LOOK_S):
                await self._arrived.wait()
