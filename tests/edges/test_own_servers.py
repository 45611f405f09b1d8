"""One's own generators over real HTTP: by presets, by hand, and with servers that misbehave."""

import base64
import hashlib
import hmac
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
    CallingOff,
    Cost,
    Kind,
    Phase,
    Picture,
    ProviderFault,
    Wish,
)
from tests.fakes.farm_gen_server import FarmGenServer
from tests.fakes.http_target import http_target, status
from tests.fakes.hunyuan_server import HunyuanServer
from tests.fakes.kserve_server import KServeServer
from tests.fakes.one_provider import OneProvider, one_provider
from tests.fakes.troubled_server import (
    breaks_off,
    drops_after,
    drops_before,
    never_answers,
    refuses,
    served,
    talks_nonsense,
)

PNG = Picture(media_type="image/png", data=b"\x89PNG\r\n\x1a\n" + bytes(20))
HOOK = Wish(kind=Kind.TEXT, prompt="a hook", seed=7, size_mm=60)
SHOWN = Wish(kind=Kind.IMAGE, pictures=(PNG,))
STL = b"solid box\nendsolid box\n"


@pytest.fixture
async def box() -> AsyncIterator[FarmGenServer]:
    async with served(FarmGenServer(mesh=STL)) as server:
        yield server


@asynccontextmanager
async def farm_gen(box: FarmGenServer, folder: Path, **more: Any) -> AsyncIterator[OneProvider]:
    options = {"preset": "farm-gen-v1", "base_url": box.url, "api_key": box.token, "call_s": 5}
    async with one_provider(OwnServer, {**options, **more}, folder) as bench:
        yield bench


@pytest.fixture
async def bench(box: FarmGenServer, tmp_path: Path) -> AsyncIterator[OneProvider]:
    async with farm_gen(box, tmp_path) as made:
        yield made


async def test_a_job_of_ones_own_box_is_followed_from_wish_to_file(
    bench: OneProvider, box: FarmGenServer
) -> None:
    submitted = await bench.submit(HOOK)
    assert box.jobs[submitted.handle.task_id].request == {
        "prompt": "a hook",
        "seed": 7,
        "size_mm": 60,
    }
    queued = await bench.look(submitted)
    assert (queued.phase, queued.queue_position, queued.progress) == (Phase.QUEUED, 2, 0)
    box.move_on()
    assert (await bench.look(submitted)).progress == 0.5
    box.move_on()
    done = await bench.look(submitted)
    assert [(piece.role, piece.name) for piece in done.pieces] == [
        ("mesh", "model.stl"),
        ("picture", "preview.png"),
    ]
    assert all(piece.own for piece in done.pieces)
    assert await bench.fetched(done.pieces[0]) == STL


async def test_pictures_go_as_files(bench: OneProvider, box: FarmGenServer) -> None:
    submitted = await bench.submit(Wish(kind=Kind.MULTIVIEW, pictures=(PNG, PNG)))
    assert box.jobs[submitted.handle.task_id].images == [PNG.data, PNG.data]


async def test_the_same_key_is_the_same_job_and_is_paid_once(
    bench: OneProvider, box: FarmGenServer
) -> None:
    assert bench.provider.offer.again is Again.SAME_KEY
    box.next("POST /v1/jobs", drops_after)
    fault = await bench.refused(HOOK)
    assert fault.blame is Blame.SUBMIT_UNSURE
    submitted = await bench.submit(HOOK)
    assert (box.till, list(box.jobs)) == (1, [submitted.handle.task_id])


