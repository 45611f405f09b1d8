"""The steps of one print, between a farm and a model agent, one at a time."""

from dataclasses import replace

from coordinator.domain.runs import Run, RunState
from coordinator.usecases import absorbing, controlling, dispatching, preparing, slicing
from coordinator.usecases.farm import Farm
from protocols.wire.vocabulary import EventKind, Nonce, RunPhase
from tests.fakes.fake_farm import order_gcode
from tests.fakes.model_agent import ModelAgent
from tests.fakes.recording_link import RecordingLink


async def connect(farm: Farm, name: str) -> ModelAgent:
    """Bring an agent whose printer is idle and whose bed somebody declared clear."""
    agent = ModelAgent(name)
    await absorbing.absorb(farm, agent.presence())
    await absorbing.absorb(farm, agent.reported())
    await controlling.clear_printer(farm, agent.printer_id, "user:anna")
    return agent


async def work(farm: Farm, *agents: ModelAgent) -> None:
    """Do all that is due, and bring the agents their documents."""
    await preparing.prepare_jobs(farm)
    await dispatching.dispatch_jobs(farm)
    if await slicing.slice_plates(farm):
        await dispatching.dispatch_jobs(farm)
    await dispatching.flush_outbox(farm)
    link = farm.link
    assert isinstance(link, RecordingLink)
    for agent in agents:
        agent.obey(link.retained[agent.printer_id])


async def arm(farm: Farm, agent: ModelAgent, nonce: str) -> None:
    """Let the agent say that it is ready, with this nonce."""
    assert agent.run is not None
    agent.armed = Nonce(nonce)
    agent.run.nonces.append(agent.armed)
    await absorbing.absorb(farm, agent.reported())


async def start(farm: Farm, agent: ModelAgent, nonce: str = "n1") -> None:
    """Let the agent arm, get its permit, and start."""
    await arm(farm, agent, nonce)
    await work(farm, agent)
    assert agent.run is not None
    assert agent.desired is not None
    assert agent.desired.permit == agent.armed
    agent.run.phase, agent.printing = RunPhase.PRINTING, agent.run.run_id
    agent.occupation += 1
    agent.note(EventKind.STARTED)
    await say(farm, agent)


async def end(farm: Farm, agent: ModelAgent, event: EventKind = EventKind.FINISHED) -> None:
    """Let the run end so, and say it."""
    agent.end(RunPhase.FINISHED, event)
    await say(farm, agent)


async def say(farm: Farm, agent: ModelAgent) -> None:
    """Let the agent say all it has to say, and answer the document that comes of it."""
    for message in [*agent.outbox, agent.reported()]:
        await absorbing.absorb(farm, message)
    await work(farm, agent)
    await absorbing.absorb(farm, agent.reported())


async def the_run(farm: Farm, number: int = -1) -> Run:
    """Return a run by order of birth, the last one by default."""
    async with farm.store.read() as unit:
        return (await unit.runs())[number]


async def names_in_history(farm: Farm, subject: str, subject_id: str) -> list[str]:
    """Return the names of what happened to one thing."""
    async with farm.store.read() as unit:
        return [event.name for event in await unit.history(subject, subject_id)]


async def lose_a_run(farm: Farm) -> Run:
    """Have a plate printed by an agent that loses its memory in the middle of it."""
    agent = await connect(farm, "a")
    await order_gcode(farm)
    await work(farm, agent)
    await start(farm, agent)
    await absorbing.absorb(farm, ModelAgent(agent.name, journal=2, boot=2).presence())
    run = await the_run(farm)
    assert run.state is RunState.LOST
    return run


async def lose_a_printing_run(farm: Farm) -> Run:
    """Have a plate printed by an agent that can't say what became of it, and says what it saw."""
    agent = await connect(farm, "a")
    await order_gcode(farm)
    await work(farm, agent)
    await start(farm, agent)
    agent.end(RunPhase.LOST, EventKind.LOST)
    dialogue = "  -0.120 > N4712 G1 X1*99\n  -0.030 < start"
    facts = {"dialogue": dialogue, "amiss": "the supply is too weak"}
    agent.outbox[-1] = replace(agent.outbox[-1], line=4711, layer=12, facts=facts)
    await say(farm, agent)
    return await the_run(farm)
