"""What leaves the farm for good stays away until somebody says so; its history stays."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from coordinator.domain.jobs import JobState
from coordinator.errors import NotFound, NotNow
from coordinator.usecases import reading, stock
from coordinator.usecases.absorbing import absorb
from coordinator.usecases.auditing import Question, events, verify
from coordinator.usecases.controlling import settle_run
from coordinator.usecases.dispatching import flush_outbox
from coordinator.usecases.farm import Farm
from coordinator.usecases.retiring import (
    let_go,
    restore_agent,
    restore_printer,
    retire_agent,
    retire_printer,
    retired,
)
from protocols.wire.from_agent import CommandResult
from protocols.wire.to_agent import Command
from tests.fakes.fake_farm import order_gcode
from tests.fakes.model_agent import ModelAgent
from tests.fakes.recording_link import RecordingLink
from tests.fakes.story import connect, names_in_history, start, the_run, work

ANNA = "user:anna"


async def shown(farm: Farm) -> list[str]:
    return [view.printer.printer_id for view in await reading.printer_views(farm)]


async def test_a_retired_printer_is_shown_nowhere_and_its_broker_keeps_nothing_of_it(
    farm: Farm, agent: ModelAgent
) -> None:
    await work(farm, agent)
    await absorb(farm, replace(agent.presence(), online=False))
    link = farm.link
    assert isinstance(link, RecordingLink)
    assert agent.printer_id in link.retained
    await retire_printer(farm, agent.printer_id, ANNA)
    await flush_outbox(farm)
    assert await shown(farm) == []
    assert agent.printer_id not in link.retained
    told = await events(farm, Question(limit=100, printer_id=agent.printer_id))
    assert "printer.retired" in [line.name for line in told]
    with pytest.raises(NotFound):
        await retire_printer(farm, agent.printer_id, ANNA)
    assert (await verify(farm)).faults == ()


async def test_no_printer_is_retired_under_a_run_or_before_a_lost_one_is_settled(
    farm: Farm, agent: ModelAgent
) -> None:
    job = await order_gcode(farm)
    await work(farm, agent)
    await start(farm, agent)
    with pytest.raises(NotNow, match="holds run"):
        await retire_printer(farm, agent.printer_id, ANNA)
    with pytest.raises(NotNow, match="holds run"):
        await retire_agent(farm, agent.agent_id, ANNA)
    await absorb(farm, ModelAgent(agent.name, journal=2, boot=2).presence())
    with pytest.raises(NotNow, match="settle it first"):
        await retire_printer(farm, agent.printer_id, ANNA)
    await settle_run(farm, (await the_run(farm)).run_id, "finished", ANNA)
    await absorb(farm, replace(ModelAgent(agent.name, journal=2, boot=2).presence(), online=False))
    await retire_printer(farm, agent.printer_id, ANNA)
    assert (await reading.job_view(farm, job.job_id)).job.state is JobState.FINISHED


async def test_a_retired_printer_that_is_reported_again_stays_away_until_somebody_says_so(
    farm: Farm, agent: ModelAgent
) -> None:
    await absorb(farm, replace(agent.presence(), online=False))
    await retire_printer(farm, agent.printer_id, ANNA)
    await absorb(farm, agent.presence(), agent.reported())
    assert await shown(farm) == []
    [told] = (await retired(farm)).printers
    assert (told.reported_by, "speaks of it still" in told.words) == (agent.agent_id, True)

    link = farm.link
    assert isinstance(link, RecordingLink)
    await restore_printer(farm, agent.printer_id, ANNA)
    assert link.asked_again == 1
    assert "is being asked" in (await reading.printer_view(farm, agent.printer_id)).away
    await absorb(farm, replace(agent.presence(), printers=()))
    assert "add it there again" in (await reading.printer_view(farm, agent.printer_id)).away
    await absorb(farm, replace(agent.presence(), online=False))
    assert "not connected" in (await reading.printer_view(farm, agent.printer_id)).away
    await absorb(farm, agent.presence(), agent.reported())
    assert await shown(farm) == [agent.printer_id]
    view = await reading.printer_view(farm, agent.printer_id)
    assert (view.printer.online, view.away) == (True, "")
    assert (await verify(farm)).faults == ()


async def test_a_printer_that_moved_to_another_machine_is_taken_back_there(
    farm: Farm, agent: ModelAgent
) -> None:
    await absorb(farm, replace(agent.presence(), online=False))
    await retire_printer(farm, agent.printer_id, ANNA)
    other = ModelAgent("b")
    presence = replace(other.presence(), printers=agent.presence().printers)
    await absorb(farm, presence)
    assert await shown(farm) == []
    await restore_printer(farm, agent.printer_id, ANNA)
    await absorb(farm, presence)
    printer = (await reading.printer_view(farm, agent.printer_id)).printer
    assert (printer.agent_id, printer.online) == (other.agent_id, True)


async def test_a_retired_agent_is_heard_no_more_with_all_its_printers(
    farm: Farm, agent: ModelAgent
) -> None:
    await connect(farm, "b")
    await retire_agent(farm, agent.agent_id, ANNA)
    await absorb(farm, agent.presence())
    assert await shown(farm) == ["printer-b"]
    assert [each.agent_id for each in (await retired(farm)).agents] == [agent.agent_id]
    assert (await names_in_history(farm, "agent", agent.agent_id))[-1] == "agent.retired"
    await restore_agent(farm, agent.agent_id, ANNA)
    await restore_printer(farm, agent.printer_id, ANNA)
    await absorb(farm, agent.presence())
    assert await shown(farm) == [agent.printer_id, "printer-b"]
    with pytest.raises(NotFound):
        await restore_agent(farm, agent.agent_id, ANNA)


async def test_a_job_for_a_retired_printer_alone_says_that_it_waits_for_nothing(
    farm: Farm, agent: ModelAgent
) -> None:
    await connect(farm, "b")
    job = await order_gcode(farm, printer_id=agent.printer_id)
    await absorb(farm, replace(agent.presence(), online=False))
    await retire_printer(farm, agent.printer_id, ANNA)
    codes = [wait.code for wait in await reading.why_waiting(farm, job.job_id)]
    assert codes == ["printer_gone", "other_printer"]


async def test_an_agent_that_gives_no_answer_holds_nobody_up_and_is_asked_until_it_does(
    farm: Farm, agent: ModelAgent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("coordinator.usecases.retiring.LET_GO_S", 0.01)
    link = farm.link
    assert isinstance(link, RecordingLink)
    gone = await asyncio.wait_for(retire_printer(farm, agent.printer_id, ANNA), 5.0)
    assert (gone.reported_by, "has not answered" in gone.words) == (agent.agent_id, True)
    [told] = (await retired(farm)).printers
    assert told == gone
    assert await let_go(farm) == 0
    link.answer = answering(farm, ok=True)
    assert await let_go(farm) == 1
    assert [each.name for each in link.commands] == ["remove_printer"] * 3
    [told] = (await retired(farm)).printers
    assert (told.reported_by, told.words) == (None, "")
    assert await let_go(farm) == 0


async def test_an_agent_that_was_away_is_asked_once_it_is_back_with_the_printer(
    farm: Farm, agent: ModelAgent
) -> None:
    link = farm.link
    assert isinstance(link, RecordingLink)
    await absorb(farm, replace(agent.presence(), online=False))
    assert "once it is back" in (await retire_printer(farm, agent.printer_id, ANNA)).words
    assert await let_go(farm) == 0
    assert link.commands == []
    await absorb(farm, agent.presence())
    [told] = (await retired(farm)).printers
    assert "will be asked" in told.words
    link.answer = answering(farm, ok=False, code="printer_configured")
    assert await let_go(farm) == 0
    [told] = (await retired(farm)).printers
    assert "configuration names it" in told.words
    assert await let_go(farm) == 0
    assert len(link.commands) == 1  # nobody is asked for what can't be
    await absorb(farm, replace(agent.presence(), printers=()))
    assert (await retired(farm)).printers[0].reported_by is None


async def test_a_printer_that_was_taken_back_is_not_let_go(farm: Farm, agent: ModelAgent) -> None:
    link = farm.link
    assert isinstance(link, RecordingLink)
    await absorb(farm, replace(agent.presence(), online=False))
    await retire_printer(farm, agent.printer_id, ANNA)
    await absorb(farm, agent.presence())
    await restore_printer(farm, agent.printer_id, ANNA)
    farm.live.retired_reported[agent.printer_id] = agent.agent_id  # of an answer that came late
    assert await let_go(farm) == 0
    assert link.commands == []


def answering(farm: Farm, *, ok: bool, code: str = "") -> Callable[[Command], Awaitable[None]]:
    async def answer(command: Command) -> None:
        farm.live.answer(CommandResult(id=command.id, agent_id=command.agent_id, ok=ok, code=code))

    return answer


async def test_the_spool_of_a_retired_printer_lies_on_the_shelf_again(
    farm: Farm, agent: ModelAgent
) -> None:
    spool = await stock.make_spool(farm, {"material": "PLA", "weight_g": 1000.0}, ANNA)
    await stock.load_spool(farm, spool.spool_id, agent.printer_id, 0, ANNA)
    await absorb(farm, replace(agent.presence(), online=False))
    await retire_printer(farm, agent.printer_id, ANNA)
    assert (await stock.spool_of(farm, spool.spool_id)).printer_id is None
