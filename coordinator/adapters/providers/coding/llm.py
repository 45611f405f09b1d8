"""A language model behind any server that speaks OpenAI's chat completions."""

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Any

from coordinator.adapters.providers.blaming import Reply, Spoken
from coordinator.adapters.providers.coding.answers import Answer, Gathering, error_in, parsed
from coordinator.adapters.providers.coding.options import LlmOptions
from coordinator.adapters.providers.http import Api
from coordinator.domain.providing import Blame, ProviderFault
from coordinator.ports_providers import Tools

Message = Mapping[str, Any]

# A token of code has some three characters; a server that does not keep to its limit is stopped.
_CHARACTERS_PER_TOKEN_MAX = 12
_TOO_LONG = ("context_length_exceeded", "exceed_context_size_error")
_BLOCKED = ("content_policy_violation", "content_filter", "moderation_blocked")
_BLOCKED_WORDS = re.compile(r"flagged|moderation|content polic|safety", re.IGNORECASE)
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


class Llm:
    """One model on one server."""

    def __init__(self, title: str, options: LlmOptions, key: str, tools: Tools) -> None:
        """Take where it is; nothing is asked yet.

        Args:
            title: for people.
        """
        self._title = title
        self._options = options
        self._api = Api(
            title,
            options,
            tools,
            headers={
                **({"Authorization": f"Bearer {key}"} if key else {}),
                **options.extra_headers,
            },
            secrets=(key, *(each for each in options.extra_headers.values() if len(each) > 12)),
            reads=read,
        )

    async def complete(
        self, messages: Sequence[Message], *, seed: int | None, heard: Callable[[int], None]
    ) -> Answer:
        """Return the answer to a conversation.

        Args:
            heard: told how many characters have come, as they come.

        Raises:
            ProviderFault: there is none; what was said may have to be paid for all the same.
        """
        body = self._body(messages, seed)
        gathering = Gathering()
        if self._options.stream:
            await self._stream(body, gathering, heard)
        else:
            reply = await self._api.call(
                "POST", "/chat/completions", json=body, within_s=self._options.call_s
            )
            self._take(parsed(reply.body.decode(errors="replace")), gathering, reply)
        answer = gathering.answer
        if answer.finish == "content_filter" or (answer.refusal and not answer.text):
            words = f": {answer.refusal[:200]}" if answer.refusal else ""
            raise ProviderFault(
                Blame.CONTENT_BLOCKED, "refused", f"{self._title} does not write that{words}"
            )
        if not answer.finish and not answer.text:
            raise ProviderFault(Blame.PROTOCOL, "no_answer", f"{self._title} answered nothing")
        return answer

    async def models(self) -> tuple[str, ...]:
        """Return the models that the server names; costs nothing. Empty where it has no list."""
        try:
            reply = await self._api.call("GET", "/models", within_s=15.0)
        except ProviderFault as fault:
            if fault.code in ("http_404", "http_405"):
                return ()
            raise
        found = reply.document().get("data")
        items = found if isinstance(found, list) else []
        return tuple(str(each["id"]) for each in items if isinstance(each, dict) and "id" in each)

    async def close(self) -> None:
        """Close its connections."""
        await self._api.close()

    def _body(self, messages: Sequence[Message], seed: int | None) -> dict[str, Any]:
        options = self._options
        body: dict[str, Any] = {
            "model": options.model,
            "messages": list(messages),
            options.max_tokens_field: options.tokens_max,
        }
        if options.stream:
            body["stream"] = True
            if options.stream_usage:
                body["stream_options"] = {"include_usage": True}
        if options.temperature is not None:
            body["temperature"] = options.temperature
        if options.seeds and seed is not None:
            body["seed"] = seed
        if options.reasoning_effort:
            body["reasoning_effort"] = options.reasoning_effort
        return {**body, **options.extra_body}

    async def _stream(
        self, body: Mapping[str, Any], gathering: Gathering, heard: Callable[[int], None]
    ) -> None:
        options = self._options
        events = self._api.events(
            "POST",
            "/chat/completions",
            json=body,
            within_s=options.call_s,
            silence_s=options.silence_s,
        )
        async with aclosing(events):
            async for event in events:
                if event.data.strip() == "[DONE]":
                    return
                self._take(parsed(event.data), gathering, _whole(event.data))
                heard(gathering.characters)
                if event.name == "whole":
                    return
                if gathering.characters > options.tokens_max * _CHARACTERS_PER_TOKEN_MAX:
                    gathering.cut()
                    return
        if not gathering.answer.finish:
            raise ProviderFault(
                Blame.RETRY_SAFE, "broke_off", f"{self._title}: the answer broke off in the middle"
            )

    def _take(self, document: Any, gathering: Gathering, reply: Reply) -> None:
        """Add what an answer with a status of success says; it may be an error all the same."""
        error = error_in(document)
        if error is not None:
            # The status says 200; the error has one of its own, or is the server's.
            code = error.get("code")
            status = code if isinstance(code, int) and 400 <= code < 600 else 502
            raise self._api.fault(replace(reply, status=status), read(reply))
        if not isinstance(document, dict):
            raise ProviderFault(
                Blame.RETRY_SAFE, "bad_answer", f"{self._title}: its answer is no JSON object"
            )
        gathering.take(document)


def read(reply: Reply) -> Spoken:
    """Read what such a server says of a fault, in the ways of OpenAI, OpenRouter and Gemini."""
    error = error_in(parsed(reply.body.decode(errors="replace"))) or {}
    code = next(
        (
            str(error[name])
            for name in ("code", "type", "status")
            if isinstance(error.get(name), str) and error[name]
        ),
        "",
    )
    message = str(error.get("message") or "")
    numeric = error.get("code")
    status = numeric if reply.status == 200 and isinstance(numeric, int) else reply.status
    return Spoken(
        blame=_blame(status, {code, str(error.get("type"))}, message),
        code=code,
        message=message,
        field="prompt" if code in _TOO_LONG else "",
        after_s=_after_s(reply.headers) if status in (429, 503) else None,
    )


def _blame(status: int, codes: set[str], message: str) -> Blame | None:
    """Return what has to be done, None where the status alone tells it."""
    if codes & set(_BLOCKED) or (status == 403 and _BLOCKED_WORDS.search(message)):
        return Blame.CONTENT_BLOCKED
    if "insufficient_quota" in codes:
        return Blame.QUOTA
    if status == 429:
        return Blame.WAIT_SLOT
    if codes & set(_TOO_LONG):
        return Blame.INVALID_INPUT
    if status == 404:
        return Blame.AUTH_CONFIG  # no such model there, or no such server
    return Blame.RETRY_SAFE if status == 409 else None


def _after_s(headers: Mapping[str, str]) -> float | None:
    """Return in how many seconds there is room again, where only these servers' headers tell."""
    told = headers.get("retry-after-ms", "")
    if re.fullmatch(r"\d{1,9}(\.\d+)?", told):
        return float(told) / 1000
    if "retry-after" in headers:
        return None
    waits = [
        sum(float(number) * _SECONDS[unit] for number, unit in _DURATION.findall(headers[name]))
        for name in ("x-ratelimit-reset-requests", "x-ratelimit-reset-tokens")
        if name in headers
    ]
    return max(waits, default=None)


def _whole(data: str) -> Reply:
    return Reply(status=200, headers={}, body=data.encode())
