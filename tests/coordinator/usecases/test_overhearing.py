"""Two coordinators of one farm: each hears what the other did."""

from pathlib import Path

from coordinator.domain.history import Thing
from coordinator.usecases import controlling
from coordinator.usecases.overhearing import Overhearing
from protocols.wire.vocabulary import PrinterId
from tests.fakes.fake_farm import new_farm, order_gcode
from tests.fakes.story import connect


async def test_what_another_coordinator_did_is_told_here(tmp_path: Path) -> None:
    here = new_farm(tmp_path)
    there = new_farm(tmp_path, store=here.store)
    agent = await connect(there, "a")
    overhearing = Overhearing(here)
    await overhearing.look()
    heard: set[Thing] = set()
    with here.live.news.heard(heard.update):
        await overhearing.look()
        assert heard == set()
        job = await order_gcode(there)
        await controlling.set_service(there, agent.printer_id, True, "user:anna")
        await overhearing.look()
        assert {("job", job.job_id), ("printer", agent.printer_id)} <= heard
        heard.clear()
        await overhearing.look()
        assert heard == set()


async def test_of_a_printer_that_came_to_another_coordinator_telemetry_counts_here(
    tmp_path: Path,
) -> None:
    here = new_farm(tmp_path)
    there = new_farm(tmp_path, store=here.store)
    overhearing = Overhearing(here)
    await overhearing.look()
    agent = await connect(there, "a")
    assert agent.printer_id not in here.live.owners
    await overhearing.look()
    assert here.live.owners[PrinterId(agent.printer_id)] == agent.agent_id


async def test_what_was_there_before_the_first_look_is_no_news(tmp_path: Path) -> None:
    here = new_farm(tmp_path)
    await order_gcode(new_farm(tmp_path, store=here.store))
    heard: set[Thing] = set()
    with here.live.news.heard(heard.update):
        await Overhearing(here).look()
    assert heard == set()
