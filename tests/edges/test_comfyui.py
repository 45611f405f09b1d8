"""A ComfyUI of one's own, over real HTTP."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from coordinator.adapters.providers.own_server.comfyui import ComfyUI
from coordinator.domain.providing import (
    Again,
    Blame,
    CallingOff,
    Kind,
    Phase,
    Picture,
    ProviderFault,
    Wish,
)
from coordinator.errors import SettingsInvalid
from tests.fakes.comfyui_server import ComfyUIServer
from tests.fakes.manual_clock import NOON
from tests.fakes.one_provider import KEY, OneProvider, one_provider
from tests.fakes.troubled_server import drops_after, drops_before, refuses, served

PNG = Picture(media_type="image/png", data=b"\x89PNG\r\n\x1a\n" + bytes(20))
SHOWN = Wish(kind=Kind.IMAGE, pictures=(PNG,), seed=7, options={"steps": 30})
WORKFLOW: dict[str, Any] = {
    "1": {"class_type": "LoadImage", "inputs": {"image": "${image}"}},
    "3": {
        "class_type": "KSampler",
        "inputs": {"seed": "${seed}", "steps": "${option.steps}", "image": ["1", 0]},
    },
    "9": {"class_type": "SaveGLB", "inputs": {"filename_prefix": "${filename_prefix}"}},
}
OPTIONS = {"steps": {"type": "integer"}}


@pytest.fixture
async def server() -> AsyncIterator[ComfyUIServer]:
    async with served(ComfyUIServer(mesh=b"glTF mesh")) as made:
        yield made


@asynccontextmanager
async def comfyui(server: ComfyUIServer, folder: Path, **more: Any) -> AsyncIterator[OneProvider]:
    file = folder / "workflow.json"
    file.write_text(json.dumps(more.pop("workflow", WORKFLOW)))
    options = {"base_url": server.url, "workflow_file": str(file), "options": OPTIONS, "call_s": 5}
    async with one_provider(ComfyUI, {**options, **more}, folder) as bench:
        yield bench


@pytest.fixture
async def bench(server: ComfyUIServer, tmp_path: Path) -> AsyncIterator[OneProvider]:
    async with comfyui(server, tmp_path) as made:
        yield made


async def test_a_workflow_is_filled_queued_and_its_file_fetched(
    bench: OneProvider, server: ComfyUIServer
) -> None:
    submitted = await bench.submit(SHOWN)
    [(prompt_id, graph)] = server.pending
    assert submitted.handle.task_id == prompt_id
    assert graph["3"]["inputs"] == {"seed": 7, "steps": 30, "image": ["1", 0]}
    assert graph["1"]["inputs"]["image"] == f"farmhand/{prompt_id}-1.png"
    assert server.uploads == {f"{prompt_id}-1.png": PNG.data}
    assert (await bench.look(submitted)).phase is Phase.QUEUED
    server.begin()
    assert (await bench.look(submitted)).phase is Phase.RUNNING
    server.finish()
    done = await bench.look(submitted)
    assert (done.phase, done.told) == (Phase.SUCCEEDED, {"seed": 7})
    assert await bench.fetched(done.pieces[0]) == b"glTF mesh"
    await bench.provider.delete(submitted.handle)
    assert not server.history


async def test_who_waits_is_told_how_many_are_before(
    bench: OneProvider, server: ComfyUIServer
) -> None:
    first, second = await bench.submit(SHOWN, "first"), await bench.submit(SHOWN, "second")
    assert [(await bench.look(each)).queue_position for each in (first, second)] == [0, 1]


async def test_without_a_seed_the_key_makes_one_that_is_told(
    bench: OneProvider, server: ComfyUIServer
) -> None:
    submitted = await bench.submit(Wish(kind=Kind.IMAGE, pictures=(PNG,)))
    [(_, graph)] = server.pending
    assert graph["3"]["inputs"]["seed"] == submitted.handle.extra["seed"]
    assert "steps" not in graph["3"]["inputs"]


@pytest.mark.parametrize("stage", ["pending", "running", "ended"])
async def test_a_prompt_whose_answer_was_lost_is_found_by_its_key(
    bench: OneProvider, server: ComfyUIServer, stage: str
) -> None:
    assert bench.provider.offer.again is Again.LISTED
    server.next("POST /prompt", drops_after)
    assert (await bench.refused(SHOWN)).blame is Blame.SUBMIT_UNSURE
    if stage != "pending":
        server.begin()
    if stage == "ended":
        server.finish()
    found = await bench.provider.recall(SHOWN, KEY, NOON)
    assert found is not None
    assert (await bench.provider.look(found)).phase is not Phase.UNKNOWN
    assert server.till == 1


async def test_a_prompt_that_never_arrived_is_not_found(
    bench: OneProvider, server: ComfyUIServer
) -> None:
    server.next("POST /prompt", drops_before)
    assert (await bench.refused(SHOWN)).blame is Blame.SUBMIT_UNSURE
    assert await bench.provider.recall(SHOWN, KEY, NOON) is None


async def test_what_two_looks_do_not_find_was_lost(
    bench: OneProvider, server: ComfyUIServer
) -> None:
    submitted = await bench.submit(SHOWN)
    server.restart()
    assert (await bench.look(submitted)).phase is Phase.UNKNOWN
    lost = await bench.look(submitted)
    assert lost.fault is not None
    assert (lost.phase, lost.fault.code) == (Phase.FAILED, "task_lost")


async def test_a_look_that_fails_is_no_look_that_found_nothing(
    bench: OneProvider, server: ComfyUIServer
) -> None:
    submitted = await bench.submit(SHOWN)
    for _ in range(3):
        server.next("GET /queue", refuses(500))
        with pytest.raises(ProviderFault) as caught:
            await bench.look(submitted)
        assert caught.value.blame is Blame.RETRY_SAFE
    assert (await bench.look(submitted)).phase is Phase.QUEUED


async def test_a_node_that_fails_is_named(bench: OneProvider, server: ComfyUIServer) -> None:
    submitted = await bench.submit(SHOWN)
    server.begin()
    server.fail("Allocation on device 0 would exceed allowed memory")
    fault = (await bench.look(submitted)).fault
    assert fault is not None
    assert fault.blame is Blame.PROVIDER_FAILED
    assert "KSampler: Allocation on device" in fault.message


async def test_a_workflow_that_is_not_taken_says_why(
    bench: OneProvider, server: ComfyUIServer
) -> None:
    told = {
        "error": {"type": "prompt_outputs_failed_validation", "message": "failed validation"},
        "node_errors": {"3": {"errors": [{"message": "Value not in list", "details": "x.ckpt"}]}},
    }
    server.next("POST /prompt", refuses(400, told))
    fault = await bench.refused(SHOWN)
    assert fault.blame is Blame.INVALID_INPUT
    assert "node 3: Value not in list x.ckpt" in fault.message


@pytest.mark.parametrize("jobs_api", [True, False])
@pytest.mark.parametrize("running", [True, False])
async def test_calling_off_works_in_newer_and_older_versions(
    tmp_path: Path, jobs_api: bool, running: bool
) -> None:
    async with (
        served(ComfyUIServer(jobs_api=jobs_api)) as server,
        comfyui(server, tmp_path) as bench,
    ):
        submitted, other = await bench.submit(SHOWN), await bench.submit(SHOWN, "other")
        if running:
            server.begin()
        assert await bench.provider.call_off(submitted.handle) is CallingOff.DONE
        assert [each[0] for each in server.pending] == [other.handle.task_id]
        assert not server.running
        if running:
            assert (await bench.look(submitted)).phase is Phase.CANCELLED


async def test_what_has_ended_can_not_be_called_off(
    bench: OneProvider, server: ComfyUIServer
) -> None:
    submitted = await bench.submit(SHOWN)
    server.begin()
    server.finish()
    assert await bench.provider.call_off(submitted.handle) is CallingOff.REFUSED
    server.restart()
    assert await bench.provider.call_off(submitted.handle) is CallingOff.UNKNOWN


async def test_the_best_file_that_was_kept_comes_first(
    bench: OneProvider, server: ComfyUIServer
) -> None:
    submitted = await bench.submit(SHOWN)
    server.begin()
    server.finish(
        {
            "7": {"images": [{"filename": "a.png", "subfolder": "", "type": "temp"}]},
            "8": {"3d": [{"filename": "p.stl", "subfolder": "", "type": "temp"}]},
            "9": {"result": ["mesh/b.glb", None, "words"], "animated": [False]},
            "10": {"3d": [{"filename": "c.obj", "subfolder": "x y", "type": "output"}]},
            "11": {"3d": "nonsense"},
        }
    )
    pieces = (await bench.look(submitted)).pieces
    assert [piece.name for piece in pieces] == ["c.obj", "b.glb", "p.stl", "a.png"]
    assert pieces[0].url.endswith("/view?filename=c.obj&subfolder=x+y&type=output")


async def test_only_the_nodes_that_are_named_count(server: ComfyUIServer, tmp_path: Path) -> None:
    async with comfyui(server, tmp_path, outputs=["12"]) as bench:
        submitted = await bench.submit(SHOWN)
        server.begin()
        server.finish()
        fault = (await bench.look(submitted)).fault
    assert fault is not None
    assert fault.code == "no_model"


async def test_health_says_which_version_it_is(bench: OneProvider) -> None:
    assert (await bench.provider.health()).words == "ComfyUI 0.38.0"


@pytest.mark.parametrize(
    ("workflow", "words"),
    [
        ({"nodes": [], "links": []}, "Export (API)"),
        ([], "Export (API)"),
        ({"1": {"class_type": "X", "inputs": {"a": "${image_2}"}}}, "${image_2}"),
    ],
)
async def test_a_workflow_that_can_not_work_is_refused(
    server: ComfyUIServer, tmp_path: Path, workflow: Any, words: str
) -> None:
    with pytest.raises(SettingsInvalid) as caught:
        async with comfyui(server, tmp_path, workflow=workflow):
            raise AssertionError("it was taken")
    assert words in caught.value.reason
