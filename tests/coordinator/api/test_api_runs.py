"""Runs over HTTP: what they show, and a person's word on one whose end nobody saw."""

import aiohttp
import pytest

from tests.fakes.served_farm import ServedFarm
from tests.fakes.story import lose_a_printing_run, lose_a_run


async def test_a_lost_run_is_shown_with_its_reason_also_in_its_job(
    farm: ServedFarm, session: aiohttp.ClientSession
) -> None:
    lost = await lose_a_run(farm.farm)
    async with session.get(f"/api/v1/runs/{lost.run_id}") as response:
        assert response.status == 200
        run = await response.json()
    assert (run["id"], run["state"], run["reason"]) == (lost.run_id, "lost", lost.reason)
    async with session.get(f"/api/v1/jobs/{lost.job_id}") as response:
        job = await response.json()
    assert run.pop("dialogue") == []
    assert job["runs"] == [run]
    assert [wait["code"] for wait in job["waits"]] == ["lost"]


@pytest.mark.parametrize(
    ("outcome", "run_state", "job_state"),
    [
        ("finished", "finished", "finished"),
        ("failed", "failed", "ready"),
        ("reprint", "discarded", "ready"),
    ],
)
async def test_a_lost_run_ends_as_a_person_says_and_only_once(
    farm: ServedFarm,
    session: aiohttp.ClientSession,
    outcome: str,
    run_state: str,
    job_state: str,
) -> None:
    lost = await lose_a_run(farm.farm)
    path, body = f"/api/v1/runs/{lost.run_id}/settle", {"outcome": outcome}
    async with session.post(path, json=body) as response:
        assert response.status == 200
        run = await response.json()
    assert (run["state"], run["reason"]) == (run_state, f"settled as {outcome} by user:admin")
    async with session.get(f"/api/v1/jobs/{lost.job_id}") as response:
        assert (await response.json())["state"] == job_state
    async with session.post(path, json=body) as response:
        assert (response.status, (await response.json())["code"]) == (409, "run_not_lost")


@pytest.mark.parametrize(
    ("body", "code", "pointer"),
    [
        (b'{"outcome": "perhaps"}', "unknown_outcome", "/outcome"),
        (b"{}", "invalid_fields", "/outcome"),
        (b"no json", "invalid_fields", "/"),
    ],
)
async def test_an_outcome_that_is_none_settles_nothing(
    farm: ServedFarm, session: aiohttp.ClientSession, body: bytes, code: str, pointer: str
) -> None:
    lost = await lose_a_run(farm.farm)
    async with session.post(f"/api/v1/runs/{lost.run_id}/settle", data=body) as response:
        problem = await response.json()
    assert (response.status, problem["code"]) == (422, code)
    assert problem["errors"][0]["pointer"] == pointer
    async with session.get(f"/api/v1/runs/{lost.run_id}") as response:
        assert (await response.json())["state"] == "lost"


async def test_a_run_that_is_not_there_is_a_problem_with_a_code(
    session: aiohttp.ClientSession,
) -> None:
    body = {"outcome": "failed"}
    for method, path in (("GET", "runs/x"), ("POST", "runs/x/settle")):
        async with session.request(method, f"/api/v1/{path}", json=body) as response:
            assert (response.status, (await response.json())["code"]) == (404, "unknown_run")


async def test_a_run_that_ended_badly_shows_line_layer_time_and_the_last_dialogue(
    farm: ServedFarm, session: aiohttp.ClientSession
) -> None:
    lost = await lose_a_printing_run(farm.farm)
    async with session.get(f"/api/v1/runs/{lost.run_id}") as response:
        run = await response.json()
    assert run["dialogue"] == ["  -0.120 > N4712 G1 X1*99", "  -0.030 < start"]
    assert (run["state"], run["line"], run["layer"]) == ("lost", 4711, 12)
    assert run["ended_at"]
    assert run["facts"] == {"amiss": "the supply is too weak"}
    async with session.get(f"/api/v1/jobs/{lost.job_id}") as response:
        assert "dialogue" not in (await response.json())["runs"][0], "a list stays short"
