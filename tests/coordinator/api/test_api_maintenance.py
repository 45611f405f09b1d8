"""Maintenance over HTTP."""

from typing import Any

import aiohttp
import pytest

from coordinator.domain.access import Role
from coordinator.usecases.auditing import verify
from tests.coordinator.api.test_api_library import ask
from tests.coordinator.api.test_api_users import add
from tests.fakes.served_farm import ServedFarm

OIL: dict[str, Any] = {"printer_id": "p-1", "name": "oil the rods", "every_days": 30}


async def test_a_task_is_due_after_its_days_until_somebody_did_it(
    farm: ServedFarm, session: aiohttp.ClientSession
) -> None:
    await farm.printers_arrive("p-1", "p-2")
    status, task = await ask(session, "POST", "maintenance", OIL)
    path = f"maintenance/{task['id']}"
    assert (status, task["due"], task["every_h"], task["log"]) == (201, False, None, [])
    await ask(session, "POST", "maintenance", {**OIL, "printer_id": "p-2", "every_days": 90})
    farm.clock.advance(30 * 86400)
    _, due = await ask(session, "GET", "maintenance?due=true")
    assert [each["id"] for each in due["items"]] == [task["id"]]
    assert (await ask(session, "GET", "maintenance?due=false&printer_id=p-1"))[1]["items"] == []
    _, done = await ask(session, "POST", f"{path}/done", {"words": "took two drops"})
    assert (done["due"], done["days"], done["done_by"]) == (False, 0.0, "user:admin")
    [once] = done["log"]
    assert (once["actor"], once["words"]) == ("user:admin", "took two drops")
    _, changed = await ask(session, "PATCH", path, {"every_h": 100, "every_days": None})
    assert (changed["every_h"], changed["every_days"], changed["version"]) == (100.0, None, 2)
    farm.clock.advance(365 * 86400)
    assert not (await ask(session, "GET", path))[1]["due"]  # it printed nothing
    await ask(session, "PATCH", path, {"archived": True})
    assert len((await ask(session, "GET", "maintenance"))[1]["items"]) == 1
    assert len((await ask(session, "GET", "maintenance?archived=true"))[1]["items"]) == 2
    assert not (await verify(farm.farm)).faults


@pytest.mark.parametrize(
    ("method", "path", "said", "status", "code"),
    [
        ("POST", "maintenance", {"printer_id": "p-1", "name": "a"}, 422, "no_interval"),
        ("POST", "maintenance", {**OIL, "printer_id": "p-9"}, 404, "unknown_printer"),
        ("POST", "maintenance", {**OIL, "every_days": 0}, 422, "invalid_fields"),
        ("PATCH", "maintenance/TASK", {"every_days": None}, 422, "no_interval"),
        ("PATCH", "maintenance/t", {}, 404, "unknown_maintenance"),
        ("GET", "maintenance/t", None, 404, "unknown_maintenance"),
        ("POST", "maintenance/t/done", {}, 404, "unknown_maintenance"),
    ],
)
async def test_what_makes_no_sense_is_refused(
    farm: ServedFarm,
    session: aiohttp.ClientSession,
    method: str,
    path: str,
    said: Any,
    status: int,
    code: str,
) -> None:
    await farm.printers_arrive("p-1")
    _, task = await ask(session, "POST", "maintenance", OIL)
    answered = await ask(session, method, path.replace("TASK", task["id"]), said)
    assert (answered[0], answered[1]["code"]) == (status, code)


async def test_an_operator_does_it_and_a_submitter_only_looks(
    farm: ServedFarm, session: aiohttp.ClientSession
) -> None:
    await farm.printers_arrive("p-1")
    key = {"Idempotency_Key": "one"}
    first = await ask(session, "POST", "maintenance", OIL, **key)
    assert await ask(session, "POST", "maintenance", OIL, **key) == first
    path = f"maintenance/{first[1]['id']}"
    anna = {"Authorization": f"Bearer {await add(farm, 'anna', Role.SUBMITTER)}"}
    assert (await ask(session, "GET", path, **anna))[0] == 200
    assert (await ask(session, "POST", f"{path}/done", {}, **anna))[0] == 403
    assert (await ask(session, "POST", "maintenance", OIL, **anna))[0] == 403
