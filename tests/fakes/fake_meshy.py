"""A stand-in for Meshy, written from its documentation: docs.meshy.ai, pages of 2026."""

import json
from decimal import Decimal
from typing import Any

from aiohttp import web

from tests.fakes.paid_service import PaidService, Task, said

_WORDS = {
    "waiting": "PENDING",
    "running": "IN_PROGRESS",
    "done": "SUCCEEDED",
    "failed": "FAILED",
    "cancelled": "CANCELED",
}
_FAMILIES = {
    "/openapi/v2/text-to-3d": "text-to-3d",
    "/openapi/v1/image-to-3d": "image-to-3d",
    "/openapi/v1/multi-image-to-3d": "multi-image-to-3d",
    "/openapi/v1/remesh": "remesh",
    "/openapi/v1/print/repair": "print-repair",
    "/openapi/v1/print/analyze": "print-analyze",
}
_FORMATS = ("glb", "obj", "fbx", "stl", "usdz")
# The fields of each work, as its pages list them; any other is a mistake of whoever asks.
_MADE = {"ai_model", "moderation", "target_formats", "alpha_thumbnail", "auto_size", "origin_at"}
_COLOURS = {"enable_pbr", "texture_resolution", "texture_prompt", "texture_image_url"}
_COLOURS |= {"remove_lighting"}
_SHAPE = {"model_type", "should_remesh", "topology", "target_polycount", "decimation_mode"}
_SHAPE |= {"pose_mode"}
_PICTURED = _MADE | _COLOURS | _SHAPE | {"input_task_id", "should_texture", "image_enhancement"}
_PICTURED |= {"save_pre_remeshed_model", "multi_view_thumbnails", "name"}
_SOURCE = {"input_task_id", "model_url"}
_REMESHED = {"target_formats", "topology", "target_polycount", "decimation_mode", "auto_size"}
_REMESHED |= {"resize_height", "resize_longest_side", "origin_at", "convert_format_only"}
_FIELDS: dict[str, set[str]] = {
    "preview": {"mode", "prompt", "geometry_resolution", *_MADE, *_SHAPE},
    "refine": {"mode", "preview_task_id", *_MADE, *_COLOURS},
    "image-to-3d": {"image_url", "ultra_mode", *_PICTURED},
    "multi-image-to-3d": {"image_urls", *_PICTURED},
    "remesh": _SOURCE | _REMESHED,
    "print-repair": _SOURCE,
    "print-analyze": _SOURCE,
}


