"""The queue over HTTP: jobs moved and ordered once more, and the farm's next hours."""

from typing import Any

import aiohttp
import pytest

from coordinator.domain.access import Role
from tests.coordinator.api.test_api_jobs import submitted
from tests.coordinator.api.test_api_library import ask
from tests.coordinator.api.test_api_users import add
from tests.fakes.fake_farm import MODEL
from tests.fakes.served_farm import ServedFarm


async def waiting(session: aiohttp.ClientSession) -> list[str]:
    """Return the names of the jobs in the order in which they are served."""
    _, found = await ask(session, "GET", "jobs")
    jobs = sorted(
        found["items"],
        key=lambda job: (-job["priority"], job["turn_due_at"] or "9", job["turn_at"]),
    )
    return [job["name"] for job in jobs]


async def test_a_job_is_put_at_a_number_and_beside_others_and_history_tells_who_did(
    session: aiohttp.ClientSession,
) -> None:
    ids = {name: (await submitted(session, name=name))["id"] for name in ("a", "b", "c")}
    urgent = await submitted(session, name="urgent", priority="5")

    async def move(name: str, **place: object) -> dict[str, Any]:
        path = f"jobs/{ids[name]}/move"
        status, moved = await ask(session, "POST", path, place)
        assert status == 200, moved
        return dict(moved)

    ids["urgent"] = urgent["id"]
    first = await waiting(session)
    assert sorted(first[1:]) == ["a", "b", "c"]
    assert first[0] == "urgent"
    assert (await move("c", to=1))["priority"] == 5
    await move("a", after=ids["urgent"])
    await move("b", to=99)
    assert await waiting(session) == ["c", "urgent", "a", "b"]
    await move("c", after=ids["a"])
    assert await waiting(session) == ["urgent", "a", "c", "b"]
    await move("b", before=ids["c"])
    assert await waiting(session) == ["urgent", "a", "b", "c"]
    _, about = await ask(session, "GET", f"events?job={ids['b']}")
    assert "job.moved" in [each["name"] for each in about["items"]]
    _, changed = await ask(session, "PATCH", f"jobs/{ids['c']}", {"priority": -1})
    assert changed["turn_at"][:23] == changed["created_at"][:23]


@pytest.mark.parametrize(
    ("said", "status", "code"),
    [
        ({}, 422, "invalid_fields"),
        ({"to": 1, "before": "x"}, 422, "invalid_fields"),
        ({"before": ""}, 422, "invalid_fields"),
        ({"to": 0}, 422, "invalid_fields"),
        ({"before": "job-9"}, 404, "unknown_job"),
        ({"after": "ended"}, 409, "job_not_queued"),
    ],
)
async def test_a_place_that_is_none_is_refused(
    session: aiohttp.ClientSession, said: dict[str, Any], status: int, code: str
) -> None:
    job, ended = await submitted(session), await submitted(session)
    await ask(session, "POST", f"jobs/{ended['id']}/cancel")
    said = {name: ended["id"] if value == "ended" else value for name, value in said.items()}
    answer = await ask(session, "POST", f"jobs/{job['id']}/move", said)
    assert (answer[0], answer[1]["code"]) == (status, code)
    answer = await ask(session, "POST", f"jobs/{ended['id']}/move", {"to": 1})
    assert (answer[0], answer[1]["code"]) == (409, "job_not_queued")


async def test_who_may_not_put_a_job_before_others_may_order_one_again_and_not_move_it(
    farm: ServedFarm, session: aiohttp.ClientSession
) -> None:
    anna = {"Authorization": f"Bearer {await add(farm, 'anna', Role.SUBMITTER)}"}
    job = await submitted(session)
    assert (await ask(session, "POST", f"jobs/{job['id']}/move", {"to": 1}, **anna))[0] == 403
    status, again = await ask(session, "POST", f"jobs/{job['id']}/again", {}, **anna)
    assert (status, again["owner"]) == (201, "user:anna")


@pytest.mark.parametrize("is_model", [False, True])
async def test_a_job_is_ordered_once_more_of_the_same_file(
    farm: ServedFarm, session: aiohttp.ClientSession, is_model: bool
) -> None:
    brought: dict[str, Any] = {"file": MODEL, "file_name": "hub.stl"} if is_model else {}
    first = await submitted(session, copies="3", priority="4", **brought)
    await ask(session, "POST", f"jobs/{first['id']}/cancel")
    path = f"jobs/{first['id']}/again"
    status, second = await ask(session, "POST", path, {"copies": 2}, **{"Idempotency-Key": "k"})
    _, replayed = await ask(session, "POST", path, {"copies": 2}, **{"Idempotency-Key": "k"})
    assert (status, replayed["id"]) == (201, second["id"])
    same = ("name", "model_sha256", "material", "printer_class")
    assert [second[name] for name in same] == [first[name] for name in same]
    assert (second["copies"], second["priority"], second["due_at"]) == (2, 0, None)
    assert [each["sha256"] for each in second["plates"]] == [
        each["sha256"] for each in first["plates"]
    ]
    assert (await ask(session, "POST", path, {}))[1]["copies"] == 3
    assert (await ask(session, "POST", path, {"copies": 10**6}))[0] == 422
    farm.artifacts.kept.clear()
    status, problem = await ask(session, "POST", path, {})
    assert (status, problem["code"]) == (409, "job_files_gone")


async def test_the_timetable_tells_what_waits_for_which_printer_and_what_for_none(
    farm: ServedFarm, session: aiohttp.ClientSession
) -> None:
    await farm.printers_arrive("p-1")
    await ask(session, "POST", "printers/p-1/clear")
    job = await submitted(session)
    await submitted(session, material="PETG")
    _, table = await ask(session, "GET", "timetable?hours=2")
    [row] = table["items"]
    assert [(each["job_id"], each["kind"]) for each in row["blocks"]] == [(job["id"], "planned")]
    assert table["left_out"] == 1
    assert (await ask(session, "GET", "timetable?hours=0"))[0] == 422


async def test_material_that_has_to_be_loaded_is_told_with_the_printers_where_it_would_do(
    farm: ServedFarm, session: aiohttp.ClientSession
) -> None:
    await farm.printers_arrive("p-1")
    await submitted(session)
    job = await submitted(session, material="PETG")
    _, found = await ask(session, "GET", "materials/wanted")
    [lack] = found["items"]
    assert (lack["job_id"], lack["material"]) == (job["id"], "PETG")
    assert [each["printer_id"] for each in lack["printers"]] == ["p-1"]
    assert lack["printer_count"] == 1
    await ask(session, "PATCH", "printers/p-1", {"material": "petg"})
    assert (await ask(session, "GET", "materials/wanted"))[1]["items"] == []


async def test_a_printer_tells_since_when_it_is_what_it_is(
    farm: ServedFarm, session: aiohttp.ClientSession
) -> None:
    await farm.printers_arrive("p-1")
    came = (await ask(session, "GET", "printers/p-1"))[1]["since"]
    farm.clock.advance(60.0)
    await ask(session, "POST", "printers/p-1/clear")
    await ask(session, "PATCH", "printers/p-1", {"notes": "wobbles"})
    assert (await ask(session, "GET", "printers/p-1"))[1]["since"] == came
    await ask(session, "POST", "printers/p-1/service", {"in_service": True})
    assert (await ask(session, "GET", "printers/p-1"))[1]["since"] > came
