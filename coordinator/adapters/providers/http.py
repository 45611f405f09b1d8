"""The way to a provider's server: calls, streams and downloads, every fault a `ProviderFault`.

The server's own address is the operator's word: it may be this machine. An address that the server
names is a stranger's: it is asked through the farm's guarded way, without the key.
"""

import asyncio
import base64
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urljoin, urlsplit

import aiohttp
import structlog
from yarl import URL

from coordinator.adapters.providers.blaming import (
    Reads,
    Reply,
    Spoken,
    after_of,
    fault_of,
    read_plainly,
)
from coordinator.adapters.providers.connections import (
    Connections,
    Part,
    Way,
    body_of,
    losses,
    lower,
    origin_of,
)
from coordinator.adapters.providers.options import HttpOptions
from coordinator.adapters.providers.sse import EventReader, ServerEvent
from coordinator.domain.providing import Blame, Piece, ProviderFault
from coordinator.errors import Refused, Unavailable
from coordinator.ports import StagedFile
from coordinator.ports_outward import Question
from coordinator.ports_providers import Tools

__all__ = ["Api", "Part", "Reply", "Spoken", "data_uri"]

_log = structlog.get_logger(__name__)

_CHUNK_BYTES = 64 * 1024
_SLOWEST_BYTES_PER_S = 125_000  # 1 Mbit/s: pictures and meshes go up on the lines of homes
# A list of fifty tasks with all of their addresses has some 200 KiB.
_ANSWER_BYTES_MAX = 8 * 1024 * 1024
_REDIRECTS_MAX = 3
_REDIRECTS = (301, 302, 303, 307, 308)
_GONE = (403, 404, 410)


