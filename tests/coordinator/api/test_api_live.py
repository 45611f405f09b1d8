"""Who looks on is told what there is, and then what changes, for as long as they may."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from coordinator.api import live, seats
from coordinator.api.asking import TICKETS
from coordinator.api.pictures import Picture, applied
from coordinator.api.seats import Audience, Ending, Message, Seat
from coordinator.api.tickets import TICKETS_MAX, Tickets
from coordinator.domain.access import PERMISSIONS, Caller, Role
from tests.coordinator.api.test_api_jobs import submitted
from tests.fakes.manual_clock import ManualClock
from tests.fakes.served_farm import ServedFarm, served

STRANGER = {"Authorization": ""}
PATIENCE_S = 10.0


class Screen:
    """What a client shows, who keeps to what the document says of deltas."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self.picture = Picture()
        self.history: list[str] = []
        self.sequence = -1
        self.kinds: list[str] = []

    async def hear(self) -> dict[str, Any]:
        said: dict[str, Any] = await self.socket.receive_json(timeout=PATIENCE_S)
        self.kinds.append(said["kind"])
        if said["kind"] == "snapshot":
            self.picture = Picture(
                printers={each["id"]: each for each in said.get("printers", ())},
                jobs={each["id"]: each for each in said.get("jobs", ())},
                generations={each["id"]: each for each in said.get("generations", ())},
                counts=said.get("counts", {}),
            )
        else:
            assert said["sequence"] == self.sequence + 1
            self.picture = applied(self.picture, said)
        self.sequence = said["sequence"]
        self.history += [line["name"] for line in said.get("history", ())]
        return said

    async def until(self, printer_id: str, **fields: object) -> None:
        """Hear until a printer is so."""
        while any(self.picture.printers[printer_id][key] != fields[key] for key in fields):
            await self.hear()


@asynccontextmanager
async def screen(session: aiohttp.ClientSession, **given: Any) -> AsyncIterator[Screen]:
    async with session.ws_connect("/api/v1/live", **given) as socket:
        shown = Screen(socket)
        await shown.hear()
        yield shown


def ticket_of(farm: ServedFarm, role: Role) -> str:
    caller = Caller(actor="user:x", role=role, permissions=PERMISSIONS[role])
    return farm.app[TICKETS].issue(caller)[0]


async def get(session: aiohttp.ClientSession, path: str) -> Any:
    async with session.get(path) as response:
        return await response.json()


async def test_a_screen_shows_what_there_is_and_what_becomes_of_it(
    farm: ServedFarm, session: aiohttp.ClientSession
) -> None:
    await farm.printers_arrive("p1", "p2")
    async with screen(session) as shown:
        assert shown.kinds == ["snapshot"]
        assert list(shown.picture.printers) == ["p1", "p2"]
        job = await submitted(session)
        async with session.post("/api/v1/printers/p1/service", json={"in_service": True}):
            pass
        await shown.until("p1", status="in_service")
        await farm.something_is_wrong("p2")
        while not shown.picture.printers["p2"]["findings"]:
            await shown.hear()
        listed = (await get(session, "/api/v1/printers?limit=9"))["items"]
        assert list(shown.picture.printers.values()) == listed
        assert shown.picture.jobs[job["id"]]["state"] == "ready"
        assert shown.picture.counts["jobs"] == {"ready": 1}
        assert "job.received" in shown.history
        assert shown.kinds.count("snapshot") == 1


async def test_a_job_that_ends_is_told_of_and_then_gone(
    session: aiohttp.ClientSession,
) -> None:
    job = await submitted(session)
    async with screen(session) as shown:
        async with session.post(f"/api/v1/jobs/{job['id']}/cancel"):
            pass
        while shown.picture.jobs[job["id"]]["state"] != "cancelled":
            await shown.hear()
        await submitted(session)
        while job["id"] in shown.picture.jobs:
            await shown.hear()
        assert shown.picture.counts["jobs"] == {"cancelled": 1, "ready": 1}
    async with screen(session) as later:
        assert job["id"] not in later.picture.jobs


