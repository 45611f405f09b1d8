"""Tickets: what opens a live connection once, where a browser can't show a credential."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from coordinator.domain.access import Caller

# Time to open a connection, not to be found in a log and used.
VALID = timedelta(seconds=30)
# Nobody needs more at once; the oldest are forgotten.
TICKETS_MAX = 1000


@dataclass(frozen=True, slots=True)
class _Issued:
    caller: Caller
    until: datetime


class Tickets:
    """The tickets that were issued and not yet used."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        """Take the clock."""
        self._now = now
        self._issued: dict[str, _Issued] = {}

    def issue(self, caller: Caller) -> tuple[str, datetime]:
        """Return a ticket for who asks, and until when it opens."""
        while len(self._issued) >= TICKETS_MAX:
            del self._issued[next(iter(self._issued))]
        ticket, until = secrets.token_urlsafe(24), self._now() + VALID
        self._issued[ticket] = _Issued(caller, until)
        return ticket, until

    def redeem(self, ticket: str) -> Caller | None:
        """Return who it was issued for, once; None where it is none, or none any more."""
        issued = self._issued.pop(ticket, None)
        return issued.caller if issued is not None and self._now() <= issued.until else None