class Api:
    """One server of a provider."""

    def __init__(
        self,
        title: str,
        options: HttpOptions,
        tools: Tools,
        *,
        headers: Mapping[str, str] | None = None,
        secrets: Sequence[str] = (),
        reads: Reads = read_plainly,
    ) -> None:
        """Take where it is; nothing is asked yet.

        Args:
            title: of the provider, for people.
            headers: of every call to it, its key for one; never shown to another house.
            secrets: what must not show in any message; the key.
            reads: how its faults are read.
        """
        self.title = title
        self._options = options
        self._tools = tools
        self._headers = dict(headers or {})
        self._secrets = tuple(secrets)
        self._reads = reads
        self._connections = Connections()
        self._deprecated = False

    async def call(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        form: Sequence[Part] = (),
        data: bytes = b"",
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        paid: bool = False,
        accepts: Collection[int] = (),
        within_s: float | None = None,
        answer_bytes_max: int = _ANSWER_BYTES_MAX,
    ) -> Reply:
        """Return an answer with a status of success; redirects are not followed.

        Args:
            path: `/v1/tasks`, or a whole address below the server's own.
            json, form, data: the body; one of them at most.
            paid: it costs something, and must not be said twice.
            accepts: further statuses that are no faults.
            within_s: all of it but sending a long body; None for what the options say.

        Raises:
            ProviderFault: of a paid call `SUBMIT_UNSURE` where bytes went out and no answer that
                makes sense came back.
        """
        # Other verbs the HTTP library repeats by itself where somebody hangs up.
        assert not paid or method == "POST"
        body = body_of(json, form, data)
        given = {**(headers or {})}
        if json is not None:
            given["Content-Type"] = "application/json"
        sent_bytes = len(body) if isinstance(body, bytes) else sum(len(part.data) for part in form)
        patience_s = (within_s or self._options.call_s) + sent_bytes / _SLOWEST_BYTES_PER_S
        async with self._answered(
            method, path, query, body, given, paid=paid, within_s=patience_s
        ) as response:
            reply = await self._read(response, answer_bytes_max, paid=paid)
        if 200 <= reply.status < 300 or reply.status in accepts:
            return reply
        raise self.fault(reply)

    async def events(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        headers: Mapping[str, str] | None = None,
        paid: bool = False,
        within_s: float,
        silence_s: float = 120.0,
    ) -> AsyncGenerator[ServerEvent, None]:
        """Yield server-sent events until the server ends them; use it within `aclosing`.

        An answer that is no stream is yielded as one event with the name `whole`.

        Args:
            within_s: all of it.
            silence_s: the longest time without a sign of life, a comment for one.

        Raises:
            ProviderFault: as `call`; also where the stream breaks off.
        """
        given = {"Accept": "text/event-stream", **(headers or {})}
        if json is not None:
            given["Content-Type"] = "application/json"
        way, lasts_until = Way(), asyncio.get_running_loop().time() + within_s
        with losses(lambda words: self._lost(words, way, paid=paid), within_s):
            response = await self._connections.opened(
                way,
                method,
                self._address(path, None),
                body=body_of(json, (), b""),
                headers={**self._headers, **given},
                within_s=min(within_s, silence_s),
            )
            try:
                if response.status != 200 or response.content_type != "text/event-stream":
                    async with asyncio.timeout(self._options.call_s):
                        reply = await self._read(response, _ANSWER_BYTES_MAX, paid=paid)
                    if reply.status != 200:
                        raise self.fault(reply)
                    yield ServerEvent("whole", reply.body.decode(errors="replace"))
                    return
                reader = EventReader()
                while chunk := await asyncio.wait_for(
                    response.content.readany(),
                    min(lasts_until - asyncio.get_running_loop().time(), silence_s),
                ):
                    for event in reader.feed(chunk):
                        yield event
                    if reader.too_long:
                        raise self._fault(Blame.PROTOCOL, "event_too_long", "an event has no end")
            finally:
                response.close()

    async def download(self, piece: Piece, sink: StagedFile) -> None:
        """Write a piece into a file; after a fault what is in there is worth nothing.

        Raises:
            ProviderFault: `EXPIRED` where it is not there any more.
        """
        if piece.data or not piece.url:
            await sink.write(piece.data)
            return
        url = piece.url
        for _ in range(_REDIRECTS_MAX + 1):
            target = await self._hop(url, sink, own=piece.own)
            if not target:
                break
            there = urljoin(url, target)
            if urlsplit(url).scheme == "https" and urlsplit(there).scheme != "https":
                raise self._fault(
                    Blame.PROTOCOL, "unsafe_redirect", "a file's address leads off https"
                )
            url = there
        else:
            raise self._fault(
                Blame.PROTOCOL, "redirects", f"a file leads on more than {_REDIRECTS_MAX} times"
            )
        if piece.size_bytes is not None and piece.size_bytes != sink.size_bytes:
            raise self._fault(
                Blame.RETRY_SAFE,
                "file_truncated",
                f"a file has {sink.size_bytes} bytes, and {piece.size_bytes} were announced",
            )

    def fault(self, reply: Reply, spoken: Spoken | None = None) -> ProviderFault:
        """Return the fault that an answer tells of; also for what stands in one that succeeded."""
        return fault_of(
            self.title,
            reply,
            spoken or self._reads(reply),
            now=self._tools.clock.now(),
            secrets=self._secrets,
        )

    def here(self, url: str) -> bool:
        """Return whether an address is on this server."""
        return origin_of(url) == origin_of(self._options.base_url)

    async def close(self) -> None:
        """Close its connections."""
        await self._connections.close()

    @asynccontextmanager
    async def _answered(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None,
        body: Any,
        headers: Mapping[str, str],
        *,
        paid: bool,
        within_s: float,
        keyed: bool = True,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """Lend the answer's head; what goes wrong until its end is a fault."""
        way = Way()
        with losses(lambda words: self._lost(words, way, paid=paid), within_s):
            async with asyncio.timeout(within_s):
                response = await self._connections.opened(
                    way,
                    method,
                    self._address(path, query),
                    body=body,
                    headers={**(self._headers if keyed else {}), **headers},
                    within_s=within_s,
                )
                try:
                    self._note(response)
                    yield response
                finally:
                    response.close()

    def _address(self, path: str, query: Mapping[str, str] | None) -> URL:
        if path.startswith("/"):
            path = self._options.base_url + path
        elif not self.here(path):
            raise self._fault(
                Blame.PROTOCOL, "foreign_address", "it names an address that is not its own"
            )
        url = URL(path, encoded=True)
        return url.update_query(query) if query else url

    async def _read(self, response: aiohttp.ClientResponse, bytes_max: int, *, paid: bool) -> Reply:
        body = bytearray()
        async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
            body += chunk
            if len(body) > bytes_max:
                break
        reply = Reply(
            status=response.status, headers=lower(response.headers), body=bytes(body), paid=paid
        )
        if len(body) > bytes_max:
            raise reply.nonsense(f"it is longer than {bytes_max} bytes")
        return reply

    async def _hop(self, url: str, sink: StagedFile, *, own: bool) -> str:
        """Fetch from one address; return where it leads on, empty where the file was there."""
        if self.here(url):
            return await self._hop_here(url, sink, keyed=own)
        question = Question(
            method="GET",
            url=url,
            within_s=self._options.download_s,
            answer_bytes_max=self._options.download_bytes_max,
        )
        try:
            answer = await self._tools.outside.fetch(question, sink.write)
        except Refused as error:
            raise self._fault(Blame.PROTOCOL, error.code, f"a file: {error.message}") from error
        except Unavailable as error:
            if error.code != "no_answer":
                raise
            raise self._fault(Blame.RETRY_SAFE, error.code, f"a file: {error.message}") from error
        return self._arrived(answer.status, answer.headers, whole=answer.whole)

    async def _hop_here(self, url: str, sink: StagedFile, *, keyed: bool) -> str:
        room_bytes = self._options.download_bytes_max
        async with self._answered(
            "GET", url, None, None, {}, paid=False, within_s=self._options.download_s, keyed=keyed
        ) as response:
            if response.status == 200:
                async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
                    await sink.write(chunk[:room_bytes])
                    room_bytes -= len(chunk)
                    if room_bytes < 0:
                        break
            return self._arrived(response.status, lower(response.headers), whole=room_bytes >= 0)

    def _arrived(self, status: int, headers: Mapping[str, str], *, whole: bool) -> str:
        if status in _REDIRECTS and (target := headers.get("location")):
            return target
        if status in _GONE:
            raise self._fault(Blame.EXPIRED, f"http_{status}", "a file is no longer there")
        if status != 200:
            reply = Reply(status=status, headers=headers, body=b"")
            raise self._fault(
                Blame.AUTH_CONFIG if status == 401 else Blame.RETRY_SAFE,
                f"http_{status}",
                f"a file's address answered {status}",
                after_s=after_of(reply.headers, self._tools.clock.now()),
            )
        if not whole:
            raise self._fault(
                Blame.INVALID_INPUT,
                "file_too_large",
                f"a file has more than {self._options.download_bytes_max} bytes, which is what"
                " download_bytes_max takes",
            )
        return ""

    def _lost(self, words: str, way: Way, *, paid: bool) -> ProviderFault:
        """Return the fault of a call that got no answer."""
        if not way.connected:
            return self._fault(Blame.RETRY_SAFE, "not_reached", words)
        if paid:
            words += "; whether it was taken is not known"
        return self._fault(Blame.SUBMIT_UNSURE if paid else Blame.RETRY_SAFE, "no_answer", words)

    def _fault(
        self, blame: Blame, code: str, words: str, *, after_s: float | None = None
    ) -> ProviderFault:
        return ProviderFault(blame, code, f"{self.title}: {words}", after_s=after_s)

    def _note(self, response: aiohttp.ClientResponse) -> None:
        if not self._deprecated and (
            "Deprecation" in response.headers or "Sunset" in response.headers
        ):
            self._deprecated = True
            _log.warning(
                "provider.deprecated",
                provider=self.title,
                path=response.url.path,
                sunset=response.headers.get("Sunset", ""),
            )


def data_uri(media_type: str, data: bytes) -> str:
    """Return an address that holds what it leads to (RFC 2397)."""
    return f"data:{media_type};base64,{base64.b64encode(data).decode()}"
