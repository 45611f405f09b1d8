"""The routes of providers of models: what there is, how each is, and their webhooks."""

import hmac

from aiohttp import web

from coordinator.api.asking import CALLER, FARM
from coordinator.api.documents import Items
from coordinator.api.problems import BadRequest, Problem
from coordinator.api.provider_documents import (
    HintsDocument,
    ProviderDocument,
    ProviderHealthDocument,
    provider_document,
    provider_health_document,
)
from coordinator.api.render import API_ROOT
from coordinator.api.routes import Route
from coordinator.domain.access import Permission
from coordinator.domain.providing import ProviderFault
from coordinator.errors import NotFound
from coordinator.usecases import providers
from coordinator.usecases.generating import hinted

_PROVIDERS = f"{API_ROOT}/providers"
_PROVIDER = f"{_PROVIDERS}/{{name}}"
WEBHOOKS = f"{API_ROOT}/provider-webhooks"
# One delivery is about one task, or a few; nobody has us look for thousands.
HINTS_MAX = 20


async def list_providers(request: web.Request) -> web.Response:
    """Return the farm's providers, as far as that is known without asking them."""
    views = await providers.views(request.app[FARM])
    admin = request[CALLER].may(Permission.FARM_ADMIN)
    return web.json_response({"items": [provider_document(view, in_full=admin) for view in views]})


async def show_provider(request: web.Request) -> web.Response:
    """Return one provider."""
    view = await providers.view(request.app[FARM], request.match_info["name"])
    admin = request[CALLER].may(Permission.FARM_ADMIN)
    return web.json_response(provider_document(view, in_full=admin))


async def ask_health(request: web.Request) -> web.Response:
    """Ask a provider how it is, by a call that costs nothing."""
    health = await providers.health(request.app[FARM], request.match_info["name"])
    return web.json_response(provider_health_document(health))


async def take_webhook(request: web.Request) -> web.Response:
    """Hear from a provider that something changed: it is looked at, not believed."""
    farm, name = request.app[FARM], request.match_info["name"]
    source = farm.sources.get(name)
    token = request.match_info["token"].encode("utf-8", "replace")
    if source is None or not hmac.compare_digest(token, source.callback.encode()):
        raise NotFound("provider", name)
    headers = {key.lower(): value for key, value in request.headers.items()}
    try:
        hints = source.provider.hints(headers, await request.read())
    except ProviderFault as fault:
        raise BadRequest(
            Problem(
                status=403,
                code="webhook_unsigned",
                title="Not believed",
                detail=fault.message,
            )
        ) from fault
    await hinted(farm, source, [hint.task_id for hint in hints[:HINTS_MAX]])
    document: HintsDocument = {"hints": len(hints)}
    return web.json_response(document)


_UNKNOWN = ("unknown_provider",)
_SUBMIT = Permission.JOBS_SUBMIT

ROUTES = (
    Route(
        method="GET",
        path=_PROVIDERS,
        handler=list_providers,
        needs=_SUBMIT,
        gives=Items[ProviderDocument],
    ),
    Route(
        method="GET",
        path=_PROVIDER,
        handler=show_provider,
        needs=_SUBMIT,
        gives=ProviderDocument,
        problems=_UNKNOWN,
    ),
    Route(
        method="GET",
        path=f"{_PROVIDER}/health",
        handler=ask_health,
        needs=Permission.JOBS_MANAGE,
        gives=ProviderHealthDocument,
        problems=_UNKNOWN,
    ),
    Route(
        method="POST",
        path=f"{WEBHOOKS}/{{name}}/{{token}}",
        handler=take_webhook,
        needs=None,
        gives=HintsDocument,
        problems=(*_UNKNOWN, "too_large", "webhook_unsigned"),
    ),
)
