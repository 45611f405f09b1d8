"""What is Meshy's own, against a server that stands in for it."""

import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from decimal import Decimal
from pathlib import Path

import pytest

from coordinator.adapters.providers.http import data_uri
from coordinator.adapters.providers.meshy.asking import MeshyOptions, price_of
from coordinator.adapters.providers.meshy.provider import Meshy
from coordinator.domain.parcels import is_report
from coordinator.domain.providing import (
    Blame,
    CallingOff,
    Kind,
    Phase,
    Picture,
    ProviderFault,
    Wish,
)
from tests.contracts.provider_benches import PICTURE, meshy
from tests.fakes.fake_meshy import FakeMeshy
from tests.fakes.paid_service import STL, Trouble
from tests.fakes.provider_bench import ProviderBench

WEBP = Picture(media_type="image/webp", data=b"RIFF\x04\0\0\0WEBP")
HOOK = Wish(kind=Kind.TEXT, prompt="a hook")


def shown(**options: str | int | bool) -> Wish:
    return Wish(kind=Kind.IMAGE, pictures=(PICTURE,), options=options)


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[ProviderBench]:
    async with meshy(tmp_path) as opened:
        yield opened


def service(bench: ProviderBench) -> FakeMeshy:
    assert isinstance(bench.service, FakeMeshy)
    return bench.service


async def submitted(bench: ProviderBench, wish: Wish, key: str = "gen-1") -> dict[str, object]:
    """Submit, and return what the service was asked."""
    assert bench.provider.objection(wish) == ""
    bench.wish = wish
    handle = (await bench.submitted(key)).handle
    return service(bench).tasks[handle.task_id].asked


async def refused(bench: ProviderBench, wish: Wish) -> ProviderFault:
    bench.wish = wish
    with pytest.raises(ProviderFault) as caught:
        await bench.submitted()
    return caught.value


async def test_words_become_a_preview_in_the_format_for_printing(bench: ProviderBench) -> None:
    assert await submitted(bench, HOOK) == {
        "mode": "preview",
        "prompt": "a hook",
        "ai_model": "latest",
        "target_formats": ["stl"],
    }


async def test_a_number_of_faces_counts_because_it_is_remeshed(bench: ProviderBench) -> None:
    wish = Wish(kind=Kind.TEXT, prompt="a hook", options={"target_polycount": 5000})
    assert (await submitted(bench, wish))["should_remesh"] is True


async def test_a_picture_is_sent_within_the_request_under_our_name(bench: ProviderBench) -> None:
    asked = await submitted(bench, Wish(kind=Kind.IMAGE, pictures=(PICTURE,)), key="gen-7")
    assert str(asked["image_url"]).startswith("data:image/png;base64,iVBORw0KGgo")
    assert (asked["name"], asked["should_texture"]) == ("gen-7", False)
    many = await submitted(bench, Wish(kind=Kind.MULTIVIEW, pictures=(PICTURE,) * 3))
    assert len(many["image_urls"]) == 3  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "wish",
    [
        Wish(kind=Kind.TEXT, prompt="x", options={"topology": "quad", "moderation": True}),
        Wish(kind=Kind.TEXT, prompt="x", options={"geometry_resolution": "4k", "format": "3mf"}),
        shown(ai_model="meshy-t2", target_polycount=15_000, ultra_mode=True),
        shown(texture=True, texture_prompt="red", texture_resolution="8k"),
        Wish(kind=Kind.MULTIVIEW, pictures=(PICTURE,) * 2, options={"image_enhancement": False}),
    ],
)
async def test_only_fields_that_its_pages_list_are_sent(bench: ProviderBench, wish: Wish) -> None:
    assert await submitted(bench, wish)


async def test_a_preview_is_refined_once_it_is_done(bench: ProviderBench) -> None:
    handle = (await bench.submitted()).handle
    wish = Wish(kind=Kind.TEXT, prompt="red", options={"refine": handle.task_id, "format": "glb"})
    assert (await refused(bench, wish)).blame is Blame.INVALID_INPUT
    bench.service.finish()
    asked = await submitted(bench, wish)
    assert asked["preview_task_id"] == handle.task_id
    assert asked["texture_prompt"] == "red"
    assert bench.service.till.taken == 30


