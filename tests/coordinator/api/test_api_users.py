"""Users and keys over HTTP, and what roles and owners mean to jobs."""

import asyncio
from datetime import timedelta
from typing import Any

import aiohttp
import pytest

from coordinator.domain.access import Role
from coordinator.domain.policy import Policy
from coordinator.usecases import users
from coordinator.usecases.admitting import ROOT
from tests.fakes.fake_farm import GCODE
from tests.fakes.manual_clock import NOON
from tests.fakes.served_farm import ServedFarm

PASSWORD = "correct horse battery"


async def ask(
    session: aiohttp.ClientSession,
    method: str,
    path: str,
    body: object = None,
    key: str = "",
) -> tuple[int, Any]:
    headers = {"Authorization": "", "X-Api-Key": key} if key else {}
    async with session.request(method, f"/api/v1{path}", json=body, headers=headers) as response:
        return response.status, await response.json()


async def add(farm: ServedFarm, name: str, role: Role) -> str:
    """Add a user; return a key of theirs."""
    await users.add_user(farm.gate, name, role, "user:admin")
    return (await users.create_key(farm.farm, ROOT, "test", of=name))[2]


async def submit(session: aiohttp.ClientSession, key: str, **fields: str) -> tuple[int, Any]:
    form = aiohttp.FormData(fields)
    form.add_field("file", GCODE, filename="part.gcode")
    headers = {"Authorization": "", "X-Api-Key": key}
    async with session.post("/api/v1/jobs", data=form, headers=headers) as response:
        return response.status, await response.json()


async def test_a_user_is_made_changed_and_removed_and_the_name_stays_taken(
    session: aiohttp.ClientSession, farm: ServedFarm
) -> None:
    wanted = {"name": "anna", "role": "viewer", "password": PASSWORD}
    answered, anna = await ask(session, "POST", "/users", wanted)
    assert (answered, anna["role"], anna["state"]) == (201, "viewer", "active")
    assert (await ask(session, "POST", "/users", wanted))[1]["code"] == "name_taken"
    quota = {"jobs_open_max": 3, "grams_per_month": None}
    _, changed = await ask(session, "PATCH", "/users/anna", {"role": "submitter", "quota": quota})
    assert (changed["role"], changed["quota"]) == ("submitter", quota)
    assert (await ask(session, "DELETE", "/users/anna"))[1]["state"] == "removed"
    assert (await ask(session, "GET", "/users/anna"))[0] == 404
    assert (await ask(session, "GET", "/users"))[1] == {"items": []}
    assert (await ask(session, "POST", "/users", wanted))[1]["code"] == "name_taken"
    told = [line.name for line in farm.store.tables.lines if line.subject == "user"]
    assert told == ["user.added", "user.changed", "user.removed"]
    assert "argon2" not in str(farm.store.tables.lines)


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "Anna Smith"},
        {"name": ""},
        {"role": "king"},
        {"password": "short"},
        {"name": "annabella", "password": "annabella1"},
        {"quota": {"jobs_open_max": -1}},
        {"shoe": 1},
    ],
)
async def test_a_user_that_makes_no_sense_is_refused(
    session: aiohttp.ClientSession, farm: ServedFarm, wrong: dict[str, object]
) -> None:
    wanted = {"name": "anna", "role": "viewer", "password": PASSWORD} | wrong
    assert (await ask(session, "POST", "/users", wanted))[0] == 422
    assert not farm.store.tables.accounts.users


async def test_a_key_is_shown_once_and_kept_as_a_hash(
    session: aiohttp.ClientSession, farm: ServedFarm
) -> None:
    await add(farm, "anna", Role.SUBMITTER)
    wanted = {"name": "ci", "user": "anna", "scopes": ["farm:read"]}
    answered, key = await ask(session, "POST", "/keys", wanted)
    assert (answered, key["scopes"], key["used_at"]) == (201, ["farm:read"], None)
    assert key["key"].startswith(f"farm_{key['id']}_")
    secret = key["key"].removeprefix(f"farm_{key['id']}_")  # may hold an underscore itself
    assert secret not in str(farm.store.tables)
    assert (await ask(session, "GET", "/me", key=key["key"]))[1]["actor"] == "key:anna/ci"
    assert (await ask(session, "GET", "/me", key=key["key"][:-1] + "!"))[0] == 401
    assert (await submit(session, key["key"]))[1]["facts"] == {"permission": "jobs:submit"}
    _, listed = await ask(session, "GET", "/keys?user=anna")
    assert [each["name"] for each in listed["items"]] == ["test", "ci"]
    assert "key" not in listed["items"][0]


