"""A stand-in for Tripo's API v3, written from its pages and its own client's parsing."""

import hmac
import json
import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from aiohttp import web

from tests.fakes.paid_service import GLB, PaidService, Task, form_of, said

_WORDS = {
    "waiting": "queued",
    "running": "running",
    "done": "success",
    "failed": "failed",
    "cancelled": "cancelled",
}
_TOKEN = re.compile(r"file_\d+")


class FakeTripo(PaidService):
    """Generation, files, usage, balance and webhooks."""

    key = "tsk_key-of-the-test"
    webhook_secret = "whsec_of-the-test"

    def __init__(self) -> None:
        super().__init__()
        self.file = GLB
        self.balance = Decimal(1000)
        self.files: dict[str, bytes] = {}
        self.rows_appear = True

    def refusal(self, status: int, message: str, code: str = "") -> web.Response:
        # What its own pages give for a status, unless a test says more.
        number = {400: 1004, 401: 2, 402: 2010, 404: 2001, 422: 1004, 429: 1007}.get(status, 1)
        body = {"code": int(code or number), "status": "error", "message": message}
        return web.json_response({**body, "suggestion": "read the pages"}, status=status)

    def routes(self) -> list[web.AbstractRouteDef]:
        return [
            self.route("POST", "/v3/generation/text-to-model", "submit", self._submit),
            self.route("POST", "/v3/generation/image-to-model", "submit", self._submit),
            self.route("POST", "/v3/generation/multiview-to-model", "submit", self._submit),
            self.route("POST", "/v3/files", "upload", self._upload),
            self.route("GET", "/v3/tasks/{id}", "look", self._look),
            self.route("GET", "/v3/account/usage", "list", self._usage),
            self.route("GET", "/v3/account/balance", "balance", self._balance),
        ]

    async def _submit(self, request: web.Request) -> web.StreamResponse:
        asked = await said(request)
        kind = request.path.rpartition("/")[2].replace("-", "_")
        given = [asked.get("input"), *asked.get("inputs", [])]
        tokens = [each for each in given if each is not None]
        if not asked.get("model"):
            return self.refusal(400, "model is required")
        if not all(_TOKEN.fullmatch(str(token)) and token in self.files for token in tokens):
            return self.refusal(400, "input is no token: data URIs are not taken")
        if not (asked.get("prompt") if kind == "text_to_model" else tokens):
            return self.refusal(400, "nothing to make it of")
        if asked["model"].startswith("P") and "geometry_quality" in asked:
            return self.refusal(400, "geometry_quality is not taken by this model")
        coloured = asked.get("texture", True) or asked.get("pbr", True)
        amount = Decimal((10 if kind == "text_to_model" else 20) + (10 if coloured else 0))
        if amount > self.balance:
            return self.refusal(403, "not enough credit", "2010")
        self.balance -= amount
        task = self.new_task(asked, amount, family=kind)
        shown = {"task_id": task.task_id, "type": kind, "status": "queued"}
        return self._ok(shown)

    async def _upload(self, request: web.Request) -> web.StreamResponse:
        _, [(name, data)] = await form_of(request)
        if name != "file":
            return self.refusal(400, "no file")
        token = f"file_{len(self.files)}"
        self.files[token] = data
        return self._ok({"file_token": token})

    async def _look(self, request: web.Request) -> web.StreamResponse:
        task = self.tasks.get(request.match_info["id"])
        if task is None:
            return self.refusal(404, "no such task")
        shown = self._shown(task)
        task.step()
        return self._ok(shown)

    def _shown(self, task: Task) -> dict[str, Any]:
        shown: dict[str, Any] = {
            "task_id": task.task_id,
            "type": task.family,
            "status": _WORDS.get(task.state, task.state),
            "progress": int(task.progress * 100),
            "input": task.asked,
            "output": {},
            "created_at": _iso(task.made_at_ms),
        }
        if task.state == "done":
            shown["credits_consumed"] = str(task.amount)
            shown["output"] = {
                "model_url": self.file_url(f"{task.task_id}/model.glb"),
                "rendered_image_url": self.file_url(f"{task.task_id}/picture.webp"),
            }
        if task.state == "failed":
            shown |= {"error_code": 2018, "error_message": "expired in the queue", **task.failure}
        return shown

    async def _usage(self, request: web.Request) -> web.StreamResponse:
        rows = [
            {
                "task_id": task.task_id,
                "type": task.family,
                "status": _WORDS.get(task.state, task.state),
                "created_at": _iso(task.made_at_ms),
                "credits_consumed": float(task.amount),
            }
            for task in self.tasks.values()
        ]
        shown = rows[: int(request.query["limit"])] if self.rows_appear else []
        return self._ok({"items": shown})

    async def _balance(self, request: web.Request) -> web.StreamResponse:
        return self._ok({"balance": float(self.balance), "frozen": 0})

    def _ok(self, data: dict[str, Any]) -> web.Response:
        return web.json_response({"code": 0, "status": "success", "data": data})

    def delivery(self, task_id: str, *, at_s: int | None = None) -> tuple[dict[str, str], bytes]:
        """Return the headers and body of a webhook about a task as it is now."""
        data = {"task_id": task_id, "status": "success"}
        said_of = {"id": f"{task_id}:task.completed", "type": "task.completed", "data": data}
        body = json.dumps(said_of).encode()
        stamp = str(self.now_ms // 1000 if at_s is None else at_s)
        signed = hmac.digest(self.webhook_secret.encode(), f"{stamp}.".encode() + body, "sha256")
        return {
            "tripo-webhook-delivery": "delivery-1",
            "tripo-webhook-signature": f"t={stamp},v1={'0' * 64},v1={signed.hex()}",
        }, body


def _iso(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat().replace("+00:00", "Z")
