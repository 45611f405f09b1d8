"""The route of the settings that the coordinator was started with; it changes none of them."""

from typing import Any

from aiohttp import web
from typing_extensions import TypedDict

from coordinator.api.documents import Items
from coordinator.api.operating import MACHINE
from coordinator.api.render import API_ROOT
from coordinator.api.routes import Route
from coordinator.domain.access import Permission
from coordinator.settings import PREFIX


class SettingDocument(TypedDict):
    """One setting; secrets are masked.

    `origin` is where it comes from: `default`, a flag, a variable, a credential or a file; `words`
    say what it is for, `variable` is how the environment calls it.
    """

    name: str
    value: Any
    origin: str
    is_secret: bool
    words: str
    variable: str


async def list_settings(request: web.Request) -> web.Response:
    """Return all settings as the coordinator was started with them, in the manual's order."""
    items: list[SettingDocument] = [
        {
            "name": each.name,
            "value": each.value,
            "origin": each.origin,
            "is_secret": each.is_secret,
            "words": each.words,
            "variable": f"{PREFIX}{each.name.upper()}",
        }
        for each in request.app[MACHINE].settings
    ]
    return web.json_response({"items": items})


ROUTES = (
    Route(
        method="GET",
        path=f"{API_ROOT}/settings",
        handler=list_settings,
        needs=Permission.FARM_ADMIN,
        gives=Items[SettingDocument],
    ),
)