async def test_a_key_ends_by_itself_by_hand_and_with_its_user(
    session: aiohttp.ClientSession, farm: ServedFarm
) -> None:
    keys = [await add(farm, name, Role.VIEWER) for name in ("anna", "bert")]
    ends = {"name": "short", "user": "anna", "expires_at": str(NOON + timedelta(hours=1))}
    short = (await ask(session, "POST", "/keys", ends))[1]["key"]
    farm.clock.advance(3600)
    assert (await ask(session, "GET", "/me", key=short))[0] == 401
    assert (await ask(session, "GET", "/me", key=keys[0]))[0] == 200
    _, listed = await ask(session, "GET", "/keys?user=anna")
    await ask(session, "DELETE", f"/keys/{listed['items'][0]['id']}")
    assert (await ask(session, "GET", "/me", key=keys[0]))[0] == 401
    await ask(session, "DELETE", "/users/bert")
    assert (await ask(session, "GET", "/me", key=keys[1]))[0] == 401


async def test_when_a_key_was_used_is_written_at_most_once_a_minute(
    session: aiohttp.ClientSession, farm: ServedFarm
) -> None:
    key = await add(farm, "anna", Role.VIEWER)
    written = farm.store.writes
    for seconds in (0, 30, 29, 1):
        farm.clock.advance(seconds)
        assert (await ask(session, "GET", "/me", key=key))[0] == 200
    assert farm.store.writes == written + 2


async def test_nobody_gives_a_key_more_than_they_have(
    session: aiohttp.ClientSession, farm: ServedFarm
) -> None:
    anna, bert = await add(farm, "anna", Role.VIEWER), await add(farm, "bert", Role.VIEWER)
    wide = {"name": "wide", "scopes": ["jobs:submit"]}
    assert (await ask(session, "POST", "/keys", wide, key=anna))[1]["code"] == "scope_too_wide"
    others = {"name": "others", "user": "bert"}
    assert (await ask(session, "POST", "/keys", others, key=anna))[1]["code"] == "not_your_account"
    assert (await ask(session, "GET", "/keys?user=bert", key=anna))[0] == 403
    _, berts = await ask(session, "GET", "/keys", key=bert)
    path = f"/keys/{berts['items'][0]['id']}"
    assert (await ask(session, "DELETE", path, key=anna))[0] == 404
    narrow = {"name": "narrow", "scopes": ["account:own", "wall:read"]}
    key = (await ask(session, "POST", "/keys", narrow, key=anna))[1]["key"]
    wider = {"name": "wider", "scopes": ["farm:read"]}
    assert (await ask(session, "POST", "/keys", wider, key=key))[1]["code"] == "scope_too_wide"


async def test_a_submitter_steers_only_their_own_jobs_also_with_a_key(
    session: aiohttp.ClientSession, farm: ServedFarm
) -> None:
    anna, bert = [await add(farm, name, Role.SUBMITTER) for name in ("anna", "bert")]
    olga = await add(farm, "olga", Role.OPERATOR)
    answered, job = await submit(session, anna)
    assert (answered, job["owner"], job["approved"]) == (201, "user:anna", True)
    path = f"/jobs/{job['id']}"
    assert (await ask(session, "GET", path, key=bert))[0] == 200, "everybody sees all"
    for verb in ("pause", "resume", "cancel"):
        answered, said = await ask(session, "POST", f"{path}/{verb}", key=bert)
        assert (answered, said["code"]) == (403, "not_your_job")
    assert (await ask(session, "POST", f"{path}/pause", key=anna))[0] == 200
    assert (await ask(session, "POST", f"{path}/resume", key=olga))[0] == 200
    assert (await submit(session, anna, priority="1"))[1]["code"] == "priority_not_permitted"
    assert (await submit(session, olga, priority="1"))[0] == 201


