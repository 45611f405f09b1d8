"""Commands over HTTP: what a person has a printer do, and every way in which it may not be done."""

import aiohttp
import pytest

from coordinator.usecases import commanding
from coordinator.usecases.absorbing import absorb
from protocols.wire.from_agent import CommandResult
from protocols.wire.to_agent import Command
from tests.fakes.served_farm import AGENT, ServedFarm
from tests.fakes.story import names_in_history

PATH = "/api/v1/printers/p-1/commands"


def agent_answers(farm: ServedFarm, *, ok: bool = True, code: str = "", message: str = "") -> None:
    async def answer(command: Command) -> None:
        result = CommandResult(id=command.id, agent_id=AGENT, ok=ok, code=code, message=message)
        await absorb(farm.farm, result)
        await absorb(farm.farm, result)  # agents repeat themselves

    farm.link.answer = answer


async def test_a_line_reaches_the_printer_and_its_words_come_back(
    farm: ServedFarm, session: aiohttp.ClientSession
) -> None:
    await farm.printers_arrive("p-1")
    agent_answers(farm, message="X1 Y2 Z3 E4")
    body = {"name": "send", "arguments": {"line": "M114", "force": True}}
    async with session.post(PATH, json=body) as response:
        assert response.status == 200
        assert await response.json() == {"name": "send", "words": "X1 Y2 Z3 E4"}
    command = farm.link.commands[0]
    assert (command.agent_id, command.printer_id, command.name) == (AGENT, "p-1", "send")
    assert command.arguments == {"line": "M114", "force": True}
    assert "printer.send" in await names_in_history(farm.farm, "printer", "p-1")


async def test_looking_is_not_written_to_the_history(
    farm: ServedFarm, session: aiohttp.ClientSession
) -> None:
    await farm.printers_arrive("p-1")
    agent_answers(farm, message="nothing was said")
    before = await names_in_history(farm.farm, "printer", "p-1")
    async with session.post(PATH, json={"name": "dialogue"}) as response:
        assert response.status == 200
    assert await names_in_history(farm.farm, "printer", "p-1") == before


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("not_possible", 409),
        ("busy", 409),
        ("expired", 409),
        ("unknown_command", 422),
        ("failed", 503),
        ("timeout", 503),
    ],
)
async def test_what_the_agent_refuses_says_why(
    farm: ServedFarm, session: aiohttp.ClientSession, code: str, status: int
) -> None:
    await farm.printers_arrive("p-1")
    agent_answers(farm, ok=False, code=code, message="G1: it moves the head")
    async with session.post(PATH, json={"name": "send", "arguments": {"line": "G1"}}) as response:
        problem = await response.json()
    assert (response.status, problem["code"]) == (status, code)
    assert problem["detail"] == "G1: it moves the head"


async def test_without_an_answer_it_may_still_have_been_done(
    farm: ServedFarm, session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    await farm.printers_arrive("p-1")
    monkeypatch.setattr(commanding, "ANSWER_S_MAX", 0.01)
    async with session.post(PATH, json={"name": "send"}) as response:
        assert (response.status, (await response.json())["code"]) == (503, "no_answer")
    late = CommandResult(id=farm.link.commands[0].id, agent_id=AGENT, ok=True)
    await absorb(farm.farm, late)


async def test_nobody_is_asked_where_agent_broker_or_printer_are_not_there(
    farm: ServedFarm, session: aiohttp.ClientSession
) -> None:
    async with session.post(PATH, json={"name": "send"}) as response:
        assert (response.status, (await response.json())["code"]) == (404, "unknown_printer")
    await farm.printers_arrive("p-1")
    farm.link.connected = False
    async with session.post(PATH, json={"name": "send"}) as response:
        assert (response.status, (await response.json())["code"]) == (503, "broker_unreachable")
    await farm.agent_leaves()
    async with session.post(PATH, json={"name": "send"}) as response:
        assert (response.status, (await response.json())["code"]) == (409, "printer_offline")
    assert farm.link.commands == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b'{"name": ""}',
        b'{"name": "send", "arguments": {"line": ["G1"]}}',
        b'{"name": "send", "arguments": {"line": "' + b"x" * 501 + b'"}}',
        b'{"name": "send", "arguments": {}, "printer": "p-2"}',
    ],
)
async def test_a_body_that_is_no_command_reaches_nobody(
    farm: ServedFarm, session: aiohttp.ClientSession, body: bytes
) -> None:
    await farm.printers_arrive("p-1")
    async with session.post(PATH, data=body) as response:
        assert (response.status, (await response.json())["code"]) == (422, "invalid_fields")
    assert farm.link.commands == []
