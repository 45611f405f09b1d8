"""An OctoPrint in some lines, for what the real one can't be made to do: to misbehave.

It answers like 1.11 (its real answers are held against the driver in `edges/octoprint`), moves
nothing, and goes on only when a test says so.
"""

import asyncio
import hashlib
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web
from aiohttp.test_utils import TestServer

KEY = "K" * 32
FLAGS = ("operational", "printing", "cancelling", "pausing", "resuming", "finishing", "paused")


@dataclass
class File:
    """What was uploaded, and its history."""

    sha1: str
    size: int
    success: int = 0
    failure: int = 0


@dataclass
class FakeOctoPrint:
    """One host with one printer.

    Attributes:
        state: OctoPrint's word for it.
        selected: path of the file; empty for none.
        begun: every print that began: the judge of "exactly once".
        lose: commands that are obeyed, but whose answer never comes.
        swallow: commands that are cut off before they are obeyed.
        refuse: command -> status to refuse it with.
        stays: a start is accepted, and nothing comes of it.
        edits: a plugin changes what is uploaded.
        socket: gives a push socket.
        port: None: any that is free.
    """

    state: str = "Operational"
    error: str = ""
    selected: str = ""
    files: dict[str, File] = field(default_factory=dict)
    begun: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    lose: set[str] = field(default_factory=set)
    swallow: set[str] = field(default_factory=set)
    refuse: dict[str, int] = field(default_factory=dict)
    stays: bool = False
    edits: bool = False
    socket: bool = True
    key: str = KEY
    port: int | None = None

    def __post_init__(self) -> None:
        self._sockets: set[web.WebSocketResponse] = set()
        self._server: TestServer | None = None
        self.heaters = {"tool0": 21.0, "bed": 20.0}
        self.targets = {"tool0": 0.0, "bed": 0.0}

    # ------------------------------------------------------------------ the machine

    async def start(self, host: str = "127.0.0.1") -> str:
        """Serve; at the same port each time. Returns the address of its page."""
        app = web.Application(client_max_size=1 << 30, middlewares=[self._admit])
        app.add_routes(
            [
                web.get("/api/version", self._version),
                web.post("/api/login", self._login),
                web.get("/api/connection", self._connection),
                web.post("/api/connection", self._order),
                web.get("/api/job", self._job),
                web.post("/api/job", self._order),
                web.get("/api/printer", self._printer),
                web.post("/api/printer/{part}", self._heat),
                web.get("/api/printerprofiles/{name}", self._profile),
                web.post("/api/files/local", self._upload),
                web.get("/api/files/local/{path:.+}", self._file),
                web.post("/api/files/local/{path:.+}", self._order),
                web.delete("/api/files/local/{path:.+}", self._delete),
                web.get("/sockjs/websocket", self._push),
            ]
        )
        self._server = TestServer(app, host=host, port=self.port)
        await self._server.start_server()
        self.port = self._server.port
        return str(self._server.make_url("")).rstrip("/")

    async def stop(self) -> None:
        """Be gone, as after a power cut; what it printed is over."""
        await self.drop()
        if self._server is not None:
            await self._server.close()
            self._server = None

    async def drop(self) -> None:
        """Close every push socket."""
        for socket in list(self._sockets):
            await socket.close()

    async def turn(self, state: str, **changes: Any) -> None:
        """Come to a state, and tell it."""
        self.state = state
        for name, value in changes.items():
            setattr(self, name, value)
        await self._tell(
            {"event": {"type": "PrinterStateChanged", "payload": {"state_string": state}}}
        )
        await self.tick()

    async def tick(self, apart_s: float = 0.0) -> None:
        """Tell how it stands: one after the other, over so many seconds."""
        for socket in list(self._sockets):
            await asyncio.sleep(apart_s / len(self._sockets or (socket,)))
            with suppress(ConnectionError, RuntimeError):
                await socket.send_json({"current": self._whole()})

    async def finish(self) -> None:
        """End the print well."""
        self.files[self.selected].success += 1
        await self.turn("Operational")

    async def cancel(self) -> None:
        """End the print as its page's button does."""
        self.files[self.selected].failure += 1
        file = {"path": self.selected, "origin": "local"}
        await self._tell({"event": {"type": "PrintCancelled", "payload": file}})
        await self.turn("Operational")

    async def print_foreign(self, path: str = "vase.gcode") -> None:
        """A person prints a file from the page."""
        self.files.setdefault(path, File("", 1))
        await self.turn("Printing", selected=path)

    def put(self, path: str) -> None:
        """A person has uploaded a file."""
        self.files[path] = File("", 1)

    def has_history(self) -> None:
        """The file that is being printed was printed before."""
        self.files[self.selected].success += 1

    async def restart(self) -> None:
        """Come back with nothing selected."""
        self.state, self.selected = "Operational", ""
        await self.start()

    # ------------------------------------------------------------------ what it answers

    @web.middleware
    async def _admit(self, request: web.Request, handler: Any) -> Any:
        if request.path != "/sockjs/websocket" and request.headers.get("X-Api-Key") != self.key:
            raise web.HTTPForbidden(text="{}")
        return await handler(request)

    async def _version(self, _: web.Request) -> web.Response:
        return web.json_response({"api": "0.1", "server": "1.11.8"})

    async def _login(self, _: web.Request) -> web.Response:
        return web.json_response({"name": "_api", "session": "s"})

    async def _connection(self, _: web.Request) -> web.Response:
        return web.json_response({"current": {"state": self.state, "printerProfile": "_default"}})

    async def _profile(self, _: web.Request) -> web.Response:
        size = {"width": 200, "depth": 200, "height": 180, "formFactor": "rectangular"}
        return web.json_response(
            {"volume": size, "extruder": {"count": 1}, "heatedBed": True, "heatedChamber": False}
        )

    async def _job(self, _: web.Request) -> web.Response:
        whole = self._whole()
        told = {"job": whole["job"], "progress": whole["progress"], "state": self.state}
        return web.json_response(told | ({"error": self.error} if self.error else {}))

    async def _printer(self, _: web.Request) -> web.Response:
        whole = self._whole()
        return web.json_response({"state": whole["state"], "temperature": whole["temps"][0]})

    async def _heat(self, request: web.Request) -> web.Response:
        told = await request.json()
        part = request.match_info["part"]
        if part == "command":
            self.said += told.get("commands") or [told["command"]]
        else:
            self.targets.update(told.get("targets") or {part: told["target"]})
        return web.Response(status=204)

    async def _upload(self, request: web.Request) -> web.Response:
        form = await request.multipart()
        folder, content = "", b""
        async for part in form:
            if part.name == "path":
                folder = (await part.read()).decode()
            elif part.name == "file":
                name, content = part.filename, bytes(await part.read())
        content += b"; edited\n" * self.edits
        sha1 = hashlib.sha1(content, usedforsecurity=False).hexdigest()
        self.files[f"{folder}/{name}"] = File(sha1, len(content))
        return web.json_response({"done": True}, status=201)

    async def _file(self, request: web.Request) -> web.Response:
        path = request.match_info["path"]
        if path == "farmhand":
            children = [self._info(each) for each in self.files if each.startswith("farmhand/")]
            return web.json_response({"type": "folder", "children": children})
        if path not in self.files:
            raise web.HTTPNotFound(text="{}")
        return web.json_response(self._info(path))

    def _info(self, path: str) -> dict[str, Any]:
        file = self.files[path]
        prints = {"success": file.success, "failure": file.failure}
        order = list(self.files).index(path)
        info = {"path": path, "size": file.size, "hash": file.sha1, "date": order}
        return {**info, "type": "machinecode", "prints": prints}

    async def _delete(self, request: web.Request) -> web.Response:
        path = request.match_info["path"]
        if path not in self.files:
            raise web.HTTPNotFound(text="{}")
        if path == self.selected and self.state in ("Printing", "Paused"):
            raise web.HTTPConflict(text="{}")
        del self.files[path]
        return web.Response(status=204)

    async def _order(self, request: web.Request) -> web.Response:
        told = await request.json()
        name = told["action"] if told["command"] == "pause" else told["command"]
        if name in self.swallow:
            return _cut(request)
        if status := self.refuse.get(name):
            return web.json_response({"error": f"no {name} today"}, status=status)
        path = request.match_info.get("path", "")
        if path and path not in self.files:
            raise web.HTTPNotFound(text="{}")
        if name in ("pause", "resume", "cancel") and self.state not in ("Printing", "Paused"):
            raise web.HTTPConflict(text="{}")
        if name == "select" and self.state != "Operational":
            raise web.HTTPConflict(text="{}")
        await self._obey(name, told, path)
        return _cut(request) if name in self.lose else web.Response(status=204)

    async def _obey(self, name: str, told: dict[str, Any], path: str) -> None:
        match name:
            case "copy":
                source = self.files[path]
                self.files[told["destination"]] = File(source.sha1, source.size)
            case "select" if not self.stays:
                self.begun.append(path)
                await self.turn("Printing", selected=path)
            case "pause":
                await self.turn("Paused")
            case "resume":
                await self.turn("Printing")
            case "cancel":
                await self.cancel()
            case "connect":
                await self.turn("Operational")

    # ------------------------------------------------------------------ what it pushes

    def _whole(self) -> dict[str, Any]:
        printing = self.state == "Printing"
        flags = dict.fromkeys(FLAGS, False) | {"operational": True, "printing": printing}
        temps = {
            name: {"actual": value, "target": self.targets[name]}
            for name, value in self.heaters.items()
        }
        file = {"path": self.selected or None, "origin": "local" if self.selected else None}
        return {
            "state": {"text": self.state, "flags": flags, "error": self.error},
            "job": {"file": file},
            "progress": {"completion": 50.0 if printing else None, "filepos": None},
            "temps": [temps],
        }

    async def _push(self, request: web.Request) -> web.StreamResponse:
        if not self.socket:
            raise web.HTTPNotFound
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self._sockets.add(socket)
        try:
            await socket.send_json({"connected": {"version": "1.11.8"}})
            async for message in socket:
                if message.type is WSMsgType.TEXT and "auth" in message.json():
                    await socket.send_json({"history": {**self._whole(), "logs": ["Recv: ok"]}})
        finally:
            self._sockets.discard(socket)
        return socket

    async def _tell(self, message: dict[str, Any]) -> None:
        for socket in list(self._sockets):
            with suppress(ConnectionError, RuntimeError):
                await socket.send_json(message)
        await asyncio.sleep(0)


def _cut(request: web.Request) -> web.Response:
    """Break the connection instead of answering."""
    assert request.transport is not None
    request.transport.abort()
    return web.Response(status=204)
