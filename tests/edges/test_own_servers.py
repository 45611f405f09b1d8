"""One's own generators over real HTTP: beside the contract of all providers."""

import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from coordinator.adapters.providers.own_server.server import OwnServer
from coordinator.domain.providing import (
    Again,
    Blame,
    Cost,
    Kind,
    Phase,
    ProviderFault,
    Wish,
)
from tests.contracts.own_benches import PICTURE, SHOWN, at
from tests.fakes.fake_farm_gen import FakeFarmGen
from tests.fakes.fake_hunyuan import FakeHunyuan
from tests.fakes.fake_kserve import FakeKServe
from tests.fakes.http_target import http_target, status
from tests.fakes.one_provider import OneProvider, one_provider
from tests.fakes.paid_service import GLB, STL, Trouble, served

HOOK = Wish(kind=Kind.TEXT, prompt="a hook", seed=7, size_mm=60)


@pytest.fixture
async def box() -> AsyncIterator[FakeFarmGen]:
    async with served(FakeFarmGen()) as server:
        yield server


@asynccontextmanager
async def farm_gen(box: FakeFarmGen, folder: Path, **more: Any) -> AsyncIterator[OneProvider]:
    async with one_provider(OwnServer, at(box, "farm-gen-v1", **more), folder) as bench:
        yield bench


@pytest.fixture
async def bench(box: FakeFarmGen, tmp_path: Path) -> AsyncIterator[OneProvider]:
    async with farm_gen(box, tmp_path) as made:
        yield made


async def test_a_wish_is_told_and_what_it_does_not_say_is_left_out(
    bench: OneProvider, box: FakeFarmGen
) -> None:
    submitted = await bench.submit(HOOK)
    asked = box.tasks[submitted.handle.task_id].asked
    assert asked == {"prompt": "a hook", "seed": 7, "size_mm": 60}


async def test_pictures_go_as_files(bench: OneProvider, box: FakeFarmGen) -> None:
    submitted = await bench.submit(Wish(kind=Kind.MULTIVIEW, pictures=(PICTURE, PICTURE)))
    assert box.images[submitted.handle.task_id] == [PICTURE.data, PICTURE.data]


async def test_who_waits_is_told_how_many_are_before_and_how_far_it_is(
    bench: OneProvider, box: FakeFarmGen
) -> None:
    submitted = await bench.submit(HOOK)
    queued = await bench.look(submitted)
    assert (queued.queue_position, queued.progress) == (2, 0)
    box.finish()
    done = await bench.look(submitted)
    assert [(piece.role, piece.name, piece.own) for piece in done.pieces] == [
        ("mesh", "model.stl", True),
        ("picture", "preview.png", True),
    ]


@pytest.mark.parametrize(
    ("trouble", "blame"),
    [
        (Trouble(status=502), Blame.SUBMIT_UNSURE),
        (Trouble(status=503), Blame.WAIT_SLOT),
        (Trouble(status=429), Blame.WAIT_SLOT),
        (Trouble(status=403), Blame.AUTH_CONFIG),
        (Trouble(status=404), Blame.AUTH_CONFIG),
        (Trouble(status=422, body={"error": {"code": "content_blocked"}}), Blame.CONTENT_BLOCKED),
    ],
)
async def test_a_refusal_says_what_has_to_be_done(
    bench: OneProvider, box: FakeFarmGen, trouble: Trouble, blame: Blame
) -> None:
    box.misbehave("submit", trouble)
    assert (await bench.refused(HOOK)).blame is blame


async def test_a_failed_job_says_why_in_the_servers_words(
    bench: OneProvider, box: FakeFarmGen
) -> None:
    submitted = await bench.submit(HOOK)
    box.fail(code="out_of_memory", message=f"CUDA out of memory; key {box.key}\x1b[31m")
    fault = (await bench.look(submitted)).fault
    assert fault is not None
    assert (fault.blame, fault.code) == (Blame.PROVIDER_FAILED, "out_of_memory")
    assert "CUDA out of memory" in fault.message
    assert box.key not in fault.message
    assert "\x1b" not in fault.message


async def test_a_box_that_was_restarted_has_lost_its_jobs(
    bench: OneProvider, box: FakeFarmGen
) -> None:
    submitted = await bench.submit(HOOK)
    box.forget()
    with pytest.raises(ProviderFault) as caught:
        await bench.look(submitted)
    assert caught.value.blame is Blame.EXPIRED


async def test_files_elsewhere_are_fetched_without_the_key_and_never_from_this_network(
    bench: OneProvider, box: FakeFarmGen
) -> None:
    async with http_target(status(200)) as other:
        told = {"status": "succeeded", "artifacts": [{"name": "a.stl", "url": other.url}]}
        submitted = await bench.submit(HOOK)
        box.misbehave("look", Trouble(status=200, body=told))
        [piece] = (await bench.look(submitted)).pieces
        assert not piece.own
        assert (await bench.unfetched(piece)).code == "address_not_allowed"
        assert not other.asked


async def test_an_old_message_is_no_hint(box: FakeFarmGen, tmp_path: Path) -> None:
    async with farm_gen(box, tmp_path, webhook={"secret": box.webhook_secret}) as bench:
        box.now_ms = int(bench.clock.now().timestamp() * 1000)
        headers, body = box.delivery("task-0001")
        assert [hint.task_id for hint in bench.provider.hints(headers, body)] == ["task-0001"]
        bench.clock.advance(301)
        with pytest.raises(ProviderFault):
            bench.provider.hints(headers, body)


