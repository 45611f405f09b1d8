"""Hunyuan3D-2's `api_server.py`, as its source has it: few words, and most of them 404 or wait."""

import base64
import uuid
from typing import Any

from aiohttp import web

from tests.fakes.troubled_server import TroubledServer

_TROUBLE = {"text": "**NETWORK ERROR DUE TO HIGH TRAFFIC. PLEASE REGENERATE**", "error_code": 1}


class HunyuanServer(TroubledServer):
    """Tasks end when `finish` says so; those that crashed are told as going on, as there."""

    def __init__(self, mesh: bytes = b"glTF\x02\0\0\0") -> None:
        super().__init__()
        self.mesh = mesh
        self.wishes: dict[str, dict[str, Any]] = {}
        self.done: set[str] = set()
        self.broken = False
        self.till = 0
        self.app.router.add_post("/generate", self._generate)
        self.app.router.add_post("/send", self._send)
        self.app.router.add_get("/status/{uid}", self._status)

    def finish(self) -> None:
        """End all tasks well, but those that can't be stored as GLB: they never show."""
        self.done = {uid for uid, wish in self.wishes.items() if wish.get("type", "glb") == "glb"}

    async def _generate(self, request: web.Request) -> web.Response:
        wish = await request.json()
        self.till += 1
        if self.broken or not (wish.get("image") or wish.get("text")):
            return web.json_response(_TROUBLE, status=404)
        if wish.get("image"):
            base64.b64decode(wish["image"], validate=True)
        return web.Response(body=self.mesh, content_type="application/octet-stream")

    async def _send(self, request: web.Request) -> web.Response:
        uid = str(uuid.uuid4())
        self.wishes[uid] = await request.json()
        self.till += 1
        return web.json_response({"uid": uid})

    async def _status(self, request: web.Request) -> web.Response:
        if request.match_info["uid"] not in self.done:
            return web.json_response({"status": "processing"})
        model = base64.b64encode(self.mesh).decode()
        return web.json_response({"status": "completed", "model_base64": model})
