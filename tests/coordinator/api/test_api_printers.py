"""Printers over HTTP: what they show, and the word of a person about a bed."""

from dataclasses import replace

import aiohttp
import pytest

from protocols.wire.vocabulary import PrinterId
from tests.fakes.served_farm import ServedFarm


async def test_a_printer_shows_what_its_agent_measured(
    farm: ServedFarm, session: aiohttp.ClientSession
) -> None:
    await farm.printers_arrive("p-1", "p-2")
    async with session.get("/api/v1/printers") as response:
        printers = (await response.json())["items"]
    assert [printer["id"] for printer in printers] == ["p-1", "p-2"]
    assert printers[0]["live"]["temperatures"] == {
        "tool0": {"actual_celsius": 21.5, "target_celsius": 0.0},
        "bed": {"actual_celsius": 20.0, "target_celsius": None},
    }
    assert printers[0]["live"]["seen_at"] == "2030-01-01T12:00:00.000Z"
    async with session.get("/api/v1/printers/p-1") as response:
        assert await response.json() == printers[0]


async def test_a_bed_is_unknown_until_a_person_says_that_it_is_clear(
    farm: ServedFarm, session: aiohttp.ClientSession
) -> None:
    await farm.printers_arrive("p-1")
    async with session.get("/api/v1/printers/p-1") as response:
        before = await response.json()
    assert (before["status"], before["bed"]["state"]) == ("needs_clearing", "unknown")
    async with session.post("/api/v1/printers/p-1/clear") as response:
        after = await response.json()
    assert (after["status"], after["bed"]["state"]) == ("idle", "clear")
    assert after["bed"]["changed_by"] == "user:admin"


async def test_somebody_is_at_a_bed_and_then_is_not(
    farm: ServedFarm, session: aiohttp.ClientSession
) -> None:
    await farm.printers_arrive("p-1")
    where = "/api/v1/printers/p-1/clearing"
    async with session.post(where) as response:
        bed = (await response.json())["bed"]
    assert (bed["state"], bed["policy"]) == ("clearing", "attended")
    assert (bed["changed_by"], bed["changed_at"]) == ("user:admin", "2030-01-01T12:00:00.000Z")
    async with session.delete(where) as response:
        assert (await response.json())["bed"]["state"] == "occupied"
    async with session.delete(where) as response:
        assert response.status == 409
        assert (await response.json())["code"] == "not_clearing"


async def test_a_printer_is_taken_out_for_service_and_given_back(
    farm: ServedFarm, session: aiohttp.ClientSession
) -> None:
    await farm.printers_arrive("p-1")
    for in_service, status in ((True, "in_service"), (False, "needs_clearing")):
        body = {"in_service": in_service}
        async with session.post("/api/v1/printers/p-1/service", json=body) as response:
            assert response.status == 200
            printer = await response.json()
        assert (printer["in_service"], printer["status"]) == (in_service, status)


@pytest.mark.parametrize(
    "body", [b"", b"{}", b'{"in_service": "maybe"}', b'{"in_service": true, "why": 1}', b"\xff"]
)
async def test_a_body_that_does_not_say_on_or_off_changes_nothing(
    farm: ServedFarm, session: aiohttp.ClientSession, body: bytes
) -> None:
    await farm.printers_arrive("p-1")
    async with session.post("/api/v1/printers/p-1/service", data=body) as response:
        problem = await response.json()
        assert (response.status, problem["code"]) == (422, "invalid_fields")
    async with session.get("/api/v1/printers/p-1") as response:
        assert not (await response.json())["in_service"]


async def test_giving_a_printer_back_ends_its_quarantine(
    farm: ServedFarm, session: aiohttp.ClientSession
) -> None:
    await farm.printers_arrive("p-1")
    sound = farm.store.tables.printers[PrinterId("p-1")]
    farm.store.tables.printers[sound.printer_id] = replace(sound, quarantine="two of one name")
    body = {"in_service": False}
    async with session.post("/api/v1/printers/p-1/service", json=body) as response:
        assert (await response.json())["quarantine"] == ""


async def test_a_printer_that_is_not_there_is_a_problem_with_a_code(
    session: aiohttp.ClientSession,
) -> None:
    for method, path in (
        ("GET", "printers/x"),
        ("POST", "printers/x/clear"),
        ("POST", "printers/x/service"),
    ):
        body = {"in_service": True}
        async with session.request(method, f"/api/v1/{path}", json=body) as response:
            assert response.status == 404
            assert (await response.json())["code"] == "unknown_printer"


async def test_what_is_wrong_with_a_printer_and_its_machine_is_shown_while_they_are_there(
    farm: ServedFarm, session: aiohttp.ClientSession
) -> None:
    await farm.printers_arrive("p-1")
    await farm.something_is_wrong("p-1")
    async with session.get("/api/v1/printers/p-1") as response:
        printer = await response.json()
    assert printer["host"]["under_voltage_seen"]
    assert printer["host"]["cpu_celsius"] is None
    assert [(each["about"], each["rule"], each["level"]) for each in printer["findings"]] == [
        ("printer", "resends", "warning"),
        ("host", "under_voltage", "alarm"),
    ]
    assert printer["findings"][0]["evidence"] == {"ratio": 0.02}
    await farm.agent_leaves()
    async with session.get("/api/v1/printers/p-1") as response:
        printer = await response.json()
    assert (printer["host"], printer["findings"]) == (None, [])
