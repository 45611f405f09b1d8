"""The icon that browsers ask for by themselves, whatever page of ours they show."""

from importlib import resources

from aiohttp import web

from coordinator.api.routes import Route

_ICON = (resources.files("coordinator") / "dashboard" / "favicon.ico").read_bytes()


async def show_icon(_: web.Request) -> web.Response:
    """Return the icon."""
    kept = {"Cache-Control": "public, max-age=86400"}
    return web.Response(body=_ICON, content_type="image/x-icon", headers=kept)


ROUTES = (Route(method="GET", path="/favicon.ico", handler=show_icon, needs=None),)
