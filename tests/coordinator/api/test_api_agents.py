"""Agents enrol over the API, show what they got, and get the plates of their own printers."""

import ssl
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from coordinator.api.agents import Welcome
from coordinator.api.app import ROUTES
from coordinator.api.limits import LIMITER
from coordinator.domain.access import Permission
from coordinator.domain.jobs import Job
from coordinator.domain.plates import Artifact, ArtifactKind
from coordinator.domain.runs import Run, RunState
from coordinator.errors import Unavailable
from protocols.wire.vocabulary import AgentId, Epoch, JobId, PrinterId, RunId
from tests.fakes.served_farm import AGENT, ServedFarm, served

SECRET, OTHER_SECRET = "s" * 43, "o" * 43
CONTENT = b"; a plate\nG28\n"
PLATE = sha256(CONTENT).hexdigest()
AUTHORITY = ssl.DER_cert_to_PEM_cert(b"an authority")


async def ask(
    session: aiohttp.ClientSession, path: str, body: Any = None, *, shows: str | None = None
) -> tuple[int, Any]:
    headers = {"Authorization": f"Bearer {shows}"} if shows is not None else {}
    method = "GET" if body is None else "POST"
    async with session.request(method, f"/api/v1/{path}", json=body, headers=headers) as answer:
        return answer.status, await answer.json()


async def token(session: aiohttp.ClientSession, **wanted: Any) -> str:
    status, document = await ask(session, "agents/tokens", wanted)
    assert status == 201
    return str(document["token"])


async def enrol(
    session: aiohttp.ClientSession, text: str, secret: str = SECRET, **changes: Any
) -> tuple[int, Any]:
    body = {"agent_id": None, "host_name": "pi-3", "secret": secret, **changes}
    return await ask(session, "agents/enroll", body, shows=text)


async def test_a_token_is_traded_for_a_credential_of_ones_own(
    farm: ServedFarm, session: aiohttp.ClientSession
) -> None:
    text = await token(session)
    status, document = await enrol(session, text)
    assert status == 201
    assert document == {
        "agent_id": "pi-3",
        "mqtt_url": "mqtt://127.0.0.1:1883",
        "authority": "",
    }
    assert farm.door.inside == ["pi-3"]
    _, agents = await ask(session, "agents")
    [agent] = agents["items"]
    assert (agent["id"], agent["enrolled"], agent["online"]) == ("pi-3", True, None)


async def test_who_made_the_token_and_who_used_it_stands_in_the_history(
    farm: ServedFarm, session: aiohttp.ClientSession
) -> None:
    text = await token(session, agent_id="pi-3")
    await enrol(session, text)
    told = [(line.actor, line.name, line.subject_id) for line in farm.store.tables.lines]
    token_id = text.split("_")[1]
    assert told == [
        ("user:admin", "enrolment.offered", token_id),
        (f"enrolment:{token_id}", "agent.enrolled", "pi-3"),
    ]


async def test_nothing_that_is_stored_opens_anything(
    farm: ServedFarm, session: aiohttp.ClientSession
) -> None:
    text = await token(session)
    await enrol(session, text)
    stored = repr(farm.store.tables)
    assert SECRET not in stored
    assert text.split("_", 2)[2] not in stored
    assert sha256(SECRET.encode()).hexdigest() in stored


async def test_a_token_is_used_once_but_a_lost_answer_is_given_again(
    session: aiohttp.ClientSession,
) -> None:
    text = await token(session)
    first = await enrol(session, text)
    assert await enrol(session, text) == first
    for changes in ({"secret": OTHER_SECRET}, {"agent_id": "pi-4"}):
        status, problem = await enrol(session, text, **{"secret": SECRET, **changes})
        assert (status, problem["code"]) == (422, "token_used")
        assert "farmhand agent token" in problem["detail"]


