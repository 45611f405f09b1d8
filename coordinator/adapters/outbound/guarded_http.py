"""The port `Outside`: HTTP that can't be talked into asking what only the farm may reach.

The address is checked where it is used: when a socket is made for it. Between the look-up of a name
and that socket lies no second look-up, so a name that leads elsewhere a moment later changes
nothing. A redirect is a question of its own, and comes through the same door.
"""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urljoin, urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

from coordinator.adapters.outbound.reach import Reach
from coordinator.errors import Refused, Unavailable
from coordinator.ports_outward import Answer, Question, Write

# So many questions are asked at once; who comes later waits within its own time.
AT_ONCE_MAX = 100
_CHUNK_BYTES = 64 * 1024
_REDIRECTS = (301, 302, 303, 307, 308)


class _Forbidden(OSError):
    """An address that must not be asked; it goes through the HTTP library as its own errors do."""

    def __init__(self, words: str) -> None:
        super().__init__(None, words)
        self.words = words


class GuardedHttp:
    """Implements `Outside`; made by `guarded_http`."""

    def __init__(self, session: aiohttp.ClientSession, reach: Reach) -> None:
        """Take a session whose connector asks the same reach."""
        self._session = session
        self._reach = reach

    def objection(self, url: str) -> str:
        """Return why an address is never asked, as far as it says so itself."""
        return self._reach.objection_to_url(url)

    async def ask(self, question: Question) -> Answer:
        """Return the answer; see the port."""
        return await self._asked(question, None)

    async def fetch(self, question: Question, write: Write) -> Answer:
        """Return the answer, its body handed on; see the port."""
        return await self._asked(question, write)

    async def _asked(self, question: Question, write: Write | None) -> Answer:
        try:
            async with asyncio.timeout(question.within_s):
                return await self._followed(question, write)
        except TimeoutError as error:
            raise Unavailable("no_answer", f"no answer within {question.within_s:g} s") from error
        except aiohttp.ClientConnectorError as error:
            if words := _forbidden(error):
                raise _refused(words) from error
            raise _no_answer(error) from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise _no_answer(error) from error

    async def _followed(self, question: Question, write: Write | None) -> Answer:
        url, headers = question.url, dict(question.headers)
        for _ in range(question.redirects_max + 1):
            answer = await self._once(question, url, headers, write)
            target = answer.headers.get("location")
            follows = question.redirects_max and not question.body and target
            if answer.status not in _REDIRECTS or not follows:
                return answer
            there = urljoin(url, target)
            if _origin(there) != _origin(url):
                # What was meant for one house is not shown to another.
                headers = {}
                if urlsplit(url).scheme == "https" and urlsplit(there).scheme != "https":
                    raise _refused("it leads from https to an address without")
            url = there
        raise _refused(f"it leads on more than {question.redirects_max} times")

    async def _once(
        self, question: Question, url: str, headers: dict[str, str], write: Write | None
    ) -> Answer:
        if words := self._reach.objection_to_url(url):
            raise _refused(words)
        async with self._session.request(
            question.method,
            url,
            data=question.body or None,
            # Unpacked, a short answer could be a very long one.
            headers={"Accept-Encoding": "identity", **headers},
            allow_redirects=False,
        ) as response:
            body = bytearray()
            handed_on = write if write is not None and response.status == 200 else None
            room_bytes = question.answer_bytes_max
            async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
                if handed_on is None:
                    body += chunk[:room_bytes]
                else:
                    await handed_on(chunk[:room_bytes])
                room_bytes -= len(chunk)
                if room_bytes < 0:
                    break
            return Answer(
                status=response.status,
                headers={name.lower(): value for name, value in response.headers.items()},
                body=bytes(body),
                whole=room_bytes >= 0,
            )


class _CheckedResolver(AbstractResolver):
    """Looks names up; a name with an address that must not be asked is not asked at all."""

    def __init__(self, reach: Reach, inner: AbstractResolver) -> None:
        self._reach = reach
        self._inner = inner

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return a name's addresses."""
        found = await self._inner.resolve(host, port, family)
        for each in found:
            if words := self._reach.objection(each["host"]):
                raise _Forbidden(f"{host} leads to {words}")
        return found

    async def close(self) -> None:
        """Close what looks names up."""
        await self._inner.close()


@asynccontextmanager
async def guarded_http(
    reach: Reach, *, resolver: AbstractResolver | None = None
) -> AsyncIterator[GuardedHttp]:
    """Lend the way to the outside.

    Args:
        resolver: looks names up; the system's for None.
    """

    def checked_socket(info: Any) -> socket.socket:
        family, kind, protocol, _, address = info
        if words := reach.objection(address[0]):
            raise _Forbidden(words)
        return socket.socket(family, kind, protocol)

    connector = aiohttp.TCPConnector(
        resolver=_CheckedResolver(reach, resolver or ThreadedResolver()),
        use_dns_cache=False,
        socket_factory=checked_socket,
        limit=AT_ONCE_MAX,
        # A connection that was kept may have been closed from there: a failure that is none.
        force_close=True,
    )
    # Neither proxies nor passwords of this machine's user; no cookies of anybody.
    async with aiohttp.ClientSession(
        connector=connector,
        trust_env=False,
        auto_decompress=False,
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None, connect=None),
        headers={"User-Agent": "Farmhand"},
    ) as session:
        yield GuardedHttp(session, reach)


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port


def _forbidden(error: BaseException | None) -> str:
    """Return the words of a forbidden address that is behind an error; empty where none is."""
    while error is not None:
        if isinstance(error, _Forbidden):
            return error.words
        if isinstance(error, BaseExceptionGroup):
            return next(filter(None, map(_forbidden, error.exceptions)), "")
        inner = getattr(error, "os_error", None)
        error = inner if isinstance(inner, _Forbidden) else error.__cause__
    return ""


def _refused(words: str) -> Refused:
    return Refused("address_not_allowed", f"this address is not asked: {words}")


def _no_answer(error: Exception) -> Unavailable:
    """Return what happened, without the address: it may hold a secret."""
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
    return Unavailable("no_answer", words)
