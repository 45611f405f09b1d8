"""Who is told what happens, in memory."""

from dataclasses import dataclass, field

from coordinator.domain.notices import Channel
from coordinator.domain.webhooks import Delivery, Endpoint


@dataclass
class ToldTables:
    """The rows; `copy` makes a transaction's own."""

    endpoints: dict[str, Endpoint] = field(default_factory=dict)
    deliveries: dict[tuple[str, int], Delivery] = field(default_factory=dict)
    channels: dict[str, Channel] = field(default_factory=dict)

    def copy(self) -> "ToldTables":
        return ToldTables(dict(self.endpoints), dict(self.deliveries), dict(self.channels))


class MemoryTelling:
    """Implements `coordinator.ports_telling.TellingUnit` on a copy of the tables."""

    told: ToldTables
    changed: bool

    async def endpoint(self, endpoint_id: str) -> Endpoint | None:
        return self.told.endpoints.get(endpoint_id)

    async def endpoints(self) -> list[Endpoint]:
        every = self.told.endpoints.values()
        return sorted(every, key=lambda each: (each.created_at, each.endpoint_id))

    async def save_endpoint(self, endpoint: Endpoint) -> None:
        self.changed = True
        self.told.endpoints[endpoint.endpoint_id] = endpoint

    async def drop_endpoint(self, endpoint_id: str) -> None:
        self.changed = True
        self.told.endpoints.pop(endpoint_id, None)
        await self.drop_deliveries(endpoint_id, keep=0)

    async def delivery(self, endpoint_id: str, number: int) -> Delivery | None:
        return self.told.deliveries.get((endpoint_id, number))

    async def deliveries(self, endpoint_id: str, *, limit: int) -> list[Delivery]:
        mine = [each for each in self.told.deliveries.values() if each.endpoint_id == endpoint_id]
        return sorted(mine, key=lambda each: (each.last_at, each.number), reverse=True)[:limit]

    async def save_delivery(self, delivery: Delivery) -> None:
        self.changed = True
        self.told.deliveries[delivery.endpoint_id, delivery.number] = delivery

    async def drop_deliveries(self, endpoint_id: str, *, keep: int) -> None:
        self.changed = True
        newest = await self.deliveries(endpoint_id, limit=len(self.told.deliveries))
        if len(newest) > keep:
            for each in newest:
                if each.last_at <= newest[keep].last_at:
                    del self.told.deliveries[endpoint_id, each.number]

    async def channel(self, name: str) -> Channel | None:
        return self.told.channels.get(name)

    async def save_channel(self, channel: Channel) -> None:
        self.changed = True
        self.told.channels[channel.name] = channel