async def test_an_operator_approves_what_waits_for_it(
    session: aiohttp.ClientSession, farm: ServedFarm
) -> None:
    object.__setattr__(farm.farm, "policy", Policy(approval=True))
    anna, olga = await add(farm, "anna", Role.SUBMITTER), await add(farm, "olga", Role.OPERATOR)
    _, job = await submit(session, anna)
    path = f"/jobs/{job['id']}"
    assert (job["approved"], [wait["code"] for wait in job["waits"]]) == (False, ["not_approved"])
    assert (await ask(session, "POST", f"{path}/approve", key=anna))[0] == 403
    assert (await ask(session, "POST", f"{path}/approve", key=olga))[1]["approved"] is True
    assert (await ask(session, "POST", f"{path}/approve", key=olga))[1]["code"] == "job_not_waiting"
    assert (await submit(session, olga))[1]["approved"] is True


async def test_a_quota_refuses_with_a_code(
    session: aiohttp.ClientSession, farm: ServedFarm
) -> None:
    anna = await add(farm, "anna", Role.SUBMITTER)
    quota = users.Quota(jobs_open_max=1)
    await users.change_user(farm.farm, "anna", "user:admin", quota=quota)
    assert (await submit(session, anna))[0] == 201
    answered, said = await submit(session, anna)
    assert (answered, said["code"]) == (422, "quota_jobs_open")


async def test_an_agents_key_fetches_plates_and_nothing_else(
    session: aiohttp.ClientSession, farm: ServedFarm
) -> None:
    pi, anna = await add(farm, "pi", Role.AGENT), await add(farm, "anna", Role.SUBMITTER)
    _, job = await submit(session, anna)
    plate = job["plates"][0]["sha256"]
    headers = {"Authorization": "", "X-Api-Key": pi}
    async with session.get(f"/api/v1/plates/{plate}", headers=headers) as response:
        assert (response.status, await response.read()) == (200, GCODE)
    assert (await ask(session, "GET", f"/artifacts/{plate}", key=pi))[0] == 403
    form = aiohttp.FormData({"name": "cube"})
    form.add_field("file", b"solid cube\n", filename="cube.stl")
    async with session.post("/api/v1/jobs", data=form) as response:
        model = (await response.json())["model_sha256"]
    assert (await ask(session, "GET", f"/plates/{model}", key=pi))[0] == 404


async def test_requests_run_out_by_key_and_come_back(
    session: aiohttp.ClientSession, farm: ServedFarm
) -> None:
    anna, bert = await add(farm, "anna", Role.VIEWER), await add(farm, "bert", Role.VIEWER)
    headers = {"Authorization": "", "X-Api-Key": anna}

    async def once() -> tuple[int, str]:
        async with session.get("/api/v1/me", headers=headers) as response:
            return response.status, response.headers["RateLimit-Remaining"]

    answers = await asyncio.gather(*(once() for _ in range(201)))
    assert sorted(status for status, _ in answers) == [200] * 200 + [429]
    assert {left for _, left in answers} == {str(left) for left in range(200)}
    assert (await ask(session, "GET", "/me", key=bert))[0] == 200, "a neighbour is not concerned"
    farm.clock.advance(1)
    assert (await once())[0] == 200


async def test_unknown_credentials_run_out_by_address_and_good_ones_do_not(
    session: aiohttp.ClientSession, farm: ServedFarm
) -> None:
    anna = await add(farm, "anna", Role.VIEWER)
    answers = [(await ask(session, "GET", "/me", key="farm_key-1_x"))[0] for _ in range(61)]
    assert answers == [401] * 60 + [429]
    assert (await ask(session, "GET", "/me", key=anna))[0] == 200
