"""JSON-RPC with Moonraker over its WebSocket: calls that are answered, and what it tells by itself.

moonraker.readthedocs.io, "JSON-RPC". A key admits us by a one-shot token in the address, which
passes proxies that let no header through; uploads carry the key itself.
"""

import asyncio
import hashlib
import itertools
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

import aiohttp

from agent.errors import AnswerLost, DriverUnavailable, NotPossible

CONNECT_S_MAX = 10.0
ANSWER_S_MAX = 30.0
PIECE_BYTES = 256 * 1024
READ_S_MAX = 120.0  # it looks through a large file before it answers
WORDS_MAX = 200
PING_S = 15.0  # a host that froze is lost after one and a half of it
MESSAGE_BYTES_MAX = 16 << 20
NOTES_MAX = 1000  # a host tells some four a second
SUBSCRIBE = "printer.objects.subscribe"
CHANGES = "notify_status_update"
LINE = "notify_gcode_response"
CLIENT = {"client_name": "farmhand", "version": "1", "type": "other", "url": "farmhand"}

# What Moonraker says when Klipper surely did not get a request; other words of a 503 leave it open.
_NOT_PASSED_ON = "Klippy Host not connected"


class MoonrakerSocket:
    """An open one; see `moonraker_socket`.

    Attributes:
        heard: told each line that Klipper says, at once: before the answer that ends what it said.
    """

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        """Speak over a connection."""
        self.heard: Callable[[str], object] = str
        self._socket = socket
        self._ids = itertools.count(1)
        self._answers: dict[int, asyncio.Future[Any]] = {}
        self._notes: asyncio.Queue[tuple[str, list[Any]] | None] = asyncio.Queue(NOTES_MAX)
        self._subscribing = 0  # number of the request
        self._lost = ""

    async def send(self, method: str, params: Mapping[str, Any]) -> "asyncio.Future[Any]":
        """Say a request; the future has its result, or a `DriverError`.

        Raises:
            DriverUnavailable: the connection is gone; it surely was not heard.
        """
        number = next(self._ids)
        if self._lost:
            raise DriverUnavailable(self._lost)
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        answer.add_done_callback(lambda done: done.cancelled() or done.exception())
        self._answers[number] = answer
        if method == SUBSCRIBE:
            self._subscribing = number
        request = {"jsonrpc": "2.0", "method": method, "params": params, "id": number}
        try:
            await self._socket.send_json(request)
        except (aiohttp.ClientError, OSError) as error:
            del self._answers[number]
            raise DriverUnavailable(f"the connection broke: {error}") from error
        return answer

    async def call(
        self,
        method: str,
        params: Mapping[str, Any] | None = None,
        within_s: float = ANSWER_S_MAX,
    ) -> Any:
        """Return what a request results in.

        Raises:
            DriverUnavailable: it surely was not heard.
            NotPossible: it was refused.
            AnswerLost: it may have been obeyed.
        """
        answer = await self.send(method, params or {})
        try:
            async with asyncio.timeout(within_s):
                return await answer
        except TimeoutError:
            raise AnswerLost(f"no answer to {method} within {within_s:.0f} s") from None

    async def ask(
        self,
        method: str,
        params: Mapping[str, Any] | None = None,
        within_s: float = ANSWER_S_MAX,
    ) -> Mapping[str, Any]:
        """Return the table that a question is answered with; raises as `call` does."""
        told = await self.call(method, params, within_s)
        if not isinstance(told, dict):
            raise AnswerLost(f"its answer to {method} makes no sense: {str(told)[:WORDS_MAX]!r}")
        return told

    async def told(self, within_s: float | None = None) -> tuple[str, list[Any]]:
        """Return the next notification: its method and parameters.

        Raises:
            TimeoutError: there was none in time.
            DriverUnavailable: the connection is lost.
        """
        async with asyncio.timeout(within_s):
            note = await self._notes.get()
        if note is None:
            raise DriverUnavailable(self._lost)
        return note

    async def read(self) -> None:
        """Hand out what comes until the connection is lost; never raises."""
        try:
            async for message in self._socket:
                if message.type is aiohttp.WSMsgType.TEXT:
                    self._take(message.data)
        finally:
            broken = self._socket.exception()
            self._lost = f"the connection broke: {broken}" if broken else "it closed the connection"
            for answer in self._answers.values():
                if not answer.done():
                    answer.set_exception(AnswerLost(self._lost))
            self._answers.clear()
            while self._notes.full():
                self._notes.get_nowait()
            self._notes.put_nowait(None)

    def _take(self, data: str) -> None:
        with suppress(ValueError):
            told = json.loads(data)
            if not isinstance(told, dict):
                return
            if told.get("method") == LINE:
                for line in told.get("params") or ():
                    self.heard(str(line))
                return
            if "method" in told:
                if self._notes.full():
                    self._notes.get_nowait()  # nobody reads; a status is told again
                self._notes.put_nowait((str(told["method"]), list(told.get("params") or ())))
                return
            answer = self._answers.pop(told.get("id", 0), None)
            if answer is None or answer.done():
                return
            if told.get("id") == self._subscribing:
                self._forget_changes()
            if "error" in told:
                answer.set_exception(error_of(told["error"]))
            else:
                answer.set_result(told.get("result"))

    def _forget_changes(self) -> None:
        """What is answered with a subscription is younger than all changes told before it."""
        notes = [self._notes.get_nowait() for _ in range(self._notes.qsize())]
        for note in notes:
            if note is None or note[0] != CHANGES:
                self._notes.put_nowait(note)


