"""What is Rodin's and Stability AI's own, against servers that stand in for them."""

from dataclasses import replace
from pathlib import Path

import pytest

from coordinator.domain.providing import Blame, Kind, Phase, ProviderFault, Wish
from tests.contracts.provider_benches import PICTURE, rodin, stability
from tests.fakes.fake_rodin import FakeRodin
from tests.fakes.paid_service import GLB, Trouble
from tests.fakes.provider_bench import ProviderBench


async def refused(bench: ProviderBench) -> ProviderFault:
    with pytest.raises(ProviderFault) as caught:
        await bench.submitted()
    return caught.value


async def asked(bench: ProviderBench, wish: Wish) -> dict[str, object]:
    assert bench.provider.objection(wish) == ""
    bench.wish = wish
    await bench.submitted()
    return list(bench.service.tasks.values())[-1].asked


async def test_rodin_is_asked_for_a_mesh_to_print(tmp_path: Path) -> None:
    async with rodin(tmp_path) as bench:
        wish = Wish(
            kind=Kind.MULTIVIEW,
            pictures=(PICTURE,) * 3,
            seed=7,
            options={"faces": 4000, "quality": "low"},
        )
        assert await asked(bench, wish) == {
            "tier": "Regular",
            "geometry_file_format": "stl",
            "mesh_mode": "Raw",
            "quality": "low",
            "quality_override": "4000",
            "seed": "7",
            "condition_mode": "concat",
            "pictures": 3,
        }
        words = await asked(bench, Wish(kind=Kind.TEXT, prompt="a hook"))
        assert (words["prompt"], words["pictures"]) == ("a hook", 0)


@pytest.mark.parametrize(
    ("error", "blame"),
    [
        ("NO_ACTIVE_SUBSCRIPTION", Blame.AUTH_CONFIG),
        ("SUBSCRIPTION_PLAN_TOO_LOW", Blame.AUTH_CONFIG),
        ("INSUFFICIENT_FUND", Blame.QUOTA),
        ("INVALID_REQUEST", Blame.INVALID_INPUT),
        ("UNKNOWN", Blame.SUBMIT_UNSURE),
    ],
)
async def test_an_error_of_rodin_counts_whatever_the_status_says(
    tmp_path: Path, error: str, blame: Blame
) -> None:
    async with rodin(tmp_path) as bench:
        assert isinstance(bench.service, FakeRodin)
        bench.service.error = error
        fault = await refused(bench)
        assert (fault.blame, fault.code) == (blame, error)


async def test_a_task_of_rodin_has_succeeded_once_all_of_its_parts_have(tmp_path: Path) -> None:
    async with rodin(tmp_path) as bench:
        handle = (await bench.submitted()).handle
        bench.service.tasks[handle.task_id].at = 2
        half = await bench.provider.look(handle)
        assert (half.phase, half.progress, half.pieces) == (Phase.RUNNING, 0.5, ())
        look = await bench.provider.look(handle)
        assert [(piece.role, piece.suffix) for piece in look.pieces] == [
            ("mesh", ".stl"),
            ("picture", ".webp"),
            ("picture", ".png"),
        ]


async def test_the_balance_of_rodin_is_asked_with_either_verb(tmp_path: Path) -> None:
    async with rodin(tmp_path) as bench:
        assert isinstance(bench.service, FakeRodin)
        for verb in ("GET", "POST"):
            bench.service.balance_verb = verb
            health = await bench.provider.health()
            assert health.balance is not None
            assert str(health.balance.amount) == "12.5"


async def test_stability_answers_with_the_mesh_itself(tmp_path: Path) -> None:
    async with stability(tmp_path) as bench:
        bench.wish = replace(bench.wish, seed=5, options={"faces": 3000})
        submitted = await bench.submitted()
        assert submitted.look is not None
        assert submitted.look.pieces[0].data == GLB
        assert submitted.look.told == {"service_model": "stable-point-aware-3d", "seed": 77}
        task = next(iter(bench.service.tasks.values()))
        assert task.asked == {
            "remesh": "triangle",
            "target_type": "face",
            "target_count": "3000",
            "seed": "5",
        }


async def test_a_wish_that_stability_would_refuse_is_told_before(tmp_path: Path) -> None:
    async with stability(tmp_path) as bench:
        fast = replace(bench.wish, options={"model": "stable-fast-3d"})
        assert (await asked(bench, fast)) == {}
        assert "no number of faces" in bench.provider.objection(
            replace(fast, options={"model": "stable-fast-3d", "faces": 500})
        )
        assert "takes a seed" in bench.provider.objection(replace(fast, seed=1))


async def test_what_stability_does_not_want_to_make_is_not_a_wrong_key(tmp_path: Path) -> None:
    async with stability(tmp_path) as bench:
        body = {"id": "1", "name": "content_moderation", "errors": ["flagged"]}
        bench.service.misbehave(
            "submit", Trouble(status=403, body=body), Trouble(status=403, body={"name": "x"})
        )
        fault = await refused(bench)
        assert (fault.blame, fault.code) == (Blame.CONTENT_BLOCKED, "content_moderation")
        assert (await refused(bench)).blame is Blame.AUTH_CONFIG


async def test_of_stability_nothing_can_be_had_again(tmp_path: Path) -> None:
    async with stability(tmp_path) as bench:
        handle, _ = await bench.made()
        with pytest.raises(ProviderFault) as caught:
            await bench.provider.look(handle)
        assert caught.value.blame is Blame.EXPIRED
