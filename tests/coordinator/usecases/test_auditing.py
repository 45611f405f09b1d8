"""Who did what, through what: every change of a farm's life names both."""

from dataclasses import replace
from datetime import timedelta

import pytest

from coordinator.domain.history import FarmEvent, Head, event_of
from coordinator.errors import NotFound, Refused
from coordinator.usecases import absorbing, controlling, starting
from coordinator.usecases.auditing import TAIL_LINES, Question, check_tail, events, verify
from coordinator.usecases.farm import Farm
from protocols.wire.vocabulary import JobId, PrinterId
from tests.fakes.fake_farm import order_gcode, order_model
from tests.fakes.manual_clock import ManualClock
from tests.fakes.memory_store import MemoryStore
from tests.fakes.model_agent import ModelAgent
from tests.fakes.story import end, lose_a_run, start, work


async def told(farm: Farm, **question: object) -> list[FarmEvent]:
    wanted = Question(**{"limit": 1000, **question})  # type: ignore[arg-type]
    return [event_of(line) for line in await events(farm, wanted)]


def tables(farm: Farm) -> MemoryStore:
    assert isinstance(farm.store, MemoryStore)
    return farm.store


async def test_every_change_of_a_print_names_who_and_through_what(
    farm: Farm, agent: ModelAgent
) -> None:
    job = await order_gcode(farm, origin="request r1")
    await work(farm, agent)
    await start(farm, agent)
    await end(farm, agent)
    await controlling.clear_printer(farm, agent.printer_id, "user:anna", "request r2")
    life = await told(farm, job_id=job.job_id)
    assert [(event.name, event.actor, event.origin.split()[0]) for event in life] == [
        ("job.received", "user:anna", "request"),
        ("plate.added", "user:anna", "request"),
        ("job.ready", "user:anna", "request"),
        ("run.leased", "farm", "dispatch"),
        ("job.leased", "farm", "dispatch"),
        ("run.permitted", "agent:agent-a", "report"),
        ("run.printing", "agent:agent-a", "event"),
        ("job.printing", "agent:agent-a", "event"),
        ("run.finished", "agent:agent-a", "event"),
        ("job.finished", "agent:agent-a", "event"),
    ]
    cleared = (await told(farm, printer_id=agent.printer_id))[-1]
    assert (cleared.name, cleared.actor, cleared.origin) == ("bed.clear", "user:anna", "request r2")
    assert cleared.changes["bed_state"] == "clear"


async def test_what_the_farm_and_its_agents_do_has_an_origin(farm: Farm) -> None:
    await order_model(farm)
    run = await lose_a_run(farm)
    await work(farm)
    await controlling.settle_run(farm, run.run_id, "reprint", "user:anna")
    await work(farm)
    await controlling.set_service(farm, run.printer_id, True, "user:anna")
    await starting.recover(farm)
    await starting.repeat_desired(farm)
    without = [event for event in await told(farm) if not event.origin]
    assert {event.actor for event in without} == {"user:anna"}  # who was called without a request
    origins = {event.origin.split()[0] for event in await told(farm) if event.origin}
    assert origins == {"presence", "report", "event", "dispatch", "preparing", "slicing", "start"}
    assert (await verify(farm)).faults == ()


async def test_what_changes_nothing_tells_nothing(farm: Farm, agent: ModelAgent) -> None:
    before = await told(farm)
    await absorbing.absorb(farm, agent.presence())
    await absorbing.absorb(farm, agent.reported())
    await starting.repeat_desired(farm)
    assert await told(farm) == before


async def test_events_come_by_cursor_and_by_time(farm: Farm, agent: ModelAgent) -> None:
    await order_gcode(farm)
    clock = farm.clock
    assert isinstance(clock, ManualClock)
    clock.advance(60.0)
    now = clock.now()
    await order_gcode(farm)
    every = await events(farm, Question(limit=1000))
    assert await events(farm, Question(after=every[2].number, limit=2)) == every[3:5]
    assert await events(farm, Question(last=2)) == every[-2:]
    late = await told(farm, since=now)
    assert late
    assert {event.at for event in late} == {now}
    assert await told(farm, since=now + timedelta(microseconds=1)) == []


@pytest.mark.parametrize("wrong", [{"limit": 0}, {"limit": 1001}, {"last": 0}, {"last": 1001}])
async def test_not_all_of_a_long_history_is_given_at_once(
    farm: Farm, wrong: dict[str, int]
) -> None:
    with pytest.raises(Refused, match="1 to 1000 events"):
        await events(farm, Question(**wrong))  # type: ignore[arg-type]


async def test_events_of_what_is_not_there_are_not_found(farm: Farm) -> None:
    with pytest.raises(NotFound):
        await events(farm, Question(job_id=JobId("nobody")))
    with pytest.raises(NotFound):
        await events(farm, Question(printer_id=PrinterId("nobody")))


@pytest.mark.parametrize("old", [True, False])
async def test_a_start_looks_at_the_newest_lines_only(farm: Farm, old: bool) -> None:
    while len(tables(farm).tables.lines) < TAIL_LINES + 2:
        await order_gcode(farm)
    await check_tail(farm)
    assert farm.live.history_trouble == ""
    lines = tables(farm).tables.lines
    index = 0 if old else -TAIL_LINES
    lines[index] = replace(lines[index], actor="user:nobody")
    await check_tail(farm)
    assert bool(farm.live.history_trouble) is not old
    verdict = await verify(farm)
    assert [fault.number for fault in verdict.faults] == [lines[index].number]
    assert f"event {lines[index].number} is not what was written" in farm.live.history_trouble


async def test_a_head_that_was_kept_is_asked_for(farm: Farm, agent: ModelAgent) -> None:
    kept = (await verify(farm)).head
    await order_gcode(farm)
    assert (await verify(farm, kept)).faults == ()
    for other in (replace(kept, hash="f" * 64), Head(number=9999, hash=kept.hash)):
        [fault] = (await verify(farm, other)).faults
        assert (fault.code, fault.number) == ("other_head", other.number)
