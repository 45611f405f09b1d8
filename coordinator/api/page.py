"""The status page's files, read once."""

import hashlib
from importlib import resources

from aiohttp import web

from coordinator.api.handlers import Handler

# By address: the file below coordinator/dashboard, and what it is.
FILES = {
    "/": ("page.html", "text/html"),
    "/dashboard/page.js": ("page.js", "text/javascript"),
    "/dashboard/page.css": ("page.css", "text/css"),
}


def page_routes() -> list[web.RouteDef]:
    """Return a route for each file; a changed file is seen at the next load."""
    return [
        web.get(address, _handler(name, content_type), allow_head=False)
        for address, (name, content_type) in FILES.items()
    ]


def _handler(name: str, content_type: str) -> Handler:
    body = (resources.files("coordinator") / "dashboard" / name).read_bytes()
    etag = hashlib.sha256(body).hexdigest()[:16]

    async def serve(request: web.Request) -> web.StreamResponse:
        response = web.Response(body=body, content_type=content_type, charset="utf-8")
        response.etag = etag
        response.headers["Cache-Control"] = "no-cache"
        if any(tag.value == etag for tag in request.if_none_match or ()):
            return web.Response(status=304, headers={"ETag": f'"{etag}"'})
        return response

    return serve
