"""A stand-in for fal's queue, written from its documentation and its clients' types."""

import base64
import json
from collections.abc import Callable
from decimal import Decimal
from hashlib import sha256
from typing import Any

from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.fakes.paid_service import PaidService, Task, said

_WORDS = {"waiting": "IN_QUEUE", "running": "IN_PROGRESS"}
# What each endpoint must be given, and gives: fields of fal's own schemas.
ENDPOINTS: dict[str, tuple[str, str]] = {
    "fal-ai/trellis": ("image_url", "model_mesh"),
    "fal-ai/trellis/multi": ("image_urls", "model_mesh"),
    "fal-ai/trellis-2": ("image_url", "model_glb"),
    "fal-ai/triposr": ("image_url", "model_mesh"),
    "tripo3d/tripo/v2.5/image-to-3d": ("image_url", "base_model"),
    "tripo3d/tripo/v2.5/multiview-to-3d": ("front_image_url", "base_model"),
    "tripo3d/h3.1/text-to-3d": ("prompt", "model_mesh"),
    "fal-ai/hunyuan3d/v2": ("input_image_url", "model_mesh"),
    "fal-ai/hunyuan3d-v3/image-to-3d": ("input_image_url", "model_urls"),
    "fal-ai/hunyuan3d-v3/text-to-3d": ("prompt", "model_urls"),
    "fal-ai/hyper3d/rodin": ("", "model_mesh"),
    "fal-ai/meshy/v6/text-to-3d": ("prompt", "model_urls"),
    "fal-ai/meshy/v6/image-to-3d": ("image_url", "model_urls"),
    "fal-ai/meshy/v6/multi-image-to-3d": ("image_urls", "model_urls"),
}


