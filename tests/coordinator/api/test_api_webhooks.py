"""Endpoints over HTTP."""

from typing import Any

import aiohttp
import pytest
from structlog.testing import capture_logs

from coordinator.usecases.delivering import Courier
from tests.fakes.fake_outside import answers
from tests.fakes.served_farm import ServedFarm

URL = "https://hooks.test/farm?key=word"


async def ask(session: aiohttp.ClientSession, method: str, path: str, **said: Any) -> Any:
    async with session.request(method, f"/api/v1/{path}", json=said or None) as response:
        document = await response.json()
        assert response.status < 300, document
        return document


async def refused(session: aiohttp.ClientSession, method: str, path: str, **said: Any) -> Any:
    async with session.request(method, f"/api/v1/{path}", json=said or None) as response:
        document = await response.json()
        return response.status, document["code"]


async def test_the_secret_is_shown_once_and_never_logged(session: aiohttp.ClientSession) -> None:
    with capture_logs() as logged:
        made = await ask(session, "POST", "webhooks", url=URL, types=["job.*"], description="d")
        rotated = await ask(session, "POST", f"webhooks/{made['id']}/rotate")
        listed = await ask(session, "GET", "webhooks")
        shown = await ask(session, "GET", f"webhooks/{made['id']}")
        events = await ask(session, "GET", "events")
    assert made["secret"].startswith("whsec_")
    assert rotated["secret"] not in ("", made["secret"])
    assert rotated["previous_secret_until"] is not None
    assert listed["items"] == [shown]
    assert "secret" not in shown
    assert (shown["url"], shown["types"], shown["description"]) == (URL, ["job.*"], "d")
    for later in (listed, shown, events, logged):
        assert made["secret"] not in str(later)
        assert rotated["secret"] not in str(later)
    assert "key=word" not in str(logged)
    assert "key=word" not in str(events)


async def test_an_endpoint_is_changed_tested_replayed_and_removed(
    farm: ServedFarm, session: aiohttp.ClientSession
) -> None:
    made = await ask(session, "POST", "webhooks", url=URL)
    path = f"webhooks/{made['id']}"
    changed = await ask(session, "PATCH", path, enabled=False, types=["run.lost"])
    assert (changed["enabled"], changed["types"], changed["url"]) == (False, ["run.lost"], URL)
    assert (await ask(session, "POST", f"{path}/test"))["taken"]
    farm.outside.answer = answers(500)
    failed = await ask(session, "POST", f"{path}/test")
    assert (failed["taken"], failed["status"], failed["words"]) == (False, 500, "it answered 500")
    assert (await ask(session, "POST", f"{path}/replay", after=0))["cursor"] == 0
    since = await ask(session, "POST", f"{path}/replay", since="2020-01-01T00:00:00Z")
    assert since["cursor"] == 0
    later = await ask(session, "POST", f"{path}/replay", since="2040-01-01T00:00:00Z")
    assert later["cursor"] > 0
    assert (await ask(session, "GET", f"{path}/deliveries"))["items"] == []
    assert (await ask(session, "DELETE", path))["id"] == made["id"]
    assert await refused(session, "GET", path) == (404, "unknown_webhook")


async def test_deliveries_are_listed(farm: ServedFarm, session: aiohttp.ClientSession) -> None:
    made = await ask(session, "POST", "webhooks", url=URL, types=["printer.registered"])
    await farm.printers_arrive("p-1")
    await Courier(farm.farm)._carry(made["id"])
    [delivery] = (await ask(session, "GET", f"webhooks/{made['id']}/deliveries"))["items"]
    assert (delivery["type"], delivery["state"]) == ("printer.registered", "delivered")
    assert (delivery["attempts"], delivery["status"]) == (1, 204)
    [said] = farm.outside.said()
    assert said["data"]["printer_id"] == "p-1"
    assert said["data"]["number"] == delivery["event"]


async def test_the_types_are_listed_with_what_they_mean(session: aiohttp.ClientSession) -> None:
    items = (await ask(session, "GET", "webhook-types"))["items"]
    types = {each["type"]: each["words"] for each in items}
    assert types["printer.needs_clearing"] == "a print has ended: its bed has to be cleared"
    assert all(types.values())


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({}, "invalid_fields"),
        ({"url": "ftp://x"}, "address_not_allowed"),
        ({"url": URL, "types": ["nothing.*"]}, "unknown_type"),
        ({"url": URL, "types": "job.*"}, "invalid_fields"),
        ({"url": URL, "secret": "whsec_mine"}, "invalid_fields"),
        ({"url": URL, "after": -1}, "invalid_fields"),
        ({"url": "https://x.test/" + "x" * 2000}, "invalid_fields"),
    ],
)
async def test_what_can_not_be_an_endpoint_is_refused(
    session: aiohttp.ClientSession, said: dict[str, Any], code: str
) -> None:
    assert await refused(session, "POST", "webhooks", **said) == (422, code)


async def test_a_replay_says_either_after_or_since(session: aiohttp.ClientSession) -> None:
    made = await ask(session, "POST", "webhooks", url=URL)
    path = f"webhooks/{made['id']}/replay"
    both = {"after": 0, "since": "2020-01-01T00:00:00Z"}
    assert await refused(session, "POST", path, **both) == (422, "invalid_fields")
    assert await refused(session, "POST", path, since="2020") == (422, "invalid_fields")
    limit = f"webhooks/{made['id']}/deliveries?limit=x"
    assert await refused(session, "GET", limit) == (422, "invalid_query")
