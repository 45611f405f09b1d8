"""The part of a transaction that is about who is told what happens: endpoints, channels."""

from typing import Protocol

from coordinator.domain.notices import Channel
from coordinator.domain.webhooks import Delivery, Endpoint


class TellingUnit(Protocol):
    """Endpoints and what they were sent; channels and how far they are."""

    async def endpoint(self, endpoint_id: str) -> Endpoint | None:
        """Return one endpoint."""

    async def endpoints(self) -> list[Endpoint]:
        """Return all endpoints, oldest first."""

    async def save_endpoint(self, endpoint: Endpoint) -> None:
        """Insert or replace an endpoint."""

    async def drop_endpoint(self, endpoint_id: str) -> None:
        """Remove an endpoint, and what is known of its deliveries."""

    async def delivery(self, endpoint_id: str, number: int) -> Delivery | None:
        """Return what became of one message."""

    async def deliveries(self, endpoint_id: str, *, limit: int) -> list[Delivery]:
        """Return the last deliveries, those attempted last first."""

    async def save_delivery(self, delivery: Delivery) -> None:
        """Insert or replace a delivery."""

    async def drop_deliveries(self, endpoint_id: str, *, keep: int) -> None:
        """Forget an endpoint's deliveries, but for so many that were attempted last."""

    async def channel(self, name: str) -> Channel | None:
        """Return one channel to people."""

    async def save_channel(self, channel: Channel) -> None:
        """Insert or replace a channel."""
