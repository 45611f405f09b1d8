"""A job's place in the queue, and when and where it will start, from what the farm knows."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from coordinator.domain.foretelling import Booking, play_ahead
from coordinator.usecases import timetable as at_work
from coordinator.usecases.dispatching import dispatch_jobs
from coordinator.usecases.farm import Farm
from coordinator.usecases.foretelling import CLEARING_S, prospect
from coordinator.usecases.kept import SPARED
from coordinator.usecases.timetable import KEPT_S, QUIET, BlockKind, timetable
from protocols.wire.from_agent import PrinterSample, Telemetry
from protocols.wire.vocabulary import PrinterState
from tests.fakes.fake_farm import order_gcode
from tests.fakes.model_agent import ModelAgent
from tests.fakes.story import end, start, the_run, work

CLEARED = timedelta(seconds=CLEARING_S)


async def test_a_job_that_was_just_ordered_starts_on_the_free_printer(
    farm: Farm, agent: ModelAgent
) -> None:
    job = await order_gcode(farm)
    found = await prospect(farm, job.job_id)
    assert found.printer is not None
    assert (found.number, found.printer.printer_id) == (1, agent.printer_id)
    assert found.starts_at == farm.clock.now()


async def test_a_job_with_a_lease_is_on_its_printer_already(farm: Farm, agent: ModelAgent) -> None:
    job = await order_gcode(farm)
    await dispatch_jobs(farm)
    found = await prospect(farm, job.job_id)
    assert found.number is None
    assert found.printer is not None
    assert found.printer.printer_id == agent.printer_id


async def test_a_job_behind_a_print_waits_for_its_rest_and_for_who_clears_the_bed(
    farm: Farm, agent: ModelAgent
) -> None:
    await order_gcode(farm)
    await work(farm, agent)
    await start(farm, agent)
    sample = PrinterSample(
        printer_id=agent.printer_id,
        state=PrinterState.PRINTING,
        run_id=(await the_run(farm)).run_id,
        remaining_s=100.0,
    )
    telemetry = Telemetry(agent_id=agent.agent_id, at_unix_s=0.0, printers=(sample,))
    farm.live.absorb(telemetry, farm.clock.now())
    job = await order_gcode(farm)
    found = await prospect(farm, job.job_id)
    assert found.starts_at == farm.clock.now() + timedelta(seconds=100.0 + CLEARING_S)
    await end(farm, agent)
    after = await prospect(farm, job.job_id)
    assert after.starts_at == farm.clock.now() + timedelta(seconds=CLEARING_S)


async def test_of_a_held_job_and_of_one_without_printers_no_time_is_told(farm: Farm) -> None:
    held = await prospect(farm, (await order_gcode(farm, held=True)).job_id)
    assert (held.number, held.printer, held.starts_at) == (None, None, None)
    alone = await prospect(farm, (await order_gcode(farm)).job_id)
    assert (alone.number, alone.printer, alone.starts_at) == (1, None, None)


async def test_a_held_job_is_not_leased_before_somebody_lets_it_go_on(
    farm: Farm, agent: ModelAgent
) -> None:
    await order_gcode(farm, held=True)
    assert await dispatch_jobs(farm) == 0


async def test_the_timetable_tells_until_when_a_print_goes_on_and_what_comes_after_it(
    farm: Farm, agent: ModelAgent
) -> None:
    first = await order_gcode(farm)
    await work(farm, agent)
    await start(farm, agent)
    sample = PrinterSample(
        printer_id=agent.printer_id,
        state=PrinterState.PRINTING,
        run_id=(await the_run(farm)).run_id,
        remaining_s=100.0,
    )
    telemetry = Telemetry(agent_id=agent.agent_id, at_unix_s=0.0, printers=(sample,))
    farm.live.absorb(telemetry, farm.clock.now())
    second, now = await order_gcode(farm), farm.clock.now()
    [(_, (printing, planned))] = (await timetable(farm, 1.0)).rows
    assert (printing.kind, printing.job.job_id) == (BlockKind.PRINTING, first.job_id)
    assert printing.ends_at == now + timedelta(seconds=100.0)
    assert (planned.kind, planned.job.job_id) == (BlockKind.PLANNED, second.job_id)
    assert planned.starts_at == printing.ends_at + CLEARED
    assert planned.ends_at == planned.starts_at + timedelta(seconds=120.0)
    assert (await timetable(farm, 0.01)).left_out == 1


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What `within_s` was given, each time that the farm was played ahead."""
    given: list[float] = []

    def counted(*about: Any, within_s: float) -> Iterator[Booking]:
        given.append(within_s)
        return play_ahead(*about, within_s=within_s)

    monkeypatch.setattr(at_work, "play_ahead", counted)
    return given


async def test_who_asks_at_once_for_whatever_hours_has_the_farm_played_ahead_once(
    farm: Farm, agent: ModelAgent, played: list[float]
) -> None:
    await order_gcode(farm)
    tables = await asyncio.gather(*(timetable(farm, hours) for hours in (1, 4, 12, 168) * 10))
    assert len(played) == 1
    assert {table.until - table.made_at for table in tables} == {
        timedelta(hours=hours) for hours in (1, 4, 12, 168)
    }


async def test_what_was_foretold_is_given_again_until_something_was_decided_and_a_while_passed(
    farm: Farm, agent: ModelAgent, played: list[float]
) -> None:
    first = await timetable(farm, 1.0)
    await order_gcode(farm)
    assert await timetable(farm, 1.0) == first
    farm.clock.advance(KEPT_S)  # type: ignore[attr-defined]
    second = await timetable(farm, 1.0)
    assert second.rows != first.rows
    for _ in range(3):
        farm.clock.advance(KEPT_S)  # type: ignore[attr-defined]
        assert (await timetable(farm, 1.0)).made_at == second.made_at
    assert len(played) == 2
    farm.clock.advance(QUIET.total_seconds())  # type: ignore[attr-defined]
    assert (await timetable(farm, 1.0)).made_at == farm.clock.now()


async def test_what_took_long_to_foretell_is_given_again_for_ten_times_as_long(
    farm: Farm, agent: ModelAgent, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow_s = KEPT_S

    def slowly(*about: Any, within_s: float) -> Iterator[Booking]:
        farm.clock.advance(slow_s)  # type: ignore[attr-defined]
        return play_ahead(*about, within_s=within_s)

    monkeypatch.setattr(at_work, "play_ahead", slowly)
    first = await timetable(farm, 1.0)
    await order_gcode(farm)
    farm.clock.advance(SPARED * slow_s - 1.0)  # type: ignore[attr-defined]
    assert await timetable(farm, 1.0) == first
    farm.clock.advance(1.0)  # type: ignore[attr-defined]
    assert await timetable(farm, 1.0) != first


async def test_who_gives_up_waiting_keeps_nobody_else_from_the_answer(
    farm: Farm, agent: ModelAgent, played: list[float]
) -> None:
    asking = [asyncio.ensure_future(timetable(farm, 1.0)) for _ in range(2)]
    await asyncio.sleep(0)
    asking[0].cancel()
    assert (await asking[1]).made_at == farm.clock.now()