@pytest.mark.parametrize(
    ("trouble", "blame"),
    [
        (drops_before, Blame.SUBMIT_UNSURE),
        (talks_nonsense, Blame.SUBMIT_UNSURE),
        (never_answers, Blame.SUBMIT_UNSURE),
        (refuses(502), Blame.SUBMIT_UNSURE),
        (refuses(503), Blame.WAIT_SLOT),
        (refuses(429, Retry_After="7"), Blame.WAIT_SLOT),
        (refuses(401), Blame.AUTH_CONFIG),
        (refuses(402), Blame.QUOTA),
        (refuses(422), Blame.INVALID_INPUT),
        (refuses(400, {"error": {"code": "content_blocked"}}), Blame.CONTENT_BLOCKED),
    ],
)
async def test_what_goes_wrong_at_a_submit_says_what_has_to_be_done(
    box: FarmGenServer, tmp_path: Path, trouble: Any, blame: Blame
) -> None:
    async with farm_gen(box, tmp_path, call_s=0.5) as bench:
        box.next("POST /v1/jobs", trouble)
        fault = await bench.refused(HOOK)
    assert fault.blame is blame, fault
    assert box.token not in fault.message
    assert fault.after_s == (7 if fault.code == "http_429" else None)


async def test_a_failed_job_says_why_in_the_servers_words(
    bench: OneProvider, box: FarmGenServer
) -> None:
    submitted = await bench.submit(HOOK)
    box.fail("out_of_memory", f"CUDA out of memory; key {box.token}\x1b[31m")
    seen = await bench.look(submitted)
    assert seen.phase is Phase.FAILED
    assert seen.fault is not None
    assert (seen.fault.blame, seen.fault.code) == (Blame.PROVIDER_FAILED, "out_of_memory")
    assert "CUDA out of memory" in seen.fault.message
    assert box.token not in seen.fault.message
    assert "\x1b" not in seen.fault.message


async def test_a_word_that_nobody_knows_is_unknown_and_no_end(
    bench: OneProvider, box: FarmGenServer
) -> None:
    submitted = await bench.submit(HOOK)
    box.word = "polishing"
    assert (await bench.look(submitted)).phase is Phase.UNKNOWN


async def test_a_box_that_was_restarted_has_lost_its_jobs(
    bench: OneProvider, box: FarmGenServer
) -> None:
    submitted = await bench.submit(HOOK)
    box.restart()
    with pytest.raises(ProviderFault) as caught:
        await bench.look(submitted)
    assert caught.value.blame is Blame.EXPIRED


async def test_calling_off_says_what_became_of_it(bench: OneProvider, box: FarmGenServer) -> None:
    submitted = await bench.submit(HOOK)
    assert await bench.provider.call_off(submitted.handle) is CallingOff.DONE
    assert (await bench.look(submitted)).phase is Phase.CANCELLED
    box.restart()
    assert await bench.provider.call_off(submitted.handle) is CallingOff.UNKNOWN
    done = await bench.submit(HOOK, "another-key")
    box.move_on(2)
    assert await bench.provider.call_off(done.handle) is CallingOff.REFUSED


async def test_a_download_that_breaks_off_is_tried_again_and_one_that_is_gone_is_not(
    bench: OneProvider, box: FarmGenServer
) -> None:
    submitted = await bench.submit(HOOK)
    box.move_on(2)
    [mesh, _] = (await bench.look(submitted)).pieces
    box.next("GET /v1/jobs", breaks_off)
    assert (await bench.unfetched(mesh)).blame is Blame.RETRY_SAFE
    box.restart()
    assert (await bench.unfetched(mesh)).blame is Blame.EXPIRED


async def test_files_elsewhere_are_fetched_without_the_key_and_never_from_this_network(
    box: FarmGenServer, tmp_path: Path
) -> None:
    async with http_target(status(200)) as other, farm_gen(box, tmp_path) as bench:
        here = {"status": "succeeded", "artifacts": [{"name": "a.stl", "url": other.url}]}
        submitted = await bench.submit(HOOK)
        box.next("GET /v1/jobs", refuses(200, here))
        [piece] = (await bench.look(submitted)).pieces
        assert not piece.own
        assert (await bench.unfetched(piece)).code == "address_not_allowed"
        assert not other.asked


