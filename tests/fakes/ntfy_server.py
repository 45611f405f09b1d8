"""A stand-in for ntfy: publishing as JSON, tokens, topics that remember, limits, and polling."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web


@dataclass
class NtfyServer:
    """One server; messages are numbered over all topics, and kept by topic.

    Attributes:
        tokens: by topic that not everybody may write to.
        room: how many messages are taken before it says 429; None for any number.
    """

    port: int = 0
    tokens: dict[str, str] = field(default_factory=dict)
    room: int | None = None
    down: bool = False
    topics: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    count: int = 0
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def publish(self, request: web.Request) -> web.Response:
        if self.down:
            return web.json_response({"code": 50001, "http": 500}, status=500)
        try:
            said = json.loads(await request.read())
            topic = said["topic"]
        except (ValueError, KeyError):
            return web.json_response({"code": 40024, "http": 400}, status=400)
        wanted = self.tokens.get(topic)
        if wanted and request.headers.get("Authorization") != f"Bearer {wanted}":
            return web.json_response({"code": 40301, "http": 403}, status=403)
        if len(said.get("message", "").encode()) > 4096:
            return web.json_response({"code": 41301, "http": 413}, status=413)
        if self.room is not None and self.count >= self.room:
            return web.json_response({"code": 42901, "http": 429}, status=429)
        self.count += 1
        kept = {**said, "id": f"m{self.count}", "event": "message"}
        self.topics.setdefault(topic, []).append(kept)
        self.arrived.set()
        return web.json_response(kept)

    async def poll(self, request: web.Request) -> web.Response:
        """Answer as `GET /TOPIC/json?poll=1` does: a line of JSON a message."""
        kept = self.topics.get(request.match_info["topic"], [])
        return web.Response(text="".join(json.dumps(each) + "\n" for each in kept))

    async def read(self, topic: str) -> list[dict[str, Any]]:
        """Return what a phone that listens to a topic gets."""
        url = f"{self.url}/{topic}/json?poll=1"
        async with aiohttp.ClientSession() as session, session.get(url) as answer:
            return [json.loads(line) for line in (await answer.text()).splitlines()]


@asynccontextmanager
async def ntfy_server() -> AsyncIterator[NtfyServer]:
    """Serve on a free port of this machine."""
    server = NtfyServer()
    app = web.Application()
    app.router.add_post("/", server.publish)
    app.router.add_get("/{topic}/json", server.poll)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        server.port = runner.addresses[0][1]
        yield server
    finally:
        await runner.cleanup()