async def test_hunyuan_tells_of_its_model_once_it_is_there(tmp_path: Path) -> None:
    async with served(FakeHunyuan()) as server:
        server.file = GLB
        async with one_provider(OwnServer, at(server, "hunyuan3d-2"), tmp_path) as bench:
            submitted = await bench.submit(SHOWN)
            [task] = server.tasks.values()
            assert base64.b64decode(task.asked["image"]) == PICTURE.data
            assert set(task.asked) == {"image", "texture", "type"}
            assert (await bench.look(submitted)).phase is Phase.RUNNING
            server.finish()
            seen = await bench.look(submitted)
            assert await bench.fetched(seen.pieces[0]) == GLB


async def test_hunyuans_404_says_that_the_work_failed_and_not_that_nothing_is_there(
    tmp_path: Path,
) -> None:
    async with (
        served(FakeHunyuan()) as server,
        one_provider(OwnServer, at(server, "hunyuan3d-2-sync"), tmp_path) as bench,
    ):
        server.broken = True
        fault = await bench.refused(SHOWN)
        assert fault.blame is Blame.PROVIDER_FAILED
        assert "NETWORK ERROR" in fault.message
        server.broken = False
        assert (await bench.made(SHOWN)).pieces[0].suffix == ".stl"


async def test_kserve_is_asked_with_the_inputs_that_there_are(tmp_path: Path) -> None:
    async with served(FakeKServe()) as server:
        options = at(server, "kserve-v2", constants={"model": "shape"})
        async with one_provider(OwnServer, options, tmp_path) as bench:
            await bench.made(HOOK)
            await bench.made(SHOWN)
            names = [[tensor["name"] for tensor in each["inputs"]] for each in server.requests]
            assert names == [["prompt"], ["image"]]
            server.misbehave("submit", Trouble(status=503, body={"error": "queue is full"}))
            assert (await bench.refused(HOOK)).blame is Blame.WAIT_SLOT
            server.ready = False
            assert not (await bench.provider.health()).ready


async def test_a_model_that_is_not_served_is_the_operators_matter(tmp_path: Path) -> None:
    async with served(FakeKServe()) as server:
        options = at(server, "kserve-v2", constants={"model": "../shape"})
        async with one_provider(OwnServer, options, tmp_path) as bench:
            fault = await bench.refused(HOOK)
    assert fault.blame is Blame.AUTH_CONFIG
    assert "unknown model: '../shape'" in fault.message


async def test_torchserve_gets_the_picture_and_gives_the_file(tmp_path: Path) -> None:
    async with http_target(gives(STL)) as target:
        options = {
            "preset": "torchserve",
            "base_url": f"http://127.0.0.1:{target.port}",
            "constants": {"model": "triposr"},
            "cost": {"fixed": "0.02", "unit": "EUR"},
        }
        async with one_provider(OwnServer, options, tmp_path) as bench:
            assert bench.provider.offer.again is Again.NEVER
            cost = Cost(amount=Decimal("0.02"), unit="EUR", exact=True)
            assert await bench.provider.estimate(SHOWN) == cost
            seen = await bench.made(SHOWN)
            [asked] = target.asked
            assert (asked.path, asked.body) == ("/predictions/triposr", PICTURE.data)
            assert asked.headers["content-type"] == "image/png"
            assert (seen.pieces[0].data, seen.charged) == (STL, cost)
            target.answer = gives(b"<html>sorry</html>")
            assert (await bench.refused(SHOWN)).blame is Blame.SUBMIT_UNSURE


async def test_a_server_by_hand_is_asked_and_read_as_configured(tmp_path: Path) -> None:
    """Every place where an answer can be told to stand, and its price by the second."""

    async def answer(request: web.Request, body: bytes) -> web.StreamResponse:
        answers: dict[str, Any] = {
            "/make": {"job": {"id": 5}},
            "/jobs/5": {"state": "Ready", "percent": 100, "took": 12},
            "/jobs/5/files": {"list": [{"b64": base64.b64encode(STL).decode()}]},
        }
        return web.json_response(answers[request.path])

    async with http_target(answer) as target:
        options = {
            "base_url": f"http://127.0.0.1:{target.port}",
            "auth": "basic",
            "username": "anna",
            "api_key": "word",
            "submit": {"path": "/make", "task_id": "/job/id", "body": {"words": "${prompt}!"}},
            "status": {
                "path": "/jobs/${task_id}",
                "phase": "/state",
                "phases": {"Ready": "succeeded"},
                "progress": "/percent",
                "progress_full": 100,
            },
            "result": {"call": {"path": "/jobs/${task_id}/files"}, "files": "/list"}
            | {"data": "/b64"},
            "cost": {"per_s": "0.01", "seconds": "/took", "unit": "USD"},
            "patience_s": 100,
        }
        async with one_provider(OwnServer, options, tmp_path) as bench:
            foretold = await bench.provider.estimate(HOOK)
            assert foretold == Cost(amount=Decimal("1.00"), unit="USD")
            submitted = await bench.submit(HOOK)
            seen = await bench.look(submitted)
    assert (submitted.handle.task_id, seen.progress) == ("5", 1)
    assert seen.charged == Cost(amount=Decimal("0.12"), unit="USD", exact=True)
    assert [(piece.suffix, piece.data) for piece in seen.pieces] == [(".stl", STL)]
    assert json.loads(target.asked[0].body) == {"words": "a hook!"}
    pair = base64.b64encode(b"anna:word").decode()
    assert all(each.headers["authorization"] == f"Basic {pair}" for each in target.asked)


def gives(data: bytes) -> Any:
    async def answer(request: web.Request, body: bytes) -> web.StreamResponse:
        return web.Response(body=data)

    return answer
