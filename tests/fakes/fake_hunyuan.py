"""Hunyuan3D-2's `api_server.py`, as its source has it: few words, and most of them 404 or wait."""

import base64

from aiohttp import web

from tests.fakes.paid_service import PaidService, said

_TROUBLE = {"text": "**NETWORK ERROR DUE TO HIGH TRAFFIC. PLEASE REGENERATE**", "error_code": 1}


class FakeHunyuan(PaidService):
    """Work that crashed is told as going on, as there; `broken` has all of it crash."""

    free_calls = ()

    def __init__(self) -> None:
        super().__init__()
        self.broken = False

    def routes(self) -> list[web.AbstractRouteDef]:
        return [
            self.route("POST", "/generate", "submit", self._generate),
            self.route("POST", "/send", "submit", self._send),
            self.route("GET", "/status/{uid}", "look", self._status),
        ]

    async def _generate(self, request: web.Request) -> web.StreamResponse:
        wish = await said(request)
        if self.broken or not (wish.get("image") or wish.get("text")):
            return web.json_response(_TROUBLE, status=404)
        self.new_task(wish, 1, walk=("done",))
        return web.Response(body=self.file, content_type="application/octet-stream")

    async def _send(self, request: web.Request) -> web.StreamResponse:
        return web.json_response({"uid": self.new_task(await said(request), 1).task_id})

    async def _status(self, request: web.Request) -> web.StreamResponse:
        task = self.tasks.get(request.match_info["uid"])
        # It looks for a GLB of that name, and for nothing else.
        done = task is not None and task.state == "done" and task.asked.get("type") == "glb"
        if self.broken or not done:
            return web.json_response({"status": "processing"})
        model = base64.b64encode(self.file).decode()
        return web.json_response({"status": "completed", "model_base64": model})
