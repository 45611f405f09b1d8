"""A Moonraker in some lines, for what the real one can't be made to do: to misbehave.

It answers like 0.11 before Klipper (its real answers are held against the driver in
`edges/moonraker`), moves nothing, and goes on only when a test says so.
"""

import hashlib
import json
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web
from aiohttp.test_utils import TestServer

KEY = "K" * 32
ROOT = "gcodes/"


class Refused(Exception):
    """With code and words."""


@dataclass
class FakeMoonraker:
    """One host with one printer.

    Attributes:
        klippy_state: Klipper's own word.
        print_state: Klipper's word for the print.
        files: path -> content.
        history: prints, the oldest first.
        begun: every print that began: the judge of "exactly once".
        lose: last words of methods that are obeyed, but whose answer never comes.
        swallow: those that are cut off before they are obeyed.
        refuse: last word of a method -> code to refuse it with.
        stays: a start is accepted, and nothing comes of it.
        edits: what is uploaded is changed afterwards.
        damages: it keeps as many bytes as it was sent, but others.
    """

    klippy_state: str = "ready"
    print_state: str = "standby"
    selected: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    history: list[dict[str, str]] = field(default_factory=list)
    begun: list[str] = field(default_factory=list)
    lose: set[str] = field(default_factory=set)
    swallow: set[str] = field(default_factory=set)
    refuse: dict[str, int] = field(default_factory=dict)
    stays: bool = False
    edits: bool = False
    damages: bool = False
    key: str = KEY
    process_id: int = 100

    def __post_init__(self) -> None:
        self._sockets: set[web.WebSocketResponse] = set()
        self._server: TestServer | None = None
        self._port: int | None = None
        self.targets = {"tool0": 0.0, "bed": 0.0}

    # ------------------------------------------------------------------ the machine

    async def start(self) -> str:
        """Serve; at the same port each time. Returns its address."""
        app = web.Application(client_max_size=1 << 30)
        app.add_routes(
            [
                web.get("/access/oneshot_token", self._token),
                web.get("/websocket", self._speak),
                web.post("/server/files/upload", self._upload),
                web.get("/server/files/gcodes/{path:.+}", self._download),
            ]
        )
        self._server = TestServer(app, host="127.0.0.1", port=self._port)
        await self._server.start_server()
        self._port = self._server.port
        return str(self._server.make_url("")).rstrip("/")

    async def stop(self) -> None:
        """Be gone, as after a power cut; what it printed is over."""
        await self.drop()
        if self._server is not None:
            await self._server.close()
            self._server = None

    async def restart(self) -> None:
        """Come back with nothing selected."""
        self.print_state, self.selected = "standby", ""
        self.process_id += 1
        for entry in self.history:
            if entry["status"] == "in_progress":
                entry["status"] = "interrupted"
        await self.start()

    async def drop(self) -> None:
        """Close every socket."""
        for socket in list(self._sockets):
            await socket.close()

    async def finish(self) -> None:
        """End the print well."""
        await self._end("complete", "completed")

    async def cancel(self) -> None:
        """End the print as its page's button does."""
        await self._end("cancelled", "cancelled")

    async def _end(self, state: str, status: str) -> None:
        self.history[-1]["status"] = status
        await self._turn(state)

    async def print_foreign(self, path: str = "vase.gcode") -> None:
        """A person prints a file from the page."""
        self.files.setdefault(path, b";")
        self.history.append({"filename": path, "status": "in_progress"})
        await self._turn("printing", path)

    def put(self, path: str) -> None:
        """A person has uploaded a file."""
        self.files[path] = b";"

    def has_history(self) -> None:
        """The file that is being printed was printed before."""
        self.history.insert(0, {"filename": self.selected, "status": "completed"})

    async def _turn(self, state: str, selected: str = "") -> None:
        self.print_state, self.selected = state, selected or self.selected
        for socket in list(self._sockets):
            told = {"method": "notify_status_update", "params": [self._status(), 1.0]}
            with suppress(ConnectionError, RuntimeError):
                await socket.send_json(told)

    def _status(self) -> dict[str, dict[str, Any]]:
        stats = {"state": self.print_state, "filename": self.selected, "message": ""}
        half = 0.5 if self.print_state == "printing" else 0.0
        return {
            "print_stats": stats,
            "virtual_sdcard": {"progress": half, "file_position": None},
            "idle_timeout": {"state": "Ready"},
            "toolhead": {"axis_minimum": [0, 0, 0, 0], "axis_maximum": [200, 200, 180, 0]},
            "extruder": {"temperature": 21.0, "target": self.targets["tool0"]},
            "heater_bed": {"temperature": 20.0, "target": self.targets["bed"]},
        }

    # ------------------------------------------------------------------ what it answers

    async def _token(self, request: web.Request) -> web.Response:
        if request.headers.get("X-Api-Key") != self.key:
            raise web.HTTPUnauthorized
        return web.json_response({"result": "T" + self.key})

    async def _upload(self, request: web.Request) -> web.Response:
        if request.headers.get("X-Api-Key") != self.key:
            raise web.HTTPUnauthorized
        told, content, name = dict[str, str](), b"", ""
        async for part in await request.multipart():
            if part.name == "file":
                name, content = part.filename, bytes(await part.read())
            else:
                told[part.name] = (await part.read()).decode()
        if hashlib.sha256(content).hexdigest() != told["checksum"]:
            raise web.HTTPUnprocessableEntity
        self.files[f"{told['path']}/{name}"] = content + b"; edited\n" * self.edits
        return web.json_response({}, status=201)

    async def _download(self, request: web.Request) -> web.Response:
        if request.headers.get("X-Api-Key") != self.key:
            raise web.HTTPUnauthorized
        content = self.files[request.match_info["path"]]
        return web.Response(body=content[::-1] if self.damages else content)

    async def _speak(self, request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self._sockets.add(socket)
        admitted = request.query.get("token") == "T" + self.key
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    await self._answer(request, socket, json.loads(message.data), admitted)
        finally:
            self._sockets.discard(socket)
        return socket

    async def _answer(
        self,
        request: web.Request,
        socket: web.WebSocketResponse,
        told: dict[str, Any],
        admitted: bool,
    ) -> None:
        method = told["method"]
        word = method.rpartition(".")[2]
        assert request.transport is not None
        if word in self.swallow:
            request.transport.abort()
            return
        answer: dict[str, Any] = {"jsonrpc": "2.0", "id": told["id"]}
        try:
            if not admitted:
                raise Refused(-32602, "Unauthorized")
            if code := self.refuse.get(word):
                words = "Klippy Host not connected" if code == 503 else f"no {word} today"
                raise Refused(code, words)
            answer["result"] = await self._obey(method, told["params"])
        except Refused as refusal:
            code, words = refusal.args
            answer["error"] = {"code": code, "message": words}
        if word in self.lose:
            request.transport.abort()
            return
        with suppress(ConnectionError, RuntimeError):
            await socket.send_json(answer)

    async def _obey(self, method: str, params: dict[str, Any]) -> Any:
        path = str(params.get("path", "")).removeprefix(ROOT)
        match method:
            case "server.info":
                return {"klippy_connected": True, "klippy_state": self.klippy_state}
            case "printer.info":
                return {"process_id": self.process_id}
            case "printer.objects.list":
                return {"objects": list(self._status())}
            case "printer.objects.query" | "printer.objects.subscribe":
                status = self._status()
                return {"status": {item: status[item] for item in params["objects"]}}
            case "server.files.get_directory":
                return {"files": self._list(path)}
            case "server.files.copy":
                source = self.files[params["source"].removeprefix(ROOT)]
                self.files[params["dest"].removeprefix(ROOT)] = source
            case "server.files.delete_file":
                if path == self.selected and self.print_state == "printing":
                    raise Refused(403, "File currently in use")
                del self.files[path]
            case "server.history.list":
                return {"jobs": list(reversed(self.history))}
            case "server.gcode_store":
                return {"gcode_store": [{"type": "response", "message": "ok"}]}
            case "printer.gcode.script":
                assert params["script"] == "TURN_OFF_HEATERS"
                self.targets = dict.fromkeys(self.targets, 0.0)
            case _ if method.startswith("printer.print."):
                await self._print(method.rpartition(".")[2], params)
        return "ok"

    def _list(self, folder: str) -> list[dict[str, Any]]:
        found = [
            {"filename": path.removeprefix(f"{folder}/"), "size": len(content), "modified": date}
            for date, (path, content) in enumerate(self.files.items())
            if path.rpartition("/")[0] == folder
        ]
        if not found and not any(path.startswith(f"{folder}/") for path in self.files):
            raise Refused(400, f"Directory does not exist ({folder})")
        return found

    async def _print(self, verb: str, params: dict[str, Any]) -> None:
        if verb == "start":
            path = params["filename"]
            if path not in self.files:
                raise Refused(400, "Unable to open file")
            if not self.stays:
                self.begun.append(path)
                self.history.append({"filename": path, "status": "in_progress"})
                await self._turn("printing", path)
        elif verb == "cancel":
            await self.cancel()
        else:
            await self._turn("paused" if verb == "pause" else "printing")