async def test_who_missed_something_asks_for_all_of_it(
    farm: ServedFarm, session: aiohttp.ClientSession
) -> None:
    await farm.printers_arrive("p1")
    async with screen(session) as shown:
        await shown.socket.send_str('{"kind": "resync"}')
        again = await shown.hear()
        assert again["kind"] == "snapshot"
        assert [printer["id"] for printer in again["printers"]] == ["p1"]


@pytest.mark.parametrize("said", ["{}", "[", '{"kind": "resync", "more": 1}', "[" * 900])
async def test_who_says_what_nobody_understands_is_told_so(
    session: aiohttp.ClientSession, said: str
) -> None:
    async with screen(session) as shown:
        await shown.socket.send_str(said)
        assert (await shown.socket.receive(PATIENCE_S)).type is aiohttp.WSMsgType.CLOSE
        assert shown.socket.close_code == Ending.NOT_UNDERSTOOD


async def test_a_screen_on_the_wall_sees_printers_only(
    farm: ServedFarm, session: aiohttp.ClientSession
) -> None:
    await farm.printers_arrive("p1")
    await submitted(session)
    given = {"headers": STRANGER, "params": {"ticket": ticket_of(farm, Role.KIOSK)}}
    async with screen(session, **given) as wall, screen(session) as all_of_it:
        await submitted(session)
        while len(all_of_it.picture.jobs) < 2:
            await all_of_it.hear()
        async with session.post("/api/v1/printers/p1/clear"):
            pass
        said = await wall.hear()
        assert said.keys() <= {"kind", "stream", "sequence", "printers"}
        assert (wall.picture.jobs, wall.picture.counts, wall.history) == ({}, {}, [])


async def test_a_ticket_opens_one_connection_once(
    farm: ServedFarm, session: aiohttp.ClientSession
) -> None:
    async with session.post("/api/v1/live/tickets") as response:
        ticket = (await response.json())["ticket"]
    given = {"headers": STRANGER, "params": {"ticket": ticket}}
    async with screen(session, **given) as shown:
        assert shown.kinds == ["snapshot"]
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        async with session.ws_connect("/api/v1/live", **given):
            pass
    assert refused.value.status == 401
    late, elsewhere = (ticket_of(farm, Role.VIEWER) for _ in range(2))
    params = {"ticket": elsewhere}
    async with session.get("/api/v1/printers", headers=STRANGER, params=params) as response:
        assert response.status == 401
    farm.clock.advance(60.0)
    async with session.get("/api/v1/live", headers=STRANGER, params={"ticket": late}) as response:
        assert response.status == 401


def test_tickets_that_nobody_uses_are_forgotten() -> None:
    tickets = Tickets(ManualClock().now)
    viewer = Caller(actor="a", role=Role.VIEWER, permissions=PERMISSIONS[Role.VIEWER])
    issued = [tickets.issue(viewer)[0] for _ in range(TICKETS_MAX + 1)]
    assert tickets.redeem(issued[0]) is None
    assert tickets.redeem(issued[-1]) == viewer


@pytest.mark.parametrize("path", ["/api/v1/live", "/api/v1/live/events"])
async def test_a_page_of_another_site_does_not_look_on(
    session: aiohttp.ClientSession, path: str
) -> None:
    async with session.get(path, headers={"Origin": "http://evil.example"}) as response:
        assert (response.status, (await response.json())["code"]) == (403, "foreign_page")


async def test_the_farms_own_page_looks_on(session: aiohttp.ClientSession) -> None:
    async with session.get("/api/v1/health") as response:
        origin = str(response.url.origin())
    async with screen(session, headers={"Origin": origin}) as shown:
        assert shown.kinds == ["snapshot"]


async def test_a_connection_ends_with_its_credential(
    farm: ServedFarm, monkeypatch: pytest.MonkeyPatch
) -> None:
    holds = True

    async def still_holds(caller: Caller) -> bool:
        return holds and caller.actor == "user:admin"

    monkeypatch.setattr(live, "CREDENTIAL_S", 0.01)
    farm.app[live.STILL_HOLDS] = still_holds
    async with served(farm) as session, screen(session) as shown:
        holds = False
        closed = await shown.socket.receive(PATIENCE_S)
        assert (closed.data, closed.extra) == (4401, "the credential has ended")