async def test_a_signed_message_hints_at_its_task_and_another_is_refused(
    box: FarmGenServer, tmp_path: Path
) -> None:
    webhook = {"secret": "hush", "task_id": "/id"}
    async with farm_gen(box, tmp_path, webhook=webhook) as bench:
        body = json.dumps({"id": "gj-1", "status": "succeeded"}).encode()
        now = int(bench.clock.now().timestamp())

        def headers(secret: str, at: int) -> dict[str, str]:
            signed = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256)
            return {"x-farm-signature": f"t={at},v1={signed.hexdigest()}"}

        [hint] = bench.provider.hints(headers("hush", now), body)
        assert hint.task_id == "gj-1"
        for bad in (headers("other", now), headers("hush", now - 301), {}):
            with pytest.raises(ProviderFault) as caught:
                bench.provider.hints(bad, body)
            assert caught.value.blame is Blame.AUTH_CONFIG


async def test_health_is_what_its_address_answers(bench: OneProvider, box: FarmGenServer) -> None:
    assert (await bench.provider.health()).ready
    box.next("GET /healthz", refuses(500))
    assert not (await bench.provider.health()).ready


async def test_hunyuan_tells_of_its_model_once_it_is_there(tmp_path: Path) -> None:
    async with served(HunyuanServer(mesh=b"glTF mesh")) as server:
        options = {"preset": "hunyuan3d-2", "base_url": server.url}
        async with one_provider(OwnServer, options, tmp_path) as bench:
            submitted = await bench.submit(SHOWN)
            [sent] = server.wishes.values()
            assert base64.b64decode(sent["image"]) == PNG.data
            assert (sent["type"], "text" in sent, "seed" in sent) == ("glb", False, False)
            assert (await bench.look(submitted)).phase is Phase.RUNNING
            server.finish()
            seen = await bench.look(submitted)
            assert await bench.fetched(seen.pieces[0]) == b"glTF mesh"


async def test_hunyuans_404_says_that_the_work_failed_and_not_that_nothing_is_there(
    tmp_path: Path,
) -> None:
    async with served(HunyuanServer(mesh=STL)) as server:
        options = {"preset": "hunyuan3d-2-sync", "base_url": server.url}
        async with one_provider(OwnServer, options, tmp_path) as bench:
            server.broken = True
            fault = await bench.refused(SHOWN)
            assert fault.blame is Blame.PROVIDER_FAILED
            assert "NETWORK ERROR" in fault.message
            server.broken = False
            seen = await bench.made(SHOWN)
            assert (seen.pieces[0].suffix, seen.pieces[0].data) == (".stl", STL)


async def test_kserve_is_asked_with_the_inputs_that_there_are(tmp_path: Path) -> None:
    async with served(KServeServer(mesh=b"glTF mesh")) as server:
        options = {
            "preset": "kserve-v2",
            "base_url": server.url,
            "constants": {"model": "shape"},
        }
        async with one_provider(OwnServer, options, tmp_path) as bench:
            seen = await bench.made(HOOK)
            assert await bench.fetched(seen.pieces[0]) == b"glTF mesh"
            await bench.made(SHOWN)
            names = [[tensor["name"] for tensor in each["inputs"]] for each in server.requests]
            assert names == [["prompt"], ["image"]]
            server.next("POST /v2", refuses(503, {"error": "queue is full"}))
            assert (await bench.refused(HOOK)).blame is Blame.WAIT_SLOT
            server.ready = False
            assert not (await bench.provider.health()).ready
        async with one_provider(
            OwnServer, {**options, "constants": {"model": "../../x"}}, tmp_path
        ) as bench:
            fault = await bench.refused(HOOK)
            assert (fault.blame, server.asked[-1].path) == (
                Blame.AUTH_CONFIG,
                "/v2/models/../../x/infer",
            )


async def test_torchserve_gets_the_picture_and_gives_the_file(tmp_path: Path) -> None:
    async with http_target() as target:
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
            target.answer = gives(STL)
            seen = await bench.made(SHOWN)
            [asked] = target.asked
            assert (asked.path, asked.body) == ("/predictions/triposr", PNG.data)
            assert asked.headers["content-type"] == "image/png"
            assert (seen.pieces[0].data, seen.charged) == (STL, cost)
            target.answer = gives(b"<html>sorry</html>")
            assert (await bench.refused(SHOWN)).code == "no_file"


def gives(data: bytes) -> Any:
    async def answer(request: web.Request, body: bytes) -> web.Response:
        return web.Response(body=data)

    return answer
