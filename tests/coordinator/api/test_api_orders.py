"""Orders over HTTP: of models that the farm has, and with a due date."""

from datetime import timedelta
from typing import Any

import aiohttp
import pytest

from coordinator.domain.access import Role
from tests.coordinator.api.test_api_jobs import form, submitted
from tests.coordinator.api.test_api_library import ask, stl
from tests.coordinator.api.test_api_users import add
from tests.fakes.fake_farm import MODEL
from tests.fakes.served_farm import ServedFarm


async def a_model(session: aiohttp.ClientSession) -> str:
    """Return the id of a model with two versions."""
    _, model = await ask(session, "POST", "models", {"name": "Wheel hub"})
    for data in (MODEL, MODEL + b"two\n"):
        status, _ = await ask(session, "POST", f"models/{model['id']}/versions", stl(data))
        assert status == 201
    return str(model["id"])


async def test_a_job_of_a_model_keeps_which_version_it_is(
    farm: ServedFarm, session: aiohttp.ClientSession
) -> None:
    model_id = await a_model(session)
    newest = await submitted(session, file=None, model_id=model_id)
    first = await submitted(session, file=None, model_id=model_id, version="1", name="old hub")
    assert (newest["model_id"], newest["model_version"]) == (model_id, 2)
    assert (first["model_version"], first["name"], newest["name"]) == (1, "old hub", "Wheel hub")
    for job in (first, newest):
        path = f"models/{model_id}/versions/{job['model_version']}"
        assert (await ask(session, "GET", path))[1]["sha256"] == job["model_sha256"]
    _, found = await ask(session, "GET", f"jobs?model_id={model_id}")
    assert found["items"] == [newest, first]
    assert len(farm.artifacts.kept) == 2
    brought = await submitted(session)
    assert (brought["model_id"], brought["model_version"]) == (None, None)


async def test_where_a_jobs_model_came_from_is_told_and_nothing_of_a_file(
    session: aiohttp.ClientSession,
) -> None:
    model_id = await a_model(session)
    job = await submitted(session, file=None, model_id=model_id)
    _, told = await ask(session, "GET", f"jobs/{job['id']}/provenance")
    assert told["facts"] == {
        "model": "Wheel hub",
        "model_id": model_id,
        "version": "2",
        "sha256": job["model_sha256"],
        "kind": "upload",
    }
    brought = await submitted(session)
    _, told = await ask(session, "GET", f"jobs/{brought['id']}/provenance")
    assert told == {"facts": {}}
    assert (await ask(session, "GET", "jobs/job-9/provenance"))[0] == 404


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"model_id": "model-9"}, 404, "unknown_model"),
        ({"model_id": "MODEL", "version": "3"}, 404, "unknown_version"),
        ({"model_id": "MODEL", "version": "-1"}, 422, "invalid_fields"),
        ({"model_id": "MODEL", "copies": "0"}, 422, "copies_out_of_range"),
        ({}, 422, "no_file"),
    ],
)
async def test_an_order_of_a_model_that_makes_no_sense_is_refused(
    farm: ServedFarm,
    session: aiohttp.ClientSession,
    fields: dict[str, str],
    status: int,
    code: str,
) -> None:
    model_id = await a_model(session)
    said = {name: model_id if value == "MODEL" else value for name, value in fields.items()}
    answered = await ask(session, "POST", "jobs", form(file=None, **said))
    assert (answered[0], answered[1]["code"]) == (status, code)
    assert not farm.store.tables.jobs


async def test_a_file_and_a_model_are_not_ordered_at_once(session: aiohttp.ClientSession) -> None:
    model_id = await a_model(session)
    status, problem = await ask(session, "POST", "jobs", form(model_id=model_id))
    assert (status, problem["errors"][0]["pointer"]) == (422, "/model_id")


async def test_a_job_is_late_once_it_is_due(
    farm: ServedFarm, session: aiohttp.ClientSession
) -> None:
    due = farm.clock.now() + timedelta(hours=1)
    job = await submitted(session, due_at=due.isoformat())
    assert (job["due_at"][:19], job["late"]) == (due.isoformat()[:19], False)
    farm.clock.advance(3601)
    path = f"jobs/{job['id']}"
    assert (await ask(session, "GET", path))[1]["late"]
    _, cancelled = await ask(session, "POST", f"{path}/cancel")
    assert not cancelled["late"]
    assert (await submitted(session))["due_at"] is None


async def test_a_job_that_waits_is_given_another_place(
    farm: ServedFarm, session: aiohttp.ClientSession
) -> None:
    anna = {"Authorization": f"Bearer {await add(farm, 'anna', Role.SUBMITTER)}"}
    job = await submitted(session)
    path = f"jobs/{job['id']}"
    said: dict[str, Any] = {"priority": 7, "due_at": "2031-01-01T00:00:00Z"}
    _, changed = await ask(session, "PATCH", path, said)
    assert (changed["priority"], changed["due_at"]) == (7, "2031-01-01T00:00:00.000Z")
    _, changed = await ask(session, "PATCH", path, {"due_at": None, "name": "Hub"})
    assert (changed["priority"], changed["due_at"], changed["name"]) == (7, None, "Hub")
    _, changed = await ask(session, "PATCH", path, {"copies": 20})
    assert changed["copies"] == 20
    status, problem = await ask(session, "PATCH", path, {"copies": 0})
    assert (status, problem["code"]) == (422, "copies_out_of_range")
    status, problem = await ask(session, "PATCH", path, {"name": "Mine"}, **anna)
    assert (status, problem["code"]) == (403, "not_your_job")
    status, problem = await ask(session, "PATCH", path, {"priority": 1}, **anna)
    assert (status, problem["code"]) == (403, "priority_not_permitted")
    await ask(session, "POST", f"{path}/cancel")
    status, problem = await ask(session, "PATCH", path, {"priority": 1})
    assert (status, problem["code"]) == (409, "job_ended")
    _, about = await ask(session, "GET", f"events?job={job['id']}")
    reordered = [event["changes"] for event in about["items"] if event["name"] == "job.reordered"]
    assert [changes.get("priority") for changes in reordered] == [7, None, None]
