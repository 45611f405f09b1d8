"""The routes of webhooks: endpoints, their secrets, what they were sent."""

from datetime import datetime

from aiohttp import web
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, field_validator

from coordinator.api.asking import FARM, asked, taken, who
from coordinator.api.documents import Items
from coordinator.api.forms import refused
from coordinator.api.problems import BadRequest, FieldError
from coordinator.api.render import API_ROOT
from coordinator.api.routes import Route
from coordinator.api.webhook_documents import (
    AttemptDocument,
    DeliveryDocument,
    NewWebhookDocument,
    TypeDocument,
    WebhookDocument,
    delivery_document,
    webhook_document,
)
from coordinator.domain.access import Permission
from coordinator.domain.messages import TYPES
from coordinator.domain.webhooks import Endpoint, told
from coordinator.usecases import webhooks
from coordinator.usecases.webhooks import EndpointView, Wish

URL_CHARACTERS_MAX = 2000
PATTERN_CHARACTERS_MAX = 64
# A page of a screen, and more.
LIMIT = 100


class WebhookForm(BaseModel):
    """What somebody wants of an endpoint; what is not said stays as it is."""

    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)

    url: str | None = Field(default=None, min_length=1, max_length=URL_CHARACTERS_MAX)
    types: list[str] | None = None
    description: str | None = None
    enabled: bool | None = None


class NewWebhookForm(WebhookForm):
    """A new endpoint; `after` is the number of an event, and it is told what follows that one."""

    url: str = Field(min_length=1, max_length=URL_CHARACTERS_MAX)
    after: int | None = Field(default=None, ge=0, lt=2**63)


class ReplayForm(BaseModel):
    """From where on an endpoint is told again: behind an event, or from a time on."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    after: int | None = Field(default=None, ge=0, lt=2**63, strict=True)
    since: AwareDatetime | None = None

    @field_validator("since", mode="before")
    @classmethod
    def _is_written_out(cls, value: object) -> object:
        # A bare number would be taken for seconds since 1970, and all of history told again.
        if isinstance(value, str) and "-" in value:
            return value
        raise ValueError("a time as in 2026-01-31T12:00:00Z is wanted")


class DeliveriesQuery(BaseModel):
    """How many deliveries are wanted."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    limit: int = Field(default=LIMIT, ge=1, le=10 * LIMIT)


async def list_webhooks(request: web.Request) -> web.Response:
    """Return all endpoints, oldest first; none of their secrets."""
    views = await webhooks.views(request.app[FARM])
    return web.json_response({"items": [webhook_document(view) for view in views]})


async def list_types(request: web.Request) -> web.Response:
    """Return the types of messages, with what they mean."""
    del request
    items: list[TypeDocument] = [
        {"type": name, "words": words} for name, words in sorted(TYPES.items())
    ]
    return web.json_response({"items": items})


async def create_webhook(request: web.Request) -> web.Response:
    """Make an endpoint; this answer alone tells its secret."""
    farm, form = request.app[FARM], taken(request, NewWebhookForm)
    endpoint = await webhooks.create(farm, _wish(form, form.after), *who(request))
    return web.json_response(
        await _secret_document(request, endpoint),
        status=201,
        headers={"Location": f"{_WEBHOOKS}/{endpoint.endpoint_id}"},
    )


async def show_webhook(request: web.Request) -> web.Response:
    """Return one endpoint."""
    return await _shown(request, _id(request))


async def change_webhook(request: web.Request) -> web.Response:
    """Change an endpoint; enabled again it goes on where it was."""
    farm, form = request.app[FARM], taken(request, WebhookForm)
    changed = await webhooks.change(farm, _id(request), _wish(form), *who(request))
    return await _shown(request, changed.endpoint_id)


async def rotate_webhook(request: web.Request) -> web.Response:
    """Give an endpoint a new secret; this answer alone tells it."""
    endpoint = await webhooks.rotate(request.app[FARM], _id(request), *who(request))
    return web.json_response(await _secret_document(request, endpoint))


async def remove_webhook(request: web.Request) -> web.Response:
    """Remove an endpoint; return what it was."""
    endpoint = await webhooks.remove(request.app[FARM], _id(request), *who(request))
    return web.json_response(webhook_document(EndpointView(endpoint=endpoint, behind=0)))


async def send_test(request: web.Request) -> web.Response:
    """Send a test now, and return how that went; 200 whatever came of it."""
    attempt = await webhooks.send_test(request.app[FARM], _id(request))
    document: AttemptDocument = {
        "taken": attempt.taken,
        "status": attempt.status,
        "words": told(attempt),
        "elapsed_ms": attempt.elapsed_ms,
    }
    return web.json_response(document)


