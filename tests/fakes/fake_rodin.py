"""A stand-in for Rodin's API v2, written from its pages and its clients."""

from decimal import Decimal
from typing import Any

from aiohttp import web

from tests.fakes.paid_service import PaidService, Task, form_of, said

_PARTS = {
    "waiting": ("Waiting", "Waiting"),
    "running": ("Done", "Generating"),
    "done": ("Done", "Done"),
    "failed": ("Done", "Failed"),
}


class FakeRodin(PaidService):
    """Tasks with two names, files with addresses that soon expire."""

    def __init__(self) -> None:
        super().__init__()
        self.price = Decimal("0.5")
        self.error = ""  # said with a status of success
        self.balance_verb = "GET"

    def refusal(self, status: int, message: str, code: str = "") -> web.Response:
        return web.json_response({"error": code or message, "message": message}, status=status)

    def routes(self) -> list[web.AbstractRouteDef]:
        return [
            self.route("POST", "/api/v2/rodin", "submit", self._submit),
            self.route("POST", "/api/v2/status", "look", self._status),
            self.route("POST", "/api/v2/download", "result", self._download),
            self.route("*", "/api/v2/check_balance", "balance", self._balance),
        ]

    async def _submit(self, request: web.Request) -> web.StreamResponse:
        if not request.content_type.startswith("multipart/"):
            return self.refusal(415, "multipart only")
        fields, pictures = await form_of(request)
        asked: dict[str, Any] = {**fields}
        if not pictures and not asked.get("prompt"):
            return self.refusal(400, "INVALID_REQUEST")
        if self.error:
            return web.json_response({"error": self.error, "message": "no"}, status=201)
        asked["pictures"] = len(pictures)
        task = self.new_task(asked, self.price)
        jobs = {"uuids": ["a", "b"], "subscription_key": f"sub-{task.task_id}"}
        return web.json_response(
            {"uuid": task.task_id, "message": "Submitted.", "prompt": "", "jobs": jobs}, status=201
        )

    async def _status(self, request: web.Request) -> web.StreamResponse:
        key = str((await said(request)).get("subscription_key"))
        task = self.tasks.get(key.removeprefix("sub-")) if key.startswith("sub-") else None
        if task is None:
            return self.refusal(404, "no such subscription")
        words = _PARTS.get(task.state, (task.state, "Done"))
        task.step()
        jobs = [{"uuid": f"job-{number}", "status": word} for number, word in enumerate(words)]
        return web.json_response({"jobs": jobs})

    async def _download(self, request: web.Request) -> web.StreamResponse:
        task = self.tasks.get(str((await said(request)).get("task_uuid")))
        if task is None:
            return self.refusal(404, "no such task")
        return web.json_response({"list": [*self._files(task)]})

    def _files(self, task: Task) -> list[dict[str, str]]:
        suffix = task.asked.get("geometry_file_format", "glb")
        names = ("preview.webp", "shaded.png", f"base_basic_shaded.{suffix}")
        return [{"name": name, "url": self.file_url(f"{task.task_id}/{name}")} for name in names]

    async def _balance(self, request: web.Request) -> web.StreamResponse:
        if request.method != self.balance_verb:
            return self.refusal(405, "method not allowed")
        return web.json_response({"balance": 12.5})