class FakeMeshy(PaidService):
    """Six families, the balance, streams and webhooks."""

    key = "msy_key-of-the-test"
    webhook_secret = "whs-of-the-test"

    def __init__(self) -> None:
        super().__init__()
        self.balance = Decimal(1000)
        self.at_once_max = 10

    def routes(self) -> list[web.AbstractRouteDef]:
        found: list[web.AbstractRouteDef] = [
            self.route("GET", "/openapi/v1/balance", "balance", self._balance)
        ]
        for path in _FAMILIES:
            found += [
                self.route("POST", path, "submit", self._submit),
                self.route("GET", path, "list", self._list),
                self.route("GET", f"{path}/{{id}}", "look", self._look),
                self.route("DELETE", f"{path}/{{id}}", "cancel", self._delete),
                self.route("GET", f"{path}/{{id}}/stream", "stream", self._stream),
            ]
        return found

    async def _balance(self, request: web.Request) -> web.StreamResponse:
        return web.json_response({"balance": int(self.balance)})

    async def _submit(self, request: web.Request) -> web.StreamResponse:
        family, asked = _FAMILIES[request.path], await said(request)
        if objection := self._objection(family, asked):
            return self.refusal(400, objection)
        amount = _price(family, asked)
        if amount > self.balance:
            return self.refusal(402, "Insufficient credits")
        open_tasks = [task for task in self.tasks.values() if task.state in ("waiting", "running")]
        if len(open_tasks) >= self.at_once_max:
            return self.refusal(429, "NoMoreConcurrentTasks")
        self.balance -= amount
        task = self.new_task(asked, amount, family=family)
        return web.json_response({"result": task.task_id}, status=202)

    def _objection(self, family: str, asked: dict[str, Any]) -> str:
        work = str(asked.get("mode")) if family == "text-to-3d" else family
        if unknown := asked.keys() - _FIELDS.get(work, set()):
            return f"{work} has no fields {sorted(unknown)}"
        if family == "text-to-3d":
            if asked.get("mode") == "refine":
                preview = self.tasks.get(asked.get("preview_task_id", ""))
                done = preview is not None and preview.state == "done"
                return "" if done else "the preview task is not finished"
            return "" if asked.get("mode") == "preview" and asked.get("prompt") else "no prompt"
        pictures = asked.get("image_urls", [asked.get("image_url")])
        if family in ("image-to-3d", "multi-image-to-3d"):
            right = all(str(each).startswith("data:image/") for each in pictures)
            return "" if right and 1 <= len(pictures) <= 4 else "Invalid image_url"
        return "" if asked.get("model_url") or asked.get("input_task_id") else "no model"

    async def _list(self, request: web.Request) -> web.StreamResponse:
        family = _FAMILIES[request.path]
        size = int(request.query.get("page_size", 10))
        page = int(request.query.get("page_num", 1))
        if size > 50:
            return self.refusal(400, "page_size is at most 50")
        listed = [task for task in self.tasks.values() if task.family == family]
        listed.sort(key=lambda task: -task.made_at_ms)
        shown = listed[(page - 1) * size : page * size]
        return web.json_response([self._shown(task) for task in shown])

    async def _look(self, request: web.Request) -> web.StreamResponse:
        task = self._found(request)
        if task is None:
            return self.refusal(404, "Task not found")
        shown = self._shown(task)
        task.step()
        return web.json_response(shown)

    async def _delete(self, request: web.Request) -> web.StreamResponse:
        task = self._found(request)
        if task is None:
            return self.refusal(404, "Task not found")
        if task.state == "running":
            return self.refusal(409, "Task is in progress")
        if task.state == "waiting":
            self.till.refund(task.task_id)
        del self.tasks[task.task_id]
        return web.Response()

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        task = self._found(request)
        if task is None:
            lost = {"status_code": 404, "message": "Task not found"}
            await response.write(f"event: error\ndata: {json.dumps(lost)}\n\n".encode())
            return response
        while True:
            shown = self._shown(task)
            if task.state in ("waiting", "running"):
                shown = {key: shown[key] for key in ("id", "progress", "status")}
            lines = json.dumps(shown, indent=1).replace("\n", "\ndata: ")
            await response.write(f"event: message\ndata: {lines}\n\n".encode())
            if task.state not in ("waiting", "running"):
                return response
            task.step()

    def _found(self, request: web.Request) -> Task | None:
        """Return the task that is asked for: of the family that the address names."""
        task = self.tasks.get(request.match_info["id"])
        family = _FAMILIES[request.path.removesuffix("/stream").rpartition("/")[0]]
        return task if task is not None and task.family == family else None

    def _shown(self, task: Task) -> dict[str, Any]:
        """Return a task as Meshy tells it: what is not there is left out."""
        mode = f"-{task.asked['mode']}" if "mode" in task.asked else ""
        shown: dict[str, Any] = {
            "id": task.task_id,
            "type": f"{task.family}{mode}",
            "status": _WORDS.get(task.state, task.state),
            "progress": 100 if task.state == "done" else int(task.progress * 99),
            "created_at": task.made_at_ms,
            "started_at": 0,
            "finished_at": 0,
            "task_error": {"message": ""},
        }
        shown |= {key: task.asked[key] for key in ("prompt", "name") if key in task.asked}
        if task.state == "waiting":
            shown["preceding_tasks"] = 2
        if task.state == "failed":
            shown["task_error"] = {"message": "it failed", **task.failure}
            shown["consumed_credits"] = 0
        if task.state == "done":
            shown["consumed_credits"] = int(task.amount)
            shown["thumbnail_url"] = self.file_url(f"{task.task_id}/preview.png")
            shown |= self._result(task)
        return shown

    def _result(self, task: Task) -> dict[str, Any]:
        if task.family == "print-analyze":
            metrics = {"is_watertight": False, "volume": 0.000024, "holes": 2}
            metrics |= {"non_manifold_edges": 0, "degenerate_faces": 0}
            counts = {"issue_count": 1, "error_count": 0, "warning_count": 1}
            return {"printability": {"status": "warning", **counts, "metrics": metrics}}
        # 3MF only where it was named.
        formats = task.asked.get("target_formats") or _FORMATS
        return {
            "model_urls": {name: self.file_url(f"{task.task_id}/model.{name}") for name in formats}
        }

    def delivery(self, task_id: str) -> tuple[dict[str, str], bytes]:
        """Return the headers and body of a webhook about a task as it is now."""
        headers = {
            "x-meshy-api-webhook-secret-key": self.webhook_secret,
            "x-meshy-api-webhook-user-id": "user-1",
            "content-type": "application/json",
        }
        return headers, json.dumps(self._shown(self.tasks[task_id])).encode()


def _price(family: str, asked: dict[str, Any]) -> Decimal:
    if family == "text-to-3d":
        return Decimal(10 if asked["mode"] == "refine" else 20)
    if family in ("image-to-3d", "multi-image-to-3d"):
        return Decimal(30 if asked.get("should_texture", True) else 20)
    return Decimal({"remesh": 5, "print-repair": 10, "print-analyze": 0}[family])
