"""The routes of agents: tokens, enrolment, who there is; what a broker elsewhere has to know."""

import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from coordinator.api.agent_auth import token_asking
from coordinator.api.agent_documents import (
    AgentDocument,
    AuthorityDocument,
    BrokerFilesDocument,
    EnrolledDocument,
    NewTokenDocument,
    agent_document,
    token_document,
)
from coordinator.api.asking import FARM, REQUEST_ID, taken, who
from coordinator.api.documents import Items
from coordinator.api.render import API_ROOT
from coordinator.api.routes import Route
from coordinator.domain.access import Permission
from coordinator.domain.broker_access import NO_PROGRAMS, Programs
from coordinator.domain.enrolment import SECRET_CHARACTERS_MAX, SECRET_CHARACTERS_MIN
from coordinator.errors import Refused
from coordinator.usecases import enrolling

TOKEN_S = 3600.0
NAME_CHARACTERS_MAX = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class Welcome:
    """What agents are told when they enrol.

    Attributes:
        broker_url: where the broker listens; an unspecified host (`0.0.0.0`) stands for the name
            that the agent reached us by.
        authority: certificate of the farm's own authority, PEM; empty where there is none.
        shared: name and password that the settings give for the broker, None where they do not.
        programs: what programs beside the farm may there.
    """

    broker_url: str = "mqtt://127.0.0.1:1883"
    authority: str = ""
    shared: tuple[str, str] | None = None
    programs: Programs = NO_PROGRAMS


WELCOME = web.AppKey("welcome", Welcome)
LOCAL = Welcome()


class RenewalForm(BaseModel):
    """For how long a token is to be good."""

    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)

    valid_s: float = Field(default=TOKEN_S, examples=[TOKEN_S])


class TokenForm(RenewalForm):
    """What a token is to be good for; without a name for any new one."""

    agent_id: str | None = Field(default=None, examples=["pi-3"])


class EnrolForm(BaseModel):
    """Who comes with a token; see `enrolment.Arrival`."""

    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)

    agent_id: str | None = Field(default=None, max_length=NAME_CHARACTERS_MAX)
    host_name: str = Field(default="", max_length=NAME_CHARACTERS_MAX)
    secret: str = Field(
        min_length=SECRET_CHARACTERS_MIN,
        max_length=SECRET_CHARACTERS_MAX,
        pattern=r"^[A-Za-z0-9_-]+$",
    )


async def list_agents(request: web.Request) -> web.Response:
    """Return all agents, by id."""
    views = await enrolling.agent_views(request.app[FARM])
    return web.json_response({"items": [agent_document(view) for view in views]})


async def make_token(request: web.Request) -> web.Response:
    """Make a one-time token; this answer is the only time that it is shown."""
    form = taken(request, TokenForm)
    made = await enrolling.make_token(
        request.app[FARM], *who(request), agent_id=form.agent_id, valid_s=form.valid_s
    )
    return web.json_response(token_document(made, request.app[WELCOME].authority), status=201)


async def rotate_agent(request: web.Request) -> web.Response:
    """Make a token that replaces an agent's credential."""
    form = taken(request, RenewalForm)
    made = await enrolling.renew(
        request.app[FARM], request.match_info["agent_id"], *who(request), valid_s=form.valid_s
    )
    return web.json_response(token_document(made, request.app[WELCOME].authority), status=201)


async def revoke_agent(request: web.Request) -> web.Response:
    """Shut an agent out."""
    agent_id = request.match_info["agent_id"]
    view = await enrolling.revoke(request.app[FARM], agent_id, *who(request))
    return web.json_response(agent_document(view))


