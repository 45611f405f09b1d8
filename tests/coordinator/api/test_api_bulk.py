"""One thing done to many over HTTP: each has its own result, and none stops the others."""

from typing import Any

import aiohttp
import pytest

from coordinator.domain.access import Role
from tests.coordinator.api.test_api_jobs import form, submitted
from tests.coordinator.api.test_api_library import ask
from tests.coordinator.api.test_api_users import add
from tests.fakes.served_farm import ServedFarm


async def test_jobs_are_cancelled_by_id_and_what_fails_stops_nothing(
    session: aiohttp.ClientSession,
) -> None:
    jobs = [(await submitted(session))["id"] for _ in range(3)]
    await ask(session, "POST", f"jobs/{jobs[0]}/cancel")
    said = {"action": "cancel", "ids": [jobs[0], "job-none", jobs[1], jobs[1]]}
    status, results = await ask(session, "POST", "jobs/actions", said)
    assert (status, results["done"], results["failed"]) == (200, 1, 2)
    assert [each["id"] for each in results["items"]] == [jobs[0], "job-none", jobs[1]]
    assert [each["code"] for each in results["items"]] == ["job_ended", "unknown_job", ""]
    assert (await ask(session, "GET", f"jobs/{jobs[1]}"))[1]["state"] == "cancelled"
    assert (await ask(session, "GET", f"jobs/{jobs[2]}"))[1]["state"] == "ready"


async def test_jobs_are_meant_by_what_they_are(session: aiohttp.ClientSession) -> None:
    pla = await submitted(session, material="PLA", name="Hub one")
    gone = await submitted(session, material="PLA", name="hub two")
    await submitted(session, material="PETG", name="Hub three")
    await ask(session, "POST", f"jobs/{gone['id']}/cancel")
    where = {"material": "PLA", "text": "hub"}
    changes = {"priority": 5, "due_at": "2031-01-01T00:00:00Z"}
    said = {"action": "change", "where": where, "changes": changes}
    _, results = await ask(session, "POST", "jobs/actions", said)
    assert [each["id"] for each in results["items"]] == [pla["id"]]
    _, job = await ask(session, "GET", f"jobs/{pla['id']}")
    assert (job["priority"], job["due_at"]) == (5, "2031-01-01T00:00:00.000Z")
    for action in ("pause", "resume"):
        said = {"action": action, "where": {"state": ["ready"]}}
        assert (await ask(session, "POST", "jobs/actions", said))[1]["done"] == 2
    said = {"action": "cancel", "where": {"material": "ABS"}}
    assert (await ask(session, "POST", "jobs/actions", said))[1]["items"] == []


async def test_printers_are_cleared_served_and_described_by_group(
    farm: ServedFarm, session: aiohttp.ClientSession
) -> None:
    await farm.printers_arrive("p-1", "p-2", "p-3")
    said: dict[str, Any] = {"action": "change", "ids": ["p-1", "p-2"]}
    said["changes"] = {"printer_group": "lab", "tags": ["Fast"]}
    assert (await ask(session, "POST", "printers/actions", said))[1]["done"] == 2
    where = {"printer_group": "lab", "tag": ["fast"]}

    async def do(action: str) -> list[str]:
        said = {"action": action, "where": where}
        _, results = await ask(session, "POST", "printers/actions", said)
        return [each["code"] for each in results["items"]]

    assert await do("claim") == ["", ""]
    assert await do("abandon") == ["", ""]
    assert await do("abandon") == ["not_clearing", "not_clearing"]
    assert await do("clear") == ["", ""]
    assert await do("service_on") == ["", ""]
    _, printers = await ask(session, "GET", "printers")
    statuses = [each["status"] for each in printers["items"]]
    assert statuses == ["in_service", "in_service", "needs_clearing"]
    assert await do("service_off") == ["", ""]


@pytest.mark.parametrize(
    ("path", "said", "code"),
    [
        ("jobs", {"action": "cancel"}, "invalid_fields"),
        ("jobs", {"action": "cancel", "ids": ["a"], "where": {"text": "b"}}, "invalid_fields"),
        ("jobs", {"action": "cancel", "where": {}}, "nothing_meant"),
        ("jobs", {"action": "cancel", "where": {"colour": "red"}}, "invalid_fields"),
        ("jobs", {"action": "cancel", "ids": ["a"] * 501}, "invalid_fields"),
        ("jobs", {"action": "explode", "ids": ["a"]}, "invalid_fields"),
        ("jobs", {"action": "change", "ids": ["a"]}, "invalid_fields"),
        ("jobs", {"action": "pause", "ids": ["a"], "changes": {}}, "invalid_fields"),
        ("printers", {"action": "clear", "where": {}}, "nothing_meant"),
        ("printers", {"action": "clear"}, "invalid_fields"),
    ],
)
async def test_what_makes_no_sense_is_refused_whole(
    session: aiohttp.ClientSession, path: str, said: dict[str, Any], code: str
) -> None:
    status, problem = await ask(session, "POST", f"{path}/actions", said)
    assert (status, problem["code"]) == (422, code)


async def test_everybody_does_to_many_what_they_may_do_to_one(
    farm: ServedFarm, session: aiohttp.ClientSession
) -> None:
    await farm.printers_arrive("p-1")
    anna = {"Authorization": f"Bearer {await add(farm, 'anna', Role.SUBMITTER)}"}
    theirs = (await submitted(session))["id"]
    _, mine = await ask(session, "POST", "jobs", form(), **anna)
    said: dict[str, Any] = {"action": "cancel", "ids": [theirs, mine["id"]]}
    _, results = await ask(session, "POST", "jobs/actions", said, **anna)
    assert [each["code"] for each in results["items"]] == ["not_your_job", ""]
    for said, code in (
        ({"action": "approve", "ids": [theirs]}, "not_permitted"),
        ({"action": "change", "ids": [theirs], "changes": {"priority": 1}}, "priority"),
    ):
        status, problem = await ask(session, "POST", "jobs/actions", said, **anna)
        assert status == 403
        assert problem["code"].startswith(code)
    said = {"action": "clear", "ids": ["p-1"]}
    assert (await ask(session, "POST", "printers/actions", said, **anna))[0] == 403
