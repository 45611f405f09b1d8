"""A GPU box that speaks farm-gen v1."""

import hashlib
import hmac
import json
from typing import Any

from aiohttp import web

from tests.fakes.forms import fields_of
from tests.fakes.paid_service import PaidService, Task

_WORDS = {
    "waiting": "queued",
    "running": "running",
    "done": "succeeded",
    "failed": "failed",
    "cancelled": "canceled",
}
PRICE = "0.05"


class FakeFarmGen(PaidService):
    """Keeps jobs by their keys, so that the same key is the same job."""

    key = "box-key-of-the-test"
    webhook_secret = "box-secret-of-the-test"
    free_calls = ()

    def __init__(self) -> None:
        super().__init__()
        self.images: dict[str, list[bytes]] = {}
        self._known: dict[str, tuple[str, str]] = {}  # key -> hash of the form, job

    def routes(self) -> list[web.AbstractRouteDef]:
        return [
            self.route("POST", "/v1/jobs", "submit", self._create),
            self.route("GET", "/v1/jobs/{id}", "look", self._show),
            self.route("DELETE", "/v1/jobs/{id}", "cancel", self._cancel),
            self.route("GET", "/v1/jobs/{id}/artifacts/{name}", "file", self._artifact),
            self.route("GET", "/healthz", "balance", self._health, open_to_all=True),
        ]

    def refusal(self, status: int, message: str, code: str = "") -> web.Response:
        error = {"code": code or "refused", "message": message}
        return web.json_response({"error": error}, status=status)

    def forget(self) -> None:
        super().forget()
        self._known.clear()

    def delivery(self, task_id: str) -> tuple[dict[str, str], bytes]:
        """Return the headers and body of a webhook about a job."""
        body, at = json.dumps({"id": task_id}).encode(), self.now_ms // 1000
        message = f"{at}.".encode() + body
        signed = hmac.new(self.webhook_secret.encode(), message, hashlib.sha256).hexdigest()
        return {"x-farm-signature": f"t={at},v1={signed}"}, body

    async def _create(self, request: web.Request) -> web.StreamResponse:
        fields = await fields_of(request)
        asked: dict[str, Any] = {}
        for field in fields:
            if field.name == "request":
                asked = json.loads(field.data)
        images = [field.data for field in fields if field.name == "image[]" and field.file_name]
        digest = hashlib.sha256(json.dumps(asked).encode() + b"".join(images)).hexdigest()
        key = request.headers.get("Idempotency-Key", "")
        if key in self._known:
            known, job_id = self._known[key]
            if known != digest:
                return self.refusal(422, "this key was used for another request", "key_reused")
            return web.json_response(self._shown(self.tasks[job_id]), status=202)
        if not asked.get("prompt") and not images:
            return self.refusal(400, "say a prompt, or send an image", "invalid_input")
        task = self.new_task(asked, PRICE)
        self.images[task.task_id] = images
        if key:
            self._known[key] = (digest, task.task_id)
        return web.json_response(self._shown(task), status=202)

    async def _show(self, request: web.Request) -> web.StreamResponse:
        task = self.tasks.get(request.match_info["id"])
        if task is None:
            return self.refusal(404, "there is no such job", "no_job")
        shown = self._shown(task)
        task.step()
        return web.json_response(shown)

    async def _cancel(self, request: web.Request) -> web.StreamResponse:
        task = self.tasks.get(request.match_info["id"])
        if task is None:
            return self.refusal(404, "there is no such job", "no_job")
        if task.state in ("waiting", "running"):
            task.walk, task.at = ("cancelled",), 0
            self.till.refund(task.task_id)
        return web.json_response(self._shown(task))

    async def _artifact(self, request: web.Request) -> web.StreamResponse:
        known = request.match_info["id"] in self.tasks
        if not known or request.query.get("fresh") != str(self.fresh):
            return self.refusal(404, "there is no such file", "no_file")
        return web.Response(body=self.file)

    async def _health(self, request: web.Request) -> web.StreamResponse:
        return web.json_response({"status": "ok"})

    def _shown(self, task: Task) -> dict[str, Any]:
        shown: dict[str, Any] = {
            "id": task.task_id,
            "status": _WORDS.get(task.state, task.state),
            "progress": task.progress,
            "queue_position": 2 if task.state == "waiting" else None,
            "error": None,
            "artifacts": [],
        }
        if task.state == "failed":
            shown["error"] = {"code": "crashed", "message": "it crashed", **task.failure}
        if task.state == "done":
            place = f"/v1/jobs/{task.task_id}/artifacts"
            shown["artifacts"] = [
                {"name": "preview.png", "url": f"{place}/preview.png?fresh={self.fresh}"},
                {
                    "name": "model.stl",
                    "size": len(self.file),
                    "sha256": hashlib.sha256(self.file).hexdigest(),
                    "url": f"{place}/model.stl?fresh={self.fresh}",
                },
            ]
        return shown
