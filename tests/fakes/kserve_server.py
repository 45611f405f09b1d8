"""A server of the Open Inference Protocol v2, as KServe and Triton speak it, in JSON."""

import base64
from typing import Any

from aiohttp import web

from tests.fakes.troubled_server import TroubledServer


class KServeServer(TroubledServer):
    """One model, `shape`, of texts and pictures in and one mesh out."""

    def __init__(self, mesh: bytes = b"glTF\x02\0\0\0") -> None:
        super().__init__()
        self.mesh = mesh
        self.ready = True
        self.requests: list[dict[str, Any]] = []
        self.app.router.add_get("/v2/health/ready", self._health)
        self.app.router.add_post("/v2/models/{model}/infer", self._infer)

    async def _health(self, request: web.Request) -> web.Response:
        return web.Response(status=200 if self.ready else 503)

    async def _infer(self, request: web.Request) -> web.Response:
        if request.match_info["model"] != "shape":
            return _error(404, f"Request for unknown model: '{request.match_info['model']}'")
        asked = await request.json()
        for tensor in asked["inputs"]:
            if tensor["datatype"] != "BYTES" or len(tensor["data"]) != tensor["shape"][0]:
                return _error(400, f"unexpected shape for input '{tensor['name']}'")
            if tensor["name"] not in ("prompt", "image"):
                return _error(400, f"unexpected inference input '{tensor['name']}'")
        self.requests.append(asked)
        mesh = base64.b64encode(self.mesh).decode()
        return web.json_response(
            {
                "model_name": "shape",
                "model_version": "1",
                "id": asked.get("id", ""),
                "outputs": [{"name": "mesh", "datatype": "BYTES", "shape": [1], "data": [mesh]}],
            }
        )


def _error(status: int, words: str) -> web.Response:
    return web.json_response({"error": words}, status=status)