def error_of(error: Mapping[str, Any]) -> DriverUnavailable | NotPossible | AnswerLost:
    """Return what an error in an answer means for what was asked."""
    code, words = error.get("code"), str(error.get("message") or "it says no reason")
    if code == 401 or words == "Unauthorized":  # it says the latter with a code of JSON-RPC's own
        return DriverUnavailable("it refuses the API key, or wants one")
    if code == 503:
        return DriverUnavailable(words) if _NOT_PASSED_ON in words else AnswerLost(words)
    if isinstance(code, int) and 500 <= code < 600:
        return AnswerLost(words)
    return NotPossible(words)


class Link:
    """One Moonraker, through all the connections to it."""

    def __init__(self, root: str, key: str) -> None:
        """Connect to nothing yet.

        Args:
            root: address of Moonraker, without a slash at the end.
            key: empty where Moonraker trusts this machine.
        """
        self.root = root
        self._key = key
        self._open: tuple[aiohttp.ClientSession, MoonrakerSocket] | None = None

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[MoonrakerSocket]:
        """Connect; calls go that way meanwhile.

        Raises:
            DriverUnavailable: it can't be reached, or does not admit us.
        """
        async with (
            aiohttp.ClientSession() as session,
            moonraker_socket(session, self.root, self._key) as socket,
        ):
            self._open = session, socket
            try:
                yield socket
            finally:
                self._open = None

    @property
    def _opened(self) -> tuple[aiohttp.ClientSession, MoonrakerSocket]:
        if self._open is None:
            raise DriverUnavailable("no connection")
        return self._open

    async def send(self, method: str, params: Mapping[str, Any]) -> "asyncio.Future[Any]":
        """See `MoonrakerSocket`."""
        return await self._opened[1].send(method, params)

    async def call(
        self,
        method: str,
        params: Mapping[str, Any] | None = None,
        within_s: float = ANSWER_S_MAX,
    ) -> Any:
        """See `MoonrakerSocket`."""
        return await self._opened[1].call(method, params, within_s)

    async def ask(self, method: str, params: Mapping[str, Any] | None = None) -> Mapping[str, Any]:
        """See `MoonrakerSocket`."""
        return await self._opened[1].ask(method, params)

    async def post(self, path: str, form: aiohttp.FormData) -> tuple[int, str]:
        """Send a form over HTTP; returns the status, and the reason of a refusal.

        Raises:
            DriverUnavailable: no connection, or it broke; a file that is cut off is not stored.
        """
        async with self._request("POST", path, form) as answer:
            words = await answer.text() if answer.status >= 400 else ""
            return answer.status, words[:WORDS_MAX]

    async def sha256_of(self, path: str) -> str:
        """Return the hash of what it answers a path with; raises as `post` does."""
        digest = hashlib.sha256()
        async with self._request("GET", path) as answer:
            if answer.status >= 400:
                raise DriverUnavailable(f"{path}: {answer.status} {answer.reason}")
            async for piece in answer.content.iter_chunked(PIECE_BYTES):
                digest.update(piece)
        return digest.hexdigest()

    @asynccontextmanager
    async def _request(
        self, verb: str, path: str, form: aiohttp.FormData | None = None
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        session, _ = self._opened
        headers = {"X-Api-Key": self._key} if self._key else {}
        limits = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_S_MAX, sock_read=READ_S_MAX)
        try:
            async with session.request(
                verb, f"{self.root}{path}", data=form, headers=headers, timeout=limits
            ) as answer:
                yield answer
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            words = str(error) or "no answer in time"
            raise DriverUnavailable(f"the connection broke: {words}") from error


@asynccontextmanager
async def moonraker_socket(
    session: aiohttp.ClientSession, root: str, key: str
) -> AsyncIterator[MoonrakerSocket]:
    """Connect, be admitted, say who we are; what is raised within it comes out as it is.

    Args:
        session: for the requests.
        root: address of Moonraker.
        key: empty where Moonraker trusts this machine.

    Raises:
        DriverUnavailable: it can't be reached, or does not admit us.
    """
    try:
        async with asyncio.timeout(CONNECT_S_MAX):
            query = {"token": await _token(session, root, key)} if key else {}
            web_socket = await session.ws_connect(
                f"ws{root.removeprefix('http')}/websocket",
                params=query,
                heartbeat=PING_S,
                max_msg_size=MESSAGE_BYTES_MAX,
            )
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        words = str(error) or "no answer in time"
        raise DriverUnavailable(f"no connection: {words}") from error
    socket, failure = MoonrakerSocket(web_socket), None
    async with web_socket, asyncio.TaskGroup() as group:
        reading = group.create_task(socket.read(), name="moonraker.read")
        try:
            await socket.call("server.connection.identify", CLIENT)
            yield socket
        except Exception as error:  # raised below: a group would wrap it
            failure = error
        finally:
            reading.cancel()
    if failure is not None:
        raise failure


async def _token(session: aiohttp.ClientSession, root: str, key: str) -> str:
    """Return a token that opens one connection."""
    address = f"{root}/access/oneshot_token"
    async with session.get(address, headers={"X-Api-Key": key}) as answer:
        if answer.status in (401, 403):
            raise DriverUnavailable("it refuses the API key")
        answer.raise_for_status()
        try:
            return str((await answer.json())["result"])
        except (ValueError, KeyError, TypeError) as error:
            raise DriverUnavailable("what answers there is no Moonraker") from error
