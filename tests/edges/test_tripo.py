"""What is Tripo's own, against a server that stands in for it."""

from collections.abc import AsyncIterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from coordinator.domain.providing import Blame, Kind, Phase, Picture, ProviderFault, Wish
from tests.contracts.provider_benches import PICTURE, PNG, tripo
from tests.fakes.fake_tripo import FakeTripo
from tests.fakes.paid_service import Trouble
from tests.fakes.provider_bench import ProviderBench

HOOK = Wish(kind=Kind.TEXT, prompt="a hook")


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[ProviderBench]:
    async with tripo(tmp_path) as opened:
        yield opened


def service(bench: ProviderBench) -> FakeTripo:
    assert isinstance(bench.service, FakeTripo)
    return bench.service


async def asked(bench: ProviderBench, wish: Wish) -> dict[str, object]:
    assert bench.provider.objection(wish) == ""
    bench.wish = wish
    handle = (await bench.submitted()).handle
    return service(bench).tasks[handle.task_id].asked


async def refused(bench: ProviderBench, wish: Wish = HOOK) -> ProviderFault:
    bench.wish = wish
    with pytest.raises(ProviderFault) as caught:
        await bench.submitted()
    return caught.value


async def test_a_mesh_to_print_is_asked_for_without_colours(bench: ProviderBench) -> None:
    assert await asked(bench, replace(HOOK, seed=5, options={"faces": 9000})) == {
        "model": "v3.1-20260211",
        "prompt": "a hook",
        "texture": False,
        "pbr": False,
        "face_limit": 9000,
        "model_seed": 5,
    }


async def test_pictures_are_uploaded_before_anything_is_charged(bench: ProviderBench) -> None:
    service(bench).misbehave("upload", Trouble(how="drop"))
    fault = await refused(bench, Wish(kind=Kind.IMAGE, pictures=(PICTURE,)))
    assert fault.blame is Blame.RETRY_SAFE
    assert bench.service.till.charges == []
    assert (await asked(bench, bench.wish))["input"] == "file_0"
    assert service(bench).files["file_0"] == PNG
    many = await asked(bench, Wish(kind=Kind.MULTIVIEW, pictures=(PICTURE, PICTURE)))
    assert many["inputs"] == ["file_1", "file_2"]


async def test_a_webp_is_taken_as_it_is(bench: ProviderBench) -> None:
    webp = Picture(media_type="image/webp", data=b"RIFF\x04\0\0\0WEBP")
    await asked(bench, Wish(kind=Kind.IMAGE, pictures=(webp,)))
    assert service(bench).files["file_0"] == webp.data


@pytest.mark.parametrize(
    ("status", "code", "blame"),
    [
        (401, 2, Blame.AUTH_CONFIG),
        (400, 1004, Blame.INVALID_INPUT),
        (429, 1007, Blame.WAIT_SLOT),
        (429, 2000, Blame.WAIT_SLOT),
        (400, 2008, Blame.CONTENT_BLOCKED),
        (403, 2010, Blame.QUOTA),
        (400, 2015, Blame.AUTH_CONFIG),
        (200, 2010, Blame.QUOTA),  # an error within an answer of success
        (200, 2004, Blame.INVALID_INPUT),
        (200, 9999, Blame.SUBMIT_UNSURE),
        (500, 9999, Blame.SUBMIT_UNSURE),
    ],
)
async def test_the_code_in_the_envelope_says_what_to_do(
    bench: ProviderBench, status: int, code: int, blame: Blame
) -> None:
    body = {"code": code, "status": "error", "message": "no", "suggestion": "read the pages"}
    service(bench).misbehave("submit", Trouble(status=status, body=body))
    fault = await refused(bench)
    assert (fault.blame, fault.code) == (blame, str(code))
    assert "no; read the pages" in fault.message


@pytest.mark.parametrize(
    ("failure", "blame"),
    [
        ({"error_code": 2008, "error_message": "no"}, Blame.CONTENT_BLOCKED),
        ({"error_code": 2018}, Blame.PROVIDER_FAILED),
        ({"error_code": None, "error": {"code": 2008, "message": "no"}}, Blame.CONTENT_BLOCKED),
        ({"error_code": {}, "error_message": []}, Blame.PROVIDER_FAILED),
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


async def test_every_word_that_is_not_known_is_a_failure(bench: ProviderBench) -> None:
    handle = (await bench.submitted()).handle
    service(bench).tasks[handle.task_id].walk = ("banned",)
    assert (await bench.provider.look(handle)).phase is Phase.FAILED


async def test_what_was_charged_is_told(bench: ProviderBench) -> None:
    bench.wish = replace(HOOK, options={"texture": True})
    foretold = await bench.provider.estimate(bench.wish)
    _, look = await bench.made()
    assert foretold is not None
    assert look.charged is not None
    assert look.charged.amount == foretold.amount == Decimal(20)


async def test_not_to_be_found_in_the_usage_is_no_proof(bench: ProviderBench) -> None:
    since = bench.began_at
    service(bench).rows_appear = False
    service(bench).misbehave("submit", Trouble(how="drop", after=True))
    await refused(bench)
    with pytest.raises(ProviderFault) as caught:
        await bench.provider.recall(HOOK, "gen-1", since)
    assert caught.value.blame is Blame.SUBMIT_UNSURE
    service(bench).rows_appear = True
    assert await bench.provider.recall(HOOK, "gen-1", since) is not None


async def test_a_task_of_other_words_is_not_taken_for_the_lost_one(bench: ProviderBench) -> None:
    since = bench.began_at
    await asked(bench, replace(HOOK, prompt="a box"))
    await asked(bench, HOOK)
    found = await bench.provider.recall(HOOK, "gen-1", since)
    assert found is not None
    assert service(bench).tasks[found.task_id].asked["prompt"] == "a hook"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"model": "P1-20260311", "faces": 20_001}, "from 50 to 20000"),
        ({"model": "P1-20260311", "faces": 49}, "from 50 to 20000"),
        ({"model": "P1-20260311", "detailed": True}, "no finer geometry"),
        ({"faces": 0}, "from 1 to 1500000"),
    ],
)
def test_what_a_model_does_not_take_is_told_without_asking(
    bench: ProviderBench, options: dict[str, str | int], words: str
) -> None:
    assert words in bench.provider.objection(replace(HOOK, options=options))
    assert bench.service.asked == []


async def test_a_webhook_of_another_time_is_refused(bench: ProviderBench) -> None:
    handle = (await bench.submitted()).handle
    now_s = service(bench).now_ms // 1000
    for apart_s in (-301, 301):
        headers, body = service(bench).delivery(handle.task_id, at_s=now_s + apart_s)
        with pytest.raises(ProviderFault):
            bench.provider.hints(headers, body)
    hints = bench.provider.hints(*service(bench).delivery(handle.task_id))
    assert [hint.delivery_id for hint in hints] == ["delivery-1"]


async def test_the_balance_is_told(bench: ProviderBench) -> None:
    health = await bench.provider.health()
    assert health.balance is not None
    assert health.balance.amount == 1000
