"""A stand-in for servers that speak OpenAI's chat completions, whole and word by word."""

import json
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from aiohttp import web

from tests.fakes.paid_service import PaidService, said

CUBE = "Here it is.\n\n```openscad\ncube(10);\n```\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What the model answers once.

    Attributes:
        error: stands in the answer, whose status is 200; of a stream after the first words.
        drop_after: of a stream: after so many events it hangs up.
        waits: for `let_go`, before the first byte.
        cost: told as OpenRouter does.
    """

    text: str = CUBE
    finish: str = "stop"
    refusal: str = ""
    error: Any = None
    drop_after: int | None = None
    waits: bool = False
    cost: float | None = None


class FakeLlm(PaidService):
    """One model; a million tokens of question cost 1, of answer 2."""

    key = "sk-key-of-the-test"

    def __init__(self, *replies: Reply | str) -> None:
        super().__init__()
        self.model = "writer-1"
        self.replies = deque(
            Reply(text=each) if isinstance(each, str) else each for each in replies
        )
        self.bodies: list[dict[str, Any]] = []

    def routes(self) -> list[web.AbstractRouteDef]:
        return [
            self.route("POST", "/v1/chat/completions", "submit", self._complete),
            self.route("GET", "/v1/models", "balance", self._models),
        ]

    @property
    def base_url(self) -> str:
        return f"{self.url}/v1"

    def refusal(self, status: int, message: str, code: str = "") -> web.Response:
        error = {"message": message, "type": "invalid_request_error", "param": None, "code": code}
        return web.json_response({"error": error}, status=status)

    async def _models(self, request: web.Request) -> web.StreamResponse:
        del request
        return web.json_response(
            {"object": "list", "data": [{"id": self.model, "object": "model", "created": 1}]}
        )

    async def _complete(self, request: web.Request) -> web.StreamResponse:
        asked = await said(request)
        self.bodies.append(asked)
        if asked["model"] != self.model:
            return self.refusal(404, f"there is no model {asked['model']}", "model_not_found")
        reply = self.replies.popleft() if self.replies else Reply()
        usage = _usage(asked, reply)
        amount = Decimal(usage["prompt_tokens"] + 2 * usage["completion_tokens"]) / 1_000_000
        self.till.charge(f"chat-{len(self.bodies)}", amount)
        if reply.waits:
            await self.let_go.wait()
        if asked.get("stream"):
            return await self._stream(request, asked, reply, usage)
        if reply.error is not None:
            return web.json_response({"error": reply.error})
        return web.json_response(self._document(reply, usage))

    def _document(self, reply: Reply, usage: dict[str, Any]) -> dict[str, Any]:
        message = {"role": "assistant", "content": reply.text, "refusal": reply.refusal or None}
        choice = {"index": 0, "message": message, "finish_reason": reply.finish, "logprobs": None}
        return {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 1,
            "model": self.model,
            "choices": [choice],
            "usage": usage,
        }

    async def _stream(
        self, request: web.Request, asked: dict[str, Any], reply: Reply, usage: dict[str, Any]
    ) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await response.write(b": OPENROUTER PROCESSING\n\n")
        told = asked.get("stream_options", {}).get("include_usage", False)
        for number, event in enumerate(self._events(reply, usage if told else None)):
            if number == reply.drop_after:
                assert request.transport is not None
                request.transport.abort()
                return response
            # In pieces that keep to no line, word or sign.
            data = f"data: {event}\n\n".encode()
            for start in range(0, len(data), 7):
                await response.write(data[start : start + 7])
        return response

    def _events(self, reply: Reply, usage: dict[str, Any] | None) -> Iterator[str]:
        def chunk(delta: dict[str, Any], finish: str | None = None) -> str:
            choice = {"index": 0, "delta": delta, "finish_reason": finish, "logprobs": None}
            return json.dumps(
                {
                    "id": "chatcmpl-1",
                    "object": "chat.completion.chunk",
                    "created": 1,
                    "model": self.model,
                    "choices": [choice],
                },
                ensure_ascii=False,
            )

        yield chunk({"role": "assistant", "content": ""})
        for start in range(0, len(reply.text), 11):
            yield chunk({"content": reply.text[start : start + 11]})
            if reply.error is not None:
                yield json.dumps({"error": reply.error})
                return
        if reply.refusal:
            yield chunk({"refusal": reply.refusal})
        yield chunk({}, reply.finish)
        if usage is not None:
            whole = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1}
            yield json.dumps({**whole, "model": self.model, "choices": [], "usage": usage})
        yield "[DONE]"


def _usage(asked: dict[str, Any], reply: Reply) -> dict[str, Any]:
    prompt = sum(len(each["content"]) for each in asked["messages"]) // 4
    written = max(1, len(reply.text) // 4)
    usage: dict[str, Any] = {
        "prompt_tokens": prompt,
        "completion_tokens": written,
        "total_tokens": prompt + written,
    }
    return usage if reply.cost is None else {**usage, "cost": reply.cost}
