"""The status page's files, read once."""

import hashlib
from importlib import resources

from aiohttp import web

from coordinator.api.routes import Handler, Route

# By address: the file below coordinator/dashboard, and what it is.
FILES = {
    "/": ("page.html", "text/html"),
    "/docs": ("docs.html", "text/html"),
    "/dashboard/docs.js": ("docs.js", "text/javascript"),
    "/dashboard/page.js": ("page.js", "text/javascript"),
    "/dashboard/page.css": ("page.css", "text/css"),
}


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


# The page holds no data: it asks for a credential itself. A changed file is seen at the next load.
ROUTES = tuple(
    Route(method="GET", path=address, handler=_handler(name, content_type), needs=None)
    for address, (name, content_type) in FILES.items()
)
