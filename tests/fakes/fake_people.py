"""A way to people that remembers what was sent, and fails when told to."""

from coordinator.domain.notices import Notice
from coordinator.errors import Unavailable


class FakePeople:
    """Implements `coordinator.ports_outward.People`."""

    def __init__(self, name: str = "email") -> None:
        self.name = name
        self.fails = False
        self.sent: list[Notice] = []

    async def send(self, notice: Notice) -> None:
        if self.fails:
            raise Unavailable("mail_not_sent", "the server is down")
        self.sent.append(notice)
