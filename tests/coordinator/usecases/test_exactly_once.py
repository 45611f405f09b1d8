"""The farm under a network, agents and people that do what they like, as seen by the judge."""

import asyncio
from random import Random
from tempfile import TemporaryDirectory
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st

from coordinator.domain import leases, reports
from coordinator.domain.leases import Answer
from coordinator.domain.runs import RunState
from coordinator.errors import NotNow
from coordinator.usecases import absorbing, controlling
from tests.coordinator.usecases.farm_model import Model, ModelAgent, new_farm, order_gcode

STEPS = 150


async def _live_through(seed: int, *, faults: bool = True) -> Model:
    random = Random(seed)
    with TemporaryDirectory() as folder:
        farm = new_farm(Path(folder))
        model = Model(farm, random, [ModelAgent("a"), ModelAgent("b"), ModelAgent("c")])
        jobs = [await order_gcode(farm, copies=random.randint(1, 3)) for _ in range(3)]
        for agent in model.agents:
            await absorbing.absorb(farm, agent.presence())
        for _ in range(STEPS):
            await _something(model, [job.job_id for job in jobs], faults=faults)
        await model.calm_down()
        await model.judge()
        return model


async def _something(model: Model, job_ids: list, *, faults: bool) -> None:
    random, agent = model.random, model.random.choice(model.agents)
    happening = random.choices(
        ("step", "speak", "carry", "publish", "stale", "work", "clear", "fault", "person"),
        (12, 8, 16, 10, 2, 8, 6, 1 if faults else 0, 1),
    )[0]
    match happening:
        case "step":
            model.step(agent)
        case "speak":
            model.speak(agent)
        case "carry":
            for _ in range(3):
                await model.carry()
        case "publish":
            model.publish(agent)
        case "stale":
            model.publish(agent, stale=True)
        case "work":
            model.farm.clock.advance(random.choice((0.1, 5.0, 200.0)))
            await model.work()
        case "clear":
            await model.clear(agent)
        case "fault":
            fault = random.choice(("agent", "agent", "wipe", "coordinator"))
            if fault == "coordinator":
                await model.restart_coordinator()
            elif fault == "agent":
                await model.restart_agent(agent)
            else:
                await model.wipe(agent)
        case "person":
            verb = random.choice(
                (controlling.cancel_job, controlling.pause_job, controlling.resume_job)
            )
            try:
                await verb(model.farm, random.choice(job_ids), "user:anna")
            except NotNow:
                return


def _story(seed: int) -> None:
    """Run one seed; a failure is told with its seed."""
    try:
        asyncio.run(_live_through(seed))
    except Exception as error:
        raise AssertionError(f"seed {seed}: {error}") from error


@settings(max_examples=150, deadline=None)
@given(st.integers(min_value=0, max_value=2**32))
def test_every_plate_starts_once_and_every_job_ends_whatever_happens(seed: int) -> None:
    _story(seed)
