"""Pictures over HTTP: agents send them when they are asked, people look at them."""

import asyncio
from datetime import timedelta

import aiohttp
import pytest

from coordinator.usecases.absorbing import absorb
from protocols.pictures import PICTURE_BYTES_MAX
from protocols.wire.from_agent import CommandResult
from protocols.wire.to_agent import Command
from tests.fakes.pictures import JPEG, PNG
from tests.fakes.served_farm import AGENT, ServedFarm

PATH = "/api/v1/printers/p-1/picture"
SENT = f"/api/v1/agents/{AGENT}/printers/p-1/picture"


def agent_looks(
    farm: ServedFarm, session: aiohttp.ClientSession, *pictures: bytes, words: str = ""
) -> None:
    """Have the agent send one picture after the other, as it is asked; then say why it can't."""
    left = list(pictures)

    async def answer(command: Command) -> None:
        assert (command.name, command.printer_id) == ("picture", "p-1")
        ok = bool(left)
        if ok:
            async with session.put(SENT, data=left.pop(0)) as response:
                assert response.status == 204
        result = CommandResult(
            id=command.id, agent_id=AGENT, ok=ok, code="" if ok else "failed", message=words
        )
        await absorb(farm.farm, result)

    farm.link.answer = answer


async def problem(
    session: aiohttp.ClientSession, path: str, *, method: str = "GET", data: bytes | None = None
) -> tuple[int, str]:
    async with session.request(method, path, data=data) as response:
        return response.status, (await response.json())["code"]


async def test_the_first_look_has_a_picture_taken_and_later_ones_say_how_old_it_may_be(
    farm: ServedFarm, session: aiohttp.ClientSession
) -> None:
    await farm.printers_arrive("p-1")
    agent_looks(farm, session, JPEG, PNG)
    async with session.get(PATH) as response:
        assert (response.status, response.content_type) == (200, "image/jpeg")
        assert await response.read() == JPEG
        taken_at = farm.clock.now().isoformat().replace("+00:00", "Z")
        assert response.headers["X-Farmhand-Taken-At"][:19] == taken_at[:19]
        tag = response.headers["ETag"]
    farm.clock.advance(60)
    async with session.get(PATH, headers={"If-None-Match": tag}) as response:
        assert response.status == 304
    assert len(farm.link.commands) == 1
    async with session.get(f"{PATH}?age_s_max=30", headers={"If-None-Match": tag}) as response:
        assert (response.status, response.content_type) == (200, "image/png")
        assert await response.read() == PNG
    async with session.get(f"{PATH}?age_s_max=30") as response:
        assert response.status == 200
    assert len(farm.link.commands) == 2
    await farm.agent_leaves()
    async with session.get(PATH) as response:
        assert await response.read() == PNG
    farm.clock.advance(60)
    assert await problem(session, f"{PATH}?age_s_max=30") == (409, "printer_offline")


async def test_who_looks_while_one_is_taken_gets_the_same(
    farm: ServedFarm, session: aiohttp.ClientSession
) -> None:
    await farm.printers_arrive("p-1")
    agent_looks(farm, session, JPEG)
    at_once = farm.link.answer
    assert at_once is not None
    asked, go = asyncio.Event(), asyncio.Event()

    async def answer(command: Command) -> None:
        asked.set()
        await go.wait()
        await at_once(command)

    async def look() -> bytes:
        async with session.get(f"{PATH}?age_s_max=1") as response:
            return await response.read()

    farm.link.answer = answer
    async with asyncio.TaskGroup() as tasks:
        looks = [tasks.create_task(look()) for _ in range(3)]
        await asked.wait()
        go.set()
    assert [each.result() for each in looks] == [JPEG] * 3
    assert len(farm.link.commands) == 1


async def test_a_camera_that_gives_nothing_says_why_and_the_last_picture_stays(
    farm: ServedFarm, session: aiohttp.ClientSession
) -> None:
    await farm.printers_arrive("p-1")
    agent_looks(farm, session, JPEG, words="the camera at 10.0.0.7/ does not answer")
    async with session.get(PATH) as response:
        assert response.status == 200
    farm.clock.advance(10)
    async with session.get(f"{PATH}?age_s_max=2") as response:
        told = await response.json()
    assert (response.status, told["code"]) == (503, "camera_failed")
    assert told["detail"] == "the camera at 10.0.0.7/ does not answer"
    async with session.get(PATH) as response:
        assert await response.read() == JPEG


async def test_without_a_camera_or_a_printer_there_is_nothing_to_see(
    farm: ServedFarm, session: aiohttp.ClientSession
) -> None:
    assert await problem(session, PATH) == (404, "unknown_printer")
    await farm.printers_arrive("p-1")
    farm.farm.live.commands.clear()
    assert await problem(session, PATH) == (404, "unknown_camera")
    assert await problem(session, "/api/v1/runs/run-1/picture") == (404, "unknown_run")
    assert farm.link.commands == []


@pytest.mark.parametrize(
    ("path", "data", "refusal"),
    [
        (SENT, b"<svg onload='...'>", (422, "not_a_picture")),
        (SENT, b"", (422, "not_a_picture")),
        (SENT, JPEG + bytes(PICTURE_BYTES_MAX), (413, "too_large")),
        (f"/api/v1/agents/{AGENT}/printers/p-2/picture", JPEG, (404, "unknown_printer")),
        ("/api/v1/agents/pi-2/printers/p-1/picture", JPEG, (404, "unknown_printer")),
        (f"{SENT}?run_id=run-1", JPEG, (404, "unknown_run")),
        (f"{SENT}?run=run-1", JPEG, (422, "invalid_query")),
    ],
)
async def test_what_is_no_picture_of_a_printer_of_that_agent_is_not_kept(
    farm: ServedFarm,
    session: aiohttp.ClientSession,
    path: str,
    data: bytes,
    refusal: tuple[int, str],
) -> None:
    await farm.printers_arrive("p-1")
    assert await problem(session, path, method="PUT", data=data) == refusal
    async with session.get("/api/v1/printers/p-1") as response:
        assert (await response.json())["commands"] == ["dialogue", "picture", "send"]
    farm.clock.now()
    assert await farm.farm.pictures.newest(farm.presence.printers[0].printer_id) is None


async def test_a_length_that_is_not_told_is_counted(
    farm: ServedFarm, session: aiohttp.ClientSession
) -> None:
    await farm.printers_arrive("p-1")

    async def pieces() -> object:
        yield JPEG
        for _ in range(PICTURE_BYTES_MAX // 4096 + 1):
            yield bytes(4096)

    async with session.put(SENT, data=pieces()) as response:
        assert (response.status, (await response.json())["code"]) == (413, "too_large")


async def test_looking_is_no_history(farm: ServedFarm, session: aiohttp.ClientSession) -> None:
    await farm.printers_arrive("p-1")
    agent_looks(farm, session, JPEG)
    lines = len(farm.store.tables.lines)
    farm.clock.advance(timedelta(seconds=1).total_seconds())
    async with session.get(PATH) as response:
        assert response.status == 200
    assert len(farm.store.tables.lines) == lines
