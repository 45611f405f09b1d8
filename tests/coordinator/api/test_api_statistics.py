"""Statistics over HTTP."""

import csv
import io
from dataclasses import replace
from datetime import timedelta

import aiohttp
import pytest

from coordinator.api.sheets import MARK
from coordinator.domain.runs import RunState
from tests.contracts.test_store_contract import JOB, PLATE, PRINTER, RUN
from tests.coordinator.api.test_api_library import ask
from tests.fakes.served_farm import ServedFarm


async def printed(farm: ServedFarm) -> None:
    """Have a run finished half an hour ago, of a job whose name is a trap."""
    now = farm.clock.now()
    job = replace(JOB, name='=cmd|"/c calc"!A0', owner="user:admin")
    run = replace(
        RUN,
        state=RunState.FINISHED,
        started_at=now - timedelta(hours=2),
        ended_at=now - timedelta(minutes=30),
        facts={},
    )
    async with farm.farm.store.write() as unit:
        await unit.save_job(job)
        await unit.save_plate(replace(PLATE, filament_g=12.0))
        await unit.save_printer(replace(PRINTER, printer_group="@lab"))
        await unit.save_run(run)


async def rows_of(session: aiohttp.ClientSession, path: str) -> list[dict[str, str]]:
    async with session.get(f"/api/v1/{path}") as answer:
        assert answer.status == 200, await answer.text()
        assert answer.content_type == "text/csv"
        assert "attachment" in answer.headers["Content-Disposition"]
        text = (await answer.read()).decode()
    assert text.startswith(MARK)
    assert text.count("\r\n") == text.count("\n")
    return list(csv.DictReader(io.StringIO(text.removeprefix(MARK), newline="")))


async def test_figures_tell_what_printers_did(
    farm: ServedFarm, session: aiohttp.ClientSession
) -> None:
    await farm.printers_arrive("p-1")
    farm.clock.advance(3600)
    await printed(farm)
    status, found = await ask(session, "GET", "statistics")
    assert status == 200
    by_key = {each["key"]: each for each in found["items"]}
    assert (by_key["p1"]["finished"], by_key["p1"]["print_h"]) == (1, 1.5)
    assert (by_key["p1"]["filament_g"], by_key["p1"]["success"]) == (12.0, 1.0)
    assert by_key["p-1"]["finished"] == 0
    assert by_key["p-1"]["success"] is None
    assert by_key["p-1"]["known_h"] == 1.0
    assert sum(by_key["p-1"]["time"].values()) == pytest.approx(1.0)
    assert found["total"]["finished"] == 1
    _, users = await ask(session, "GET", "statistics?by=user")
    assert [(each["key"], each["time"]) for each in users["items"]] == [("user:admin", None)]
    _, before = await ask(session, "GET", f"statistics?until={'2001-01-01'}")
    assert before["items"] == []


async def test_sheets_hold_no_formula(farm: ServedFarm, session: aiohttp.ClientSession) -> None:
    await printed(farm)
    [group] = await rows_of(session, "statistics.csv?by=group")
    assert (group["group"], group["finished"], group["print_h"]) == ("'@lab", "1", "1.5")
    [run] = await rows_of(session, "runs.csv")
    assert run["job_name"] == '\'=cmd|"/c calc"!A0'
    assert (run["ended_as"], run["print_h"], run["filament_g"]) == ("finished", "1.5", "12")
    assert await rows_of(session, "runs.csv?until=2001-01-01") == []


@pytest.mark.parametrize(
    "query", ["by=colour", "since=2030-01-02&until=2030-01-01", "offset_min=9999", "of=all"]
)
async def test_what_makes_no_span_is_refused(session: aiohttp.ClientSession, query: str) -> None:
    status, problem = await ask(session, "GET", f"statistics?{query}")
    assert (status, problem["code"]) == (422, "invalid_query")