async def test_a_mesh_is_repaired_remeshed_and_looked_at(bench: ProviderBench) -> None:
    for operation, price in (("repair", 10), ("remesh", 5), ("analyze", 0)):
        wish = Wish(kind=Kind.MESH, mesh_sha256="5", mesh=STL, options={"operation": operation})
        before = bench.service.till.taken
        asked = await submitted(bench, wish)
        assert asked["model_url"] == data_uri("application/octet-stream", STL)
        assert bench.service.till.taken - before == price
    assert await bench.provider.estimate(wish) is None
    _, look = await bench.made()
    assert look.said.startswith("warning; is watertight: False, volume: 2.4e-05, holes: 2")
    assert is_report(look)
    report = {"status": "warning", "issue_count": 1, "is_watertight": False, "holes": 2}
    assert isinstance(look.told["report"], dict)
    assert report.items() <= look.told["report"].items()


def test_it_takes_no_3mf_which_the_farm_turns_into_an_stl(bench: ProviderBench) -> None:
    assert bench.provider.offer.mesh_types == (".stl", ".obj", ".glb", ".gltf")
    assert bench.provider.offer.mesh_bytes_max == 50 * 1024 * 1024


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        (Wish(kind=Kind.CODE, code="cube();"), "nothing of kind code"),
        (Wish(kind=Kind.TEXT, prompt=" "), "say in words"),
        (Wish(kind=Kind.TEXT, prompt="x", seed=5), "no seed"),
        (Wish(kind=Kind.IMAGE), "takes 1 pictures"),
        (Wish(kind=Kind.IMAGE, pictures=(WEBP,)), "takes JPEG and PNG, and this picture is a WebP"),
        (Wish(kind=Kind.MULTIVIEW, pictures=(PICTURE,) * 5), "takes 2 to 4 pictures"),
        (Wish(kind=Kind.TEXT, prompt="x", options={"colour": 1}), "no option colour"),
        (Wish(kind=Kind.TEXT, prompt="x", options={"topology": "hex"}), "one of triangle, quad"),
        (Wish(kind=Kind.TEXT, prompt="x", options={"ultra_mode": True}), "for preview"),
        (Wish(kind=Kind.TEXT, prompt="x", options={"texture_prompt": "red"}), "for preview"),
        (Wish(kind=Kind.TEXT, prompt="x", options={"refine": "t", "topology": "quad"}), "refine"),
        (Wish(kind=Kind.MESH, mesh_sha256="0", options={"format": "3mf"}), "for repair"),
        (shown(texture_prompt="red"), "wants texture"),
        (shown(texture=True, texture_prompt="x" * 601), "at most 600"),
        (shown(refine="t"), "for image-to-3d"),
        (Wish(kind=Kind.TEXT, prompt="x", options={"target_polycount": 5}), "from 100"),
        (shown(ai_model="meshy-t2", target_polycount=15_001), "to 15000"),
        (shown(target_polycount=300_001), "to 300000"),
        (Wish(kind=Kind.TEXT, prompt="x", options={"target_polycount": True}), "is a integer"),
    ],
)
def test_a_wish_that_can_not_be_met_is_told_without_asking(
    bench: ProviderBench, wish: Wish, words: str
) -> None:
    assert words in bench.provider.objection(wish)
    assert bench.service.asked == []


@pytest.mark.parametrize(
    ("wish", "credits_wanted"),
    [
        (HOOK, 20),
        (Wish(kind=Kind.TEXT, prompt="x", options={"ai_model": "meshy-t2"}), 5),
        (Wish(kind=Kind.TEXT, prompt="x", options={"geometry_resolution": "4k"}), 25),
        (Wish(kind=Kind.TEXT, prompt="x", options={"refine": "t", "texture_resolution": "8k"}), 15),
        (Wish(kind=Kind.IMAGE, options={"texture": True, "ultra_mode": True}), 35),
        (Wish(kind=Kind.MESH), 12),
    ],
)
def test_what_a_wish_costs_is_by_its_list_or_the_settings(wish: Wish, credits_wanted: int) -> None:
    options = MeshyOptions(prices={"repair": Decimal(12)})
    assert price_of(wish, options) == credits_wanted


@pytest.mark.parametrize("word", ["NoMoreConcurrentTasks", "NoMorePendingTasks"])
async def test_a_full_account_is_waited_for_and_is_no_attempt(
    bench: ProviderBench, word: str
) -> None:
    service(bench).misbehave("submit", Trouble(status=429, body={"message": f"{word}: wait"}))
    fault = await refused(bench, HOOK)
    assert (fault.blame, fault.code) == (Blame.WAIT_SLOT, word)


