"""A ComfyUI of one's own, over real HTTP: beside the contract of all providers."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from coordinator.adapters.providers.own_server.comfyui import ComfyUI
from coordinator.domain.providing import Blame, CallingOff, Kind, Phase, ProviderFault, Wish
from coordinator.errors import SettingsInvalid
from tests.contracts.own_benches import PICTURE, WORKFLOW
from tests.fakes.fake_comfyui import FakeComfyUI
from tests.fakes.manual_clock import NOON
from tests.fakes.one_provider import KEY, OneProvider, one_provider
from tests.fakes.paid_service import Trouble, served

SHOWN = Wish(kind=Kind.IMAGE, pictures=(PICTURE,), seed=7, options={"steps": 30})
OPTIONS = {"steps": {"type": "integer"}}


@pytest.fixture
async def server() -> AsyncIterator[FakeComfyUI]:
    async with served(FakeComfyUI()) as made:
        yield made


@asynccontextmanager
async def comfyui(server: FakeComfyUI, folder: Path, **more: Any) -> AsyncIterator[OneProvider]:
    file = folder / "workflow.json"
    file.write_text(json.dumps(more.pop("workflow", WORKFLOW)))
    options = {
        "base_url": server.url,
        "api_key": server.key,
        "workflow_file": str(file),
        "options": OPTIONS,
        "call_s": 5,
    }
    async with one_provider(ComfyUI, {**options, **more}, folder) as bench:
        yield bench


@pytest.fixture
async def bench(server: FakeComfyUI, tmp_path: Path) -> AsyncIterator[OneProvider]:
    async with comfyui(server, tmp_path) as made:
        yield made


async def test_a_workflow_is_filled_and_its_picture_brought(
    bench: OneProvider, server: FakeComfyUI
) -> None:
    submitted = await bench.submit(SHOWN)
    [(prompt_id, task)] = server.tasks.items()
    assert submitted.handle.task_id == prompt_id
    graph = task.asked["prompt"]
    assert graph["3"]["inputs"] == {"seed": 7, "steps": 30, "image": ["1", 0]}
    assert server.uploads == {graph["1"]["inputs"]["image"]: PICTURE.data}
    server.finish()
    done = await bench.look(submitted)
    assert (done.phase, done.told) == (Phase.SUCCEEDED, {"seed": 7})
    await bench.provider.delete(submitted.handle)
    assert not server.tasks


async def test_who_waits_is_told_how_many_are_before(
    bench: OneProvider, server: FakeComfyUI
) -> None:
    first, second = await bench.submit(SHOWN, "first"), await bench.submit(SHOWN, "second")
    server.hold("waiting")
    assert [(await bench.look(each)).queue_position for each in (first, second)] == [0, 1]


async def test_without_a_seed_the_key_makes_one_that_is_told(
    bench: OneProvider, server: FakeComfyUI
) -> None:
    submitted = await bench.submit(Wish(kind=Kind.IMAGE, pictures=(PICTURE,)))
    inputs = server.tasks[submitted.handle.task_id].asked["prompt"]["3"]["inputs"]
    assert inputs["seed"] == submitted.handle.extra["seed"]
    assert "steps" not in inputs
    found = await bench.provider.recall(Wish(kind=Kind.IMAGE, pictures=(PICTURE,)), KEY, NOON)
    assert found == submitted.handle


@pytest.mark.parametrize("state", ["waiting", "running", "done", "failed"])
async def test_a_prompt_whose_answer_was_lost_is_found_wherever_it_is(
    bench: OneProvider, server: FakeComfyUI, state: str
) -> None:
    server.misbehave("submit", Trouble(how="drop", after=True))
    assert (await bench.refused(SHOWN)).blame is Blame.SUBMIT_UNSURE
    server.hold(state)
    found = await bench.provider.recall(SHOWN, KEY, NOON)
    assert found is not None
    assert (await bench.provider.look(found)).phase is not Phase.UNKNOWN


async def test_what_two_looks_do_not_find_was_lost(bench: OneProvider, server: FakeComfyUI) -> None:
    submitted = await bench.submit(SHOWN)
    server.forget()
    assert (await bench.look(submitted)).phase is Phase.UNKNOWN
    lost = await bench.look(submitted)
    assert lost.fault is not None
    assert (lost.phase, lost.fault.code) == (Phase.FAILED, "task_lost")


async def test_a_look_that_fails_is_no_look_that_found_nothing(
    bench: OneProvider, server: FakeComfyUI
) -> None:
    submitted = await bench.submit(SHOWN)
    for call in ("look", "result") * 2:
        server.hold("done")
        server.misbehave(call, Trouble(status=500))
        with pytest.raises(ProviderFault) as caught:
            await bench.look(submitted)
        assert caught.value.blame is Blame.RETRY_SAFE
    assert (await bench.look(submitted)).phase is Phase.SUCCEEDED


async def test_a_node_that_fails_is_named(bench: OneProvider, server: FakeComfyUI) -> None:
    submitted = await bench.submit(SHOWN)
    server.fail(exception_message="Allocation on device 0 would exceed allowed memory")
    fault = (await bench.look(submitted)).fault
    assert fault is not None
    assert "KSampler: Allocation on device" in fault.message


async def test_a_workflow_that_is_not_taken_says_why(
    bench: OneProvider, server: FakeComfyUI
) -> None:
    told = {
        "error": {"type": "prompt_outputs_failed_validation", "message": "failed validation"},
        "node_errors": {"3": {"errors": [{"message": "Value not in list", "details": "x.ckpt"}]}},
    }
    server.misbehave("submit", Trouble(status=400, body=told))
    fault = await bench.refused(SHOWN)
    assert fault.blame is Blame.INVALID_INPUT
    assert "node 3: Value not in list x.ckpt" in fault.message


@pytest.mark.parametrize("jobs_api", [True, False])
@pytest.mark.parametrize("state", ["waiting", "running"])
async def test_calling_off_works_in_newer_and_older_versions(
    tmp_path: Path, jobs_api: bool, state: str
) -> None:
    async with (
        served(FakeComfyUI(jobs_api=jobs_api)) as server,
        comfyui(server, tmp_path) as bench,
    ):
        submitted, other = await bench.submit(SHOWN), await bench.submit(SHOWN, "other")
        server.hold("waiting")
        server.tasks[submitted.handle.task_id].walk = (state,)
        assert await bench.provider.call_off(submitted.handle) is CallingOff.DONE
        assert [task_id for task_id, _ in server.till.refunds] == [submitted.handle.task_id]
        assert server.tasks[other.handle.task_id].state == "waiting"
        if state == "running":
            assert (await bench.look(submitted)).phase is Phase.CANCELLED


async def test_what_it_does_not_know_may_have_been_called_off(
    bench: OneProvider, server: FakeComfyUI
) -> None:
    submitted = await bench.submit(SHOWN)
    server.forget()
    assert await bench.provider.call_off(submitted.handle) is CallingOff.UNKNOWN


async def test_the_best_file_that_was_kept_comes_first(
    bench: OneProvider, server: FakeComfyUI
) -> None:
    server.outputs = {
        "7": {"images": [{"filename": "a.png", "subfolder": "", "type": "temp"}]},
        "8": {"3d": [{"filename": "p.stl", "subfolder": "", "type": "temp"}]},
        "9": {"result": ["mesh/b.glb", None, "words"], "animated": [False]},
        "10": {"3d": [{"filename": "c.obj", "subfolder": "x y", "type": "output"}]},
        "11": {"3d": "nonsense"},
    }
    submitted = await bench.submit(SHOWN)
    server.finish()
    pieces = (await bench.look(submitted)).pieces
    assert [piece.name for piece in pieces] == ["c.obj", "b.glb", "p.stl", "a.png"]
    assert pieces[0].url.endswith("/view?filename=c.obj&subfolder=x+y&type=output")


async def test_only_the_nodes_that_are_named_count(server: FakeComfyUI, tmp_path: Path) -> None:
    async with comfyui(server, tmp_path, outputs=["12"]) as bench:
        submitted = await bench.submit(SHOWN)
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
    server: FakeComfyUI, tmp_path: Path, workflow: Any, words: str
) -> None:
    with pytest.raises(SettingsInvalid) as caught:
        async with comfyui(server, tmp_path, workflow=workflow):
            raise AssertionError("it was taken")
    assert words in caught.value.reason
