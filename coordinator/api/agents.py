"""The routes of agents: tokens, enrolment, who there is; what a broker elsewhere has to know."""

import hashlib
import ipaddress
import ssl
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from coordinator.api.agent_auth import token_asking
from coordinator.api.asking import FARM, REQUEST_ID, who
from coordinator.api.forms import form_of
from coordinator.api.render import API_ROOT, moment
from coordinator.api.routes import Route
from coordinator.domain.access import Permission
from coordinator.domain.enrolment import SECRET_CHARACTERS_MAX, SECRET_CHARACTERS_MIN
from coordinator.errors import Refused
from coordinator.usecases import enrolling
from coordinator.usecases.enrolling import AgentView, NewToken

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
    """

    broker_url: str = "mqtt://127.0.0.1:1883"
    authority: str = ""
    shared: tuple[str, str] | None = None


WELCOME = web.AppKey("welcome", Welcome)
LOCAL = Welcome()


class TokenForm(BaseModel):
    """What a token is to be good for."""

    model_config = ConfigDict(extra="forbid", strict=True)

    agent_id: str | None = None
    valid_s: float = TOKEN_S


class EnrolForm(BaseModel):
    """Who comes with a token; see `enrolment.Arrival`."""

    model_config = ConfigDict(extra="forbid", strict=True)

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
    return web.json_response({"items": [_agent_document(view) for view in views]})


async def make_token(request: web.Request) -> web.Response:
    """Make a one-time token; this answer is the only time that it is shown."""
    form = form_of(TokenForm, await request.read() or b"{}")
    made = await enrolling.make_token(
        request.app[FARM], *who(request), agent_id=form.agent_id, valid_s=form.valid_s
    )
    return web.json_response(_token_document(made, request.app[WELCOME]), status=201)


async def rotate_agent(request: web.Request) -> web.Response:
    """Make a token that replaces an agent's credential."""
    form = form_of(TokenForm, await request.read() or b"{}")
    made = await enrolling.renew(
        request.app[FARM], request.match_info["agent_id"], *who(request), valid_s=form.valid_s
    )
    return web.json_response(_token_document(made, request.app[WELCOME]), status=201)


async def revoke_agent(request: web.Request) -> web.Response:
    """Shut an agent out."""
    agent_id = request.match_info["agent_id"]
    view = await enrolling.revoke(request.app[FARM], agent_id, *who(request))
    return web.json_response(_agent_document(view))


async def enrol_agent(request: web.Request) -> web.Response:
    """Take an agent in that shows a token; the same again is answered the same."""
    form, welcome = form_of(EnrolForm, await request.read()), request.app[WELCOME]
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
    document = {
        "agent_id": credential.agent_id,
        "mqtt_url": mqtt_url,
        "authority": welcome.authority,
    }
    return web.json_response(document, status=201)


async def show_authority(request: web.Request) -> web.Response:
    """Return the certificate of the farm's own authority, empty where there is none. Public."""
    return web.json_response({"certificate": request.app[WELCOME].authority})


async def show_broker_files(request: web.Request) -> web.Response:
    """Return the password file and the access list for a Mosquitto elsewhere."""
    files = await enrolling.broker_files(request.app[FARM], request.app[WELCOME].shared)
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


def _token_document(made: NewToken, welcome: Welcome) -> dict[str, object]:
    """Return a token; with the fingerprint of the farm's own authority, where it has one."""
    token, text = made.token, made.text
    if welcome.authority:
        der = ssl.PEM_cert_to_DER_cert(welcome.authority.strip())
        text = f"{text}.{hashlib.sha256(der).hexdigest()}"
    return {
        "id": token.token_id,
        "token": text,
        "agent_id": token.agent_id,
        "expires_at": moment(token.expires_at),
    }


def _agent_document(view: AgentView) -> dict[str, object]:
    """Return an agent; `online` and what follows are null for one that never presented itself."""
    agent, credential = view.agent, view.credential
    return {
        "id": view.agent_id,
        "enrolled": credential is not None and credential.good,
        "issued_at": _moment(credential.issued_at if credential else None),
        "revoked_at": _moment(credential.revoked_at if credential else None),
        "printers": view.printers_count,
        "online": agent.online if agent else None,
        "build": agent.build if agent else None,
        "seen_at": _moment(agent.seen_at if agent else None),
    }


def _moment(at: datetime | None) -> str | None:
    return moment(at) if at is not None else None


_AGENTS = f"{API_ROOT}/agents"
_AGENT = f"{_AGENTS}/{{agent_id}}"
_ADMIN = Permission.FARM_ADMIN

ROUTES = (
    Route(method="GET", path=_AGENTS, handler=list_agents, needs=_ADMIN),
    Route(method="POST", path=f"{_AGENTS}/tokens", handler=make_token, needs=_ADMIN),
    Route(
        method="POST",
        path=f"{_AGENTS}/enroll",
        handler=enrol_agent,
        needs=Permission.AGENTS_ENROLL,
    ),
    Route(method="POST", path=f"{_AGENT}/revoke", handler=revoke_agent, needs=_ADMIN),
    Route(method="POST", path=f"{_AGENT}/rotate", handler=rotate_agent, needs=_ADMIN),
    Route(method="GET", path=f"{API_ROOT}/authority", handler=show_authority, needs=None),
    Route(method="GET", path=f"{API_ROOT}/broker/files", handler=show_broker_files, needs=_ADMIN),
)
