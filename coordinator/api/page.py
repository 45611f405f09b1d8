"""The page's files: what its addresses are answered with, and what it is made of."""

import hashlib
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from importlib import resources
from pathlib import Path

from aiohttp import web

from coordinator.api.routes import Handler, Route
from coordinator.errors import NotFound

_FOLDER = Path(str(resources.files("coordinator") / "dashboard"))
_BUILT = _FOLDER / "built"

# The page knows by its own address what to show.
VIEWS = (
    *("/", "/todo", "/queue", "/models", "/generate", "/wall", "/statistics", "/labels", "/begin"),
    *("/materials", "/maintenance", "/agents", "/updates", "/people", "/webhooks", "/audit"),
    *("/disk", "/settings", "/log", "/account"),
    *(
        "/printers/{printer}",
        "/jobs/{job}",
        "/models/{model}",
        "/generate/{generation}",
        "/p/{printer}",
    ),
)

# By address: the file in coordinator/dashboard, and what it is.
FILES = {
    "/docs": ("docs.html", "text/html"),
    "/dashboard/docs.js": ("docs.js", "text/javascript"),
    "/dashboard/docs.css": ("docs.css", "text/css"),
}

# Built files are named after what is in them, so what was kept of them never is old.
_NAME = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\.(js|css|svg|woff2|wasm)")
_FOR_EVER = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class _Read:
    """A file as it was read; `mark` is another once the file is."""

    mark: tuple[Path, int, int]
    body: bytes
    etag: str


def _mark(path: Path) -> tuple[Path, int, int]:
    found = path.stat()
    return path, found.st_mtime_ns, found.st_size


def _read(path: Path) -> _Read:
    mark, body = _mark(path), path.read_bytes()
    return _Read(mark, body, hashlib.sha256(body).hexdigest()[:16])


def kept(find: Callable[[], Path], content_type: str) -> Handler:
    """Return what answers with a file, which is read again only once it is another.

    An upgrade, or a build, may put another page below a coordinator that runs: the one before
    would ask for files that are gone.
    """
    known = _read(find())

    async def serve(request: web.Request) -> web.StreamResponse:
        nonlocal known
        with suppress(OSError):  # in the midst of a build
            if _mark(path := find()) != known.mark:
                known = _read(path)
        headers = {"Cache-Control": "no-cache"}
        if any(tag.value == known.etag for tag in request.if_none_match or ()):
            return web.Response(status=304, headers={**headers, "ETag": f'"{known.etag}"'})
        response = web.Response(
            body=known.body, content_type=content_type, charset="utf-8", headers=headers
        )
        response.etag = known.etag
        return response

    return serve


async def send_asset(request: web.Request) -> web.StreamResponse:
    """Send one of the built files, packed where the browser takes it so."""
    name = request.match_info["name"]
    path = _BUILT / "assets" / name
    if not _NAME.fullmatch(name) or not path.is_file():
        raise NotFound("file", name)
    return web.FileResponse(path, headers={"Cache-Control": _FOR_EVER})


def _index() -> Path:
    """Return the page, or what says that it was not built."""
    built = _BUILT / "index.html"
    return built if built.is_file() else _FOLDER / "unbuilt.html"


_PAGE = kept(_index, "text/html")

# The page holds no data: it asks for a credential itself. A changed file is seen at the next load.
ROUTES = (
    *(Route(method="GET", path=address, handler=_PAGE, needs=None) for address in VIEWS),
    *(
        Route(
            method="GET",
            path=address,
            handler=kept(partial(_FOLDER.joinpath, name), content_type),
            needs=None,
        )
        for address, (name, content_type) in FILES.items()
    ),
    Route(method="GET", path="/dashboard/assets/{name}", handler=send_asset, needs=None),
)
