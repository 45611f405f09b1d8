"""Enrolment: a one-time token is traded for a credential of the agent's own.

Theory. The agent makes its secret itself and writes it down before it sends it, so that an answer
that got lost, or a power cut, costs nothing: the same token with the same secret is answered again.
A token may end with the fingerprint of the farm's authority. Then the authority's certificate is
fetched from the coordinator before anything secret is said, and believed only if it has this
fingerprint; so a bare machine needs nothing but the token.

The standard library's client, so that the agent loads none for something it does once.
"""

import hashlib
import json
import secrets
import ssl
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from agent.errors import EnrolmentFailed
from agent.identity import Identity, keep, write_private
from agent.tls import context_of, trouble_in
from protocols.wire.vocabulary import is_id

ANSWER_S = 15.0
PENDING_FILE = "enrolling.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Who wants to enrol, and where.

    Attributes:
        agent_id: the name that the settings insist on, None where they say nothing.
        host_name: the name otherwise, unless the token brings one.
        ca_file: authority of the coordinator's certificate, None for what the token or the system
            says.
    """

    token: str
    coordinator_url: str
    state_dir: Path
    agent_id: str | None
    host_name: str
    ca_file: Path | None


def enrol(wish: Wish) -> Identity:
    """Trade the token, and keep what came of it in the state folder.

    Raises:
        EnrolmentFailed: the text says what to do; with `retry` the same may succeed later.
    """
    token, _, fingerprint = wish.token.strip().partition(".")
    try:
        context = _context(wish, fingerprint)
        secret = _pending_secret(wish.state_dir, token)
        body = {"agent_id": wish.agent_id, "host_name": wish.host_name, "secret": secret}
        answer = _ask(wish, context, "POST", "agents/enroll", body, token)
        identity = _identity_of(wish, answer, secret)
        authority = str(answer.get("authority", ""))
        if fingerprint and authority:
            _check_authority(wish, authority, fingerprint)
        keep(wish.state_dir, identity, authority)
        (wish.state_dir / PENDING_FILE).unlink(missing_ok=True)
    except OSError as error:
        raise EnrolmentFailed(
            f"{wish.state_dir} can't be used: {error.strerror or error}", retry=False
        ) from error
    return identity


def is_in_the_clear(coordinator_url: str) -> bool:
    """Whether others on the network could read what is said there."""
    parts = urlsplit(coordinator_url)
    return parts.scheme == "http" and parts.hostname not in ("127.0.0.1", "::1", "localhost")


def _context(wish: Wish, fingerprint: str) -> ssl.SSLContext | None:
    """Return what decides whether the coordinator is believed; None for plain HTTP."""
    if urlsplit(wish.coordinator_url).scheme != "https":
        return None
    if wish.ca_file is not None or not fingerprint:
        return context_of(wish.ca_file)
    anybody = context_of(None)
    anybody.check_hostname, anybody.verify_mode = False, ssl.CERT_NONE
    authority = str(_ask(wish, anybody, "GET", "authority").get("certificate", ""))
    _check_authority(wish, authority, fingerprint)
    return ssl.create_default_context(cadata=authority)


def _check_authority(wish: Wish, authority: str, fingerprint: str) -> None:
    try:
        found = hashlib.sha256(ssl.PEM_cert_to_DER_cert(authority.strip())).hexdigest()
    except ValueError:
        found = ""
    if not secrets.compare_digest(found, fingerprint):
        raise EnrolmentFailed(
            f"{wish.coordinator_url} is not the farm that this token is from, or it has another "
            "authority since: check the address, and make a new token",
            retry=False,
        )


def _pending_secret(state_dir: Path, token: str) -> str:
    """Return the secret that this token was sent with before, else a new one, written down."""
    path = state_dir / PENDING_FILE
    token_sha256 = hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
    try:
        pending = json.loads(path.read_text())
        if pending["token_sha256"] == token_sha256:
            return str(pending["secret"])
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        pass
    secret = secrets.token_urlsafe(32)
    write_private(path, json.dumps({"token_sha256": token_sha256, "secret": secret}) + "\n")
    return secret


def _ask(
    wish: Wish,
    context: ssl.SSLContext | None,
    method: str,
    path: str,
    body: dict[str, Any] | None = None,
    token: str = "",
) -> dict[str, Any]:
    """Return what the coordinator answers; redirections are not followed."""
    parts = urlsplit(wish.coordinator_url)
    where = parts.netloc.rpartition("@")[2]
    headers = {"Content-Type": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    sent = json.dumps(body) if body is not None else None
    try:
        host, port = parts.hostname or "", parts.port
        if context is None:
            connection = HTTPConnection(host, port, timeout=ANSWER_S)
        else:
            connection = HTTPSConnection(host, port, timeout=ANSWER_S, context=context)
        try:
            connection.request(method, f"{parts.path.rstrip('/')}/api/v1/{path}", sent, headers)
            answer = connection.getresponse()
            status, said = answer.status, answer.read()
        finally:
            connection.close()
    except (OSError, HTTPException, ValueError) as error:
        reason = trouble_in(error, where)
        # A clock that is wrong, or a certificate, a person has to mend: but they may do it soon.
        words = reason or f"{wish.coordinator_url} does not answer ({_words(error)})"
        raise EnrolmentFailed(words, retry=True) from error
    return _document(wish, status, said)


def _document(wish: Wish, status: int, said: bytes) -> dict[str, Any]:
    try:
        document = json.loads(said)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        document = {}
    if status in (200, 201):
        return document
    if status == 401:
        words = "the coordinator does not know this token: copy all of it, or make a new one"
    elif "detail" in document:
        words = str(document["detail"])
    else:
        words = f"{wish.coordinator_url} is no coordinator of Farmhand, or an old one ({status})"
    raise EnrolmentFailed(words, retry=status >= 500 or status == 429)


def _identity_of(wish: Wish, answer: dict[str, Any], secret: str) -> Identity:
    agent_id, mqtt_url = str(answer.get("agent_id", "")), str(answer.get("mqtt_url", ""))
    parts = urlsplit(mqtt_url)
    if not is_id(agent_id) or parts.scheme not in ("mqtt", "mqtts") or not parts.hostname:
        raise EnrolmentFailed(f"{wish.coordinator_url} gave an answer that is none", retry=False)
    return Identity(
        agent_id=agent_id,
        secret=secret,
        mqtt_url=mqtt_url,
        coordinator_url=wish.coordinator_url.rstrip("/"),
    )


def _words(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
