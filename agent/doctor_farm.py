"""What may be wrong between this machine and its farm: coordinator, clock, broker."""

import asyncio
import json
import socket
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import urlsplit

import aiomqtt

from agent.app import broker_of, build
from agent.identity import read
from agent.link import Broker
from agent.link_faults import reason_of
from agent.settings import AgentSettings
from agent.tls import context_of, trouble_in
from protocols.diagnosis import Finding, fail, ok, warn

ANSWER_S = 10.0
# Certificates are made a day early; a person who reads two logs is confused sooner.
CLOCK_S_MAX = 120.0
# A plate that no farm has.
_NO_PLATE = "0" * 64


def enrolment(settings: AgentSettings) -> Finding:
    """Tell whether the farm knows this agent, as far as that stands here."""
    identity = read(settings.state_dir)
    if identity is not None:
        return ok("enrolment", f"as {identity.agent_id}, at {identity.coordinator_url}")
    if settings.mqtt_password.get_secret_value() or settings.mqtt_username:
        return ok("enrolment", "none: the settings say how to enter")
    if settings.enroll_token.get_secret_value():
        return ok("enrolment", "at the first start, with the token of the settings")
    mend = "on the coordinator: farmhand agent token; here: farmhand-agent enroll TOKEN ..."
    return warn("enrolment", "nobody enrolled here", mend)


def coordinator(settings: AgentSettings) -> Iterator[Finding]:
    """Ask the coordinator who it is, and whether it knows us."""
    url = settings.coordinator_url
    try:
        status, said, date = _ask(settings, "GET", "health")
    except (OSError, HTTPException, ValueError) as error:
        words = trouble_in(error, urlsplit(url).netloc) or f"{url} does not answer ({error})"
        yield fail("coordinator", words, f"there: farmhand doctor; from here: curl -k {url}")
        return
    version = _version_in(said)
    if version is None:
        words = f"{url} is no coordinator of Farmhand ({status})"
        yield fail("coordinator", words, "set coordinator_url, or enrol at the right one")
        return
    if version != build():
        words = f"{url} answers; it runs {version}, this agent {build()}"
        yield warn("coordinator", words, "upgrade the older one")
    else:
        yield ok("coordinator", f"{url} answers, version {version}")
    yield from _clocks(date)
    yield from _known(settings)


def _known(settings: AgentSettings) -> Iterator[Finding]:
    """See whether it would give us plates."""
    if not settings.token.get_secret_value():
        return
    try:
        status, _, _ = _ask(settings, "HEAD", f"artifacts/{_NO_PLATE}")
    except (OSError, HTTPException, ValueError) as error:
        yield fail("plates", f"the coordinator hung up: {error}", "there: farmhand doctor")
        return
    if status == 401:
        again = f"farmhand agent token --for {settings.agent_id}"
        mend = f"on the coordinator: {again}; here: farmhand-agent enroll TOKEN ..."
        yield fail("plates", "the coordinator does not know this agent, or revoked it", mend)
    else:
        yield ok("plates", "the coordinator gives them to this agent")


def _clocks(date: str) -> Iterator[Finding]:
    try:
        apart_s = (datetime.now(UTC) - parsedate_to_datetime(date)).total_seconds()
    except (TypeError, ValueError):
        return  # a proxy that tells no date
    if abs(apart_s) > CLOCK_S_MAX:
        way = "ahead of" if apart_s > 0 else "behind"
        words = f"this machine is {abs(apart_s):.0f} s {way} the coordinator"
        yield fail("clock", words, "sudo timedatectl set-ntp true, on both")


async def broker(settings: AgentSettings, *, agent_runs: bool) -> Finding:
    """Log in at the broker; where the agent itself is connected only knock.

    A second connection by the same name would end the agent's.
    """
    told = broker_of(settings)
    where = f"{told.host}:{told.port}"
    mend = "on the coordinator: farmhand doctor"
    try:
        if agent_runs:
            await asyncio.wait_for(asyncio.to_thread(_knock, told), 2 * ANSWER_S)
            return ok("broker", f"{where} is there; the agent itself is or will be connected")
        async with aiomqtt.Client(
            told.host,
            told.port,
            username=told.username,
            password=told.password,
            tls_context=context_of(told.ca_file) if told.tls else None,
            protocol=aiomqtt.ProtocolVersion.V311,
            timeout=ANSWER_S,
        ):
            return ok("broker", f"{where} lets us in as {told.username or 'anybody'}")
    except (aiomqtt.MqttError, OSError, TimeoutError) as error:
        return fail("broker", reason_of(error, where, told.username), mend)


def _knock(told: Broker) -> None:
    with socket.create_connection((told.host, told.port), ANSWER_S) as connection:
        if told.tls:
            context_of(told.ca_file).wrap_socket(connection, server_hostname=told.host).close()


def _ask(settings: AgentSettings, method: str, path: str) -> tuple[int, bytes, str]:
    """Return status, body and date of an answer."""
    parts = urlsplit(settings.coordinator_url)
    token = settings.token.get_secret_value()
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    host = parts.hostname or ""
    if parts.scheme == "https":
        context: ssl.SSLContext = context_of(settings.ca_file)
        connection: HTTPConnection = HTTPSConnection(
            host, parts.port, timeout=ANSWER_S, context=context
        )
    else:
        connection = HTTPConnection(host, parts.port, timeout=ANSWER_S)
    try:
        where = f"{parts.path.rstrip('/')}/api/v1/{path}"
        connection.request(method, where, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read(), answer.headers.get("Date", "")
    finally:
        connection.close()


def _version_in(said: bytes) -> str | None:
    try:
        return str(json.loads(said)["version"])
    except (ValueError, KeyError, TypeError):
        return None
