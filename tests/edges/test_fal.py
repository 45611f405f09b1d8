"""What is fal's own, against a server that stands in for its queue."""

import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from coordinator.adapters.providers.fal.models import MODELS, names_for
from coordinator.adapters.providers.fal.provider import Fal
from coordinator.domain.providing import (
    Blame,
    CallingOff,
    Kind,
    Phase,
    ProviderFault,
    Wish,
)
from tests.contracts.provider_benches import PICTURE, fal
from tests.fakes.fake_fal import ENDPOINTS, FakeFal
from tests.fakes.paid_service import Trouble
from tests.fakes.provider_bench import ProviderBench

ROWS = [(name, kind) for name, model in MODELS.items() for kind in sorted(model.kinds)]


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[ProviderBench]:
    async with fal(tmp_path) as opened:
        yield opened


def service(bench: ProviderBench) -> FakeFal:
    assert isinstance(bench.service, FakeFal)
    return bench.service


def wish_for(name: str, kind: Kind, **options: str | int | bool) -> Wish:
    pictures = {Kind.IMAGE: 1, Kind.MULTIVIEW: 2}.get(kind, 0)
    words = "a hook" if kind is Kind.TEXT else ""
    return Wish(
        kind=kind, prompt=words, pictures=(PICTURE,) * pictures, options={"model": name, **options}
    )


async def asked(bench: ProviderBench, wish: Wish) -> dict[str, object]:
    """Submit, and return what the service was asked."""
    assert bench.provider.objection(wish) == ""
    bench.wish = wish
    handle = (await bench.submitted()).handle
    return service(bench).tasks[handle.task_id].asked


@pytest.mark.parametrize(("name", "kind"), ROWS)
async def test_each_model_of_the_table_makes_a_mesh(
    bench: ProviderBench, name: str, kind: Kind
) -> None:
    bench.wish = wish_for(name, kind)
    assert bench.provider.objection(bench.wish) == ""
    handle, look = await bench.made()
    assert service(bench).tasks[handle.task_id].family == MODELS[name].endpoint
    assert look.phase is Phase.SUCCEEDED
    assert look.told["service_model"] == MODELS[name].endpoint
    _, field = ENDPOINTS[MODELS[name].endpoint]
    assert look.pieces[0].suffix == {"rodin": ".stl", "triposr": ".obj", "rodin-text": ".stl"}.get(
        name, ".stl" if field == "model_urls" else ".glb"
    )


@pytest.mark.parametrize("name", [name for name, model in MODELS.items() if model.faces])
async def test_a_limit_of_faces_is_said_in_each_models_own_words(
    bench: ProviderBench, name: str
) -> None:
    model, kind = MODELS[name], min(MODELS[name].kinds)
    assert model.faces is not None
    said = await asked(bench, wish_for(name, kind, faces=50_000))
    assert said[model.faces.field] == 50_000
    for beyond in (model.faces.least - 1, model.faces.most + 1):
        assert "faces of" in bench.provider.objection(wish_for(name, kind, faces=beyond))


@pytest.mark.parametrize("name", [name for name, model in MODELS.items() if not model.faces])
def test_a_model_that_takes_no_limit_of_faces_says_so(bench: ProviderBench, name: str) -> None:
    wish = wish_for(name, min(MODELS[name].kinds), faces=5000)
    assert "takes no limit of faces" in bench.provider.objection(wish)


async def test_a_seed_goes_there_and_comes_back(bench: ProviderBench) -> None:
    wish = replace(wish_for("trellis", Kind.IMAGE), seed=7)
    assert (await asked(bench, wish))["seed"] == 7
    _, look = await bench.made()
    assert look.told["seed"] == 7
    assert "takes no seed" in bench.provider.objection(
        replace(wish_for("triposr", Kind.IMAGE), seed=7)
    )
    assert "from 0 to 65535" in bench.provider.objection(
        replace(wish_for("rodin", Kind.IMAGE), seed=70_000)
    )


