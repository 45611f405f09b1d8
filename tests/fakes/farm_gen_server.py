"""A GPU box that speaks farm-gen v1: jobs that move on when they are told to, and a till."""

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.fakes.troubled_server import TroubledServer

FLOW = ("queued", "running", "succeeded")


@dataclass
class GenJob:
    """One job of the box."""

    id: str
    request: dict[str, Any]
    images: list[bytes]
    status: str = "queued"
    error: dict[str, Any] | None = None
    files: dict[str, bytes] = field(default_factory=dict)


class FarmGenServer(TroubledServer):
    """Keeps jobs by their keys; `till` counts the work that was really begun."""

    def __init__(self, *, token: str = "box-token", mesh: bytes = b"solid box\nendsolid box\n"):
        super().__init__()
        self.token = token
        self.mesh = mesh
        self.jobs: dict[str, GenJob] = {}
        self.keys: dict[str, tuple[str, str]] = {}  # key -> hash of the body, job
        self.till = 0
        self.word = ""  # a status that nobody knows, in place of the true one
        add = self.app.router.add_route
        add("POST", "/v1/jobs", self._create)
        add("GET", "/v1/jobs/{id}", self._show)
        add("DELETE", "/v1/jobs/{id}", self._cancel)
        add("GET", "/v1/jobs/{id}/artifacts/{name}", self._file)
        add("GET", "/healthz", self._health)

    def move_on(self, count: int = 1) -> None:
        """Have every job that goes on take so many steps."""
        for job in self.jobs.values():
            for _ in range(count):
                if job.status in FLOW[:-1]:
                    job.status = FLOW[FLOW.index(job.status) + 1]
            if job.status == "succeeded":
                job.files = {"model.stl": self.mesh, "preview.png": b"\x89PNG\r\n\x1a\n"}

    def fail(self, code: str, message: str) -> None:
        """Have every job fail."""
        for job in self.jobs.values():
            job.status, job.error = "failed", {"code": code, "message": message}

    def restart(self) -> None:
        """Forget all jobs, as a box does that keeps them in memory."""
        self.jobs.clear()
        self.keys.clear()

    def _stranger(self, request: web.Request) -> web.Response | None:
        if request.headers.get("Authorization") == f"Bearer {self.token}":
            return None
        return web.json_response({"error": {"code": "unauthorized", "message": "who?"}}, status=401)

    async def _create(self, request: web.Request) -> web.Response:
        if refusal := self._stranger(request):
            return refusal
        asked: dict[str, Any] = {}
        images: list[bytes] = []
        form = await request.post()
        for name, value in form.items():
            if isinstance(value, web.FileField):
                images.append(value.file.read())
            elif name == "request":
                asked = json.loads(value)
        digest = hashlib.sha256(json.dumps(asked).encode() + b"".join(images)).hexdigest()
        key = request.headers.get("Idempotency-Key", "")
        if key in self.keys:
            known, job_id = self.keys[key]
            if known != digest:
                return _error(422, "key_reused", "this key was used for another request")
            return web.json_response(self._document(self.jobs[job_id]), status=202)
        if not asked.get("prompt") and not images:
            return _error(400, "empty_request", "say a prompt, or send an image")
        self.till += 1
        job = GenJob(f"gj-{self.till}", asked, images)
        self.jobs[job.id] = job
        if key:
            self.keys[key] = (digest, job.id)
        return web.json_response(self._document(job), status=202)

    async def _show(self, request: web.Request) -> web.Response:
        job = self.jobs.get(request.match_info["id"])
        if refusal := self._stranger(request):
            return refusal
        return web.json_response(self._document(job)) if job else _error(404, "no_job", "no job")

    async def _cancel(self, request: web.Request) -> web.Response:
        job = self.jobs.get(request.match_info["id"])
        if refusal := self._stranger(request):
            return refusal
        if job is None:
            return _error(404, "no_job", "there is no such job")
        if job.status in FLOW[:-1]:
            job.status = "canceled"
        return web.json_response(self._document(job))

    async def _file(self, request: web.Request) -> web.Response:
        job = self.jobs.get(request.match_info["id"])
        if refusal := self._stranger(request):
            return refusal
        if job is None or request.match_info["name"] not in job.files:
            return _error(404, "no_file", "there is no such file")
        return web.Response(body=job.files[request.match_info["name"]])

    async def _health(self, request: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    def _document(self, job: GenJob) -> dict[str, Any]:
        return {
            "id": job.id,
            "status": self.word or job.status,
            "progress": {"queued": 0.0, "running": 0.5, "succeeded": 1.0}.get(job.status),
            "queue_position": 2 if job.status == "queued" else None,
            "error": job.error,
            "artifacts": [
                {
                    "name": name,
                    "format": name.rpartition(".")[2],
                    "size": len(data),
                    "sha256": hashlib.sha256(data).hexdigest(),
                    "url": f"/v1/jobs/{job.id}/artifacts/{name}",
                }
                for name, data in job.files.items()
            ],
            "cost": {"seconds": 12.5} if job.status == "succeeded" else None,
        }


def _error(status: int, code: str, message: str) -> web.Response:
    return web.json_response({"error": {"code": code, "message": message}}, status=status)