async def test_a_client_that_takes_nothing_is_dropped_with_a_reason() -> None:
    slow, quick, audience = Seat(), Seat(), Audience()
    audience.seats |= {slow, quick}
    for sequence in range(1, seats.WAITING_MAX + 2):
        audience.say(Message("delta", sequence, b"{}"))
        assert (await quick.next()).sequence == sequence
    assert await slow.ended() is Ending.SLOW
    quick.end(Ending.STOPPING)
    assert await quick.ended() is Ending.STOPPING
    assert all(len(reason) < 124 for reason in seats.REASONS.values())


async def test_who_asks_and_never_listens_is_hung_up_on_and_others_go_on(
    farm: ServedFarm, session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seats, "WAITING_MAX", 4)
    monkeypatch.setattr(live, "GOODBYE_S", 0.1)
    await farm.printers_arrive(*(f"p{number:03d}" for number in range(300)))
    asked = 200  # 40 MB in answers, more than both ends' buffers hold
    async with screen(session) as deaf, screen(session) as shown:
        for _ in range(asked):
            if deaf.socket.closed:
                break
            await deaf.socket.send_str('{"kind": "resync"}')
        await farm.something_is_wrong("p007")
        while not shown.picture.printers["p007"]["findings"]:
            await shown.hear()
        heard = 0
        while (await deaf.socket.receive(PATIENCE_S)).type is aiohttp.WSMsgType.TEXT:
            heard += 1
        assert heard < asked


def test_what_was_said_last_is_remembered_up_to_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seats, "REMEMBERED_BYTES_MAX", 30)
    audience = Audience()
    for sequence in range(1, 6):
        audience.say(Message("delta", sequence, b"x" * 10))
    assert [message.sequence for message in audience.missed(3) or ()] == [4, 5]
    assert audience.missed(5) == []
    assert audience.missed(1) is None  # 2 is forgotten
    assert audience.missed(6) is None  # never said
    audience.forget()
    assert audience.missed(5) is None


async def events(response: aiohttp.ClientResponse) -> AsyncIterator[dict[str, Any]]:
    """Server-sent events, as they come."""
    told: dict[str, Any] = {}
    async for line in response.content:
        name, _, value = line.decode().rstrip("\n").partition(": ")
        if name == "data":
            told |= json.loads(value)
        elif name:
            told[f"_{name}"] = value
        else:
            yield told
            told = {}


async def test_events_go_on_behind_the_last_one_that_was_heard(
    farm: ServedFarm, session: aiohttp.ClientSession
) -> None:
    await farm.printers_arrive("p1")
    path = "/api/v1/live/events"
    async with session.get(path) as response:
        assert response.content_type == "text/event-stream"
        first = await asyncio.wait_for(anext(events(response)), PATIENCE_S)
    assert (first["_event"], len(first["printers"])) == ("snapshot", 1)
    async with session.post("/api/v1/printers/p1/clear"):
        pass
    async with session.get(path, headers={"Last-Event-ID": first["_id"]}) as response:
        missed = await asyncio.wait_for(anext(events(response)), PATIENCE_S)
    assert (missed["_event"], missed["sequence"]) == ("delta", first["sequence"] + 1)
    assert missed["printers"]["p1"]["bed"]["state"] == "clear"
    for unknown in ("stream-9.1", "x", f"{first['stream']}.{'9' * 30}"):
        async with session.get(path, headers={"Last-Event-ID": unknown}) as response:
            again = await asyncio.wait_for(anext(events(response)), PATIENCE_S)
        assert again["_event"] == "snapshot"


async def test_a_coordinator_that_stops_says_so(
    farm: ServedFarm, session: aiohttp.ClientSession
) -> None:
    async with screen(session) as shown:
        await farm.app.shutdown()
        closed = await shown.socket.receive(PATIENCE_S)
        assert closed.data == 1001
