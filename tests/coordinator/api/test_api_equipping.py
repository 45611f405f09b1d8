"""Printers found, added, let go and imported over HTTP; the agent is a fake that answers."""

from dataclasses import replace
from typing import Any

import aiohttp
import pytest

from coordinator.api.agents import WELCOME, Welcome
from coordinator.usecases import equipping
from coordinator.usecases.absorbing import absorb
from protocols.wire.from_agent import CommandResult, FoundPlace
from protocols.wire.to_agent import Command
from protocols.wire.vocabulary import PrinterId
from tests.coordinator.api.test_api_library import ask
from tests.fakes.served_farm import AGENT, ServedFarm
from tests.fakes.story import names_in_history

MK4: dict[str, Any] = {
    "id": "mk4",
    "name": "MK4",
    "driver": "prusalink",
    "printer_class": "mk4",
    "settings": {"url": "http://mk4.local", "api_key": "s3cret"},
    "location": "shelf 1",
    "tags": ["Fast"],
}
PLACE = FoundPlace(
    address="http://mk4.local",
    driver="prusalink",
    setting="url",
    names=("http://10.0.0.7",),
    missing={"api_key": "?"},
)
HEAD = "name,agent,driver,address,class,location,api_key\n"


def agent_takes(farm: ServedFarm, *, ok: bool = True, code: str = "", shows: bool = True) -> None:
    """Have the agent take what it is told to take, and present it."""

    async def answer(command: Command) -> None:
        if ok and shows and command.name == "add_printer":
            taken = PrinterId(str(command.arguments["id"]))
            async with farm.farm.store.write() as unit:
                first = await unit.printer(PrinterId("p-1"))
                assert first is not None
                await unit.save_printer(replace(first, printer_id=taken, run_id=None))
        found = (PLACE,) if command.name == "discover" else ()
        words = "" if ok else "it can't be"
        result = CommandResult(
            id=command.id, agent_id=AGENT, ok=ok, code=code, message=words, found=found
        )
        await absorb(farm.farm, result)

    farm.link.answer = answer


async def test_what_an_agent_finds_is_told(
    farm: ServedFarm, session: aiohttp.ClientSession
) -> None:
    await farm.printers_arrive("p-1")
    agent_takes(farm)
    status, found = await ask(session, "POST", f"agents/{AGENT}/discover")
    assert (status, found["items"][0]["address"]) == (200, "http://mk4.local")
    assert found["items"][0]["missing"] == {"api_key": "?"}
    [command] = farm.link.commands
    assert (command.name, command.printer_id) == ("discover", None)


async def test_a_printer_is_added_described_and_let_go_and_its_key_is_kept_from_all(
    farm: ServedFarm, session: aiohttp.ClientSession
) -> None:
    await farm.printers_arrive("p-1")
    agent_takes(farm)
    status, taken = await ask(session, "POST", f"agents/{AGENT}/printers", MK4)
    assert (status, taken["id"]) == (201, "mk4")
    told = farm.link.commands[-1].arguments
    assert (told["settings.url"], told["settings.api_key"]) == ("http://mk4.local", "s3cret")
    _, printer = await ask(session, "GET", "printers/mk4")
    assert (printer["location"], printer["tags"]) == ("shelf 1", ["fast"])
    _, events = await ask(session, "GET", "events?limit=1000")
    assert "s3cret" not in str(events)
    assert (await names_in_history(farm.farm, "agent", AGENT))[-1] == "agent.printer_added"
    status, gone = await ask(session, "DELETE", f"agents/{AGENT}/printers/mk4")
    assert (status, gone["id"]) == (200, "mk4")
    assert farm.link.commands[-1].arguments == {"id": "mk4"}


@pytest.mark.parametrize(
    ("path", "said", "status", "code"),
    [
        ("agents/pi-9/printers", MK4, 404, "unknown_agent"),
        (f"agents/{AGENT}/printers", {**MK4, "id": "p-1"}, 409, "printer_exists"),
        (f"agents/{AGENT}/printers", {**MK4, "id": "No!"}, 422, "invalid_fields"),
        (f"agents/{AGENT}/printers", {**MK4, "settings": {"a": {}}}, 422, "invalid_fields"),
        ("printers/import", {"csv": "a,b"}, 422, "not_a_table"),
    ],
)
async def test_what_can_t_be_added_says_why(
    farm: ServedFarm,
    session: aiohttp.ClientSession,
    path: str,
    said: dict[str, Any],
    status: int,
    code: str,
) -> None:
    await farm.printers_arrive("p-1")
    answered, problem = await ask(session, "POST", path, said)
    assert (answered, problem["code"]) == (status, code)
    assert farm.link.commands == []


async def test_what_the_agent_refuses_or_does_not_show_is_told(
    farm: ServedFarm, session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    await farm.printers_arrive("p-1")
    agent_takes(farm, ok=False, code="printer_invalid")
    status, problem = await ask(session, "POST", f"agents/{AGENT}/printers", MK4)
    assert (status, problem["code"]) == (422, "printer_invalid")
    monkeypatch.setattr(equipping, "PRESENT_S_MAX", 0.01)
    agent_takes(farm, shows=False)
    status, problem = await ask(session, "POST", f"agents/{AGENT}/printers", MK4)
    assert (status, problem["code"]) == (503, "printer_slow")
    await farm.agent_leaves()
    status, problem = await ask(session, "POST", f"agents/{AGENT}/discover")
    assert (status, problem["code"]) == (409, "agent_offline")


async def test_a_key_does_not_go_over_a_line_that_others_can_read(
    farm: ServedFarm, session: aiohttp.ClientSession
) -> None:
    await farm.printers_arrive("p-1")
    agent_takes(farm)
    farm.app._state[WELCOME] = Welcome(broker_url="mqtt://0.0.0.0:1883")
    status, problem = await ask(session, "POST", f"agents/{AGENT}/printers", MK4)
    assert (status, problem["code"]) == (409, "broker_open")
    table = {"csv": f"{HEAD}MK4,{AGENT},prusalink,http://a,mk4,,s3cret\n"}
    _, done = await ask(session, "POST", "printers/import", table)
    assert "without TLS" in done["items"][0]["words"]
    without = {**MK4, "settings": {"url": "http://mk4.local"}}
    assert (await ask(session, "POST", f"agents/{AGENT}/printers", without))[0] == 201


async def test_a_table_is_checked_and_then_added_line_by_line(
    farm: ServedFarm, session: aiohttp.ClientSession
) -> None:
    await farm.printers_arrive("p-1")
    agent_takes(farm)
    lines = (
        f"A,{AGENT},prusalink,http://a,mk4,hall,\n"
        f"B,pi-9,prusalink,http://b,mk4,,\n"
        f"C,{AGENT},marlin_serial,/dev/ttyUSB0,mk4,,\n"
    )
    _, checked = await ask(session, "POST", "printers/import", {"csv": HEAD + lines})
    assert (checked["ok"], checked["added"], farm.link.commands) == (False, 0, [])
    assert [each["ok"] for each in checked["items"]] == [True, False, True]
    table = {"csv": HEAD + lines, "dry_run": False}
    _, done = await ask(session, "POST", "printers/import", table)
    assert (done["added"], done["items"][1]["words"]) == (2, "there is no agent pi-9")
    assert [command.arguments["id"] for command in farm.link.commands] == ["a", "c"]
    assert (await ask(session, "GET", "printers/a"))[1]["location"] == "hall"