async def test_a_token_expires(farm: ServedFarm, session: aiohttp.ClientSession) -> None:
    text = await token(session, valid_s=90.0)
    farm.clock.advance(90.0)
    status, problem = await enrol(session, text)
    assert (status, problem["code"]) == (422, "token_expired")
    assert farm.door.inside == []


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        ({"agent_id": "Pi 3"}, "agent_id_invalid"),
        ({"agent_id": "coordinator.link"}, "agent_id_invalid"),
        ({"valid_s": 1.0}, "ttl_out_of_range"),
        ({"valid_s": 1e9}, "ttl_out_of_range"),
        ({"valid_s": "1h"}, "invalid_fields"),
    ],
)
async def test_a_token_for_nothing_is_refused(
    session: aiohttp.ClientSession, wanted: dict[str, Any], code: str
) -> None:
    status, problem = await ask(session, "agents/tokens", wanted)
    assert (status, problem["code"]) == (422, code)


async def test_a_token_for_one_name_gives_it_and_refuses_another(
    session: aiohttp.ClientSession,
) -> None:
    text = await token(session, agent_id="pi-7")
    status, problem = await enrol(session, text, agent_id="pi-8")
    assert (status, problem["code"]) == (422, "token_for_another")
    status, document = await enrol(session, text)
    assert (status, document["agent_id"]) == (201, "pi-7")


async def test_without_a_name_a_token_never_replaces_an_agent(
    session: aiohttp.ClientSession,
) -> None:
    await enrol(session, await token(session))
    status, problem = await enrol(session, await token(session), OTHER_SECRET)
    assert (status, problem["code"]) == (422, "agent_id_taken")
    assert "--for pi-3" in problem["detail"]


@pytest.mark.parametrize("name", ["", "PI", "a b", "+", "coordinator.link", "x" * 64])
async def test_a_name_that_can_not_stand_in_a_topic_is_refused(
    session: aiohttp.ClientSession, name: str
) -> None:
    status, problem = await enrol(session, await token(session), host_name=name)
    assert (status, problem["code"]) == (422, "agent_id_invalid")


@pytest.mark.parametrize("secret", ["", "short", "s" * 42 + "\n", "s" * 42 + ":", "s" * 129])
async def test_a_secret_that_could_be_guessed_or_break_a_file_is_refused(
    session: aiohttp.ClientSession, secret: str
) -> None:
    status, problem = await enrol(session, await token(session), secret)
    assert (status, problem["code"]) == (422, "invalid_fields")


async def test_a_renewed_credential_ends_the_old_one_only_once_it_is_taken(
    session: aiohttp.ClientSession,
) -> None:
    await enrol(session, await token(session))
    status, document = await ask(session, "agents/pi-3/rotate", {})
    assert status == 201
    old, new = f"agent_pi-3_{SECRET}", f"agent_pi-3_{OTHER_SECRET}"
    assert await opens(session, old)
    await enrol(session, document["token"], OTHER_SECRET)
    assert not await opens(session, old)
    assert await opens(session, new)


async def test_a_revoked_agent_is_outside_until_it_enrols_again_by_name(
    farm: ServedFarm, session: aiohttp.ClientSession
) -> None:
    text = await token(session)
    await enrol(session, text)
    status, agent = await ask(session, "agents/pi-3/revoke", {})
    assert (status, agent["enrolled"]) == (200, False)
    assert agent["revoked_at"] is not None
    assert farm.door.inside == []
    assert not await opens(session, f"agent_pi-3_{SECRET}")
    assert (await enrol(session, text))[0] == 422  # the answer of before is not given again
    assert (await enrol(session, await token(session, agent_id="pi-3")))[0] == 201
    assert farm.door.inside == ["pi-3"]


async def test_a_revoked_agent_is_gone_and_its_retained_word_does_not_bring_it_back(
    farm: ServedFarm, session: aiohttp.ClientSession
) -> None:
    await farm.printers_arrive("mk3")
    await enrol(session, await token(session, agent_id=AGENT))
    await ask(session, f"agents/{AGENT}/revoke", {})
    _, agents = await ask(session, "agents")
    assert [(each["online"], each["enrolled"]) for each in agents["items"]] == [(False, False)]
    assert (await ask(session, "printers/mk3"))[1]["status"] == "offline"
    await farm.printers_arrive("mk3")
    assert (await ask(session, "printers/mk3"))[1]["status"] == "offline"
    _, audit = await ask(session, "events/verify")
    assert audit["ok"]
    await enrol(session, await token(session, agent_id=AGENT), OTHER_SECRET)
    await farm.printers_arrive("mk3")
    assert (await ask(session, "printers/mk3"))[1]["status"] == "needs_clearing"


