"""An agent that is drained: nothing new goes there, what has begun stays, and jobs say why."""

from dataclasses import replace

from coordinator.domain.runs import RunState
from coordinator.usecases.absorbing import absorb
from coordinator.usecases.dispatching import dispatch_jobs
from coordinator.usecases.farm import Farm
from coordinator.usecases.reading import why_waiting
from tests.fakes.fake_farm import order_gcode
from tests.fakes.model_agent import ModelAgent
from tests.fakes.story import arm, connect, end, names_in_history, start, the_run, work


async def drain(farm: Farm, agent: ModelAgent) -> None:
    await absorb(farm, replace(agent.presence(), draining=True))


async def test_nothing_is_leased_to_it_and_jobs_say_why(farm: Farm, agent: ModelAgent) -> None:
    await drain(farm, agent)
    await drain(farm, agent)
    job = await order_gcode(farm)
    assert await dispatch_jobs(farm) == 0
    [wait] = await why_waiting(farm, job.job_id)
    assert (wait.printer_id, wait.code) == (agent.printer_id, "draining")
    history = await names_in_history(farm, "agent", agent.agent_id)
    assert history.count("agent.draining") == 1


async def test_it_is_used_again_once_it_comes_back(farm: Farm, agent: ModelAgent) -> None:
    await drain(farm, agent)
    await absorb(farm, replace(agent.presence(), online=False))
    agent.boot = 2
    await absorb(farm, agent.presence())
    await absorb(farm, agent.reported())
    await order_gcode(farm)
    assert await dispatch_jobs(farm) == 1


async def test_a_lease_that_was_not_permitted_goes_elsewhere_at_once(
    farm: Farm, agent: ModelAgent
) -> None:
    await order_gcode(farm)
    await work(farm, agent)
    other = await connect(farm, "b")
    await drain(farm, agent)
    assert (await the_run(farm)).state is RunState.REVOKED
    await work(farm, other)
    run = await the_run(farm)
    assert (run.printer_id, run.state) == (other.printer_id, RunState.LEASED)


async def test_what_was_permitted_or_prints_stays(farm: Farm, agent: ModelAgent) -> None:
    await order_gcode(farm)
    await work(farm, agent)
    await arm(farm, agent, "n1")
    assert (await the_run(farm)).state is RunState.PERMITTED
    await drain(farm, agent)
    assert (await the_run(farm)).state is RunState.PERMITTED
    await start(farm, agent)
    await drain(farm, agent)
    await end(farm, agent)
    assert (await the_run(farm)).state is RunState.FINISHED
