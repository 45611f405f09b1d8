"""Endpoints: made, changed, given a new secret, tested, sent back to an earlier line, removed."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from coordinator.domain import webhooks
from coordinator.domain.messages import Message
from coordinator.domain.webhooks import Attempt, Delivery, Endpoint
from coordinator.errors import NotFound, NotNow, Refused, Unavailable
from coordinator.ports import Unit
from coordinator.ports_outward import Question
from coordinator.usecases.farm import Farm

# Whoever takes longer has to take the message first, and work on it afterwards.
ANSWER_S = 15.0
DELIVERIES_MAX = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What somebody wants of an endpoint; None leaves what is.

    Attributes:
        after: it is told what follows the line with this number.
    """

    url: str | None = None
    types: Sequence[str] | None = None
    description: str | None = None
    enabled: bool | None = None
    after: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointView:
    """An endpoint, and how many lines of history it has not been shown yet."""

    endpoint: Endpoint
    behind: int


async def views(farm: Farm) -> list[EndpointView]:
    """Return all endpoints, oldest first."""
    async with farm.store.read() as unit:
        head = (await unit.head()).number
        return [EndpointView(endpoint=e, behind=head - e.cursor) for e in await unit.endpoints()]


async def view(farm: Farm, endpoint_id: str) -> EndpointView:
    """Return one endpoint.

    Raises:
        NotFound: there is none.
    """
    async with farm.store.read() as unit:
        endpoint = await the_endpoint(unit, endpoint_id)
        return EndpointView(endpoint=endpoint, behind=(await unit.head()).number - endpoint.cursor)


async def create(farm: Farm, wish: Wish, actor: str, origin: str) -> Endpoint:
    """Make an endpoint; it is told what happens from now on, unless the wish says since when.

    Raises:
        Refused: the address, the types or the description can't be taken, or there are too many.
        NotNow: what it wants to be told is in an archive.
    """
    now = farm.clock.now()
    fresh = Endpoint(
        endpoint_id=farm.ids.new("webhook"),
        url="",
        secret=new_secret(),
        created_at=now,
    )
    endpoint = _with(farm, fresh, replace(wish, url=wish.url or ""))
    async with farm.store.write() as unit:
        if len(await unit.endpoints()) >= webhooks.ENDPOINTS_MAX:
            words = f"there are {webhooks.ENDPOINTS_MAX} endpoints already: remove one first"
            raise Refused("too_many_webhooks", words)
        cursor = (await unit.head()).number if wish.after is None else wish.after
        await _require_told(unit, cursor)
        endpoint = replace(endpoint, cursor=cursor, version=1)
        await unit.save_endpoint(endpoint)
        await unit.record(webhooks.line_of(endpoint, "created", actor, origin, now))
    return endpoint


async def change(farm: Farm, endpoint_id: str, wish: Wish, actor: str, origin: str) -> Endpoint:
    """Change an endpoint; one that is enabled again goes on where it was, at once.

    Raises:
        NotFound: there is none.
        Refused: as in `create`.
        NotNow: what it was not told yet is in an archive; `replay` says from where to go on.
    """
    async with farm.store.write() as unit:
        known = await the_endpoint(unit, endpoint_id)
        changed = _with(farm, known, wish)
        if changed.enabled and not known.enabled:
            await _require_told(unit, known.cursor)
        if changed.enabled:
            changed = webhooks.anew(replace(changed, disabled_reason=""))
        await unit.save_endpoint(changed)
        await unit.record(webhooks.line_of(changed, "changed", actor, origin, farm.clock.now()))
    farm.poke("webhooks")
    return changed


async def rotate(farm: Farm, endpoint_id: str, actor: str, origin: str) -> Endpoint:
    """Give an endpoint a new secret; for a day messages are signed with both.

    Raises:
        NotFound: there is none.
    """
    now = farm.clock.now()
    async with farm.store.write() as unit:
        known = await the_endpoint(unit, endpoint_id)
        endpoint = webhooks.rotated(known, new_secret(), now)
        await unit.save_endpoint(endpoint)
        await unit.record(webhooks.line_of(endpoint, "rotated", actor, origin, now))
    return endpoint


async def remove(farm: Farm, endpoint_id: str, actor: str, origin: str) -> Endpoint:
    """Remove an endpoint; return what it was.

    Raises:
        NotFound: there is none.
    """
    async with farm.store.write() as unit:
        endpoint = await the_endpoint(unit, endpoint_id)
        await unit.drop_endpoint(endpoint_id)
        await unit.record(webhooks.line_of(endpoint, "removed", actor, origin, farm.clock.now()))
    return endpoint


async def replay(farm: Farm, endpoint_id: str, actor: str, origin: str, *, after: int) -> Endpoint:
    """Tell an endpoint all that follows a line, whether it was told before or not.

    Raises:
        NotFound: there is none.
        Refused: there is no such line yet.
        NotNow: what it wants to be told is in an archive.
    """
    async with farm.store.write() as unit:
        known = await the_endpoint(unit, endpoint_id)
        await _require_told(unit, after)
        endpoint = webhooks.anew(replace(known, cursor=after, version=known.version + 1))
        await unit.save_endpoint(endpoint)
        await unit.record(webhooks.line_of(endpoint, "replayed", actor, origin, farm.clock.now()))
    farm.poke("webhooks")
    return endpoint


