"""Messages brought to endpoints: each in order, none held up by another.

What has to be said stands in the history, how far each endpoint is in its row. So a start begins
where the last one ended: what was under way when a process died is said once more.
"""

import asyncio

import structlog

from coordinator.domain import webhooks
from coordinator.domain.messages import Message
from coordinator.domain.webhooks import Attempt, Endpoint
from coordinator.errors import FarmError
from coordinator.ports import Unit
from coordinator.usecases.farm import Farm
from coordinator.usecases.outgoing import next_message
from coordinator.usecases.webhooks import DELIVERIES_MAX, post

log = structlog.get_logger(__name__)

# Lines that an endpoint does not want are written down as seen only so often: it saves a commit for
# each of them, and costs a start to look at so many again.
UNWANTED_LINES_MAX = 1000


class Courier:
    """Carries messages: at each endpoint one at a time, to all endpoints at once."""

    def __init__(self, farm: Farm) -> None:
        """Take the farm; nothing is carried before `run`."""
        self._farm = farm
        self._tasks: asyncio.TaskGroup | None = None
        self._busy: set[str] = set()
        # How far each endpoint's version was looked at in vain.
        self._looked: dict[tuple[str, int], int] = {}
        self._troubled: set[str] = set()

    async def run(self) -> None:
        """Carry until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            await asyncio.get_running_loop().create_future()

    async def look(self) -> None:
        """Set off to every endpoint that something is due for; does not wait for their answers."""
        if self._tasks is None:
            return
        now = self._farm.clock.now()
        async with self._farm.store.read() as unit:
            endpoints = await unit.endpoints()
            head = (await unit.head()).number
        known = {(each.endpoint_id, each.version) for each in endpoints}
        self._looked = {key: upto for key, upto in self._looked.items() if key in known}
        for each in endpoints:
            late = each.due_at is not None and each.due_at > now
            if not each.enabled or late or each.endpoint_id in self._busy:
                continue
            if self._after(each) < head:
                self._busy.add(each.endpoint_id)
                self._tasks.create_task(
                    self._carry(each.endpoint_id), name=f"webhook-{each.endpoint_id}"
                )

    def _after(self, endpoint: Endpoint) -> int:
        key = endpoint.endpoint_id, endpoint.version
        return max(endpoint.cursor, self._looked.get(key, 0))

    async def _carry(self, endpoint_id: str) -> None:
        """Bring one endpoint all that is due, until it fails or has it all."""
        try:
            while await self._carry_next(endpoint_id):
                pass
            self._troubled.discard(endpoint_id)
        except FarmError as error:
            if endpoint_id not in self._troubled:
                log.warning("webhook.waits", endpoint_id=endpoint_id, error=str(error))
            self._troubled.add(endpoint_id)
        finally:
            self._busy.discard(endpoint_id)

    async def _carry_next(self, endpoint_id: str) -> bool:
        """Bring one endpoint the next message; tell whether there may be more to bring."""
        farm = self._farm
        async with farm.store.read() as unit:
            endpoint = await unit.endpoint(endpoint_id)
            if endpoint is None or not endpoint.enabled or _is_late(farm, endpoint):
                return False
            message, looked = await next_message(unit, endpoint, self._after(endpoint))
        if message is None:
            self._looked[endpoint_id, endpoint.version] = looked.upto
            if looked.upto - endpoint.cursor >= UNWANTED_LINES_MAX:
                await self._write_cursor(endpoint, looked.upto)
            await asyncio.sleep(0)  # others have their turn
            return not looked.end
        attempt = await post(farm, endpoint, message)
        await self._settle(endpoint, message, attempt)
        return attempt.taken

    async def _write_cursor(self, endpoint: Endpoint, upto: int) -> None:
        async with self._farm.store.write() as unit:
            known = await _unchanged(unit, endpoint)
            if known is not None:
                await unit.save_endpoint(webhooks.moved(known, upto))

    async def _settle(self, endpoint: Endpoint, message: Message, attempt: Attempt) -> None:
        """Write down how an attempt went; the endpoint moves on unless somebody changed it."""
        now = self._farm.clock.now()
        async with self._farm.store.write() as unit:
            known = await _unchanged(unit, endpoint)
            if await unit.endpoint(endpoint.endpoint_id) is None:
                return
            before = await unit.delivery(endpoint.endpoint_id, message.number)
            await unit.save_delivery(webhooks.delivered(before, endpoint, message, attempt, now))
            await unit.drop_deliveries(endpoint.endpoint_id, keep=DELIVERIES_MAX)
            if known is None:
                return
            after = webhooks.after(known, message.number, attempt, now)
            await unit.save_endpoint(after)
            if not after.enabled:
                reason = after.disabled_reason
                line = webhooks.line_of(after, "disabled", "farm", "webhooks", now, reason)
                await unit.record(line)
        _tell(endpoint, after, message, attempt)


def _is_late(farm: Farm, endpoint: Endpoint) -> bool:
    return endpoint.due_at is not None and endpoint.due_at > farm.clock.now()


async def _unchanged(unit: Unit, endpoint: Endpoint) -> Endpoint | None:
    """Return the endpoint as it is stored, None where a person changed or removed it meanwhile."""
    known = await unit.endpoint(endpoint.endpoint_id)
    return known if known is not None and known.version == endpoint.version else None


def _tell(before: Endpoint, after: Endpoint, message: Message, attempt: Attempt) -> None:
    """Log a loss once, and its end once."""
    facts = {"endpoint_id": after.endpoint_id, "number": message.number, "status": attempt.status}
    if not after.enabled:
        log.error("webhook.disabled", reason=after.disabled_reason, **facts)
    elif after.failures == 1:
        log.warning("webhook.failing", reason=webhooks.told(attempt), **facts)
    elif before.failures and not after.failures:
        log.info("webhook.recovered", **facts)
