"""Trying the farm with simulated printers: bounded, allowed, and gone without a trace of work."""

import pytest

from coordinator.domain.jobs import JobState
from coordinator.domain.runs import RunState
from coordinator.errors import NotNow, NotPermitted, Refused
from coordinator.ports_trial import SIMULATED, NoSimulatedFarm
from coordinator.usecases.absorbing import absorb
from coordinator.usecases.auditing import verify
from coordinator.usecases.farm import Farm
from coordinator.usecases.reading import job_view, printer_views
from coordinator.usecases.trying import begin_trial, end_trial, trial
from tests.fakes.fake_farm import order_gcode
from tests.fakes.model_agent import ModelAgent
from tests.fakes.story import start, the_run, work

ANNA = "user:anna"


class Park:
    """Implements `SimulatedFarm` without a process."""

    allowed = True
    running = False
    trouble = ""
    token = ""

    async def start(self, token: str, *, printers: int, speed: float) -> None:
        self.running, self.token = True, token

    async def stop(self) -> None:
        self.running = False


class Simulated(ModelAgent):
    """An agent by the name that the simulated one has."""

    @property
    def agent_id(self):  # type: ignore[no-untyped-def]
        return SIMULATED


async def test_a_trial_is_bounded_and_only_begun_where_it_is_allowed(farm: Farm) -> None:
    with pytest.raises(NotPermitted):
        await begin_trial(farm, NoSimulatedFarm(), ANNA, printers=3, speed=30)
    park = Park()
    for printers, speed in ((0, 30.0), (7, 30.0), (3, 0.5), (3, 1000.0)):
        with pytest.raises(Refused):
            await begin_trial(farm, park, ANNA, printers=printers, speed=speed)
    begun = await begin_trial(farm, park, ANNA, printers=3, speed=30, fingerprint="f1")
    assert (begun.running, park.token[:7], park.token[-3:]) == (True, "enroll_", ".f1")
    with pytest.raises(NotNow):
        await begin_trial(farm, park, ANNA, printers=3, speed=30)


async def test_what_a_simulated_printer_prints_waits_for_another_once_it_is_removed(
    farm: Farm,
) -> None:
    park, agent = Park(), Simulated("a")
    await begin_trial(farm, park, ANNA, printers=1, speed=30)
    job = await order_gcode(farm)
    await absorb(farm, agent.presence(), agent.reported())
    from coordinator.usecases.controlling import clear_printer

    await clear_printer(farm, agent.printer_id, ANNA)
    await work(farm, agent)
    await start(farm, agent)
    assert (await the_run(farm)).state is RunState.PRINTING
    ended = await end_trial(farm, park, ANNA)
    assert (ended.running, ended.printers) == (False, ())
    assert (await the_run(farm)).state is RunState.DISCARDED
    assert (await job_view(farm, job.job_id)).job.state is JobState.READY
    assert await printer_views(farm) == []
    assert (await verify(farm)).faults == ()


async def test_a_trial_that_was_ended_can_be_begun_anew(farm: Farm) -> None:
    park = Park()
    for _ in range(2):
        await begin_trial(farm, park, ANNA, printers=1, speed=30)
        await end_trial(farm, park, ANNA)
    assert not (await trial(farm, park)).running
