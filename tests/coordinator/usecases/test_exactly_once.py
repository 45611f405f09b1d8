"""The farm under a network, agents and people that do what they like, as seen by the judge.

Each mutation takes one rule away; the judge must see it, or the rule (or the judge) is idle.
"""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coordinator.domain import leases, presence, printers, reports
from coordinator.domain.leases import Answer, Holding
from coordinator.domain.printers import Printer
from coordinator.domain.runs import RunState
from coordinator.errors import NotNow
from coordinator.usecases import absorbing, controlling
from protocols.wire.from_agent import RunReport
from protocols.wire.vocabulary import JobId
from tests.coordinator.usecases.farm_model import Model, ModelAgent, new_farm, order_gcode

STEPS = 150


async def _live_through(seed: int) -> Model:
    random = Random(seed)
    with TemporaryDirectory() as folder:
        farm = new_farm(Path(folder))
        model = Model(farm, random, [ModelAgent("a"), ModelAgent("b"), ModelAgent("c")])
        jobs = [await order_gcode(farm, copies=random.randint(1, 3)) for _ in range(3)]
        for agent in model.agents:
            await absorbing.absorb(farm, agent.presence())
        for _ in range(STEPS):
            await _something(model, [job.job_id for job in jobs])
        await model.calm_down()
        await model.judge()
        return model


async def _something(model: Model, job_ids: list[JobId]) -> None:
    random, agent = model.random, model.random.choice(model.agents)
    happening = random.choices(
        ("step", "speak", "carry", "publish", "stale", "work", "clear", "fault", "person"),
        (12, 8, 16, 10, 2, 8, 6, 1, 1),
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
            await model.work()
        case "clear":
            await model.clear(agent)
        case "fault":
            await _fault(model, agent)
        case "person":
            await _person(model, random.choice(job_ids))


async def _fault(model: Model, agent: ModelAgent) -> None:
    match model.random.choice(("agent", "agent", "wipe", "coordinator", "silence")):
        case "agent":
            await model.restart_agent(agent)
        case "wipe":
            await model.wipe(agent)
        case "coordinator":
            await model.restart_coordinator()
        case "silence":
            await absorbing.absorb(model.farm, replace(agent.presence(), online=False))
            model.pass_time(200.0)


async def _person(model: Model, job_id: JobId) -> None:
    verbs = (controlling.cancel_job, controlling.pause_job, controlling.resume_job)
    try:
        await model.random.choice(verbs)(model.farm, job_id, "user:anna")
    except NotNow:
        return


def _story(seed: int) -> None:
    try:
        asyncio.run(_live_through(seed))
    except Exception as error:
        raise AssertionError(f"seed {seed}: {error}") from error


@settings(max_examples=150, deadline=None)
@given(st.integers(min_value=0, max_value=2**32))
def test_every_plate_starts_once_and_every_job_ends_whatever_happens(seed: int) -> None:
    _story(seed)


def _permit_whoever_asks(holding: Holding, report: RunReport) -> Answer:
    assert holding.run is not None
    permitted = holding.run.state in (RunState.LEASED, RunState.PERMITTED)
    return Answer.PERMIT if permitted else Answer.NOTHING


def _keep_the_epoch(printer: Printer) -> tuple[Printer, tuple[()]]:
    return replace(printer, run_id=None), ()


def _revoke_at_once(run: object) -> bool:
    return True


MUTATIONS: dict[str, tuple[object, str, Callable[..., object]]] = {}


@pytest.mark.parametrize("rule", sorted(MUTATIONS))
def test_without_the_rule_the_judge_sees_it(rule: str, monkeypatch: pytest.MonkeyPatch) -> None:
    where, name, mutant = MUTATIONS[rule]
    monkeypatch.setattr(where, name, mutant)
    with pytest.raises(AssertionError):
        for seed in range(400):
            _story(seed)
