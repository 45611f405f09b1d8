"""Asks a printer, while no run of ours is on it, whether it prints something all the same.

What it prints then was begun at its own panel, or by another host. It is left alone: nothing is
claimed, nothing is stopped, and nothing is said that would disturb it.
"""

import asyncio
from collections.abc import Callable
from typing import Any

from agent.printers.streaming import Streaming
from protocols.gcode import events
from protocols.gcode.elsewhere import Elsewhere
from protocols.gcode.states import State

MIXED_UP = "the printer began to print from its own card"


class Panel:
    """One printer's. It is its own tag: the acceptance of its questions comes to `answered`.

    Attributes:
        asking: questions are under way.
    """

    def __init__(self, streaming: Streaming, *, now: Callable[[], float], log: Any) -> None:
        """Ask through a run's feed.

        Args:
            streaming: knows the run.
            now: tells the monotonic time.
            log: bound to the printer.
        """
        self.asking = False
        self._elsewhere = Elsewhere()
        self._streaming = streaming
        self._feed = streaming.feed
        self._now = now
        self._log = log
        self._known = False
        self._sure: asyncio.Future[None] | None = None

    @property
    def foreign(self) -> bool:
        """Whether it prints what nobody here began."""
        return self._elsewhere.printing and self._streaming.active is None

    @property
    def settled(self) -> bool:
        """Whether `foreign` can be believed."""
        return self._elsewhere.settled

    @property
    def words(self) -> str:
        """What a person should know; empty when there is nothing."""
        if self._streaming.active is not None:
            return ""
        if self.foreign:
            file = self._elsewhere.file
            return f"prints {file or 'something'} that was begun at its panel or by another host"
        return "" if self.settled else "it is being asked whether it prints something of its own"

    def ready(self, event: events.Ready | events.Identified) -> None:
        """Lines can be said: a run goes on; without one, what the printer does is asked first."""
        reports = "AUTOREPORT_SD_STATUS" in event.capabilities
        ours = self._streaming.active is not None
        question = event.dialect.card_question
        self._elsewhere.begin(question, self._now(), reports=reports, ours=ours)
        self.asking, self._known = False, ours
        if ours:
            self._streaming.ready()
        else:
            self.look()

    def look(self) -> None:
        """Ask, if it is time for it."""
        if self._streaming.active is not None:
            self._elsewhere.touched(self._now())
            return
        if self.asking or self._feed.connection.state is not State.READY or not self._feed.open:
            return
        now = self._now()
        if not self._elsewhere.due(now):
            return
        if questions := self._elsewhere.questions(now):
            self.asking = True
            self._feed.say(*questions, tag=self)
            self._feed.pump_and_flush()
        else:
            self.answered()

    def answered(self) -> None:
        """The firmware has answered all that was asked."""
        self.asking = False
        self._elsewhere.answered(self._now())
        if self._elsewhere.settled and not self._known:
            self._known = True
            if self.foreign:
                self._streaming.make_safe = False  # the heat is somebody else's now
            self._streaming.ready()
        self._end_waiting()

    async def make_sure(self) -> None:
        """Ask once more before a run begins; returns when that is answered, or can't be."""
        self._end_waiting()
        self._elsewhere.ask_soon(self._now())
        self.look()
        if self.asking:
            self._sure = asyncio.get_running_loop().create_future()
            await self._sure

    def _end_waiting(self) -> None:
        if self._sure is not None and not self._sure.done():
            self._sure.set_result(None)
        self._sure = None

    def hear(self, event: events.Event) -> None:
        """Take what the firmware told."""
        if self._streaming.active is not None:
            if isinstance(event, events.CardTold) and event.printing:
                self._feed.hold(MIXED_UP)
            if not isinstance(event, events.TemperaturesReported):
                return
        before = self.foreign
        self._elsewhere.hear(event, self._now())
        if self.foreign is not before:
            began = "printer.prints_elsewhere" if self.foreign else "printer.done_elsewhere"
            self._log.info(began, file=self._elsewhere.file)

    def touched(self) -> None:
        """An operator had the printer do something."""
        self._elsewhere.touched(self._now())

    def lost(self) -> None:
        """The connection is gone, and with it every answer that is under way."""
        self.asking = False
        self._end_waiting()
