"""ComfyUI as its `server.py` answers: a queue, a history, files, and both ways of calling off."""

import uuid
from typing import Any

from aiohttp import web

from tests.fakes.troubled_server import TroubledServer


class ComfyUIServer(TroubledServer):
    """One prompt runs at a time, and ends when `finish` or `fail` says so."""

    def __init__(self, mesh: bytes = b"glTF\x02\0\0\0", *, jobs_api: bool = True) -> None:
        super().__init__()
        self.mesh = mesh
        self.pending: list[tuple[str, dict[str, Any]]] = []
        self.running: list[tuple[str, dict[str, Any]]] = []
        self.history: dict[str, dict[str, Any]] = {}
        self.uploads: dict[str, bytes] = {}
        self.files: dict[tuple[str, str], bytes] = {}
        self.till = 0
        add = self.app.router.add_route
        add("POST", "/upload/image", self._upload)
        add("POST", "/prompt", self._prompt)
        add("GET", "/history/{id}", self._history)
        add("POST", "/history", self._forget)
        add("GET", "/queue", self._queue)
        add("POST", "/queue", self._delete)
        add("POST", "/interrupt", self._interrupt)
        add("GET", "/view", self._view)
        add("GET", "/system_stats", self._stats)
        if jobs_api:
            add("POST", "/api/jobs/{id}/cancel", self._cancel)

    def begin(self) -> None:
        """Run the first that waits."""
        self.running.append(self.pending.pop(0))

    def finish(self, outputs: dict[str, Any] | None = None) -> None:
        """End what runs; as SaveGLB tells of its file unless told otherwise."""
        prompt_id, graph = self.running.pop(0)
        name = f"{prompt_id}_00001_.glb"
        self.files["3d", name] = self.mesh
        saved = {"9": {"3d": [{"filename": name, "subfolder": "3d", "type": "output"}]}}
        self._end(prompt_id, graph, saved if outputs is None else outputs, "success", [])

    def fail(self, words: str) -> None:
        """Have what runs fail in a node."""
        prompt_id, graph = self.running.pop(0)
        told = {"node_id": "3", "node_type": "KSampler", "exception_message": words}
        self._end(prompt_id, graph, {}, "error", [["execution_error", told]])

    def restart(self) -> None:
        """Forget the queue and the history, as it does."""
        self.pending, self.running, self.history = [], [], {}

    def _end(
        self, prompt_id: str, graph: Any, outputs: Any, word: str, messages: list[Any]
    ) -> None:
        self.history[prompt_id] = {
            "prompt": [0, prompt_id, graph, {}, []],
            "outputs": outputs,
            "status": {"status_str": word, "completed": word == "success", "messages": messages},
        }

    async def _upload(self, request: web.Request) -> web.Response:
        form = await request.post()
        image = form["image"]
        assert isinstance(image, web.FileField)
        self.uploads[image.filename] = image.file.read()
        return web.json_response(
            {"name": image.filename, "subfolder": form.get("subfolder", ""), "type": "input"}
        )

    async def _prompt(self, request: web.Request) -> web.Response:
        asked = await request.json()
        prompt_id = asked.get("prompt_id") or str(uuid.uuid4())
        if str(uuid.UUID(prompt_id)) != prompt_id:
            return web.json_response({"error": {"message": "job id must be a UUID"}}, status=400)
        faulty = [name for name, node in asked["prompt"].items() if "class_type" not in node]
        if faulty:
            error = {
                "type": "missing_node_type",
                "message": "Node has no class_type",
                "details": f"Node ID '#{faulty[0]}'",
                "extra_info": {},
            }
            return web.json_response({"error": error, "node_errors": {}}, status=400)
        self.till += 1
        self.pending.append((prompt_id, asked["prompt"]))
        return web.json_response({"prompt_id": prompt_id, "number": self.till, "node_errors": {}})

    async def _history(self, request: web.Request) -> web.Response:
        prompt_id = request.match_info["id"]
        found = self.history.get(prompt_id)
        return web.json_response({prompt_id: found} if found else {})

    async def _forget(self, request: web.Request) -> web.Response:
        for prompt_id in (await request.json()).get("delete", []):
            self.history.pop(prompt_id, None)
        return web.Response()

    async def _queue(self, request: web.Request) -> web.Response:
        def listed(waiting: list[tuple[str, dict[str, Any]]]) -> list[Any]:
            return [[n, prompt_id, graph, {}, []] for n, (prompt_id, graph) in enumerate(waiting)]

        return web.json_response(
            {"queue_running": listed(self.running), "queue_pending": listed(self.pending)}
        )

    async def _delete(self, request: web.Request) -> web.Response:
        gone = (await request.json()).get("delete", [])
        self.pending = [each for each in self.pending if each[0] not in gone]
        return web.Response()

    async def _interrupt(self, request: web.Request) -> web.Response:
        asked = await request.json() if request.can_read_body else {}
        if self.running and asked.get("prompt_id") in (None, self.running[0][0]):
            prompt_id, graph = self.running.pop(0)
            self._end(prompt_id, graph, {}, "error", [["execution_interrupted", {}]])
        return web.Response()

    async def _cancel(self, request: web.Request) -> web.Response:
        prompt_id = request.match_info["id"]
        running = bool(self.running) and self.running[0][0] == prompt_id
        waits = any(each[0] == prompt_id for each in self.pending)
        if running:
            _, graph = self.running.pop(0)
            self._end(prompt_id, graph, {}, "error", [["execution_interrupted", {}]])
        self.pending = [each for each in self.pending if each[0] != prompt_id]
        return web.json_response({"cancelled": running or waits})

    async def _view(self, request: web.Request) -> web.Response:
        found = self.files.get((request.query.get("subfolder", ""), request.query["filename"]))
        return web.Response(body=found) if found is not None else web.Response(status=404)

    async def _stats(self, request: web.Request) -> web.Response:
        return web.json_response({"system": {"comfyui_version": "0.38.0"}, "devices": []})
