"""Releases and rollouts over HTTP."""

import asyncio
import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from structlog.testing import capture_logs

from coordinator.domain.access import Role
from coordinator.usecases import updating
from coordinator.usecases.absorbing import absorb
from protocols.wire.compat import OURS
from protocols.wire.to_agent import Command
from tests.coordinator.api.test_api_library import ask
from tests.coordinator.api.test_api_users import add
from tests.fakes.releases import Workshop, contents, signature_of
from tests.fakes.served_farm import AGENT, ServedFarm

VERSION = "9.0.0"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    return Workshop(tmp_path_factory.mktemp("releases"))


@pytest.fixture(scope="module")
def release(shop: Workshop) -> Path:
    return shop.good(VERSION)


async def bring(
    session: aiohttp.ClientSession, file: Path | bytes, signature: str
) -> tuple[int, Any]:
    data = file if isinstance(file, bytes) else await asyncio.to_thread(file.read_bytes)
    form = aiohttp.FormData()
    form.add_field("file", data, filename="release.zip")
    form.add_field("signature", signature)
    async with session.post("/api/v1/releases", data=form) as answer:
        return answer.status, await answer.json()


def commands(farm: ServedFarm) -> list[Command]:
    return farm.link.commands


async def test_a_release_is_taken_in_handed_to_agents_and_removed(
    farm: ServedFarm, session: aiohttp.ClientSession, release: Path
) -> None:
    status, added = await bring(session, release, signature_of(release))
    assert (status, added["version"], added["added_by"]) == (201, VERSION, "user:admin")
    assert await bring(session, release, signature_of(release)) == (201, added)
    assert (await ask(session, "GET", "releases"))[1]["items"] == [added]
    async with session.get(f"/api/v1/releases/{VERSION}/file") as answer:
        data = await answer.read()
    assert hashlib.sha256(data).hexdigest() == added["sha256"]
    assert (await ask(session, "DELETE", f"releases/{VERSION}"))[0] == 200
    assert (await ask(session, "GET", "releases"))[1]["items"] == []


async def test_a_release_that_is_none_is_refused(
    session: aiohttp.ClientSession, shop: Workshop, release: Path
) -> None:
    signature = signature_of(release)
    status, problem = await bring(session, b"PK no zip", signature)
    assert (status, problem["code"]) == (422, "release_invalid")
    status, problem = await bring(session, release, "no signature")
    assert (status, problem["code"]) == (422, "release_invalid")
    assert (await bring(session, release, signature))[0] == 201
    other = await asyncio.to_thread(release.read_bytes) + b"more"
    status, problem = await bring(session, other, signature)
    assert (status, problem["code"]) == (409, "release_exists")


