"""What every `Store` keeps to, of endpoints, deliveries and channels."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from coordinator.domain.notices import Channel
from coordinator.domain.webhooks import Delivery, DeliveryState, Endpoint
from coordinator.ports import Store

NOW = datetime(2030, 1, 1, 12, 0, 0, 123456, tzinfo=UTC)
ENDPOINT = Endpoint(
    endpoint_id="webhook-1",
    url="https://example.com/x",
    types=("job.*", "run.lost"),
    description="ä",
    secret="whsec_bm8=",
    cursor=2**40,
    created_at=NOW,
)


def delivery(number: int, endpoint_id: str = "webhook-1", *, seconds: int = 0) -> Delivery:
    return Delivery(
        endpoint_id=endpoint_id,
        number=number,
        message_id=f"evt-{number}",
        type="job.finished",
        state=DeliveryState.FAILING,
        attempts=1,
        words="no answer",
        first_at=NOW,
        last_at=NOW + timedelta(seconds=seconds),
    )


async def test_an_endpoint_comes_back_as_it_was_saved(store: Store) -> None:
    full = replace(
        ENDPOINT,
        enabled=False,
        disabled_reason="it answered 410",
        previous_secret="whsec_b2xk",
        previous_until=NOW + timedelta(days=1),
        failures=3,
        failing_since=NOW,
        due_at=NOW + timedelta(hours=1),
        version=9,
    )
    older = replace(ENDPOINT, endpoint_id="webhook-2", created_at=NOW - timedelta(seconds=1))
    async with store.write() as unit:
        await unit.save_endpoint(ENDPOINT)
        await unit.save_endpoint(older)
        await unit.save_endpoint(full)
    async with store.read() as unit:
        assert await unit.endpoint("webhook-1") == full
        assert await unit.endpoints() == [older, full]
        assert await unit.endpoint("webhook-3") is None


async def test_what_was_saved_in_a_broken_transaction_is_not_there(store: Store) -> None:
    async with store.write() as unit:
        await unit.save_endpoint(ENDPOINT)
    try:
        async with store.write() as unit:
            await unit.save_endpoint(replace(ENDPOINT, cursor=1))
            await unit.save_delivery(delivery(1))
            raise KeyError
    except KeyError:
        pass
    async with store.read() as unit:
        assert await unit.endpoint("webhook-1") == ENDPOINT
        assert await unit.delivery("webhook-1", 1) is None


async def test_a_removed_endpoint_takes_its_deliveries_along(store: Store) -> None:
    other = replace(ENDPOINT, endpoint_id="webhook-2")
    async with store.write() as unit:
        for endpoint in (ENDPOINT, other):
            await unit.save_endpoint(endpoint)
            await unit.save_delivery(delivery(1, endpoint.endpoint_id))
        await unit.drop_endpoint("webhook-1")
    async with store.read() as unit:
        assert await unit.endpoints() == [other]
        assert await unit.deliveries("webhook-1", limit=10) == []
        assert len(await unit.deliveries("webhook-2", limit=10)) == 1


async def test_a_delivery_is_replaced_and_the_last_ones_come_first(store: Store) -> None:
    again = replace(
        delivery(1, seconds=9),
        state=DeliveryState.DELIVERED,
        attempts=2,
        status=204,
        words="",
        elapsed_ms=12,
    )
    async with store.write() as unit:
        for number in (1, 2, 3):
            await unit.save_delivery(delivery(number, seconds=number))
        await unit.save_delivery(again)
    async with store.read() as unit:
        assert await unit.delivery("webhook-1", 1) == again
        found = await unit.deliveries("webhook-1", limit=2)
        assert [each.number for each in found] == [1, 3]


async def test_only_the_last_deliveries_are_kept(store: Store) -> None:
    async with store.write() as unit:
        for number in range(1, 6):
            await unit.save_delivery(delivery(number, seconds=number))
        await unit.save_delivery(delivery(1, "webhook-2"))
        await unit.drop_deliveries("webhook-1", keep=9)
        assert len(await unit.deliveries("webhook-1", limit=9)) == 5
        await unit.drop_deliveries("webhook-1", keep=2)
    async with store.read() as unit:
        found = await unit.deliveries("webhook-1", limit=9)
        assert [each.number for each in found] == [5, 4]
        assert len(await unit.deliveries("webhook-2", limit=9)) == 1


async def test_a_channel_is_kept(store: Store) -> None:
    async with store.write() as unit:
        await unit.save_channel(Channel(name="email", cursor=3))
        await unit.save_channel(Channel(name="email", cursor=2**40, failures=2, due_at=NOW))
    async with store.read() as unit:
        kept = Channel(name="email", cursor=2**40, failures=2, due_at=NOW)
        assert await unit.channel("email") == kept
        assert await unit.channel("ntfy") is None