async def list_deliveries(request: web.Request) -> web.Response:
    """Return what became of the last messages, those attempted last first."""
    limit = asked(request, DeliveriesQuery).limit
    found = await webhooks.deliveries(request.app[FARM], _id(request), limit)
    return web.json_response({"items": [delivery_document(each) for each in found]})


async def replay_webhook(request: web.Request) -> web.Response:
    """Tell an endpoint again all that follows an event, or that happened since a time."""
    farm, form = request.app[FARM], taken(request, ReplayForm)
    if (form.after is None) == (form.since is None):
        raise _wrong("after", "say either after or since")
    after = form.after if form.after is not None else await _before(request, form.since)
    endpoint = await webhooks.replay(farm, _id(request), *who(request), after=after)
    return await _shown(request, endpoint.endpoint_id)


async def _shown(request: web.Request, endpoint_id: str) -> web.Response:
    view = await webhooks.view(request.app[FARM], endpoint_id)
    return web.json_response(webhook_document(view))


async def _secret_document(request: web.Request, endpoint: Endpoint) -> NewWebhookDocument:
    view = await webhooks.view(request.app[FARM], endpoint.endpoint_id)
    return {**webhook_document(view), "secret": endpoint.secret}


async def _before(request: web.Request, since: datetime | None) -> int:
    assert since is not None, "one of the two was said"
    return await webhooks.line_before(request.app[FARM], since)


def _wish(form: WebhookForm, after: int | None = None) -> Wish:
    return Wish(
        url=form.url,
        types=form.types,
        description=form.description,
        enabled=form.enabled,
        after=after,
    )


def _id(request: web.Request) -> str:
    return request.match_info["webhook_id"]


def _wrong(name: str, detail: str) -> BadRequest:
    return refused([FieldError(pointer=f"/{name}", detail=detail)])


_WEBHOOKS = f"{API_ROOT}/webhooks"
_WEBHOOK = f"{_WEBHOOKS}/{{webhook_id}}"
_ADMIN = Permission.FARM_ADMIN

_UNKNOWN = ("unknown_webhook",)
_WISH = ("address_not_allowed", "description_too_long", "types_out_of_range", "unknown_type")

ROUTES = (
    Route(
        method="GET",
        path=f"{API_ROOT}/webhook-types",
        handler=list_types,
        needs=_ADMIN,
        gives=Items[TypeDocument],
    ),
    Route(
        method="GET",
        path=_WEBHOOKS,
        handler=list_webhooks,
        needs=_ADMIN,
        gives=Items[WebhookDocument],
    ),
    Route(
        method="POST",
        path=_WEBHOOKS,
        handler=create_webhook,
        needs=_ADMIN,
        takes=NewWebhookForm,
        gives=NewWebhookDocument,
        status=201,
        problems=(*_WISH, "events_archived", "no_such_event", "too_many_webhooks"),
    ),
    Route(
        method="GET",
        path=_WEBHOOK,
        handler=show_webhook,
        needs=_ADMIN,
        gives=WebhookDocument,
        problems=_UNKNOWN,
    ),
    Route(
        method="PATCH",
        path=_WEBHOOK,
        handler=change_webhook,
        needs=_ADMIN,
        takes=WebhookForm,
        gives=WebhookDocument,
        problems=(*_UNKNOWN, *_WISH),
    ),
    Route(
        method="DELETE",
        path=_WEBHOOK,
        handler=remove_webhook,
        needs=_ADMIN,
        gives=WebhookDocument,
        problems=_UNKNOWN,
    ),
    Route(
        method="POST",
        path=f"{_WEBHOOK}/rotate",
        handler=rotate_webhook,
        needs=_ADMIN,
        gives=NewWebhookDocument,
        problems=_UNKNOWN,
    ),
    Route(
        method="POST",
        path=f"{_WEBHOOK}/test",
        handler=send_test,
        needs=_ADMIN,
        gives=AttemptDocument,
        problems=_UNKNOWN,
    ),
    Route(
        method="POST",
        path=f"{_WEBHOOK}/replay",
        handler=replay_webhook,
        needs=_ADMIN,
        takes=ReplayForm,
        gives=WebhookDocument,
        problems=(*_UNKNOWN, "no_such_event", "events_archived"),
    ),
    Route(
        method="GET",
        path=f"{_WEBHOOK}/deliveries",
        handler=list_deliveries,
        needs=_ADMIN,
        asks=DeliveriesQuery,
        gives=Items[DeliveryDocument],
        problems=(*_UNKNOWN, "limit_out_of_range"),
    ),
)