async def test_colours_are_asked_for_only_where_they_are_wanted(bench: ProviderBench) -> None:
    plain = await asked(bench, wish_for("tripo", Kind.IMAGE))
    assert (plain["texture"], plain["pbr"]) == ("no", False)
    coloured = await asked(bench, wish_for("tripo", Kind.IMAGE, texture=True))
    assert (coloured["texture"], coloured["pbr"]) == ("standard", True)
    assert "no option texture" in bench.provider.objection(
        wish_for("trellis", Kind.IMAGE, texture=True)
    )


async def test_views_of_one_thing_go_into_fields_of_their_own(bench: ProviderBench) -> None:
    said = await asked(bench, wish_for("tripo-views", Kind.MULTIVIEW))
    assert {"front_image_url", "left_image_url"} <= said.keys()
    assert "back_image_url" not in said


def test_a_wish_for_the_wrong_model_names_those_that_would_do(bench: ProviderBench) -> None:
    words = bench.provider.objection(wish_for("trellis", Kind.TEXT))
    assert words == f"trellis takes image; for text there are {', '.join(names_for(Kind.TEXT))}"
    too_long = Wish(kind=Kind.TEXT, prompt="x" * 601, options={"model": "meshy-text"})
    assert "at most 600 characters" in bench.provider.objection(too_long)


async def test_where_its_webhooks_go_is_told_with_the_task(bench: ProviderBench) -> None:
    said = await asked(bench, bench.wish)
    assert said["fal_webhook"] == "https://farm.example.test/provider-webhooks/fal/token"


async def test_places_on_another_host_are_not_believed(bench: ProviderBench) -> None:
    service(bench).place = lambda path: f"https://evil.example.test{path}"
    handle, look = await bench.made()
    assert look.phase is Phase.SUCCEEDED
    assert "evil" not in json.dumps(dict(handle.extra))


async def test_completed_may_be_a_failure(bench: ProviderBench) -> None:
    handle = (await bench.submitted()).handle
    service(bench).fail(in_band=True)
    look = await bench.provider.look(handle)
    assert look.phase is Phase.FAILED
    assert look.fault is not None
    assert (look.fault.blame, look.fault.code) == (Blame.PROVIDER_FAILED, "runner_server_error")


def wrong(kind: str, message: str = "no") -> list[dict[str, object]]:
    return [{"loc": ["body", "image_url"], "msg": message, "type": kind, "input": "data:..."}]


@pytest.mark.parametrize(
    ("status", "detail", "blame", "code"),
    [
        (422, wrong("content_policy_violation"), Blame.CONTENT_BLOCKED, "content_policy_violation"),
        (422, wrong("image_too_small"), Blame.INVALID_INPUT, "image_too_small"),
        (422, "no face was found", Blame.INVALID_INPUT, "http_422"),
        (504, wrong("generation_timeout"), Blame.PROVIDER_FAILED, "generation_timeout"),
        (500, "Internal Server Error", Blame.PROVIDER_FAILED, "http_500"),
        (422, [5], Blame.INVALID_INPUT, "http_422"),
        (422, [{"loc": 5, "msg": {}, "type": []}], Blame.INVALID_INPUT, "http_422"),
    ],
)
async def test_a_failure_is_read_from_the_result(
    bench: ProviderBench, status: int, detail: object, blame: Blame, code: str
) -> None:
    handle = (await bench.submitted()).handle
    service(bench).fail(status=status, detail=detail)
    look = await bench.provider.look(handle)
    assert look.fault is not None
    assert (look.fault.blame, look.fault.code) == (blame, code)


@pytest.mark.parametrize(
    ("status", "again", "blame"),
    [
        (422, "true", Blame.PROVIDER_FAILED),
        (500, "false", Blame.INVALID_INPUT),
        (500, "perhaps", Blame.PROVIDER_FAILED),
    ],
)
async def test_whether_a_failure_may_be_tried_again_is_believed_before_its_status(
    bench: ProviderBench, status: int, again: str, blame: Blame
) -> None:
    handle = (await bench.submitted()).handle
    bench.service.finish()
    body = {"detail": wrong("internal_server_error")}
    told = Trouble(status=status, body=body, headers={"X-Fal-Retryable": again})
    service(bench).misbehave("result", told)
    look = await bench.provider.look(handle)
    assert look.fault is not None
    assert look.fault.blame is blame