async def enrol_agent(request: web.Request) -> web.Response:
    """Take an agent in that shows a token; the same again is answered the same."""
    form, welcome = taken(request, EnrolForm), request.app[WELCOME]
    mqtt_url = _broker_url_for(request, welcome)  # first: what can't work need not cost a token
    credential = await enrolling.enrol(
        request.app[FARM],
        token_asking(request),
        f"request {request[REQUEST_ID]}",
        agent_id=form.agent_id,
        host_name=form.host_name,
        secret=form.secret,
        reserved=welcome.shared[0] if welcome.shared else "",
    )
    document: EnrolledDocument = {
        "agent_id": credential.agent_id,
        "mqtt_url": mqtt_url,
        "authority": welcome.authority,
    }
    return web.json_response(document, status=201)


async def show_authority(request: web.Request) -> web.Response:
    """Return the certificate of the farm's own authority, empty where there is none. Public."""
    document: AuthorityDocument = {"certificate": request.app[WELCOME].authority}
    return web.json_response(document)


async def show_broker_files(request: web.Request) -> web.Response:
    """Return the password file and the access list for a Mosquitto elsewhere."""
    told = request.app[WELCOME]
    files = await enrolling.broker_files(request.app[FARM], told.shared, told.programs)
    return web.json_response(files)


def _broker_url_for(request: web.Request, welcome: Welcome) -> str:
    """Return where an agent that asks from there finds the broker.

    Raises:
        Refused: it can't reach it.
    """
    parts = urlsplit(welcome.broker_url)
    host = parts.hostname or ""
    if host in ("0.0.0.0", "::"):
        name = request.url.host or ""
        name = f"[{name}]" if ":" in name else name
        return f"{parts.scheme}://{name}:{parts.port}"
    if _is_loopback(host) and not _is_loopback(request.remote or ""):
        raise Refused(
            "broker_local",
            "the MQTT broker listens on the coordinator's machine only: set broker_host to "
            "0.0.0.0 there (or broker_public_url), restart it, and enrol again; the token is "
            "still good",
        )
    return welcome.broker_url


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


_AGENTS = f"{API_ROOT}/agents"
_AGENT = f"{_AGENTS}/{{agent_id}}"
_ADMIN = Permission.FARM_ADMIN

_UNKNOWN = ("unknown_agent",)

ROUTES = (
    Route(
        method="GET",
        path=_AGENTS,
        handler=list_agents,
        needs=_ADMIN,
        gives=Items[AgentDocument],
    ),
    Route(
        method="POST",
        path=f"{_AGENTS}/tokens",
        handler=make_token,
        needs=_ADMIN,
        takes=TokenForm,
        gives=NewTokenDocument,
        status=201,
        problems=("agent_id_invalid", "ttl_out_of_range"),
    ),
    Route(
        method="POST",
        path=f"{_AGENTS}/enroll",
        handler=enrol_agent,
        needs=Permission.AGENTS_ENROLL,
        takes=EnrolForm,
        gives=EnrolledDocument,
        status=201,
        problems=(
            "agent_id_invalid",
            "agent_id_reserved",
            "agent_id_taken",
            "broker_local",
            "token_expired",
            "token_for_another",
            "token_used",
            "unknown_token",
        ),
    ),
    Route(
        method="POST",
        path=f"{_AGENT}/revoke",
        handler=revoke_agent,
        needs=_ADMIN,
        gives=AgentDocument,
        problems=_UNKNOWN,
    ),
    Route(
        method="POST",
        path=f"{_AGENT}/rotate",
        handler=rotate_agent,
        needs=_ADMIN,
        takes=RenewalForm,
        gives=NewTokenDocument,
        status=201,
        problems=(*_UNKNOWN, "ttl_out_of_range"),
    ),
    Route(
        method="GET",
        path=f"{API_ROOT}/authority",
        handler=show_authority,
        needs=None,
        gives=AuthorityDocument,
    ),
    Route(
        method="GET",
        path=f"{API_ROOT}/broker/files",
        handler=show_broker_files,
        needs=_ADMIN,
        gives=BrokerFilesDocument,
        problems=("no_broker_username",),
    ),
)
