"""The part of a `Unit` that is about who is told what happens."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, Executable, bindparam, delete, select

from coordinator.adapters.db import telling_tables
from coordinator.adapters.db.saving import saving
from coordinator.adapters.db.tables import table
from coordinator.domain.notices import Channel
from coordinator.domain.webhooks import Delivery, DeliveryState, Endpoint

_ENDPOINTS = table(telling_tables.EndpointRow)
_DELIVERIES = table(telling_tables.DeliveryRow)
_CHANNELS = table(telling_tables.ChannelRow)


_SAVE_ENDPOINT = saving(_ENDPOINTS, "endpoint_id")
_SAVE_DELIVERY = saving(_DELIVERIES, "endpoint_id", "number")
_SAVE_CHANNEL = saving(_CHANNELS, "name")
_ENDPOINT = select(_ENDPOINTS).where(_ENDPOINTS.c.endpoint_id == bindparam("id"))
_ALL_ENDPOINTS = select(_ENDPOINTS).order_by(_ENDPOINTS.c.created_at, _ENDPOINTS.c.endpoint_id)
_DROP_ENDPOINT = delete(_ENDPOINTS).where(_ENDPOINTS.c.endpoint_id == bindparam("id"))
_OF_ENDPOINT = _DELIVERIES.c.endpoint_id == bindparam("id")
_DELIVERY = select(_DELIVERIES).where(_OF_ENDPOINT, _DELIVERIES.c.number == bindparam("number"))
_NEWEST = (
    select(_DELIVERIES)
    .where(_OF_ENDPOINT)
    .order_by(_DELIVERIES.c.last_at.desc(), _DELIVERIES.c.number.desc())
)
_LAST = _NEWEST.limit(bindparam("limit"))
_TOO_OLD = (
    _NEWEST.with_only_columns(_DELIVERIES.c.last_at).limit(1).offset(bindparam("keep"))
).scalar_subquery()
_DROP_OLD = delete(_DELIVERIES).where(_OF_ENDPOINT, _DELIVERIES.c.last_at <= _TOO_OLD)
_DROP_ALL = delete(_DELIVERIES).where(_OF_ENDPOINT)
_CHANNEL = select(_CHANNELS).where(_CHANNELS.c.name == bindparam("id"))


class TellingUnit:
    """Who is told, in one transaction; the contracts stand in the port."""

    _connection: Connection

    async def endpoint(self, endpoint_id: str) -> Endpoint | None:
        """Return one endpoint."""
        return next(map(_endpoint_of, self._rows(_ENDPOINT, id=endpoint_id)), None)

    async def endpoints(self) -> list[Endpoint]:
        """Return all endpoints, oldest first."""
        return [_endpoint_of(row) for row in self._rows(_ALL_ENDPOINTS)]

    async def save_endpoint(self, endpoint: Endpoint) -> None:
        """Insert or replace an endpoint."""
        self._save(_SAVE_ENDPOINT, {**asdict(endpoint), "types": list(endpoint.types)})

    async def drop_endpoint(self, endpoint_id: str) -> None:
        """Remove an endpoint, and what is known of its deliveries."""
        self._connection.execute(_DROP_ENDPOINT, {"id": endpoint_id})
        self._connection.execute(_DROP_ALL, {"id": endpoint_id})

    async def delivery(self, endpoint_id: str, number: int) -> Delivery | None:
        """Return what became of one message."""
        rows = self._rows(_DELIVERY, id=endpoint_id, number=number)
        return next(map(_delivery_of, rows), None)

    async def deliveries(self, endpoint_id: str, *, limit: int) -> list[Delivery]:
        """Return the last deliveries, those attempted last first."""
        return [_delivery_of(row) for row in self._rows(_LAST, id=endpoint_id, limit=limit)]

    async def save_delivery(self, delivery: Delivery) -> None:
        """Insert or replace a delivery."""
        self._save(_SAVE_DELIVERY, {**asdict(delivery), "state": delivery.state.value})

    async def drop_deliveries(self, endpoint_id: str, *, keep: int) -> None:
        """Forget an endpoint's deliveries, but for so many that were attempted last."""
        self._connection.execute(_DROP_OLD, {"id": endpoint_id, "keep": keep})

    async def channel(self, name: str) -> Channel | None:
        """Return one channel to people."""
        return next((Channel(**row) for row in self._rows(_CHANNEL, id=name)), None)

    async def save_channel(self, channel: Channel) -> None:
        """Insert or replace a channel."""
        self._save(_SAVE_CHANNEL, asdict(channel))

    def _save(self, statement: Mapping[str, Executable], row: Mapping[str, Any]) -> None:
        self._connection.execute(statement[self._connection.dialect.name], dict(row))

    def _rows(self, wanted: Executable, **given: Any) -> list[dict[str, Any]]:
        return [dict(row) for row in self._connection.execute(wanted, given).mappings()]


def _endpoint_of(row: Mapping[str, Any]) -> Endpoint:
    return Endpoint(**{**row, "types": tuple(row["types"])})


def _delivery_of(row: Mapping[str, Any]) -> Delivery:
    return Delivery(**{**row, "state": DeliveryState(row["state"])})
