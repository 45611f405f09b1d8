"""Calls to OctoPrint's REST API, made with octorest on threads of their own.

octorest and the requests below it wait without limit and tell an error only as words. The session
given to it here adds limits, tells what became of each call, and leads below a proxy's path.
One thread makes the calls, in their order; uploads have another, so that no stop waits for one.
"""

import asyncio
import hashlib
import threading
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import requests
from octorest import OctoRest
from urllib3.exceptions import ConnectTimeoutError, MaxRetryError, NewConnectionError

from agent.errors import AnswerLost, DriverError, DriverUnavailable, NotPossible, PlateRefused

T = TypeVar("T")

CONNECT_S_MAX = 5.0
ANSWER_S_MAX = 20.0  # a Pi that writes a large file to its card answers late
UPLOAD_ANSWER_S_MAX = 120.0  # it reads the whole file again before it answers
WORDS_MAX = 200
PIECE_BYTES = 64 * 1024


class NotFound(NotPossible):
    """There is no such file, or no such page."""


class OwnError(AnswerLost):
    """OctoPrint failed at it; for what changes something, nobody knows how far it came."""


class Rest:
    """One OctoPrint's API."""

    def __init__(self, root: str, key: str) -> None:
        """Connect to nothing yet.

        Args:
            root: address of its page, without a slash at the end.
            key: API key; empty: only what needs none.
        """
        self.root = root
        self._key = key
        self._threads: dict[str, ThreadPoolExecutor] = {}
        self._clients: dict[str, OctoRest] = {}
        self._closing = threading.Event()

    async def call(self, act: Callable[[OctoRest], T], *, thread: str = "calls") -> T:
        """Return what `act` returns, done with a client on one of our threads.

        Raises:
            DriverUnavailable: OctoPrint did not get it.
            NotPossible: it refused; NotFound: there is no such thing.
            AnswerLost: nobody knows.
        """
        threads = self._threads
        if not threads:
            self._closing = threading.Event()
        if thread not in threads:
            threads[thread] = ThreadPoolExecutor(1, thread_name_prefix=f"octoprint-{thread}")
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(threads[thread], self._act, act, thread)

    def _act(self, act: Callable[[OctoRest], T], thread: str) -> T:
        try:
            if thread not in self._clients:
                # It asks for the version at once: so a wrong key shows.
                session = _Session(self.root)
                self._clients[thread] = OctoRest(
                    url=self.root, apikey=self._key or None, session=session
                )
            return act(self._clients[thread])
        except requests.RequestException as error:
            raise _meaning(error) from error
        except (RuntimeError, KeyError, TypeError) as error:
            # Answered with something else than the API's: another program, or a proxy's page.
            raise AnswerLost(f"its answer makes no sense: {error!r}"[:WORDS_MAX]) from error

    async def upload(self, file: Path, to: str) -> str:
        """Store a file under a path, in pieces; returns the SHA-1 of what was sent.

        octorest's own upload reads the whole file into memory and loses the path: it hands both
        `files` and `json` to requests, which then leaves out the latter.
        """

        def send(client: OctoRest) -> str:
            folder, _, name = to.rpartition("/")
            with _Form(file, name, {"path": folder}, self._closing) as form:
                client.session.post(
                    f"{client.url}/api/files/local",
                    data=form,
                    headers={"Content-Type": form.content_type},
                    timeout=(CONNECT_S_MAX, UPLOAD_ANSWER_S_MAX),
                )
                return form.sha1.hexdigest()

        return await self.call(send, thread="uploads")

    async def login(self) -> str:
        """Return `user:session` for the push socket; octorest has no login."""

        def log_in(client: OctoRest) -> str:
            answer = client.session.post(f"{client.url}/api/login", json={"passive": True})
            told = answer.json()
            return f"{told['name']}:{told['session']}"

        return await self.call(log_in)

    def close(self) -> None:
        """End the threads; what they do just now comes to its end by itself, an upload at once."""
        self._closing.set()
        for thread in self._threads.values():
            thread.shutdown(wait=False, cancel_futures=True)
        self._threads, self._clients = {}, {}


def sha1_of(file: Path) -> str:
    """Return the hash by which OctoPrint knows a file. Reads all of it."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha1").hexdigest()


class _Session(requests.Session):
    """Limits each wait, raises for each refusal, sends below the root, keeps no cookies."""

    def __init__(self, root: str) -> None:
        super().__init__()
        parts = urlsplit(root)
        self._origin, self._root = f"{parts.scheme}://{parts.netloc}", root
        # Proxies and passwords of the environment are not meant for a machine next door; a login's
        # cookie would count before the key.
        self.trust_env = False
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))

    def request(self, method: str, url: str, *rest: Any, **named: Any) -> Any:  # type: ignore[override]
        if url.startswith(self._origin) and not url.startswith(f"{self._root}/"):
            url = self._root + url.removeprefix(self._origin)
        named["timeout"] = named.get("timeout") or (CONNECT_S_MAX, ANSWER_S_MAX)
        response = super().request(method, url, *rest, **named)
        if response.status_code >= 400:
            raise _refusal(response)
        return response


def _refusal(response: requests.Response) -> DriverError:
    status = response.status_code
    try:
        words = str(response.json()["error"])
    except (ValueError, KeyError, TypeError):
        words = response.reason or ""
    words = words[:WORDS_MAX]
    match status:
        case 401 | 403:
            return NotPossible(f"it refuses the API key, or what it may do ({status})")
        case 404:
            return NotFound(f"not there: {urlsplit(response.url).path}")
        case 503:  # the proxy before it: OctoPrint itself is not up
            return DriverUnavailable(f"not up (503 {words})")
        case status if status >= 500:
            return OwnError(f"an error of its own ({status} {words})")
    return NotPossible(words or f"refused ({status})")


def _meaning(error: requests.RequestException) -> DriverError:
    cause: Any = error.args[0] if error.args else None
    if isinstance(cause, MaxRetryError):
        cause = cause.reason
    if isinstance(cause, NewConnectionError | ConnectTimeoutError):
        return DriverUnavailable("no connection: " + str(cause).rpartition(": ")[2])
    if isinstance(error, requests.Timeout):
        return AnswerLost("no answer in time")
    return AnswerLost(f"the connection broke: {cause or error}"[:WORDS_MAX])


class _Form:
    """The body of an upload (RFC 7578), read in pieces; ends early when we close."""

    def __init__(
        self, file: Path, name: str, values: dict[str, str], closing: threading.Event
    ) -> None:
        mark = uuid.uuid4().hex
        parts = [
            f'--{mark}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'
            for key, value in values.items()
        ]
        parts.append(
            f'--{mark}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
            "Content-Type: application/octet-stream\r\n\r\n"
        )
        self.content_type = f"multipart/form-data; boundary={mark}"
        self.sha1 = hashlib.sha1(usedforsecurity=False)
        self._head = "".join(parts).encode()
        self._tail = f"\r\n--{mark}--\r\n".encode()
        try:
            self._file = file.open("rb")
        except OSError as error:
            raise PlateRefused(f"its file can't be read: {error}") from error
        self._length = len(self._head) + file.stat().st_size + len(self._tail)
        self._closing = closing

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.read, b"")  # what has none is no stream to requests

    def __enter__(self) -> "_Form":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def read(self, size: int = -1) -> bytes:
        if self._closing.is_set():
            raise requests.ConnectionError("the agent ends")
        if self._head:
            head, self._head = self._head, b""
            return head
        if data := self._file.read(max(size, PIECE_BYTES)):
            self.sha1.update(data)
            return data
        tail, self._tail = self._tail, b""
        return tail
