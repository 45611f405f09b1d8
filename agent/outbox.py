"""The events of one printer on their way out: said in order, and again until acknowledged."""

from typing import Protocol

from agent.journal import Journal
from protocols.wire.from_agent import Reported
from protocols.wire.to_agent import Acknowledged
from protocols.wire.vocabulary import PrinterId

EVENTS_AT_ONCE = 50
SAY_AGAIN_S = 30.0  # a coordinator that is up acknowledges within a second


class Outlet(Protocol):
    """What a printer needs of the link.

    Attributes:
        connected: there is a broker.
        session: counts the connections; what was said in an earlier one may not have been heard.
    """

    connected: bool
    session: int

    @property
    def heard(self) -> bool:
        """Whether the coordinator would hear us now."""

    def report(self, reported: Reported) -> None:
        """Say how the printer stands; replaces what was not said yet."""

    def offer_event(self, printer_id: PrinterId, payload: bytes) -> bool:
        """Take one event to be said in order; False: not now."""


class Outbox:
    """A reader of the journal's outbox with its place in it; begins anew with each connection."""

    def __init__(self, journal: Journal, printer_id: PrinterId) -> None:
        """Begin at the first event that nobody acknowledged."""
        self._journal = journal
        self._printer_id = printer_id
        self._session = 0
        self._said = 0
        self._said_at_s = 0.0
        self._acknowledged = 0

    @property
    def acknowledged(self) -> int:
        """Number of the last event that was forgotten, because a coordinator had stored it."""
        return self._acknowledged

    async def load(self, *, events_stored: int) -> None:
        """Find out what was acknowledged before this process began. Raises JournalDamaged."""
        kept = await self._journal.outbox(self._printer_id, 0, 1)
        self._acknowledged = kept[0].number - 1 if kept else events_stored

    async def acknowledge(self, mark: Acknowledged | None, *, events_stored: int) -> None:
        """Forget what the coordinator has stored; a mark of another journal means nothing."""
        if mark is None or mark.journal_id != self._journal.journal_id:
            return
        number = min(mark.number, events_stored)
        if number > self._acknowledged:
            await self._journal.acknowledge(self._printer_id, number)
            self._acknowledged = number

    async def say(self, outlet: Outlet, *, events_stored: int, now_s: float) -> float | None:
        """Offer what was not said yet, or not heard; return when to look again, None: never."""
        if not outlet.connected:
            return None
        unheard = self._said > self._acknowledged and now_s >= self._said_at_s + SAY_AGAIN_S
        if outlet.session != self._session or unheard:
            self._session, self._said = outlet.session, self._acknowledged
        while self._said < events_stored:
            events = await self._journal.outbox(self._printer_id, self._said, EVENTS_AT_ONCE)
            if not events:  # all of them were acknowledged before this process began
                self._said = self._acknowledged = events_stored
            for event in events:
                if not outlet.offer_event(self._printer_id, event.payload):
                    return now_s + 1.0
                self._said, self._said_at_s = event.number, now_s
        return self._said_at_s + SAY_AGAIN_S if self._said > self._acknowledged else None
