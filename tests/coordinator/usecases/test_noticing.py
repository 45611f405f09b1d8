"""What people are told of a farm's life, and what not any more."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import time
from typing import Any

import pytest

from coordinator.domain import wanting
from coordinator.domain.jobs import Job
from coordinator.domain.matching import Obstacle, misfits
from coordinator.domain.notices import DELAYS_S, Pace
from coordinator.domain.plates import Plate
from coordinator.domain.printers import Printer
from coordinator.domain.wanting import Lack, alike, lack_of
from coordinator.usecases import absorbing, controlling, noticing
from coordinator.usecases.farm import Farm
from coordinator.usecases.noticing import PATIENCE, Herald, lacks, note_material_wanted
from protocols.wire.vocabulary import EventKind, PrinterId, PrinterState
from tests.fakes.fake_farm import order_gcode, order_model
from tests.fakes.fake_people import FakePeople
from tests.fakes.model_agent import ModelAgent
from tests.fakes.story import end, start, work
from tests.fakes.values import JOB, PLATE, PRINTER
from tests.fakes.webhook_story import clock

GATHER_S = 60.0


@pytest.fixture
def people() -> FakePeople:
    return FakePeople()


@pytest.fixture
async def herald(farm: Farm, agent: ModelAgent, people: FakePeople) -> Herald:
    """A herald whose channel begins after the printer came."""
    made = Herald(farm, people, Pace(gather_s=GATHER_S), ("*",))
    await made.look()
    return made


async def prints(farm: Farm, agent: ModelAgent) -> None:
    await order_gcode(farm, name="bracket")
    await work(farm, agent)
    await start(farm, agent)


async def told(farm: Farm, herald: Herald, people: FakePeople) -> list[str]:
    """Let the gathering end; return the lines of what was sent since the last time."""
    await herald.look()
    clock(farm).advance(GATHER_S)
    await herald.look()
    lines = [line for notice in people.sent for line in notice.text.splitlines()]
    people.sent.clear()
    return [line.partition("UTC  ")[2] for line in lines]


async def test_a_print_that_goes_well_is_told_once_its_bed_is_to_be_cleared(
    farm: Farm, agent: ModelAgent, herald: Herald, people: FakePeople
) -> None:
    await prints(farm, agent)
    assert await told(farm, herald, people) == []
    await end(farm, agent)
    [words] = await told(farm, herald, people)
    assert "clear the bed: run-" in words
    assert await told(farm, herald, people) == []


async def test_a_bed_that_is_cleared_in_time_is_not_told(
    farm: Farm, agent: ModelAgent, herald: Herald, people: FakePeople
) -> None:
    await prints(farm, agent)
    await end(farm, agent)
    await herald.look()
    await controlling.clear_printer(farm, agent.printer_id, "user:anna")
    assert await told(farm, herald, people) == []


async def test_a_lost_run_is_told_at_once_also_at_night(
    farm: Farm, agent: ModelAgent, people: FakePeople
) -> None:
    local = farm.clock.now().astimezone().time()
    night = (time(local.hour), time((local.hour + 2) % 24))
    herald = Herald(farm, people, Pace(gather_s=GATHER_S, quiet=night), ("*",))
    await herald.look()
    await prints(farm, agent)
    await end(farm, agent, EventKind.FAILED)
    assert await told(farm, herald, people) == [], "that can wait"
    await controlling.clear_printer(farm, agent.printer_id, "user:anna")
    await work(farm, agent)
    await start(farm, agent, "n2")
    await absorbing.absorb(farm, ModelAgent(agent.name, journal=2, boot=2).presence())
    words = await told(farm, herald, people)
    assert any("nobody knows" in each for each in words)
    assert any("the print failed" in each for each in words), "and takes along what waited"


async def test_what_can_wait_is_told_when_the_night_is_over(
    farm: Farm, agent: ModelAgent, people: FakePeople
) -> None:
    local = farm.clock.now().astimezone().time()
    night = (time(local.hour), time((local.hour + 2) % 24))
    herald = Herald(farm, people, Pace(gather_s=GATHER_S, quiet=night), ("*",))
    await herald.look()
    await prints(farm, agent)
    await end(farm, agent)
    assert await told(farm, herald, people) == []
    clock(farm).advance(2 * 3600)
    assert len(await told(farm, herald, people)) == 1


async def test_an_agent_that_is_gone_while_its_printer_prints_is_told_unless_it_comes_back(
    farm: Farm, agent: ModelAgent, herald: Herald, people: FakePeople
) -> None:
    away = replace(agent.presence(), online=False)
    await absorbing.absorb(farm, away)
    assert await told(farm, herald, people) == [], "nothing prints"
    await absorbing.absorb(farm, agent.presence())
    await prints(farm, agent)
    await absorbing.absorb(farm, away)
    await herald.look()
    await absorbing.absorb(farm, agent.presence())
    assert await told(farm, herald, people) == [], "it came back in time"
    await absorbing.absorb(farm, away)
    [words] = await told(farm, herald, people)
    assert "no word from its agent while it prints" in words


async def test_a_pause_is_told_unless_somebody_wanted_it(
    farm: Farm, agent: ModelAgent, herald: Herald, people: FakePeople
) -> None:
    await prints(farm, agent)
    agent.note(EventKind.PAUSED)
    for message in agent.outbox:
        await absorbing.absorb(farm, message)
    [words] = await told(farm, herald, people)
    assert "job bracket: paused by itself" in words


async def test_a_pause_that_somebody_wanted_is_not_told(
    farm: Farm, agent: ModelAgent, herald: Herald, people: FakePeople
) -> None:
    await prints(farm, agent)
    async with farm.store.read() as unit:
        [job] = await unit.jobs()
    await controlling.pause_job(farm, job.job_id, "user:anna")
    agent.note(EventKind.PAUSED)
    for message in agent.outbox:
        await absorbing.absorb(farm, message)
    assert await told(farm, herald, people) == []


async def test_a_printer_that_stopped_itself_is_told(
    farm: Farm, agent: ModelAgent, herald: Herald, people: FakePeople
) -> None:
    halted = replace(agent.reported(), state=PrinterState.HALTED, message="thermal runaway")
    await absorbing.absorb(farm, halted)
    [words] = await told(farm, herald, people)
    assert "needs a person: thermal runaway" in words


async def test_material_that_no_printer_holds_is_told_once_a_job(
    farm: Farm, agent: ModelAgent, herald: Herald, people: FakePeople
) -> None:
    await order_model(farm, name="hinge", material="PEEK")
    await work(farm)
    await note_material_wanted(farm)
    assert await told(farm, herald, people) == [], "it came a moment ago"
    clock(farm).advance(PATIENCE.total_seconds())
    await note_material_wanted(farm)
    await note_material_wanted(farm)
    [words] = await told(farm, herald, people)
    assert words.startswith("job hinge waits for material")
    assert "PEEK" in words
    clock(farm).advance(PATIENCE.total_seconds())
    await note_material_wanted(farm)
    assert await told(farm, herald, people) == []


async def test_what_could_not_be_sent_is_sent_later_as_far_as_it_still_holds(
    farm: Farm, agent: ModelAgent, herald: Herald, people: FakePeople
) -> None:
    await prints(farm, agent)
    people.fails = True
    await end(farm, agent, EventKind.FAILED)
    assert await told(farm, herald, people) == []
    await controlling.clear_printer(farm, agent.printer_id, "user:anna")
    people.fails = False
    await herald.look()
    assert people.sent == [], "it is not hammered"
    clock(farm).advance(DELAYS_S[0])
    words = await told(farm, herald, people)
    assert any("the print failed" in each for each in words)
    assert not any("clear the bed" in each for each in words), "that is done"


async def test_a_start_goes_on_where_the_last_one_ended(
    farm: Farm, agent: ModelAgent, herald: Herald, people: FakePeople
) -> None:
    await prints(farm, agent)
    await end(farm, agent)
    await herald.look()
    again = Herald(farm, people, Pace(gather_s=GATHER_S), ("*",))
    assert len(await told(farm, again, people)) == 1
    third = Herald(farm, people, Pace(gather_s=GATHER_S), ("*",))
    assert await told(farm, third, people) == []


async def test_a_new_channel_is_not_flooded_with_the_past(
    farm: Farm, agent: ModelAgent, people: FakePeople
) -> None:
    await prints(farm, agent)
    await end(farm, agent)
    late = Herald(farm, people, Pace(gather_s=GATHER_S), ("*",))
    assert await told(farm, late, people) == []


async def test_only_the_types_that_are_wanted_are_told(
    farm: Farm, agent: ModelAgent, people: FakePeople
) -> None:
    herald = Herald(farm, people, Pace(gather_s=GATHER_S), ("run.*",))
    await herald.look()
    await prints(farm, agent)
    await end(farm, agent, EventKind.FAILED)
    [words] = await told(farm, herald, people)
    assert "the print failed" in words


async def test_what_has_to_be_loaded_is_looked_at_once_until_something_is_decided(
    farm: Farm, agent: ModelAgent, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[str] = []

    def counted(job: Job, *about: Any) -> Lack | None:
        looked.append(job.job_id)
        return lack_of(job, *about)

    monkeypatch.setattr(noticing, "lack_of", counted)
    job = await order_gcode(farm, material="PETG")
    first = await asyncio.gather(*(lacks(farm) for _ in range(20)))
    assert looked == [job.job_id]
    assert [[(lacking.name, lack.material) for lacking, lack in those] for those in first] == [
        [("part", "PETG")]
    ] * 20
    await controlling.cancel_job(farm, job.job_id, "user:anna")
    assert await lacks(farm) == ()


def test_printers_that_are_alike_are_looked_at_together(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[str] = []

    def counted(job: Job, plates: Sequence[Plate], printer: Printer) -> tuple[Obstacle, ...]:
        looked.append(printer.printer_class)
        return misfits(job, plates, printer)

    monkeypatch.setattr(wanting, "misfits", counted)
    fleet = [
        replace(PRINTER, printer_id=PrinterId(f"p-{number:03}"), printer_class=printer_class)
        for number, printer_class in enumerate(("mk4", "xl") * 250)
    ]
    fleet[0] = replace(fleet[0], quarantine="look at it")
    lack = lack_of(replace(JOB, material="PETG"), [PLATE], alike(fleet))
    assert lack is not None
    assert [printer.printer_id for printer, _ in lack.printers] == [
        printer.printer_id for printer in fleet[2::2]
    ]
    assert looked == ["xl", "mk4"]