async def test_an_account_that_is_full_or_empty_says_so(bench: ProviderBench) -> None:
    service(bench).at_once_max = 0
    assert (await refused(bench, HOOK)).blame is Blame.WAIT_SLOT
    service(bench).balance = Decimal(5)
    assert (await refused(bench, HOOK)).blame is Blame.QUOTA
    health = await bench.provider.health()
    assert health.balance is not None
    assert (health.balance.amount, health.balance.unit) == (5, "credits")


@pytest.mark.parametrize(
    ("failure", "blame"),
    [
        ({"type": "invalid_input", "code": "moderation_blocked"}, Blame.CONTENT_BLOCKED),
        ({"type": "invalid_input", "code": "image_too_complex"}, Blame.INVALID_INPUT),
        ({"type": "timeout", "code": "timeout"}, Blame.PROVIDER_FAILED),
        ({"type": "server_error"}, Blame.PROVIDER_FAILED),
        ({"type": {}, "code": [], "message": {}}, Blame.PROVIDER_FAILED),
    ],
)
async def test_a_task_that_failed_tells_whose_matter_it_is(
    bench: ProviderBench, failure: dict[str, object], blame: Blame
) -> None:
    handle = (await bench.submitted()).handle
    service(bench).fail(**failure)
    look = await bench.provider.look(handle)
    assert look.fault is not None
    assert look.fault.blame is blame
    assert look.charged is not None
    assert look.charged.amount == 0


async def test_a_lost_submit_is_found_by_our_name_among_others(bench: ProviderBench) -> None:
    bench.wish = Wish(kind=Kind.IMAGE, pictures=(PICTURE,))
    since = bench.began_at
    for key in ("gen-1", "gen-2", "gen-3"):
        await bench.submitted(key)
    found = await bench.provider.recall(bench.wish, "gen-2", since)
    assert found is not None
    assert service(bench).tasks[found.task_id].asked["name"] == "gen-2"
    assert await bench.provider.recall(bench.wish, "gen-4", since) is None


async def test_of_several_alike_nobody_guesses(bench: ProviderBench) -> None:
    since = bench.began_at
    await bench.submitted()
    await bench.submitted()
    with pytest.raises(ProviderFault) as caught:
        await bench.provider.recall(bench.wish, "gen-1", since)
    assert (caught.value.blame, caught.value.code) == (Blame.SUBMIT_UNSURE, "several_alike")


async def test_a_long_list_is_read_as_far_back_as_the_submit(bench: ProviderBench) -> None:
    fake, since = service(bench), bench.began_at
    await bench.submitted()
    for _ in range(120):
        fake.new_task({"mode": "preview", "prompt": "another"}, 20, family="text-to-3d")
    assert await bench.provider.recall(bench.wish, "gen-1", since) is not None
    fake.now_ms -= 3_600_000
    fake.tasks.clear()
    await bench.submitted()
    assert await bench.provider.recall(bench.wish, "gen-1", since) is None


async def test_a_task_tells_of_itself_to_its_end(bench: ProviderBench) -> None:
    assert isinstance(bench.provider, Meshy)
    handle = (await bench.submitted()).handle
    async with aclosing(bench.provider.watch(handle)) as looks:
        seen = [look async for look in looks]
    assert [look.phase for look in seen][-2:] == [Phase.RUNNING, Phase.SUCCEEDED]
    assert seen[-1].pieces[0].suffix == ".stl"


async def test_a_stream_that_fails_leaves_looking(bench: ProviderBench) -> None:
    assert isinstance(bench.provider, Meshy)
    handle = (await bench.submitted()).handle
    service(bench).misbehave("stream", Trouble(status=503), Trouble(how="garbage"))
    for _ in range(2):
        with pytest.raises(ProviderFault) as caught:
            async with aclosing(bench.provider.watch(handle)) as looks:
                [look async for look in looks]
        assert caught.value.blame is Blame.RETRY_SAFE
    service(bench).forget()
    with pytest.raises(ProviderFault) as caught:
        async with aclosing(bench.provider.watch(handle)) as looks:
            [look async for look in looks]


async def test_a_running_task_is_not_called_off(bench: ProviderBench) -> None:
    handle = (await bench.submitted()).handle
    service(bench).tasks[handle.task_id].at = 2
    assert await bench.provider.call_off(handle) is CallingOff.REFUSED
    assert handle.task_id in service(bench).tasks


def test_a_webhook_of_something_else_hints_at_nothing(bench: ProviderBench) -> None:
    headers = {"x-meshy-api-webhook-secret-key": service(bench).webhook_secret}
    for body in (b"", b"[]", b"{}", b'{"id": 5}', json.dumps({"id": None}).encode()):
        assert bench.provider.hints(headers, body) == []
