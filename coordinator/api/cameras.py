"""What cameras see: agents send pictures of their printers, people look at them."""

from aiohttp import web
from pydantic import Field

from coordinator.api.agent_auth import agent_asking
from coordinator.api.asking import FARM, asked
from coordinator.api.incoming import Incoming
from coordinator.api.problems import BadRequest, Problem
from coordinator.api.queries import Query, Word
from coordinator.api.ranges import etag_matches
from coordinator.api.render import API_ROOT, moment
from coordinator.api.routes import Route
from coordinator.domain.access import Permission
from coordinator.errors import NotFound
from coordinator.ports_pictures import Picture
from coordinator.usecases import photographing
from protocols.pictures import PICTURE_BYTES_MAX, picture_type
from protocols.wire.vocabulary import AgentId, PrinterId, RunId

TAKEN_AT = "X-Farmhand-Taken-At"
_PIECE_BYTES = 64 * 1024


class LookQuery(Query):
    """How old the picture may be."""

    age_s_max: float | None = Field(
        default=None,
        ge=0,
        description="seconds; if the newest is older, one is taken. Without: the newest there is",
    )


class SentQuery(Query):
    """What a picture is of."""

    run_id: Word = Field(default="", description="the run that has just ended there")


async def printer_picture(request: web.Request) -> web.Response:
    """Return what a printer's camera sees, a JPEG or PNG; X-Farmhand-Taken-At tells when."""
    printer_id = PrinterId(request.match_info["printer_id"])
    age_s_max = asked(request, LookQuery).age_s_max
    return _sent(request, await photographing.look(request.app[FARM], printer_id, age_s_max))


async def run_picture(request: web.Request) -> web.Response:
    """Return what was seen when a run ended, a JPEG or PNG; X-Farmhand-Taken-At tells when."""
    run_id = RunId(request.match_info["run_id"])
    return _sent(request, await photographing.run_picture(request.app[FARM], run_id))


async def keep_picture(request: web.Request) -> web.Response:
    """Keep a picture that an agent took of its printer, in the body as it is."""
    agent_id = AgentId(request.match_info["agent_id"])
    printer_id = PrinterId(request.match_info["printer_id"])
    if agent_asking(request) not in (None, agent_id):
        raise NotFound("printer", printer_id)
    run_id = RunId(asked(request, SentQuery).run_id) or None
    data = await _picture_in(request)
    await photographing.keep(request.app[FARM], agent_id, printer_id, data, run_id)
    return web.Response(status=204)


async def _picture_in(request: web.Request) -> bytes:
    """Return the body; what is too long is not read to its end."""
    incoming = Incoming(request.content, bytes_max=PICTURE_BYTES_MAX, too_large=_TOO_LARGE)
    if (request.content_length or 0) > PICTURE_BYTES_MAX:
        raise _TOO_LARGE
    data = bytearray()
    while piece := await incoming.read(_PIECE_BYTES):
        data += piece
    return bytes(data)


_TOO_LARGE = BadRequest(
    Problem(
        status=413,
        code="too_large",
        title="Too large",
        detail=f"A picture has at most {PICTURE_BYTES_MAX} bytes: set a lower resolution.",
    )
)


def _sent(request: web.Request, picture: Picture) -> web.Response:
    headers = {
        "ETag": f'"{picture.tag}"',
        "Cache-Control": "private, no-cache",
        TAKEN_AT: moment(picture.taken_at),
    }
    if etag_matches(request.headers.get("If-None-Match"), picture.tag):
        return web.Response(status=304, headers=headers)
    return web.Response(body=picture.data, content_type=picture_type(picture.data), headers=headers)


_KINDS = "image/jpeg, image/png"

ROUTES = (
    Route(
        method="GET",
        path=f"{API_ROOT}/printers/{{printer_id}}/picture",
        handler=printer_picture,
        needs=Permission.FARM_READ,
        asks=LookQuery,
        content_type=_KINDS,
        versioned=True,
        problems=(
            "unknown_printer",
            "unknown_camera",
            "printer_offline",
            "broker_unreachable",
            "no_answer",
            "camera_failed",
        ),
    ),
    Route(
        method="GET",
        path=f"{API_ROOT}/runs/{{run_id}}/picture",
        handler=run_picture,
        needs=Permission.FARM_READ,
        content_type=_KINDS,
        versioned=True,
        problems=("unknown_run", "unknown_picture"),
    ),
    Route(
        method="PUT",
        path=f"{API_ROOT}/agents/{{agent_id}}/printers/{{printer_id}}/picture",
        handler=keep_picture,
        needs=Permission.PICTURES_SEND,
        asks=SentQuery,
        brings=_KINDS,
        content_type="",
        status=204,
        problems=(
            "unknown_printer",
            "unknown_run",
            "not_a_picture",
            "too_large",
            "too_slow",
            "disk_full",
            "storage_unusable",
        ),
    ),
)