class FakeFal(PaidService):
    """The queue, its keys and its webhooks."""

    key = "id-of-the-test:secret-of-the-test"

    def __init__(self) -> None:
        super().__init__()
        self.signing = Ed25519PrivateKey.generate()
        self.price = Decimal("0.02")
        # What a task of the queue tells of its places; others may be told in their stead.
        self.place: Callable[[str], str] = lambda path: f"{self.url}{path}"

    def shown_key(self) -> str:
        return f"Key {self.key}"

    def refusal(self, status: int, message: str, code: str = "") -> web.Response:
        return web.json_response({"detail": message, "error_type": code}, status=status)

    def routes(self) -> list[web.AbstractRouteDef]:
        tasks = "/{owner}/{alias}/requests/{id}"
        return [
            self.route("GET", "/.well-known/jwks.json", "keys", self._keys, open_to_all=True),
            self.route("GET", f"{tasks}/status", "look", self._status),
            self.route("GET", f"{tasks}/status/stream", "stream", self._stream),
            self.route("PUT", f"{tasks}/cancel", "cancel", self._cancel),
            self.route("GET", tasks, "result", self._result),
            self.route("POST", "/{endpoint:.*}", "submit", self._submit),
        ]

    async def _keys(self, request: web.Request) -> web.StreamResponse:
        public = self.signing.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        shown = base64.urlsafe_b64encode(public).decode().rstrip("=")
        others = [{"kty": "RSA", "n": "AQAB"}, {"kty": "OKP", "crv": "Ed25519", "x": "short"}]
        return web.json_response({"keys": [*others, {"kty": "OKP", "crv": "Ed25519", "x": shown}]})

    async def _submit(self, request: web.Request) -> web.StreamResponse:
        endpoint, asked = request.match_info["endpoint"], await said(request)
        if endpoint not in ENDPOINTS:
            return self.refusal(404, f"Application {endpoint} not found")
        asked["fal_webhook"] = request.query.get("fal_webhook", "")
        task = self.new_task(asked, self.price, family=endpoint)
        place = f"/{self._queue(task)}/requests/{task.task_id}"
        return web.json_response(
            {
                "request_id": task.task_id,
                "status": "IN_QUEUE",
                "queue_position": 0,
                "response_url": self.place(place),
                "status_url": self.place(f"{place}/status"),
                "cancel_url": self.place(f"{place}/cancel"),
            }
        )

    def _queue(self, task: Task) -> str:
        return "/".join(task.family.split("/")[:2])

    def _found(self, request: web.Request) -> Task | None:
        """Return a task, asked for below owner and alias only."""
        task = self.tasks.get(request.match_info["id"])
        place = f"{request.match_info['owner']}/{request.match_info['alias']}"
        return task if task is not None and self._queue(task) == place else None

    def _told(self, task: Task) -> dict[str, Any]:
        status = _WORDS.get(task.state, "COMPLETED" if task.state != "pondering" else task.state)
        told: dict[str, Any] = {"status": status, "request_id": task.task_id, "logs": None}
        if task.state == "waiting":
            told["queue_position"] = 0
        if task.failure.get("in_band"):
            told |= {"error": "Invalid status code: 500", "error_type": "runner_server_error"}
        if task.state == "cancelled":
            told |= {"error": "cancelled", "error_type": "client_cancelled"}
        return told

    async def _status(self, request: web.Request) -> web.StreamResponse:
        task = self._found(request)
        if task is None:
            return self.refusal(404, "Request not found")
        told = self._told(task)
        task.step()
        return web.json_response(told, status=200 if told["status"] == "COMPLETED" else 202)

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        task = self._found(request)
        if task is None:
            return self.refusal(404, "Request not found")
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        while True:
            told = self._told(task)
            await response.write(f": alive\n\ndata: {json.dumps(told)}\n\n".encode())
            if told["status"] == "COMPLETED":
                return response
            task.step()

    async def _result(self, request: web.Request) -> web.StreamResponse:
        task = self._found(request)
        if task is None:
            return self.refusal(404, "Request not found")
        if task.state in _WORDS:
            return self.refusal(400, "Request is still in progress")
        if task.state == "cancelled":
            return self.refusal(499, "cancelled", "client_cancelled")
        if task.failure.get("in_band"):
            return web.Response(status=502, text="<html>bad gateway</html>")
        if task.state == "failed":
            detail = task.failure.get("detail", "Internal Server Error")
            return web.json_response({"detail": detail}, status=task.failure.get("status", 500))
        needed, _ = ENDPOINTS[task.family]
        if needed and not task.asked.get(needed):
            missing = {"loc": ["body", needed], "msg": "Field required", "type": "missing"}
            return web.json_response({"detail": [missing]}, status=422)
        return web.json_response(self._output(task))

    def _output(self, task: Task) -> dict[str, Any]:
        _, given = ENDPOINTS[task.family]
        suffix = task.asked.get("geometry_file_format") or task.asked.get("output_format") or "glb"
        file = {
            "url": self.file_url(f"{task.task_id}/model.{suffix}"),
            "content_type": "application/octet-stream",
            "file_name": f"model.{suffix}",
        }
        if given == "model_urls":
            stl = {"url": self.file_url(f"{task.task_id}/model.stl"), "content_type": "model/stl"}
            return {"model_glb": file, "model_urls": {"glb": file, "stl": stl, "fbx": None}}
        return {given: file, "seed": task.asked.get("seed", 42), "timings": {"prepare": 1.5}}

    async def _cancel(self, request: web.Request) -> web.StreamResponse:
        task = self._found(request)
        if task is None:
            return self.refusal(404, "Request not found")
        if task.state not in _WORDS:
            return web.json_response({"status": "ALREADY_COMPLETED"}, status=400)
        if task.state == "waiting":
            self.till.refund(task.task_id)
        task.walk, task.at = ("cancelled",), 0
        return web.json_response({"status": "CANCELLATION_REQUESTED"}, status=202)

    def delivery(self, task_id: str, *, at_s: int | None = None) -> tuple[dict[str, str], bytes]:
        """Return the headers and body of a webhook about a task as it is now."""
        body = json.dumps({"request_id": task_id, "status": "OK", "payload": {}}).encode()
        stamp = str(self.now_ms // 1000 if at_s is None else at_s)
        signed = "\n".join((task_id, "user-1", stamp, sha256(body).hexdigest())).encode()
        headers = {
            "x-fal-webhook-request-id": task_id,
            "x-fal-webhook-user-id": "user-1",
            "x-fal-webhook-timestamp": stamp,
            "x-fal-webhook-signature": self.signing.sign(signed).hex(),
        }
        return headers, body
