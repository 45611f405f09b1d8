"""A stand-in for Stability AI's v2beta/3d, written from its pages."""

from typing import Any

from aiohttp import web

from tests.fakes.paid_service import GLB, PaidService, form_of

_PRICES = {"stable-fast-3d": 10, "stable-point-aware-3d": 4}


class FakeStability(PaidService):
    """Answers with the mesh itself."""

    key = "sk-key-of-the-test"

    def __init__(self) -> None:
        super().__init__()
        self.file = GLB

    def refusal(self, status: int, message: str, code: str = "") -> web.Response:
        name = code or {403: "content_moderation", 413: "payload_too_large"}.get(status, "error")
        return web.json_response({"id": "e-1", "name": name, "errors": [message]}, status=status)

    def routes(self) -> list[web.AbstractRouteDef]:
        return [
            self.route("POST", "/v2beta/3d/{model}", "submit", self._submit),
            self.route("GET", "/v1/user/balance", "balance", self._balance),
        ]

    async def _submit(self, request: web.Request) -> web.StreamResponse:
        model = request.match_info["model"]
        if model not in _PRICES:
            return self.refusal(404, "no such endpoint", "not_found")
        if not request.content_type.startswith("multipart/"):
            return self.refusal(400, "multipart only", "bad_request")
        fields, files = await form_of(request)
        if [name for name, _ in files] != ["image"]:
            return self.refusal(400, "image: required", "bad_request")
        asked: dict[str, Any] = {**fields}
        if model == "stable-fast-3d" and asked.keys() & {"target_count", "seed"}:
            return self.refusal(400, "unknown field", "bad_request")
        self.new_task(asked, _PRICES[model], family=model)
        return web.Response(
            body=self.file, content_type="model/gltf-binary", headers={"seed": "77"}
        )

    async def _balance(self, request: web.Request) -> web.StreamResponse:
        return web.json_response({"credits": 250.5})
