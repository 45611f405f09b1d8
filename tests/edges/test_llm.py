"""The client of language models before a server that speaks as they do, and misbehaves."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import openai
import pytest

from coordinator.adapters.providers.coding.answers import Answer
from coordinator.adapters.providers.coding.llm import Llm
from coordinator.adapters.providers.coding.options import LlmOptions
from coordinator.domain.providing import Blame, ProviderFault
from coordinator.ports_providers import Tools
from tests.fakes.fake_artifacts import FakeArtifacts
from tests.fakes.fake_llm import CUBE, FakeLlm, Reply
from tests.fakes.manual_clock import ManualClock
from tests.fakes.paid_service import Trouble, served

ASKED = [{"role": "user", "content": "a cube, ten wide"}]


@pytest.fixture
async def server() -> AsyncIterator[FakeLlm]:
    async with served(FakeLlm()) as service:
        yield service


async def complete(server: FakeLlm, folder: Path, **options: Any) -> Answer:
    given = {"base_url": server.base_url, "model": server.model, "call_s": 2.0, **options}
    tools = Tools(clock=ManualClock(), artifacts=FakeArtifacts(folder), folder=folder)
    llm = Llm("the writer", LlmOptions(**given), server.key, tools)
    try:
        return await llm.complete(ASKED, seed=7, heard=lambda _: None)
    finally:
        await llm.close()


async def fault_of(server: FakeLlm, folder: Path, **options: Any) -> ProviderFault:
    with pytest.raises(ProviderFault) as caught:
        await complete(server, folder, **options)
    assert server.key not in repr(caught.value)
    return caught.value


@pytest.mark.parametrize("stream", [True, False])
async def test_an_answer_arrives_whole_with_its_tokens(
    server: FakeLlm, tmp_path: Path, stream: bool
) -> None:
    text = "Größe: 10 mm — für die Küche 🍴\n" + CUBE
    server.replies.append(Reply(text=text, cost=0.5))
    answer = await complete(server, tmp_path, stream=stream)
    assert (answer.text, answer.finish, answer.model) == (text, "stop", "writer-1")
    assert (answer.tokens_in, answer.tokens_out) == (4, len(text) // 4)
    assert str(answer.cost) == "0.5"


async def test_each_dialect_is_spoken_as_set(server: FakeLlm, tmp_path: Path) -> None:
    await complete(server, tmp_path)
    assert server.bodies[-1] == {
        "model": "writer-1",
        "messages": ASKED,
        "max_tokens": 8192,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    await complete(
        server,
        tmp_path,
        stream=False,
        tokens_max=1000,
        max_tokens_field="max_completion_tokens",
        temperature=0.2,
        seeds=True,
        reasoning_effort="low",
        extra_body={"keep_alive": "1h"},
    )
    assert server.bodies[-1] == {
        "model": "writer-1",
        "messages": ASKED,
        "max_completion_tokens": 1000,
        "temperature": 0.2,
        "seed": 7,
        "reasoning_effort": "low",
        "keep_alive": "1h",
    }


@pytest.mark.parametrize(
    ("status", "error", "blame", "code"),
    [
        (429, {"code": "rate_limit_exceeded"}, Blame.WAIT_SLOT, "rate_limit_exceeded"),
        (429, {"code": "insufficient_quota"}, Blame.QUOTA, "insufficient_quota"),
        (402, {"code": 402, "message": "no credits"}, Blame.QUOTA, "http_402"),
        (401, {"code": "invalid_api_key"}, Blame.AUTH_CONFIG, "invalid_api_key"),
        (404, {"code": "model_not_found"}, Blame.AUTH_CONFIG, "model_not_found"),
        (400, {"code": "context_length_exceeded"}, Blame.INVALID_INPUT, "context_length_exceeded"),
        (
            400,
            {"code": 400, "type": "exceed_context_size_error"},
            *(Blame.INVALID_INPUT, "exceed_context_size_error"),
        ),
        (
            403,
            {"code": 403, "message": "your input was flagged"},
            Blame.CONTENT_BLOCKED,
            "http_403",
        ),
        (403, {"code": "unsupported_country"}, Blame.AUTH_CONFIG, "unsupported_country"),
        (400, {"code": "content_policy_violation"}, Blame.CONTENT_BLOCKED, None),
        (409, {}, Blame.RETRY_SAFE, "http_409"),
        (500, {}, Blame.RETRY_SAFE, "http_500"),
        (503, {"type": "unavailable_error"}, Blame.RETRY_SAFE, "unavailable_error"),
        (529, {"type": "overloaded_error"}, Blame.RETRY_SAFE, "overloaded_error"),
    ],
)
async def test_a_refusal_says_what_has_to_be_done(
    server: FakeLlm, tmp_path: Path, status: int, error: Any, blame: Blame, code: str | None
) -> None:
    server.misbehave("submit", Trouble(status=status, body={"error": error}))
    fault = await fault_of(server, tmp_path)
    assert fault.blame is blame
    assert code is None or fault.code == code
    assert server.till.charges == []


async def test_an_error_in_a_list_is_read_as_well(server: FakeLlm, tmp_path: Path) -> None:
    error = {"code": 429, "message": "slow down", "status": "RESOURCE_EXHAUSTED"}
    server.misbehave("submit", Trouble(status=429, body=[{"error": error}]))
    fault = await fault_of(server, tmp_path)
    assert (fault.blame, fault.code) == (Blame.WAIT_SLOT, "RESOURCE_EXHAUSTED")
    assert "slow down" in fault.message


@pytest.mark.parametrize(
    ("headers", "after_s"),
    [
        ({"Retry-After": "7", "x-ratelimit-reset-tokens": "1s"}, 7.0),
        ({"retry-after-ms": "1500"}, 1.5),
        ({"x-ratelimit-reset-requests": "1m0s", "x-ratelimit-reset-tokens": "6ms"}, 60.0),
        ({}, None),
    ],
)
async def test_the_time_to_wait_is_read_in_each_of_its_ways(
    server: FakeLlm, tmp_path: Path, headers: dict[str, str], after_s: float | None
) -> None:
    server.misbehave("submit", Trouble(status=429, headers=headers))
    assert (await fault_of(server, tmp_path)).after_s == after_s


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize(
    ("error", "blame"),
    [
        ({"code": 429, "message": "slow down"}, Blame.WAIT_SLOT),
        ({"code": 502, "message": "bad gateway"}, Blame.RETRY_SAFE),
        ({"message": "something"}, Blame.RETRY_SAFE),
        ({"code": "insufficient_quota", "message": "pay"}, Blame.QUOTA),
    ],
)
async def test_an_error_within_a_success_is_an_error(
    server: FakeLlm, tmp_path: Path, stream: bool, error: Any, blame: Blame
) -> None:
    server.replies.append(Reply(error=error))
    assert (await fault_of(server, tmp_path, stream=stream)).blame is blame


async def test_a_stream_that_breaks_off_is_no_answer(server: FakeLlm, tmp_path: Path) -> None:
    server.replies.append(Reply(drop_after=3))
    fault = await fault_of(server, tmp_path)
    assert fault.blame is Blame.RETRY_SAFE


async def test_a_model_that_is_silent_too_long_is_given_up(server: FakeLlm, tmp_path: Path) -> None:
    server.replies.append(Reply(waits=True))
    fault = await fault_of(server, tmp_path, silence_s=0.2)
    assert fault.blame is Blame.RETRY_SAFE


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize(
    "reply",
    [Reply(text="", refusal="I can't help with that."), Reply(finish="content_filter")],
    ids=["refusal", "filter"],
)
async def test_what_is_not_wanted_there_is_told(
    server: FakeLlm, tmp_path: Path, stream: bool, reply: Reply
) -> None:
    server.replies.append(reply)
    assert (await fault_of(server, tmp_path, stream=stream)).blame is Blame.CONTENT_BLOCKED


async def test_an_answer_that_was_cut_says_so(server: FakeLlm, tmp_path: Path) -> None:
    server.replies.append(Reply(finish="length"))
    assert (await complete(server, tmp_path)).finish == "length"


async def test_a_server_that_does_not_keep_to_the_limit_is_cut_off(
    server: FakeLlm, tmp_path: Path
) -> None:
    server.replies.append(Reply(text="x" * 20_000))
    answer = await complete(server, tmp_path, tokens_max=256)
    assert answer.finish == "length"
    assert len(answer.text) < 4000


@pytest.mark.parametrize("stream", [True, False])
async def test_the_vendor_s_own_client_reads_the_stand_in(server: FakeLlm, stream: bool) -> None:
    server.replies.append(Reply(text="Größe 🍴"))
    client = openai.AsyncOpenAI(api_key=server.key, base_url=server.base_url, max_retries=0)
    async with client:
        assert [each.id async for each in client.models.list()] == ["writer-1"]
        asked: Any = {"model": "writer-1", "messages": ASKED, "max_tokens": 50}
        if stream:
            chunks = await client.chat.completions.create(
                **asked, stream=True, stream_options={"include_usage": True}
            )
            found = [chunk async for chunk in chunks]
            text = "".join(c.choices[0].delta.content or "" for c in found if c.choices)
            assert found[-1].usage is not None
        else:
            whole = await client.chat.completions.create(**asked)
            text = whole.choices[0].message.content or ""
            assert whole.usage is not None
        assert text == "Größe 🍴"
        server.misbehave("submit", Trouble(status=429, body={"error": {"code": "x"}}))
        with pytest.raises(openai.RateLimitError):
            await client.chat.completions.create(**asked)
        with pytest.raises(openai.NotFoundError):
            await client.chat.completions.create(**{**asked, "model": "another"})
