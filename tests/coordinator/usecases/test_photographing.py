"""Pictures that nobody asks for: of each run's end, and now and then of every printer."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from coordinator.adapters.pictures_folder import FolderPictures
from coordinator.errors import NotFound
from coordinator.usecases import photographing
from coordinator.usecases.absorbing import absorb
from coordinator.usecases.farm import Farm
from coordinator.usecases.photographing import Photographer, keep, run_picture
from protocols.wire.from_agent import CommandResult
from protocols.wire.to_agent import Command
from protocols.wire.vocabulary import RunId
from tests.fakes.fake_farm import order_gcode
from tests.fakes.manual_clock import ManualClock
from tests.fakes.model_agent import ModelAgent
from tests.fakes.pictures import JPEG
from tests.fakes.recording_link import RecordingLink
from tests.fakes.story import arm, end, start, the_run, work


@pytest.fixture
async def seen(farm: Farm, agent: ModelAgent, tmp_path: Path) -> Farm:
    """The farm, with a camera above the agent's printer."""
    seen = replace(farm, pictures=FolderPictures(tmp_path / "pictures"))
    presence = agent.presence()
    [printer] = presence.printers
    await absorb(seen, replace(presence, printers=(replace(printer, commands=("picture",)),)))

    async def answer(command: Command) -> None:
        run_id = RunId(str(command.arguments.get("run_id", ""))) or None
        await keep(seen, agent.agent_id, agent.printer_id, JPEG, run_id)
        result = CommandResult(id=command.id, agent_id=agent.agent_id, ok=True)
        await absorb(seen, result)

    link_of(seen).answer = answer
    return seen


def link_of(farm: Farm) -> RecordingLink:
    assert isinstance(farm.link, RecordingLink)
    return farm.link


def clock_of(farm: Farm) -> ManualClock:
    assert isinstance(farm.clock, ManualClock)
    return farm.clock


async def a_run_ends(farm: Farm, agent: ModelAgent) -> RunId:
    await order_gcode(farm)
    await work(farm, agent)
    await arm(farm, agent, "n1")
    await start(farm, agent)
    await end(farm, agent)
    return (await the_run(farm)).run_id


async def test_each_runs_end_is_seen_once(
    seen: Farm, agent: ModelAgent, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The agent of this story has a clock that is a day behind.
    monkeypatch.setattr(photographing, "ENDED_S_MAX", 86_400.0)
    photographer = Photographer(seen, every_s=0)
    with seen.live.news.heard(photographer.hear):
        run_id = await a_run_ends(seen, agent)
        await photographer.look()
        await photographer.look()
    assert [command.arguments for command in link_of(seen).commands] == [{"run_id": run_id}]
    assert (await run_picture(seen, run_id)).data == JPEG


async def test_an_end_that_was_heard_late_is_not_seen(
    seen: Farm, agent: ModelAgent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(photographing, "ENDED_S_MAX", 86_400.0)
    photographer = Photographer(seen, every_s=0)
    with seen.live.news.heard(photographer.hear):
        run_id = await a_run_ends(seen, agent)
        clock_of(seen).advance(1)
        await photographer.look()
    with pytest.raises(NotFound):
        await run_picture(seen, run_id)


async def test_at_rest_every_printer_is_looked_at_now_and_then(
    seen: Farm, agent: ModelAgent
) -> None:
    photographer, link = Photographer(seen, every_s=300.0), link_of(seen)
    for _ in range(3):
        await photographer.look()
    assert len(link.commands) == 1
    clock_of(seen).advance(300)
    await photographer.look()
    assert len(link.commands) == 2
    await absorb(seen, replace(agent.presence(), online=False))
    clock_of(seen).advance(300)
    await photographer.look()
    assert len(link.commands) == 2


async def test_a_broker_that_is_away_keeps_nobody_from_looking_later(seen: Farm) -> None:
    photographer, link = Photographer(seen, every_s=10.0), link_of(seen)
    link.connected = False
    await photographer.look()
    link.connected = True
    clock_of(seen).advance(10)
    await photographer.look()
    assert len(link.commands) == 1


async def test_two_that_look_at_once_take_one_picture(seen: Farm) -> None:
    photographer = Photographer(seen, every_s=300.0)
    await asyncio.gather(photographer.look(), photographer.look())
    assert len(link_of(seen).commands) == 1
