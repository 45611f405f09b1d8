"""What a provider is that lists no tasks, has no way back, and says nothing by itself."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from coordinator.domain.providing import (
    Blame,
    CallingOff,
    Cost,
    Handle,
    Hint,
    ProviderFault,
    Wish,
)


class Bare:
    """The part of a `Provider` that many services do not have, refused as the port says.

    Whoever has one of these says so in its offer, and overrides it.
    """

    _title: str

    async def estimate(self, wish: Wish) -> Cost | None:
        """Return None: nothing is charged."""
        del wish
        return None

    async def recall(self, wish: Wish, key: str, since: datetime) -> Handle | None:
        """Tell that its tasks are not listed, so that a person looks."""
        del wish, key, since
        words = f"{self._title} lists no tasks to programs: see its own page of them, if it has one"
        raise ProviderFault(Blame.SUBMIT_UNSURE, "not_listed", words)

    async def call_off(self, handle: Handle) -> CallingOff:
        """Tell that what was asked for is made."""
        del handle
        return CallingOff.REFUSED

    def hints(self, headers: Mapping[str, str], body: bytes) -> Sequence[Hint]:
        """Tell that it has no webhooks."""
        del headers, body
        raise ProviderFault(Blame.AUTH_CONFIG, "no_webhooks", f"{self._title} has no webhooks")
