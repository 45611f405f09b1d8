"""A server of the Open Inference Protocol v2, as KServe and Triton speak it, in JSON."""

import base64
from typing import Any

from aiohttp import web

from tests.fakes.paid_service import PaidService, said


class FakeKServe(PaidService):
    """One model, `shape`, of texts and pictures in and one mesh out."""

    free_calls = ()

    def __init__(self) -> None:
        super().__init__()
        self.ready = True
        self.requests: list[dict[str, Any]] = []

    def routes(self) -> list[web.AbstractRouteDef]:
        return [
            self.route("POST", "/v2/models/{model}/infer", "submit", self._infer),
            self.route("GET", "/v2/health/ready", "balance", self._health, open_to_all=True),
        ]

    def refusal(self, status: int, message: str, code: str = "") -> web.Response:
        return web.json_response({"error": message}, status=status)

    async def _health(self, request: web.Request) -> web.StreamResponse:
        return web.Response(status=200 if self.ready else 503)

    async def _infer(self, request: web.Request) -> web.StreamResponse:
        model = request.match_info["model"]
        if model != "shape":
            return self.refusal(404, f"Request for unknown model: '{model}' is not found")
        asked = await said(request)
        for tensor in asked["inputs"]:
            if tensor["datatype"] != "BYTES" or len(tensor["data"]) != tensor["shape"][0]:
                return self.refusal(400, f"unexpected shape for input '{tensor['name']}'")
            if tensor["name"] not in ("prompt", "image"):
                return self.refusal(400, f"unexpected inference input '{tensor['name']}'")
        self.requests.append(asked)
        self.new_task(asked, 1, walk=("done",))
        mesh = base64.b64encode(self.file).decode()
        return web.json_response(
            {
                "model_name": "shape",
                "model_version": "1",
                "id": asked.get("id", ""),
                "outputs": [{"name": "mesh", "datatype": "BYTES", "shape": [1], "data": [mesh]}],
            }
        )
