"""Log ins at an OpenID provider that began and did not come back yet."""

from collections import OrderedDict
from datetime import datetime, timedelta

from coordinator.ports_accounts import Challenge

# Time to find a telephone with the second factor; and so many at once, or the oldest begin anew.
PENDING_LIFE = timedelta(minutes=10)
PENDING_MAX = 1000


class Pending:
    """Challenges by their state; forgotten with the process."""

    def __init__(self) -> None:
        """Begin with none."""
        self._challenges: OrderedDict[str, tuple[Challenge, datetime]] = OrderedDict()

    def add(self, challenge: Challenge, now: datetime) -> None:
        """Remember one."""
        self._challenges[challenge.state] = (challenge, now)
        if len(self._challenges) > PENDING_MAX:
            self._challenges.popitem(last=False)

    def take(self, state: str, now: datetime) -> Challenge | None:
        """Return one, once; None where it is not known, or took too long."""
        challenge, began = self._challenges.pop(state, (None, now))
        return challenge if now - began < PENDING_LIFE else None
