"""The coordinator's own log over HTTP: its last lines, and how often what was said."""

import logging
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import structlog

from coordinator import logs
from coordinator.api.app import build_app
from coordinator.api.operating import Machine
from coordinator.log_ring import LogQuestion, LogRing
from tests.coordinator.cli.conftest import run
from tests.fakes.served_farm import TOKEN, ServedFarm, served


@pytest.fixture
def ring() -> Any:
    root, hook = logging.getLogger(), sys.excepthook
    before, level = list(root.handlers), root.level
    with Path("/dev/null").open("w") as stream:
        yield logs.configure(form="json", level="info", stream=stream)
    structlog.reset_defaults()
    root.handlers[:] = before
    root.setLevel(level)
    sys.excepthook = hook


@pytest.fixture
async def session(farm: ServedFarm, ring: LogRing) -> AsyncIterator[aiohttp.ClientSession]:
    farm.app = build_app(farm.gate, upload_bytes_max=1000, version="1", machine=Machine(log=ring))
    async with served(farm) as session:
        yield session


def say(name: str, **facts: object) -> None:
    structlog.get_logger("ours").info(name, **facts)


async def get(session: aiohttp.ClientSession, path: str) -> Any:
    async with session.get(f"/api/v1/{path}") as response:
        assert response.status == 200, await response.text()
        return await response.json()


async def events(session: aiohttp.ClientSession, query: str) -> list[str]:
    return [line["event"] for line in (await get(session, f"logs?{query}"))["items"]]


async def test_lines_are_found_by_what_they_are_about_and_how_grave_they_are(
    session: aiohttp.ClientSession,
) -> None:
    say("a.done", job_id="job-1", printer_id="mk3")
    say("b.done", job_id="job-2", agent_id="pi", broker_password="geheim")
    structlog.get_logger("ours").error("c.failed", request_id="req-1", run_id="run-1")
    assert await events(session, "job=job-1") == ["a.done"]
    assert await events(session, "job=job-2&agent=pi") == ["b.done"]
    assert await events(session, "job=job-2&printer=mk3") == []
    assert await events(session, "request=req-1&run=run-1") == ["c.failed"]
    assert await events(session, "level=warning") == ["c.failed"]
    assert await events(session, "event=a.done") == ["a.done"]
    assert await events(session, "last=1&event=b.done") == ["b.done"]
    later = datetime(2100, 1, 1, tzinfo=UTC).isoformat().replace("+", "%2B")
    assert await events(session, f"since={later}") == []
    assert "geheim" not in str(await get(session, "logs"))


async def test_pages_follow_each_other_without_gap_or_repetition(
    session: aiohttp.ClientSession,
) -> None:
    for number in range(10):
        say("step.done", number=number)
    seen, after = [], 0
    while len(seen) < 10:
        page = await get(session, f"logs?event=step.done&limit=3&after={after}")
        seen += [line["facts"]["number"] for line in page["items"]]
        after = page["next"]
    assert seen == list(range(10))
    say("step.done", number=10)
    [line] = (await get(session, f"logs?event=step.done&after={after}"))["items"]
    assert line["facts"]["number"] == 10
    # A cursor of a process before this one: what there is is told, not nothing for ever.
    assert len(await events(session, "event=step.done&after=99999")) == 11


async def test_the_summary_counts_by_event_and_level(session: aiohttp.ClientSession) -> None:
    for _ in range(3):
        say("often.done")
    structlog.get_logger("ours").warning("once.odd")
    told = await get(session, "logs/summary")
    counts = {each["event"]: each["count"] for each in told["events"]}
    assert (counts["often.done"], counts["once.odd"]) == (3, 1)
    assert told["levels"]["warning"] == 1
    assert told["lines"] == sum(counts.values())
    assert [e["event"] for e in (await get(session, "logs/summary?level=error"))["events"]] == []


async def test_a_failure_is_kept_with_its_traceback_and_without_values(
    session: aiohttp.ClientSession,
) -> None:
    secret = "geheim"
    try:
        raise ValueError("it broke")
    except ValueError:
        structlog.get_logger("ours").exception("work.broke")
    [line] = (await get(session, "logs?event=work.broke"))["items"]
    assert "it broke" in str(line["facts"]["exception"])
    assert secret not in str(line)


def test_old_lines_fall_out_by_number_and_by_length() -> None:
    ring = LogRing(lines_max=5, characters_max=2000)
    ring.setFormatter(
        logging.Formatter('{"timestamp": "2030-01-01T00:00:00Z", "event": "%(msg)s"}')
    )

    def emit(text: str) -> None:
        ring.handle(logging.makeLogRecord({"msg": text}))

    for number in range(8):
        emit(f"e{number}")
    assert (ring.first, ring.last) == (4, 8)
    kept = ring.read(LogQuestion(), limit=100)
    assert [(line.number, line.event) for line in kept] == [(n, f"e{n - 1}") for n in range(4, 9)]
    emit("x" * 3000)
    assert (ring.first, ring.last) == (9, 9), "the newest stays, however long it is"
    emit("y")
    assert ring.first == 10


async def test_the_command_shows_filters_and_counts(
    session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    import asyncio

    monkeypatch.setenv("FARMHAND_URL", str(session._base_url).rstrip("/"))
    monkeypatch.setenv("FARMHAND_TOKEN", TOKEN)
    say("a.done", job_id="job-1")
    ended = await asyncio.to_thread(run, "logs", "--job", "job-1")
    assert ended.code == 0, ended.err
    assert "a.done" in ended.out
    assert "job_id=job-1" in ended.out
    ended = await asyncio.to_thread(run, "logs", "--job", "job-1", "--json")
    assert ended.json["event"] == "a.done"
    ended = await asyncio.to_thread(run, "logs", "--summary", "--json")
    assert ended.json["levels"]["info"] >= 1
