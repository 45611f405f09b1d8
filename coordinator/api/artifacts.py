"""Artifacts over HTTP: whole or in part, checked by their hash, kept by caches for ever."""

import re
import time

import structlog
from aiohttp import web

from coordinator.api.asking import FARM
from coordinator.api.names import disposition_of
from coordinator.api.problems import BadRequest, Problem
from coordinator.api.ranges import Span, Unsatisfiable, etag_matches, span_of
from coordinator.api.render import API_ROOT
from coordinator.api.routes import Route
from coordinator.domain.access import Permission
from coordinator.domain.file_kinds import suffix_of
from coordinator.domain.plates import ArtifactKind
from coordinator.errors import FarmError, NotFound
from coordinator.usecases.counted import BROKEN_OFF, SENT

_log = structlog.get_logger()

PROBLEMS = ("artifact_removed", "unknown_artifact", "storage_unusable", "range_outside")

_REMOVED = Problem(
    status=410,
    code="artifact_removed",
    title="Removed",
    detail="The file was removed; the farm's history tells when, and why.",
)
# Of pictures, which are looked at before they are kept; one without a name of its kind is a PNG.
_DRAWN = {".jpg": "image/jpeg", ".webp": "image/webp"}
_SHA256 = re.compile(r"[0-9a-f]{64}")


async def serve_artifact(request: web.Request) -> web.StreamResponse:
    """Answer GET and HEAD of one artifact."""
    return await sent(request, request.match_info["sha256"])


async def sent(request: web.Request, sha256: str) -> web.StreamResponse:
    """Answer with an artifact, or the part of it that is asked for.

    Raises:
        NotFound: there is no such artifact.
        BadRequest: 410, its file was removed; 416, the part lies outside.
    """
    if not _SHA256.fullmatch(sha256):
        raise NotFound("artifact", sha256)
    lent = request.app[FARM].live.lent
    lent[sha256] += 1  # until the last byte no cleanup takes it away
    try:
        return await _sent(request, sha256)
    finally:
        lent[sha256] -= 1
        if not lent[sha256]:
            del lent[sha256]


async def _sent(request: web.Request, sha256: str) -> web.StreamResponse:
    farm = request.app[FARM]
    size_bytes = await farm.artifacts.size(sha256)
    async with farm.store.read() as unit:
        known = await unit.artifact(sha256)
    if size_bytes is None and known is not None:
        raise BadRequest(_REMOVED)
    if size_bytes is None:
        raise NotFound("artifact", sha256)
    headers = {
        "ETag": f'"{sha256}"',
        "Accept-Ranges": "bytes",
        "Cache-Control": "private, max-age=31536000, immutable",
        "Content-Disposition": disposition_of(known.name if known else sha256),
    }
    if etag_matches(request.headers.get("If-None-Match"), sha256):
        return web.Response(status=304, headers=headers)
    span = _span_of(request, sha256, size_bytes)
    part = span or Span(start=0, stop=size_bytes)
    response = web.StreamResponse(status=206 if span else 200, headers=headers)
    response.content_type = "application/octet-stream"
    if known is not None and known.kind is ArtifactKind.PICTURE:
        response.content_type = _DRAWN.get(suffix_of(known.name), "image/png")
    response.content_length = part.stop - part.start
    if span:
        response.headers["Content-Range"] = f"bytes {span.start}-{span.stop - 1}/{size_bytes}"
    await response.prepare(request)
    if request.method != "HEAD":
        await _send(request, response, sha256, part, known.kind if known is not None else None)
    await response.write_eof()
    return response


def _span_of(request: web.Request, sha256: str, size_bytes: int) -> Span | None:
    """Return the part that is asked for; only a GET asks for parts, and only of this version."""
    unless = request.headers.get("If-Range")
    if request.method != "GET" or (unless is not None and unless.strip() != f'"{sha256}"'):
        return None
    try:
        return span_of(request.headers.get("Range"), size_bytes)
    except Unsatisfiable as error:
        raise BadRequest(
            Problem(
                status=416,
                code="range_outside",
                title="Range outside",
                detail=f"The artifact has {size_bytes} bytes; ask for a part of them.",
                facts={"size_bytes": size_bytes},
                headers={"Content-Range": f"bytes */{size_bytes}"},
            )
        ) from error


async def _send(
    request: web.Request,
    response: web.StreamResponse,
    sha256: str,
    part: Span,
    kind: ArtifactKind | None,
) -> None:
    """Send the bytes. After the headers nothing can be said any more, only hung up."""
    farm, begun_s, result = request.app[FARM], time.monotonic(), BROKEN_OFF
    try:
        async for chunk in farm.artifacts.read(sha256, start=part.start, stop=part.stop):
            await response.write(chunk)
        result = SENT
    except FarmError as error:
        _log.error("artifact.broke_off", sha256=sha256, reason=str(error))
        if request.transport is not None:
            request.transport.abort()
    finally:
        if kind is ArtifactKind.PLATE:
            farm.live.counted.transferred(result, time.monotonic() - begun_s)


_ARTIFACT = f"{API_ROOT}/artifacts/{{sha256}}"

ROUTES = tuple(
    Route(
        method=method,
        path=_ARTIFACT,
        handler=serve_artifact,
        needs=Permission.FARM_READ,
        content_type="application/octet-stream",
        also=(206,) if method == "GET" else (),
        versioned=True,
        problems=PROBLEMS,
    )
    for method in ("GET", "HEAD")
)