async def line_before(farm: Farm, since: datetime) -> int:
    """Return the number of the last line from before a time."""
    async with farm.store.read() as unit:
        later = await unit.events(limit=1, since=since)
        return later[0].number - 1 if later else (await unit.head()).number


async def send_test(farm: Farm, endpoint_id: str) -> Attempt:
    """Send a test, whether the endpoint is enabled or not; one that is taken ends its waiting.

    Raises:
        NotFound: there is none.
    """
    async with farm.store.read() as unit:
        endpoint = await the_endpoint(unit, endpoint_id)
    now = farm.clock.now()
    message = webhooks.test_message(endpoint, farm.ids.new("test"), now)
    attempt = await post(farm, endpoint, message)
    if attempt.taken and endpoint.enabled and endpoint.failures:
        async with farm.store.write() as unit:
            known = await unit.endpoint(endpoint_id)
            if known is not None and known.version == endpoint.version:
                await unit.save_endpoint(webhooks.anew(known))
        farm.poke("webhooks")
    return attempt


async def deliveries(farm: Farm, endpoint_id: str, limit: int) -> list[Delivery]:
    """Return what became of the last messages, those attempted last first.

    Raises:
        NotFound: there is no such endpoint.
        Refused: more are wanted than are kept.
    """
    if not 1 <= limit <= DELIVERIES_MAX:
        raise Refused("limit_out_of_range", f"1 to {DELIVERIES_MAX} deliveries are given at once")
    async with farm.store.read() as unit:
        await the_endpoint(unit, endpoint_id)
        return await unit.deliveries(endpoint_id, limit=limit)


async def post(farm: Farm, endpoint: Endpoint, message: Message) -> Attempt:
    """Say one message to one endpoint, once."""
    started_s = farm.clock.monotonic()
    question = Question(
        method="POST",
        url=endpoint.url,
        headers=webhooks.headers_of(endpoint, message, farm.clock.now()),
        body=message.body,
        within_s=ANSWER_S,
    )
    try:
        answer = await farm.outside.ask(question)
    except (Refused, Unavailable) as error:
        status, words, put_off_s = None, error.message, 0.0
    else:
        status, words = answer.status, ""
        put_off_s = webhooks.put_off_s(answer.headers.get("retry-after", ""))
    elapsed_ms = round((farm.clock.monotonic() - started_s) * 1000)
    attempt = Attempt(status=status, words=words, put_off_s=put_off_s, elapsed_ms=elapsed_ms)
    farm.live.counted.deliveries[attempt.result] += 1
    return attempt


async def the_endpoint(unit: Unit, endpoint_id: str) -> Endpoint:
    """Return an endpoint.

    Raises:
        NotFound: there is none.
    """
    endpoint = await unit.endpoint(endpoint_id)
    if endpoint is None:
        raise NotFound("webhook", endpoint_id)
    return endpoint


def new_secret() -> str:
    """Return a secret that nobody can guess."""
    return webhooks.secret_of(secrets.token_bytes(webhooks.SECRET_BYTES))


def _with(farm: Farm, endpoint: Endpoint, wish: Wish) -> Endpoint:
    """Return the endpoint as it is wanted.

    Raises:
        Refused: it can't be so.
    """
    if wish.url is not None and (words := farm.outside.objection(wish.url)):
        raise Refused("address_not_allowed", f"this address is not asked: {words}")
    types = endpoint.types if wish.types is None else tuple(dict.fromkeys(wish.types))
    if not 1 <= len(types) <= webhooks.TYPES_MAX:
        raise Refused("types_out_of_range", f"1 to {webhooks.TYPES_MAX} types can be wanted")
    if unknown := webhooks.unknown_pattern(types):
        raise Refused("unknown_type", f"no type of message is called {unknown!r}")
    description = endpoint.description if wish.description is None else wish.description
    if len(description) > webhooks.DESCRIPTION_CHARACTERS_MAX:
        most = webhooks.DESCRIPTION_CHARACTERS_MAX
        raise Refused("description_too_long", f"a description has at most {most} characters")
    return replace(
        endpoint,
        url=endpoint.url if wish.url is None else wish.url,
        types=types,
        description=description,
        enabled=endpoint.enabled if wish.enabled is None else wish.enabled,
        version=endpoint.version + 1,
    )


async def _require_told(unit: Unit, after: int) -> None:
    """Make sure that all lines after one are there to be told.

    Raises:
        Refused, NotNow: they are not.
    """
    if after > (await unit.head()).number:
        raise Refused("no_such_event", f"there is no event {after} yet")
    checkpoint = await unit.checkpoint()
    if checkpoint is not None and after < checkpoint.number:
        raise NotNow(
            "events_archived",
            f"events up to {checkpoint.number} are in an archive: replay after {checkpoint.number}",
        )
