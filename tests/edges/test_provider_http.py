"""The way to a provider's server, against servers on this machine that misbehave."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import pytest
from aiohttp import web

from coordinator.adapters.outbound.guarded_http import guarded_http
from coordinator.adapters.outbound.reach import Reach, reach_of
from coordinator.adapters.providers.http import Api, Part
from coordinator.adapters.providers.options import HttpOptions
from coordinator.domain.providing import Blame, Piece, ProviderFault
from coordinator.ports_outward import Outside
from coordinator.ports_providers import Tools
from tests.fakes.fake_artifacts import FakeArtifacts
from tests.fakes.http_target import HttpTarget, drop, hang, http_target, status
from tests.fakes.manual_clock import ManualClock

KEY = {"Authorization": "Bearer msy_secret"}


@pytest.fixture
async def target() -> AsyncIterator[HttpTarget]:
    async with http_target() as served:
        yield served


@pytest.fixture
async def elsewhere() -> AsyncIterator[HttpTarget]:
    async with http_target() as served:
        yield served


class Bench:
    def __init__(self, folder: Path, base_url: str, outside: Outside, **options: object) -> None:
        self.artifacts = FakeArtifacts(folder)
        tools = Tools(clock=ManualClock(), artifacts=self.artifacts, folder=folder, outside=outside)
        made = HttpOptions.model_validate({"base_url": base_url, "call_s": 5, **options})
        self.api = Api("Meshy", made, tools, headers=KEY, secrets=["msy_secret"])

    async def fetched(self, piece: Piece) -> bytes:
        async with self.artifacts.stage() as sink:
            await self.api.download(piece, sink)
            return sink.path.read_bytes()

    async def fault(self, piece: Piece) -> ProviderFault:
        with pytest.raises(ProviderFault) as caught:
            await self.fetched(piece)
        return caught.value


def at(target: HttpTarget) -> str:
    return f"http://127.0.0.1:{target.port}"


def mesh(url: str, **fields: object) -> Piece:
    return Piece(role="mesh", name="m", suffix=".stl", url=url, **fields)  # type: ignore[arg-type]


@pytest.fixture
async def bench(tmp_path: Path, target: HttpTarget) -> AsyncIterator[Bench]:
    async with guarded_http(Reach()) as outside:
        made = Bench(tmp_path, at(target), outside, download_bytes_max=1000)
        yield made
        await made.api.close()


async def lost(api: Api, *, paid: bool, path: str = "/", within_s: float = 5.0) -> ProviderFault:
    with pytest.raises(ProviderFault) as caught:
        await api.call("POST", path, json={"prompt": "x"}, paid=paid, within_s=within_s)
    return caught.value


async def test_a_call_is_json_with_the_key(bench: Bench, target: HttpTarget) -> None:
    target.answer = json_of({"result": "t-1"})
    reply = await bench.api.call("POST", "/v1/x", json={"a": 1}, query={"n": "a b"}, paid=True)
    assert reply.text_at("result") == "t-1"
    asked = target.asked[0]
    assert (asked.path, asked.body) == ("/v1/x", b'{"a":1}')
    assert asked.headers["authorization"] == "Bearer msy_secret"
    assert asked.headers["content-type"] == "application/json"


async def test_a_form_is_sent_with_its_files(bench: Bench, target: HttpTarget) -> None:
    parts = [Part(name="tier", data="Sketch"), Part(name="images", data=b"PNG", file_name="a.png")]
    await bench.api.call("POST", "/", form=parts)
    asked = target.asked[0]
    assert asked.headers["content-type"].startswith("multipart/form-data")
    assert b'name="images"; filename="a.png"' in asked.body
    assert b"PNG" in asked.body


@pytest.mark.parametrize("paid", [True, False])
async def test_before_a_connection_stands_nothing_was_said(
    tmp_path: Path, bench: Bench, paid: bool
) -> None:
    async with http_target() as gone:
        pass
    for url in (at(gone), "http://nowhere.invalid"):
        there = Bench(tmp_path, url, bench.api._tools.outside)
        fault = await lost(there.api, paid=paid)
        assert (fault.blame, fault.code) == (Blame.RETRY_SAFE, "not_reached")
        await there.api.close()


async def test_a_server_whose_certificate_is_nobodys_was_told_nothing(
    tmp_path: Path, bench: Bench
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(Path(__file__).parents[1] / "fakes" / "localhost.pem")
    runner = web.AppRunner(web.Application(), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    there = Bench(tmp_path, f"https://127.0.0.1:{runner.addresses[0][1]}", bench.api._tools.outside)
    fault = await lost(there.api, paid=True)
    assert (fault.blame, fault.code) == (Blame.RETRY_SAFE, "not_reached")
    assert "certificate" in fault.message
    await there.api.close()
    await runner.cleanup()


@pytest.mark.parametrize(
    ("paid", "blame"), [(True, Blame.SUBMIT_UNSURE), (False, Blame.RETRY_SAFE)]
)
async def test_a_call_without_an_answer_may_have_happened(
    bench: Bench, target: HttpTarget, paid: bool, blame: Blame
) -> None:
    for answer in (drop, hang, halved):
        target.answer = answer
        fault = await lost(bench.api, paid=paid, within_s=0.3)
        assert fault.blame is blame, answer
        assert "127.0.0.1" not in fault.message


async def test_an_answer_beyond_all_measure_is_not_read(bench: Bench, target: HttpTarget) -> None:
    target.answer = json_of({"x": "y" * 1000})
    with pytest.raises(ProviderFault) as caught:
        await bench.api.call("GET", "/", answer_bytes_max=100)
    assert caught.value.blame is Blame.PROTOCOL


async def test_a_redirect_of_a_call_is_not_followed(
    bench: Bench, target: HttpTarget, elsewhere: HttpTarget
) -> None:
    target.answer = status(307, Location=elsewhere.url)
    assert (await lost(bench.api, paid=True)).blame is Blame.AUTH_CONFIG
    assert elsewhere.asked == []


async def test_an_address_that_is_another_houses_is_not_called(
    bench: Bench, elsewhere: HttpTarget
) -> None:
    for url in (elsewhere.url, "http://127.0.0.1.example.test/", "no address"):
        with pytest.raises(ProviderFault) as caught:
            await bench.api.call("GET", url)
        assert caught.value.blame is Blame.PROTOCOL
    assert elsewhere.asked == []


async def test_a_file_of_the_server_itself_is_fetched_with_the_key_only_where_it_needs_one(
    bench: Bench, target: HttpTarget
) -> None:
    target.answer = bytes_of(b"solid")
    assert await bench.fetched(mesh(f"{at(target)}/a?Signature=%2Fx%3D")) == b"solid"
    assert await bench.fetched(mesh(f"{at(target)}/a", own=True)) == b"solid"
    assert "authorization" not in target.asked[0].headers
    assert "authorization" in target.asked[1].headers


async def test_a_file_elsewhere_is_fetched_through_the_guard_and_without_the_key(
    tmp_path: Path, target: HttpTarget, elsewhere: HttpTarget
) -> None:
    elsewhere.answer = bytes_of(b"solid")
    target.answer = status(302, Location=elsewhere.url)
    async with guarded_http(reach_of("127.0.0.0/8")) as outside:
        open_bench = Bench(tmp_path, at(target), outside)
        assert await open_bench.fetched(mesh(elsewhere.url, own=True)) == b"solid"
        assert await open_bench.fetched(mesh(target.url, own=True)) == b"solid"
        await open_bench.api.close()
    assert len(elsewhere.asked) == 2
    assert all("authorization" not in asked.headers for asked in elsewhere.asked)


async def test_a_file_on_this_machine_or_its_network_is_not_fetched(
    bench: Bench, target: HttpTarget, elsewhere: HttpTarget
) -> None:
    for url in (elsewhere.url, "http://169.254.169.254/latest", "http://[::1]:1/", "file:///etc"):
        assert (await bench.fault(mesh(url))).blame is Blame.PROTOCOL
        target.answer = status(302, Location=url)
        assert (await bench.fault(mesh(target.url))).blame is Blame.PROTOCOL
    assert elsewhere.asked == []


async def test_a_file_that_leads_in_circles_is_left(bench: Bench, target: HttpTarget) -> None:
    target.answer = status(302, Location="/again")
    assert (await bench.fault(mesh(target.url))).code == "redirects"
    assert len(target.asked) == 4


@pytest.mark.parametrize("code", [403, 404, 410])
async def test_an_address_that_is_no_longer_good_has_expired(
    bench: Bench, target: HttpTarget, code: int
) -> None:
    target.answer = status(code)
    assert (await bench.fault(mesh(target.url))).blame is Blame.EXPIRED


async def test_a_file_that_breaks_off_is_to_be_fetched_again(
    bench: Bench, target: HttpTarget
) -> None:
    target.answer = halved
    assert (await bench.fault(mesh(target.url))).blame is Blame.RETRY_SAFE
    target.answer = bytes_of(b"short")
    assert (await bench.fault(mesh(target.url, size_bytes=10))).code == "file_truncated"


async def test_a_file_that_is_too_long_is_not_fetched_to_its_end(
    bench: Bench, target: HttpTarget
) -> None:
    target.answer = bytes_of(b"x" * 1001)
    fault = await bench.fault(mesh(target.url))
    assert (fault.blame, fault.code) == (Blame.INVALID_INPUT, "file_too_large")


async def test_events_come_as_they_are_said(bench: Bench, target: HttpTarget) -> None:
    target.answer = streaming([b"data: a\n", b"\n: alive\n\nevent: e", b"rror\ndata: b\n\n"])
    async with aclosing(bench.api.events("GET", "/s", within_s=5)) as events:
        assert [(event.name, event.data) async for event in events] == [
            ("message", "a"),
            ("error", "b"),
        ]


async def test_a_stream_that_falls_silent_or_is_none_ends(bench: Bench, target: HttpTarget) -> None:
    async def silent(request: web.Request, body: bytes) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await asyncio.get_running_loop().create_future()
        return response

    target.answer = silent
    with pytest.raises(ProviderFault) as caught:
        await drained(bench.api, silence_s=0.2)
    assert caught.value.blame is Blame.RETRY_SAFE
    target.answer = json_of({"whole": 1})
    assert await drained(bench.api) == ['{"whole": 1}']
    target.answer = status(401)
    with pytest.raises(ProviderFault) as caught:
        await drained(bench.api)
    assert caught.value.blame is Blame.AUTH_CONFIG


async def drained(api: Api, *, silence_s: float = 5.0) -> list[str]:
    async with aclosing(api.events("GET", "/", within_s=5, silence_s=silence_s)) as events:
        return [event.data async for event in events]


def json_of(document: object):  # type: ignore[no-untyped-def]
    async def answer(request: web.Request, body: bytes) -> web.StreamResponse:
        return web.json_response(document)

    return answer


def bytes_of(data: bytes):  # type: ignore[no-untyped-def]
    async def answer(request: web.Request, body: bytes) -> web.StreamResponse:
        return web.Response(body=data)

    return answer


def streaming(chunks: list[bytes]):  # type: ignore[no-untyped-def]
    async def answer(request: web.Request, body: bytes) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for chunk in chunks:
            await response.write(chunk)
        return response

    return answer


async def halved(request: web.Request, body: bytes) -> web.StreamResponse:
    """Announce more than is sent."""
    response = web.StreamResponse(headers={"Content-Length": "900"})
    await response.prepare(request)
    await response.write(b"{")
    assert request.transport is not None
    request.transport.close()
    return response