async def test_a_gateway_before_the_result_is_no_failure_of_the_task(bench: ProviderBench) -> None:
    handle = (await bench.submitted()).handle
    bench.service.finish()
    service(bench).misbehave("result", Trouble(status=502), Trouble(status=429))
    for blame in (Blame.RETRY_SAFE, Blame.WAIT_SLOT):
        with pytest.raises(ProviderFault) as caught:
            await bench.provider.look(handle)
        assert caught.value.blame is blame
    assert (await bench.provider.look(handle)).phase is Phase.SUCCEEDED


async def test_a_result_that_is_not_there_yet_is_waited_for(bench: ProviderBench) -> None:
    handle = (await bench.submitted()).handle
    bench.service.finish()
    early = Trouble(status=400, body={"detail": "Request is still in progress"})
    service(bench).misbehave("result", early)
    assert (await bench.provider.look(handle)).phase is Phase.RUNNING


async def test_a_result_without_a_mesh_is_a_failure(bench: ProviderBench) -> None:
    handle = (await bench.submitted()).handle
    bench.service.finish()
    service(bench).misbehave("result", Trouble(status=200, body={"model_mesh": None}))
    assert (await bench.provider.look(handle)).phase is Phase.FAILED


async def test_an_account_without_money_is_not_a_wrong_key(bench: ProviderBench) -> None:
    body = {"detail": "User is locked. Reason: Exhausted balance"}
    service(bench).misbehave("submit", Trouble(status=403, body=body))
    with pytest.raises(ProviderFault) as caught:
        await bench.submitted()
    assert caught.value.blame is Blame.QUOTA


async def test_a_task_that_was_called_off_while_it_waited_ends_so(bench: ProviderBench) -> None:
    handle = (await bench.submitted()).handle
    assert await bench.provider.call_off(handle) is CallingOff.DONE
    assert (await bench.provider.look(handle)).phase is Phase.CANCELLED
    assert await bench.provider.call_off(handle) is CallingOff.DONE


async def test_of_a_task_that_runs_nobody_knows_whether_it_is_charged(
    bench: ProviderBench,
) -> None:
    handle = (await bench.submitted()).handle
    task = service(bench).tasks[handle.task_id]
    task.walk = ("running", "running", "running")
    assert await bench.provider.call_off(handle) is CallingOff.UNKNOWN


async def test_a_task_tells_of_itself_to_its_end(bench: ProviderBench) -> None:
    assert isinstance(bench.provider, Fal)
    handle = (await bench.submitted()).handle
    async with aclosing(bench.provider.watch(handle)) as looks:
        seen = [look async for look in looks]
    assert seen[0].queue_position == 0
    assert seen[-1].phase is Phase.SUCCEEDED
    assert seen[-1].pieces[0].suffix == ".glb"


async def test_a_webhook_of_another_time_is_refused(bench: ProviderBench) -> None:
    handle = (await bench.submitted()).handle
    now_s = service(bench).now_ms // 1000
    for apart_s in (-301, 301):
        headers, body = service(bench).delivery(handle.task_id, at_s=now_s + apart_s)
        with pytest.raises(ProviderFault, match="clock"):
            bench.provider.hints(headers, body)
    headers, body = service(bench).delivery(handle.task_id, at_s=now_s - 299)
    assert len(bench.provider.hints(headers, body)) == 1


async def test_new_keys_are_looked_for_once_a_signature_fails(bench: ProviderBench) -> None:
    handle = (await bench.submitted()).handle
    service(bench).signing = Ed25519PrivateKey.generate()
    headers, body = service(bench).delivery(handle.task_id)
    with pytest.raises(ProviderFault):
        bench.provider.hints(headers, body)
    bench.clock.advance(301)
    await bench.provider.look(handle)
    headers, body = service(bench).delivery(handle.task_id, at_s=int(bench.clock.now().timestamp()))
    assert len(bench.provider.hints(headers, body)) == 1
    keys_asked = [path for path, _ in service(bench).asked if "jwks" in path]
    assert len(keys_asked) == 2


async def test_without_the_keys_of_webhooks_looking_goes_on(bench: ProviderBench) -> None:
    service(bench).misbehave("keys", Trouble(status=503))
    _, look = await bench.made()
    assert look.phase is Phase.SUCCEEDED
