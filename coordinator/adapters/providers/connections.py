"""Connections to one server, and how far a call got before it failed."""

import asyncio
import json as json_text
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from yarl import URL

_CONNECT_S = 15.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One field of a form (multipart/form-data); a file where it has a file name."""

    name: str
    data: str | bytes = field(repr=False)
    file_name: str = ""
    media_type: str = ""


@dataclass(slots=True)
class Way:
    """How far a call got: until it is connected, nothing was said."""

    connected: bool = False


class Connections:
    """Makes a connection for each call."""

    def __init__(self) -> None:
        """Begin without any."""
        self._session: aiohttp.ClientSession | None = None

    async def opened(
        self,
        way: Way,
        method: str,
        url: URL,
        *,
        body: Any,
        headers: Mapping[str, str],
        within_s: float,
    ) -> aiohttp.ClientResponse:
        """Return an answer's head; who calls closes it."""
        async with asyncio.timeout(within_s):
            return await self._lent().request(
                method,
                url,
                data=body,
                headers=headers,
                allow_redirects=False,
                trace_request_ctx=way,
            )

    async def close(self) -> None:
        """Leave none."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _lent(self) -> aiohttp.ClientSession:
        """Return the session; the first call makes it, within the loop."""
        if self._session is None:
            self._session = aiohttp.ClientSession(
                # A connection that was kept may have been closed from there: a paid call on it
                # would be lost without need.
                connector=aiohttp.TCPConnector(force_close=True),
                trust_env=False,
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_S),
                headers={"User-Agent": "Farmhand", "Accept-Encoding": "identity"},
                trace_configs=[_connecting()],
            )
        return self._session


@contextmanager
def losses(lost: Callable[[str], Exception], within_s: float) -> Iterator[None]:
    """Turn what goes wrong on the way into one's own errors.

    Args:
        lost: makes one of what happened; the words hold no address.
    """
    try:
        yield
    except TimeoutError as error:
        raise lost(f"no answer within {within_s:g} s") from error
    except (aiohttp.ClientError, OSError, ValueError) as error:
        if isinstance(error, aiohttp.InvalidURL) or type(error) is ValueError:
            # The error itself would show the address, which may be signed.
            raise lost("it names an address that is none") from None
        raise lost(_words(error)) from error


def body_of(json: Any, form: Sequence[Part], data: bytes) -> Any:
    """Return a body as the HTTP library takes it."""
    if json is not None:
        return json_text.dumps(json, separators=(",", ":")).encode()
    if not form:
        return data or None
    made = aiohttp.FormData(default_to_multipart=True)
    for part in form:
        made.add_field(
            part.name,
            part.data,
            filename=part.file_name or None,
            content_type=part.media_type or None,
        )
    return made


def lower(headers: Mapping[str, str]) -> dict[str, str]:
    """Return headers by their names in lower case."""
    return {name.lower(): value for name, value in headers.items()}


def origin_of(url: str) -> tuple[str, str | None, int | None]:
    """Return scheme, host and port of an address; empty where it is none."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return ("", None, None)
    return parts.scheme, parts.hostname, port or {"http": 80, "https": 443}.get(parts.scheme)


def _connecting() -> aiohttp.TraceConfig:
    """Return what notes that a connection stands: from then on bytes may have gone out."""
    traced = aiohttp.TraceConfig()

    async def connected(session: Any, context: Any, _: Any) -> None:
        del session
        context.trace_request_ctx.connected = True

    traced.on_connection_create_end.append(connected)
    traced.on_connection_reuseconn.append(connected)
    return traced


def _words(error: Exception) -> str:
    words = {
        aiohttp.ServerDisconnectedError: "it hung up without an answer",
        aiohttp.ClientConnectorDNSError: "its name is not known",
        aiohttp.ClientConnectorCertificateError: "its certificate is not to be trusted",
        aiohttp.ClientConnectorSSLError: "no safe connection could be made",
        aiohttp.ClientPayloadError: "its answer broke off",
    }.get(type(error))
    if words is None:
        reason = getattr(error, "strerror", None) or type(error).__name__
        words = f"it can't be reached: {reason}"
    return words
