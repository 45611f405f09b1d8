"""A server on this machine that answers as it is told, and remembers what it was asked."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

Handler = Callable[[web.Request, bytes], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class Asked:
    """One request that arrived whole."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class HttpTarget:
    """What stands behind an address; `answer` may be changed at any time."""

    answer: Handler
    port: int = 0
    asked: list[Asked] = field(default_factory=list)
    arrived: asyncio.Condition = field(default_factory=asyncio.Condition)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    async def handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        headers = {name.lower(): value for name, value in request.headers.items()}
        async with self.arrived:
            self.asked.append(Asked(request.method, request.path, headers, body))
            self.arrived.notify_all()
        return await self.answer(request, body)

    async def until(self, holds: Callable[[], bool], *, within_s: float = 30.0) -> None:
        """Wait until something holds that only a request can bring about."""
        async with asyncio.timeout(within_s), self.arrived:
            await self.arrived.wait_for(holds)


def status(code: int, **headers: str) -> Handler:
    """Answer with a status and nothing else."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}

    async def answer(request: web.Request, body: bytes) -> web.StreamResponse:
        return web.Response(status=code, headers=named)

    return answer


async def hang(request: web.Request, body: bytes) -> web.StreamResponse:
    """Never answer."""
    await asyncio.get_running_loop().create_future()
    raise AssertionError("the future is never done")


async def drop(request: web.Request, body: bytes) -> web.StreamResponse:
    """Hang up without an answer."""
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


@asynccontextmanager
async def http_target(answer: Handler | None = None, *, port: int = 0) -> AsyncIterator[HttpTarget]:
    """Serve on a free port, or on one that is named."""
    target = HttpTarget(answer or status(204))
    app = web.Application(client_max_size=2**30)
    app.router.add_route("*", "/{any:.*}", target.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        target.port = runner.addresses[0][1]
        yield target
    finally:
        await runner.cleanup()
