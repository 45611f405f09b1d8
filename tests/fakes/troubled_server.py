"""A server on a free port of this machine that tells what it was asked, with trouble on demand."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

from aiohttp import web

from tests.fakes.http_target import Asked

Answers = Callable[[web.Request], Awaitable[web.StreamResponse]]
# Takes a request and what would have answered it.
Trouble = Callable[[web.Request, Answers], Awaitable[web.StreamResponse]]


class TroubledServer:
    """A server whose next requests can be made to go wrong; subclasses add routes to `app`."""

    def __init__(self) -> None:
        self.app = web.Application(client_max_size=2**30, middlewares=[self._meet])
        self.url = ""
        self.asked: list[Asked] = []
        self._troubles: list[tuple[str, Trouble]] = []

    def next(self, on: str, trouble: Trouble) -> None:
        """Have the next request that begins so, `POST /v1/jobs`, go wrong."""
        self._troubles.append((on, trouble))

    def count(self, on: str) -> int:
        """Return how many requests began so."""
        return sum(f"{each.method} {each.path}".startswith(on) for each in self.asked)

    @web.middleware
    async def _meet(self, request: web.Request, handler: Answers) -> web.StreamResponse:
        body = await request.read()
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.asked.append(Asked(request.method, request.path, headers, body))
        for each in self._troubles:
            if f"{request.method} {request.path}".startswith(each[0]):
                self._troubles.remove(each)
                return await each[1](request, handler)
        return await handler(request)


def refuses(status: int, body: object = None, **headers: str) -> Trouble:
    """Answer with a status, and do nothing."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}

    async def trouble(request: web.Request, handler: Answers) -> web.StreamResponse:
        return web.json_response(body, status=status, headers=named)

    return trouble


async def drops_before(request: web.Request, handler: Answers) -> web.StreamResponse:
    """Hang up, and do nothing."""
    return _hang_up(request)


async def breaks_off(request: web.Request, handler: Answers) -> web.StreamResponse:
    """Answer with the first half of what is to be said."""
    whole = await handler(request)
    assert isinstance(whole, web.Response)
    assert isinstance(whole.body, bytes)
    half = web.StreamResponse(headers={"Content-Length": str(len(whole.body))})
    await half.prepare(request)
    await half.write(whole.body[: len(whole.body) // 2])
    return _hang_up(request)


def _hang_up(request: web.Request) -> web.StreamResponse:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


ServerT = TypeVar("ServerT", bound=TroubledServer)


@asynccontextmanager
async def served(server: ServerT, port: int = 0) -> AsyncIterator[ServerT]:
    """Serve on a free port of this machine, or on one that is named."""
    runner = web.AppRunner(
        server.app, access_log=None, shutdown_timeout=0.1, handler_cancellation=True
    )
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield server
    finally:
        await runner.cleanup()
