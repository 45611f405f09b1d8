"""ComfyUI as its `server.py` answers: a queue, a history, files, and both ways of calling off."""

import uuid
from typing import Any

from aiohttp import web

from tests.fakes.forms import fields_of
from tests.fakes.paid_service import PaidService, Task, said


class FakeComfyUI(PaidService):
    """A task's id is the prompt's; it goes one step on with each look at the queue.

    Attributes:
        jobs_api: whether it is new enough to have one.
        outputs: what nodes say that they saved; as SaveGLB says it for None.
    """

    free_calls = ()

    def __init__(self, *, jobs_api: bool = True) -> None:
        super().__init__()
        self.jobs_api = jobs_api
        self.outputs: dict[str, Any] | None = None
        self.uploads: dict[str, bytes] = {}

    def routes(self) -> list[web.AbstractRouteDef]:
        jobs = [self.route("POST", "/api/jobs/{id}/cancel", "cancel", self._cancel)]
        return [
            self.route("POST", "/upload/image", "upload", self._upload),
            self.route("POST", "/prompt", "submit", self._prompt),
            self.route("GET", "/queue", "look", self._queue),
            self.route("GET", "/history/{id}", "result", self._history),
            self.route("POST", "/history", "delete", self._forget),
            self.route("POST", "/queue", "dequeue", self._dequeue),
            self.route("POST", "/interrupt", "interrupt", self._interrupt),
            self.route("GET", "/view", "file", self._view),
            self.route("GET", "/system_stats", "balance", self._stats),
            *(jobs if self.jobs_api else []),
        ]

    def hold(self, state: str) -> None:
        """Have all tasks stay in a state."""
        for task in self.tasks.values():
            task.walk, task.at = (state,), 0

    def _in(self, state: str) -> list[Task]:
        return [task for task in self.tasks.values() if task.state == state]

    async def _upload(self, request: web.Request) -> web.StreamResponse:
        fields = {field.name: field for field in await fields_of(request)}
        name, folder = fields["image"].file_name, fields["subfolder"].data.decode()
        self.uploads[f"{folder}/{name}"] = fields["image"].data
        return web.json_response({"name": name, "subfolder": folder, "type": "input"})

    async def _prompt(self, request: web.Request) -> web.StreamResponse:
        asked = await said(request)
        prompt_id = asked.get("prompt_id") or str(uuid.uuid4())
        if str(uuid.UUID(prompt_id)) != prompt_id:
            return web.json_response({"error": {"message": "job id must be a UUID"}}, status=400)
        self.till.charge(prompt_id, 1)
        number = len(self.till.charges)
        self.tasks[prompt_id] = Task(task_id=prompt_id, asked=asked, amount=self.till.taken)
        return web.json_response({"prompt_id": prompt_id, "number": number, "node_errors": {}})

    async def _queue(self, request: web.Request) -> web.StreamResponse:
        def listed(state: str) -> list[Any]:
            entries = [
                [number, task.task_id, task.asked["prompt"], {}, []]
                for number, task in enumerate(self.tasks.values())
                if task.state == state
            ]
            return entries[::-1]  # a heap, in no order that means anything

        told = {"queue_running": listed("running"), "queue_pending": listed("waiting")}
        for task in self.tasks.values():
            task.step()
        return web.json_response(told)

    async def _history(self, request: web.Request) -> web.StreamResponse:
        task = self.tasks.get(request.match_info["id"])
        if task is None or task.state not in ("done", "failed", "cancelled"):
            return web.json_response({})
        told = {"node_type": "KSampler", "exception_message": "it failed", **task.failure}
        messages = {
            "failed": [["execution_start", {}], ["execution_error", told]],
            "cancelled": [["execution_interrupted", {}]],
            "done": [["execution_success", {}]],
        }[task.state]
        saved = {"filename": f"a b_{self.fresh}_.glb", "subfolder": "3d", "type": "output"}
        outputs = {"9": {"3d": [saved]}} if self.outputs is None else self.outputs
        word = "success" if task.state == "done" else "error"
        entry = {
            "prompt": [0, task.task_id, task.asked["prompt"], {}, []],
            "outputs": outputs if task.state == "done" else {},
            "status": {"status_str": word, "completed": word == "success", "messages": messages},
        }
        return web.json_response({task.task_id: entry})

    async def _forget(self, request: web.Request) -> web.StreamResponse:
        for prompt_id in (await said(request)).get("delete", []):
            self.tasks.pop(prompt_id, None)
        return web.Response()

    async def _dequeue(self, request: web.Request) -> web.StreamResponse:
        for prompt_id in (await said(request)).get("delete", []):
            if prompt_id in [task.task_id for task in self._in("waiting")]:
                self.till.refund(prompt_id)
                del self.tasks[prompt_id]
        return web.Response()

    async def _interrupt(self, request: web.Request) -> web.StreamResponse:
        wanted = (await said(request)).get("prompt_id")
        for task in self._in("running"):
            if task.task_id == wanted:
                self._stop(task)
        return web.Response()

    async def _cancel(self, request: web.Request) -> web.StreamResponse:
        prompt_id = request.match_info["id"]
        running = [task for task in self._in("running") if task.task_id == prompt_id]
        for task in running:
            self._stop(task)
        return web.json_response({"cancelled": bool(running)})

    def _stop(self, task: Task) -> None:
        task.walk, task.at = ("cancelled",), 0
        self.till.refund(task.task_id)

    async def _view(self, request: web.Request) -> web.StreamResponse:
        wanted = (request.query["subfolder"], request.query["filename"], request.query["type"])
        if wanted != ("3d", f"a b_{self.fresh}_.glb", "output"):
            return web.Response(status=404)
        return web.Response(body=self.file)

    async def _stats(self, request: web.Request) -> web.StreamResponse:
        return web.json_response({"system": {"comfyui_version": "0.38.0"}, "devices": []})
