"""Calls to PrusaLink's API, admitted by a key or by a user's password (HTTP digest)."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from agent.errors import AnswerLost, DriverError, DriverUnavailable, NotPossible
from agent.printers.webcam import PICTURE_S_MAX, body_of

CONNECT_S_MAX = 5.0
ANSWER_S_MAX = 20.0
STORED_S_MAX = 120.0  # a printer writes to its card before it answers
WORDS_MAX = 200


class NotFound(NotPossible):
    """There is no such file."""


class Conflict(NotPossible):
    """Not in its present state."""


class PrusaLinkHttp:
    """One PrusaLink, through all the connections to it."""

    def __init__(self, root: str, username: str, key: str) -> None:
        """Connect to nothing yet.

        Args:
            root: address of its page, without a slash at the end.
            username: whose password the key is; empty: it is an API key.
            key: admits us.
        """
        self.root = root
        self._username, self._key = username, key
        self._session: aiohttp.ClientSession | None = None

    @asynccontextmanager
    async def session(self) -> AsyncIterator[None]:
        """Make calls possible."""
        digest = aiohttp.DigestAuthMiddleware(self._username, self._key)
        admitted: dict[str, Any] = (
            {"middlewares": (digest,)} if self._username else {"headers": {"X-Api-Key": self._key}}
        )
        async with aiohttp.ClientSession(**admitted) as self._session:
            try:
                yield
            finally:
                self._session = None

    async def ask(self, path: str) -> Mapping[str, Any]:
        """Return the table at a path, an empty one where there is no content.

        Raises:
            DriverUnavailable, NotPossible, AnswerLost: as in `call`.
        """
        told = await self.call("GET", path)
        return told if isinstance(told, dict) else {}

    async def call(self, verb: str, path: str, **more: Any) -> Any:
        """Return what is answered, None without content.

        Raises:
            DriverUnavailable: it surely was not heard.
            NotPossible: it was refused; NotFound: there is no such thing.
            AnswerLost: it may have been obeyed.
        """
        limits = aiohttp.ClientTimeout(total=ANSWER_S_MAX, sock_connect=CONNECT_S_MAX)
        return await self._request(verb, path, **{"timeout": limits, **more})

    async def picture(self, path: str) -> bytes:
        """Return a picture's bytes, none without content; raises as `call` does."""
        limits = aiohttp.ClientTimeout(total=PICTURE_S_MAX, sock_connect=CONNECT_S_MAX)
        told = await self._request("GET", path, timeout=limits)
        return told if isinstance(told, bytes) else b""

    async def upload(self, file: Path, path: str) -> None:
        """Store a file under a path, and begin nothing; raises as `call` does."""
        limits = aiohttp.ClientTimeout(
            total=None, sock_connect=CONNECT_S_MAX, sock_read=STORED_S_MAX
        )
        try:
            opened = await asyncio.to_thread(file.open, "rb")
        except OSError as error:
            raise DriverUnavailable(f"the plate's file can't be read: {error}") from error
        headers = {
            "Content-Type": "text/x.gcode",
            "Overwrite": "?1",
            "Print-After-Upload": "?0",
        }
        with opened:
            await self._request("PUT", path, data=opened, headers=headers, timeout=limits)

    async def _request(self, verb: str, path: str, **more: Any) -> Any:
        if self._session is None:
            raise DriverUnavailable("no connection")
        try:
            async with self._session.request(verb, f"{self.root}{path}", **more) as answer:
                if answer.status >= 400:
                    raise _refusal(answer.status, answer.reason or "", path)
                if answer.status == 204:
                    return None
                if answer.content_type.startswith("image/"):
                    return await body_of(answer)
                if answer.content_type != "application/json":
                    return None
                return await answer.json()
        except aiohttp.ClientConnectorError as error:
            raise DriverUnavailable(f"no connection: {error}") from error
        except aiohttp.ConnectionTimeoutError as error:
            raise DriverUnavailable("no connection in time") from error
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            raise AnswerLost(f"no answer: {str(error)[:WORDS_MAX] or 'in time'}") from error


def _refusal(status: int, reason: str, path: str) -> DriverError:
    match status:
        case 401 | 403:
            return NotPossible(f"it refuses the API key or password ({status})")
        case 404:
            return NotFound(f"not there: {path}")
        case 409:
            return Conflict(f"refused ({status} {reason})")
        case 503:
            return DriverUnavailable(f"not up ({status} {reason})")
        case _ if status >= 500:
            return AnswerLost(f"an error of its own ({status} {reason})")
    return NotPossible(f"refused ({status} {reason})")