@pytest.mark.parametrize("verb", ["revoke", "rotate"])
async def test_an_agent_that_never_enrolled_can_not_be_dealt_with(
    session: aiohttp.ClientSession, verb: str
) -> None:
    assert (await ask(session, f"agents/pi-9/{verb}", {}))[0] == 404


async def opens(session: aiohttp.ClientSession, shown: str) -> bool:
    """Whether a credential is one: an agent's is let in, to be told that the plate is not its."""
    status, problem = await ask(session, f"plates/{PLATE}", shows=shown)
    assert (status, problem["code"]) in ((401, "no_credential"), (403, "not_leased"))
    return status == 403


@pytest.mark.parametrize(
    "shown",
    [
        f"agent_pi-3_{OTHER_SECRET}",
        "agent_pi-3_",
        "agent_pi-3",
        f"agent_pi-4_{SECRET}",
        f"agent__{SECRET}",
        SECRET,
        f"enroll_pi-3_{SECRET}",
    ],
)
async def test_what_is_not_exactly_the_credential_is_none(
    session: aiohttp.ClientSession, shown: str
) -> None:
    await enrol(session, await token(session))
    assert not await opens(session, shown)


async def test_an_agent_fetches_plates_and_sends_pictures_and_a_token_enrols_and_nothing_else(
    farm: ServedFarm, session: aiohttp.ClientSession
) -> None:
    text = await token(session)
    await enrol(session, await token(session))
    of_agents = {Permission.PLATES_FETCH, Permission.PICTURES_SEND}
    wanted = {f"agent_pi-3_{SECRET}": of_agents, text: {Permission.AGENTS_ENROLL}}
    for shown, may in wanted.items():
        headers = {"Authorization": f"Bearer {shown}"}
        for route in ROUTES:
            if route.needs is None or route.needs in may:
                continue
            farm.clock.advance(1.0)  # slowly enough for the limits
            path = route.path.replace("{", "").replace("}", "")
            farm.app[LIMITER]._empty_at_s.clear()  # there are more routes than anybody asks at once
            async with session.request(route.method, path, headers=headers) as answer:
                assert answer.status == 403, f"{route.method} {route.path}"


async def holds(
    farm: ServedFarm, printer_id: str, *, state: RunState, staged: bool = False
) -> None:
    """A run of the plate is the printer's."""
    farm.artifacts.kept[PLATE] = CONTENT
    now = farm.clock.now()
    run = Run(
        run_id=RunId("run-1"),
        job_id=JobId("job-1"),
        printer_id=PrinterId(printer_id),
        agent_id=AGENT,
        epoch=Epoch(1),
        plate_sha256=PLATE,
        state=state,
        leased_at=now,
    )
    plate = Artifact(
        sha256=PLATE,
        kind=ArtifactKind.PLATE,
        name="x.gcode",
        size_bytes=len(CONTENT),
        created_at=now,
    )
    async with farm.store.write() as unit:
        await unit.save_artifact(plate)
        await unit.save_job(Job(job_id=JobId("job-1"), name="x", created_at=now, updated_at=now))
        await unit.save_run(run)
        printer = await unit.printer(PrinterId(printer_id))
        assert printer is not None
        mine = {"staged": (run.run_id,)} if staged else {"run_id": run.run_id}
        await unit.save_printer(replace(printer, **mine))  # type: ignore[arg-type]


@pytest.mark.parametrize("staged", [False, True])
@pytest.mark.parametrize("state", [RunState.LEASED, RunState.PERMITTED, RunState.PRINTING])
async def test_an_agent_gets_the_plates_of_its_own_printers_and_of_no_others(
    farm: ServedFarm, session: aiohttp.ClientSession, state: RunState, staged: bool
) -> None:
    await farm.printers_arrive("mk3")
    await holds(farm, "mk3", state=state, staged=staged)
    await enrol(session, await token(session, agent_id=AGENT))
    await enrol(session, await token(session), OTHER_SECRET, agent_id="pi-other")
    own = {"Authorization": f"Bearer agent_{AGENT}_{SECRET}", "Range": "bytes=2-"}
    async with session.get(f"/api/v1/plates/{PLATE}", headers=own) as answer:
        assert (answer.status, await answer.read()) == (206, CONTENT[2:])
    assert not await gets(session, f"agent_pi-other_{OTHER_SECRET}")
    async with session.get(f"/api/v1/plates/{PLATE}") as answer:  # the farm's token, as before
        assert answer.status == 200


