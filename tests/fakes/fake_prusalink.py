"""A PrusaLink in some lines: a stateful server written from Prusa's description of its API, v1.

It moves nothing, goes on only when a test says so, and misbehaves as it is told.
"""

import asyncio
import hashlib
import re
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

KEY = "K" * 32
REALM, NONCE = "Printer API", "0123456789abcdef"


@dataclass
class FakePrusaLink:
    """One printer.

    Attributes:
        state: its word.
        trouble: what it says is wrong with the printer.
        job: number and path of its job; None without.
        files: path below the storage -> content.
        begun: every print that began: the judge of "exactly once".
        lose: orders that are obeyed, but whose answer never comes.
        swallow: those that are cut off before they are obeyed.
        refuse: order -> status to refuse it with.
        stays: a start is accepted, and nothing comes of it.
        edits: what is uploaded is changed afterwards.
        lingers: it refuses so many starts after the end of a print.
        lags: what was uploaded is not listed for so many questions.
        gate: uploads end once it is set.
        username: whose password `key` is; empty: an API key.
        storages: name -> whether it is read only.
    """

    state: str = "IDLE"
    trouble: str = ""
    job: tuple[int, str] | None = None
    files: dict[str, bytes] = field(default_factory=dict)
    begun: list[str] = field(default_factory=list)
    lose: set[str] = field(default_factory=set)
    swallow: set[str] = field(default_factory=set)
    refuse: dict[str, int] = field(default_factory=dict)
    stays: bool = False
    edits: bool = False
    lingers: int = 0
    lags: int = 0
    picture: bytes | None = None
    key: str = KEY
    username: str = ""
    storages: dict[str, bool] = field(default_factory=lambda: {"sdcard": True, "usb": False})

    def __post_init__(self) -> None:
        self.targets = {"tool0": 0.0, "bed": 0.0}
        self.gate = asyncio.Event()
        self.gate.set()
        self.uploads = 0
        self._number = 40
        self._transfer: dict[str, Any] | None = None
        self._server: TestServer | None = None
        self._port: int | None = None
        self._drops = 0

    # ------------------------------------------------------------------ the machine

    async def start(self) -> str:
        """Serve; at the same port each time. Returns its address."""
        app = web.Application(client_max_size=1 << 30, middlewares=[self._admit])
        app.add_routes(
            [
                web.get("/api/v1/status", self._status),
                web.get("/api/v1/job", self._tell_job),
                web.get("/api/v1/cameras/snap", self._show),
                web.get("/api/v1/storage", self._tell_storages),
                web.put("/api/v1/job/{number}/{verb}", self._steer),
                web.delete("/api/v1/job/{number}", self._steer),
                web.get("/api/v1/files/usb/{path:.+}", self._tell_file),
                web.put("/api/v1/files/usb/{path:.+}", self._upload),
                web.post("/api/v1/files/usb/{path:.+}", self._begin),
                web.delete("/api/v1/files/usb/{path:.+}", self._delete),
            ]
        )
        self._server = TestServer(app, host="127.0.0.1", port=self._port)
        await self._server.start_server()
        self._port = self._server.port
        return str(self._server.make_url("")).rstrip("/")

    async def stop(self) -> None:
        """Be gone, as after a power cut; what it printed is over."""
        if self._server is not None:
            await self._server.close()
            self._server = None

    async def restart(self) -> None:
        """Come back with nothing to do."""
        self.state, self.job = "IDLE", None
        await self.start()

    async def drop(self) -> None:
        """Break off the next question, also when it is said again on another connection."""
        self._drops = 2

    async def finish(self) -> None:
        """End the print well."""
        self.state = "FINISHED"

    async def cancel(self) -> None:
        """End the print as its knob does."""
        self.state = "STOPPED"

    async def look_away(self) -> None:
        """A person confirms what the screen says."""
        self.state, self.job = "IDLE", None

    async def print_foreign(self, path: str = "vase.gcode") -> None:
        """A person prints a file at the printer."""
        self._number += 1
        self.state, self.job = "PRINTING", (self._number, path)

    def put(self, path: str) -> None:
        """A person has stored a file."""
        self.files[path] = b";"

    def has_history(self) -> None:
        """It keeps none."""

    # ------------------------------------------------------------------ what it answers

    @web.middleware
    async def _admit(self, request: web.Request, handler: Any) -> Any:
        if self._drops:
            self._drops -= 1
            return _cut(request)
        if not self.username:
            if request.headers.get("X-Api-Key") != self.key:
                raise web.HTTPForbidden
        elif not self._knows(request):
            raise web.HTTPUnauthorized(
                headers={"WWW-Authenticate": f'Digest realm="{REALM}", nonce="{NONCE}", qop="auth"'}
            )
        return await handler(request)

    def _knows(self, request: web.Request) -> bool:
        """Whether the answer to our challenge is right (RFC 7616, MD5)."""
        said = dict(re.findall(r'(\w+)="?([^",]+)"?', request.headers.get("Authorization", "")))
        if said.get("username") != self.username:
            return False

        def md5(*parts: str) -> str:
            return hashlib.md5(":".join(parts).encode(), usedforsecurity=False).hexdigest()

        own, wanted = md5(self.username, REALM, self.key), md5(request.method, said["uri"])
        right = md5(own, NONCE, said["nc"], said["cnonce"], said["qop"], wanted)
        return said["response"] == right and said["uri"] == request.path_qs

    def _trouble(self, request: web.Request, order: str) -> web.Response | None:
        if order in self.swallow:
            return _cut(request)
        status = self.refuse.get(order)
        return web.json_response({"title": f"no {order} today"}, status=status) if status else None

    def _done(self, request: web.Request, order: str) -> web.Response:
        return _cut(request) if order in self.lose else web.Response(status=204)

    async def _status(self, _: web.Request) -> web.Response:
        told: dict[str, Any] = {
            "printer": {
                "state": self.state, "temp_nozzle": 21.0, "target_nozzle": self.targets["tool0"],
                "temp_bed": 20.0, "target_bed": self.targets["bed"],
            },
        }  # fmt: skip
        if self.trouble:
            told["printer"]["status_printer"] = {"ok": False, "message": self.trouble}
        if self.job is not None:
            told["job"] = {"id": self.job[0], "progress": 50.0, "time_remaining": 600}
        if self._transfer is not None:
            told["transfer"] = self._transfer
        return web.json_response(told)

    async def _show(self, _: web.Request) -> web.Response:
        if self.picture is None:
            return web.Response(status=204)
        return web.Response(body=self.picture, content_type="image/jpeg")

    async def _tell_job(self, _: web.Request) -> web.Response:
        if self.job is None:
            return web.Response(status=204)
        number, path = self.job
        folder, _, name = path.rpartition("/")
        # As a printer tells a file of its card: in the short form, but for the name to be shown.
        short = f"{name[:6].upper()}~1.GCO"
        file = {"name": short, "display_name": name, "path": f"/usb/{folder.upper()}/{short}"}
        return web.json_response({"id": number, "state": self.state, "file": file})

    async def _tell_storages(self, _: web.Request) -> web.Response:
        storages = [
            {"path": f"/{name}", "name": name, "read_only": read_only, "available": True}
            for name, read_only in self.storages.items()
        ]
        return web.json_response({"storage_list": storages})

    async def _tell_file(self, request: web.Request) -> web.Response:
        path = request.match_info["path"]
        if path in self.files and self.lags:
            self.lags -= 1
            raise web.HTTPNotFound
        if path in self.files:
            return web.json_response({"name": path, "size": len(self.files[path])})
        inside = [each for each in self.files if each.startswith(f"{path}/")]
        if not inside:
            raise web.HTTPNotFound
        children = [{"display_name": each.rpartition("/")[2]} for each in inside]
        return web.json_response({"type": "FOLDER", "children": children})

    async def _upload(self, request: web.Request) -> web.Response:
        assert request.headers["Print-After-Upload"] == "?0"
        self.uploads += 1
        content = await request.read()
        self._transfer = {"id": 1, "progress": 40.0}
        await self.gate.wait()
        self._transfer = None
        self.files[request.match_info["path"]] = content + b"; edited\n" * self.edits
        return web.Response(status=201)

    async def _begin(self, request: web.Request) -> web.Response:
        path = request.match_info["path"]
        if trouble := self._trouble(request, "start"):
            return trouble
        if path not in self.files:
            raise web.HTTPNotFound
        if self.state in ("PRINTING", "PAUSED"):
            raise web.HTTPConflict
        if self.lingers and self.state in ("FINISHED", "STOPPED"):
            self.lingers -= 1
            raise web.HTTPConflict
        if not self.stays:
            self._number += 1
            self.begun.append(path)
            self.state, self.job = "PRINTING", (self._number, path)
        return self._done(request, "start")

    async def _steer(self, request: web.Request) -> web.Response:
        verb = request.match_info.get("verb", "cancel")
        if trouble := self._trouble(request, verb):
            return trouble
        if self.job is None or str(self.job[0]) != request.match_info["number"]:
            raise web.HTTPNotFound
        if self.state not in ("PRINTING", "PAUSED"):
            raise web.HTTPConflict
        self.state = {"pause": "PAUSED", "resume": "PRINTING", "cancel": "STOPPED"}[verb]
        return self._done(request, verb)

    async def _delete(self, request: web.Request) -> web.Response:
        path = request.match_info["path"]
        if path not in self.files:
            raise web.HTTPNotFound
        if self.state in ("PRINTING", "PAUSED") and self.job is not None and self.job[1] == path:
            raise web.HTTPConflict
        del self.files[path]
        return web.Response(status=204)


def _cut(request: web.Request) -> web.Response:
    """Break the connection instead of answering."""
    assert request.transport is not None
    request.transport.abort()
    return web.Response(status=204)