async def test_a_release_that_speaks_another_wire_is_refused_where_it_is_brought(
    session: aiohttp.ClientSession, release: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ahead = type(OURS)(OURS.highest + 1, OURS.highest + 1)
    monkeypatch.setattr(updating, "OURS", ahead)
    assert contents(release)[1].protocol_max == OURS.highest
    status, problem = await bring(session, release, signature_of(release))
    assert (status, problem["code"]) == (422, "release_protocol")


async def test_the_log_tells_of_which_rollout_and_agent_each_line_is(
    farm: ServedFarm, session: aiohttp.ClientSession, release: Path
) -> None:
    await farm.printers_arrive("p-1")
    await absorb(farm.farm, replace(farm.presence, protocol_minor=2))
    await bring(session, release, signature_of(release))
    with capture_logs() as logs:
        _, rollout = await ask(session, "POST", "rollouts", {"version": VERSION})
        await updating.advance_rollout(farm.farm)
        await ask(session, "POST", f"rollouts/{rollout['id']}/halt")
    told = [line for line in logs if line["event"] not in ("request.answered",)]
    of_agent = {"agent.update_asked", "command.sent"}
    assert [line["event"] for line in told] == [
        "rollout.planned", "agent.update_asked", "rollout.canary", "command.sent",
        "rollout.halted", "command.sent",
    ]  # fmt: skip
    assert all(line["rollout_id"] == rollout["id"] for line in told)
    assert all((line.get("agent_id") == AGENT) is (line["event"] in of_agent) for line in told)


async def test_a_rollout_is_begun_halted_and_resumed(
    farm: ServedFarm, session: aiohttp.ClientSession, release: Path
) -> None:
    await farm.printers_arrive("p-1")
    await absorb(farm.farm, replace(farm.presence, protocol_minor=2))
    await bring(session, release, signature_of(release))
    status, rollout = await ask(session, "POST", "rollouts", {"version": VERSION, "soak_s": 5.0})
    assert (status, rollout["state"], rollout["soak_s"]) == (201, "planned", 5.0)
    [one] = rollout["agents"]
    assert (one["agent_id"], one["stage"], one["state"]) == (AGENT, 0, "waiting")
    path = f"rollouts/{rollout['id']}"
    busy = await ask(session, "POST", "rollouts", {"version": VERSION})
    assert (busy[0], busy[1]["code"]) == (409, "rollout_live")
    kept = await ask(session, "DELETE", f"releases/{VERSION}")
    assert (kept[0], kept[1]["code"]) == (409, "rollout_live")
    await updating.advance_rollout(farm.farm)
    halted = (await ask(session, "POST", f"{path}/halt"))[1]
    assert (halted["state"], halted["words"]) == ("halted", "by user:admin")
    assert [each.name for each in commands(farm)] == ["update", "cancel_update"]
    said = commands(farm)[0].arguments
    assert (said["version"], said["url"]) == (VERSION, f"/api/v1/releases/{VERSION}/file")
    assert said["signature"] == signature_of(release)
    over = await ask(session, "POST", f"{path}/halt")
    assert (over[0], over[1]["code"]) == (409, "rollout_over")
    resumed = (await ask(session, "POST", f"{path}/resume"))[1]
    assert resumed["state"] == "planned"
    over = await ask(session, "POST", f"{path}/resume")
    assert (over[0], over[1]["code"]) == (409, "rollout_over")
    assert (await ask(session, "GET", path))[1] == resumed
    assert (await ask(session, "GET", "rollouts"))[1]["items"] == [resumed]
    _, events = await ask(session, "GET", f"events?subject=rollout&subject_id={rollout['id']}")
    told = [each["name"] for each in events["items"]]
    assert told == [f"rollout.{state}" for state in ("planned", "canary", "halted", "planned")]


async def test_an_agent_of_an_earlier_protocol_is_told_apart_and_left_as_it_is(
    farm: ServedFarm, session: aiohttp.ClientSession, release: Path
) -> None:
    await farm.printers_arrive("p-1")
    await bring(session, release, signature_of(release))
    _, rollout = await ask(session, "POST", "rollouts", {"version": VERSION})
    await updating.advance_rollout(farm.farm)
    await updating.advance_rollout(farm.farm)
    _, seen = await ask(session, "GET", f"rollouts/{rollout['id']}")
    assert (seen["state"], seen["agents"][0]["state"]) == ("halted", "refused")
    assert "too old" in seen["agents"][0]["words"]
    assert commands(farm) == []
    [agent] = (await ask(session, "GET", "agents"))[1]["items"]
    assert (agent["protocol_minor"], agent["update"]) == (0, None)


@pytest.mark.parametrize(
    ("method", "path", "said", "status", "code"),
    [
        ("POST", "rollouts", {"version": "1.0.0"}, 404, "unknown_release"),
        ("POST", "rollouts", {"version": VERSION, "agents": ["x"]}, 404, "unknown_agent"),
        ("POST", "rollouts", {"version": VERSION, "canaries": ["x"]}, 422, "canary_elsewhere"),
        ("POST", "rollouts", {"version": VERSION, "canaries": []}, 422, "canary_elsewhere"),
        ("POST", "rollouts", {"version": VERSION, "agents": []}, 422, "no_agents"),
        ("POST", "rollouts", {"version": VERSION, "soak_s": 0}, 422, "invalid_fields"),
        ("GET", "rollouts/x", None, 404, "unknown_rollout"),
        ("POST", "rollouts/x/halt", None, 404, "unknown_rollout"),
        ("POST", "rollouts/x/resume", None, 404, "unknown_rollout"),
        ("DELETE", "releases/1.0.0", None, 404, "unknown_release"),
        ("GET", "releases/1.0.0/file", None, 404, "unknown_release"),
    ],
)
async def test_what_is_not_there_is_told(
    farm: ServedFarm,
    session: aiohttp.ClientSession,
    release: Path,
    method: str,
    path: str,
    said: Any,
    status: int,
    code: str,
) -> None:
    await farm.printers_arrive("p-1")
    await bring(session, release, signature_of(release))
    answered = await ask(session, method, path, said)
    assert (answered[0], answered[1]["code"]) == (status, code)


async def test_only_administrators_update_agents_and_agents_fetch(
    farm: ServedFarm, session: aiohttp.ClientSession, release: Path
) -> None:
    await bring(session, release, signature_of(release))
    olga = {"Authorization": f"Bearer {await add(farm, 'olga', Role.OPERATOR)}"}
    assert (await ask(session, "GET", "releases", **olga))[0] == 403
    assert (await ask(session, "POST", "rollouts", {"version": VERSION}, **olga))[0] == 403
    agent = {"Authorization": f"Bearer {await add(farm, 'pi', Role.AGENT)}"}
    async with session.head(f"/api/v1/releases/{VERSION}/file", headers=agent) as answer:
        assert answer.status == 200
    assert (await ask(session, "GET", "rollouts", **agent))[0] == 403
