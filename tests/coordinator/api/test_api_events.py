"""The history over HTTP: page by page, of one thing, and proved."""

from dataclasses import replace
from typing import Any

import aiohttp
import pytest

from tests.fakes.fake_farm import order_gcode
from tests.fakes.served_farm import ServedFarm
from tests.fakes.story import lose_a_run


async def get(session: aiohttp.ClientSession, path: str) -> Any:
    async with session.get(f"/api/v1/{path}") as response:
        assert response.status == 200
        return await response.json()


async def test_a_request_is_named_in_every_change_it_makes(
    farm: ServedFarm, session: aiohttp.ClientSession
) -> None:
    await farm.printers_arrive("mk3-1")
    path, known = "/api/v1/printers/mk3-1/clear", {"X-Request-Id": "mine-1"}
    async with session.post(path, headers=known) as response:
        assert response.status == 200
    [event] = (await get(session, "events?last=1"))["items"]
    assert event == {
        "number": event["number"],
        "at": event["at"],
        "actor": "user:admin",
        "origin": "request mine-1",
        "cause": "",
        "subject": "printer",
        "subject_id": "mk3-1",
        "name": "bed.clear",
        "facts": {"occupation": 0},
        "changes": {
            **event["changes"],
            "bed_state": "clear",
            "bed_changed_by": "user:admin",
            "revision": 1,
        },
        "hash": event["hash"],
    }


async def test_an_order_is_named_with_its_request(
    farm: ServedFarm, session: aiohttp.ClientSession
) -> None:
    form = aiohttp.FormData({"copies": "1"})
    form.add_field("file", b"G28\nG1 X1\n", filename="x.gcode")
    async with session.post(
        "/api/v1/jobs", data=form, headers={"X-Request-Id": "mine-2"}
    ) as response:
        job = await response.json()
    items = (await get(session, f"events?job={job['id']}"))["items"]
    assert {event["origin"] for event in items} == {"request mine-2"}


async def test_pages_go_on_where_the_last_one_ended(
    farm: ServedFarm, session: aiohttp.ClientSession
) -> None:
    await lose_a_run(farm.farm)
    every = await get(session, "events")
    numbers, after = [], 0
    while (page := await get(session, f"events?limit=4&after={after}"))["items"]:
        numbers += [event["number"] for event in page["items"]]
        after = page["next"]
    assert numbers == [event["number"] for event in every["items"]]
    assert page == {"items": [], "next": every["next"]}


async def test_events_are_asked_for_by_printer_and_time(
    farm: ServedFarm, session: aiohttp.ClientSession
) -> None:
    run = await lose_a_run(farm.farm)
    mine = (await get(session, f"events?printer={run.printer_id}"))["items"]
    assert {event["subject"] for event in mine} == {"printer", "run"}
    farm.clock.advance(10.0)
    since = farm.clock.now().isoformat().replace("+00:00", "Z")
    assert (await get(session, f"events?since={since}"))["items"] == []
    await order_gcode(farm.farm)
    later = (await get(session, f"events?since={since}"))["items"]
    assert "job.received" in {event["name"] for event in later}


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("limit=0", 422, "limit_out_of_range"),
        ("limit=-1", 422, "invalid_query"),
        ("last=1001", 422, "limit_out_of_range"),
        ("after=x", 422, "invalid_query"),
        (f"after={'9' * 30}", 422, "invalid_query"),
        ("since=noon", 422, "invalid_query"),
        ("job=nobody", 404, "unknown_job"),
        ("printer=nobody", 404, "unknown_printer"),
    ],
)
async def test_a_question_that_makes_no_sense_is_refused(
    session: aiohttp.ClientSession, query: str, status: int, code: str
) -> None:
    async with session.get(f"/api/v1/events?{query}") as response:
        assert (response.status, (await response.json())["code"]) == (status, code)


async def test_a_sound_history_is_proved(farm: ServedFarm, session: aiohttp.ClientSession) -> None:
    await lose_a_run(farm.farm)
    lines = farm.store.tables.lines
    head = {"number": len(lines), "hash": lines[-1].hash}
    verdict = await get(session, "events/verify")
    assert verdict == {
        "ok": True,
        "head": head,
        "checkpoint": None,
        "rows_compared": len(farm.store.tables.rows()),
        "faults_count": 0,
        "faults": [],
    }
    known = f"{head['number']}:{head['hash']}"
    assert (await get(session, f"events/verify?head={known}"))["ok"]
    assert not (await get(session, f"events/verify?head=1:{head['hash']}"))["ok"]
    async with session.get("/api/v1/events/verify?head=latest") as response:
        assert response.status == 422


async def test_what_was_tampered_with_is_told_and_shows_in_health(
    farm: ServedFarm, session: aiohttp.ClientSession
) -> None:
    await order_gcode(farm.farm)
    lines = farm.store.tables.lines
    lines[1] = replace(lines[1], facts="no json")
    verdict = await get(session, "events/verify")
    assert [(fault["code"], fault["number"]) for fault in verdict["faults"][:2]] == [
        ("altered", 2),
        ("unreadable", 2),
    ]
    assert (await get(session, "events"))["items"][1]["facts"] is None
    health = await get(session, "health")
    assert (health["status"], health["history"]) == ("degraded", "failing")
    [trouble] = health["troubles"]
    assert trouble["part"] == "history"
    assert trouble["words"].startswith("event 2 is not what was written after event 1")


async def test_the_history_is_paged_backwards_by_who_and_what(
    farm: ServedFarm, session: aiohttp.ClientSession
) -> None:
    await farm.printers_arrive("mk3-1")
    for _ in range(3):
        async with session.post("/api/v1/printers/mk3-1/clear") as response:
            assert response.status == 200
    wanted = "events?actor=user:admin&name=bed.*&last=2"
    newest = (await get(session, wanted))["items"]
    assert [line["name"] for line in newest] == ["bed.clear"] * len(newest) != []
    before = (await get(session, f"{wanted}&before={newest[0]['number']}"))["items"]
    assert all(line["number"] < newest[0]["number"] for line in before)
    assert (await get(session, "events?actor=user:nobody"))["items"] == []