@pytest.mark.parametrize("state", [RunState.FINISHED, RunState.REVOKED, RunState.LOST])
async def test_a_plate_whose_run_has_ended_is_nobodys(
    farm: ServedFarm, session: aiohttp.ClientSession, state: RunState
) -> None:
    await farm.printers_arrive("mk3")
    await holds(farm, "mk3", state=state)
    await enrol(session, await token(session, agent_id=AGENT))
    assert not await gets(session, f"agent_{AGENT}_{SECRET}")


async def gets(session: aiohttp.ClientSession, shown: str) -> bool:
    headers = {"Authorization": f"Bearer {shown}"}
    async with session.get(f"/api/v1/plates/{PLATE}", headers=headers) as answer:
        assert answer.status in (200, 403)
        return answer.status == 200


@pytest.mark.parametrize(
    ("listens", "reached"),
    [
        ("mqtts://0.0.0.0:8883", "mqtts://127.0.0.1:8883"),
        ("mqtt://[::]:1883", "mqtt://127.0.0.1:1883"),
        ("mqtts://broker.example:8883", "mqtts://broker.example:8883"),
    ],
)
async def test_an_agent_is_told_where_the_broker_is_as_it_reached_us(
    tmp_path: Path, listens: str, reached: str
) -> None:
    farm = ServedFarm(tmp_path, welcome=Welcome(broker_url=listens, authority=AUTHORITY))
    async with served(farm) as session:
        text, _, fingerprint = (await token(session)).partition(".")
        assert fingerprint == sha256(b"an authority").hexdigest()
        _, document = await enrol(session, text)
        assert (document["mqtt_url"], document["authority"]) == (reached, AUTHORITY)
        async with session.get("/api/v1/authority", headers={"Authorization": ""}) as answer:
            assert await answer.json() == {"certificate": AUTHORITY}


async def test_the_files_for_a_broker_elsewhere_have_every_agent_and_the_coordinator(
    tmp_path: Path,
) -> None:
    farm = ServedFarm(tmp_path, welcome=Welcome(shared=("farm", "a long password")))
    async with served(farm) as session:
        await enrol(session, await token(session))
        await enrol(session, await token(session), OTHER_SECRET, agent_id="pi-4")
        await ask(session, "agents/pi-4/revoke", {})
        status, problem = await enrol(session, await token(session), OTHER_SECRET, agent_id="farm")
        assert (status, problem["code"]) == (422, "agent_id_reserved")
        _, files = await ask(session, "broker/files")
    assert [line.partition(":")[0] for line in files["passwords"].splitlines()] == ["farm", "pi-3"]
    assert "user farm\ntopic readwrite #\n" in files["access"]


async def test_without_a_user_for_the_coordinator_there_are_no_such_files(
    session: aiohttp.ClientSession,
) -> None:
    status, problem = await ask(session, "broker/files")
    assert (status, problem["code"]) == (422, "no_broker_username")


async def test_while_the_database_does_not_answer_nobody_is_let_in(
    farm: ServedFarm, session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = await token(session)
    await enrol(session, await token(session))

    def fails() -> None:
        raise Unavailable("store_locked", "it does not answer")

    monkeypatch.setattr(farm.store, "read", fails)
    for shown in (f"agent_pi-3_{SECRET}", text):
        assert (await ask(session, f"plates/{PLATE}", shows=shown))[0] == 503


async def test_tokens_of_long_ago_are_forgotten(
    farm: ServedFarm, session: aiohttp.ClientSession
) -> None:
    text = await token(session)
    farm.clock.advance(timedelta(days=31).total_seconds())
    await token(session, agent_id=AgentId("pi-9"))
    assert (await enrol(session, text))[0] == 401
