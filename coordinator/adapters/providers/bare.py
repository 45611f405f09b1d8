"""What providers are alike in: most list no tasks, have no way back, say nothing by themselves."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from coordinator.adapters.providers.http import Api
from coordinator.domain.providing import (
    Blame,
    CallingOff,
    Cost,
    Handle,
    Hint,
    Piece,
    ProviderFault,
    Wish,
)
from coordinator.ports import StagedFile


class Bare:
    """The part of a `Provider` that many services do not have, refused as the port says.

    Whoever has one of these says so in its offer, and overrides it. Files come by `_api`.
    """

    _title: str
    _api: Api

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

    async def fetch(self, piece: Piece, sink: StagedFile) -> None:
        """Write a file, from wherever it was told to lie."""
        await self._api.download(piece, sink)

    def hints(self, headers: Mapping[str, str], body: bytes) -> Sequence[Hint]:
        """Tell that it has no webhooks."""
        del headers, body
        raise ProviderFault(Blame.AUTH_CONFIG, "no_webhooks", f"{self._title} has no webhooks")

    async def close(self) -> None:
        """Leave no connection behind."""
        await self._api.close()
