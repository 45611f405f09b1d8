"""The farm under a network, agents and people that do what they like, as seen by the judge.

Each mutation takes one rule away; the judge must see it, or the rule (or the judge) is idle.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coordinator.domain import leases, presence, reports, runs
from coordinator.domain.effects import Effects, Save
from coordinator.domain.history import Value
from coordinator.domain.leases import Answer, Holding
from coordinator.domain.machine import Machine
from coordinator.domain.printers import forgotten
from coordinator.domain.runs import Run, RunChange, RunState
from coordinator.errors import NotNow
from coordinator.usecases import absorbing, controlling, performing
from coordinator.usecases.performing import Writing
from protocols.wire.from_agent import RunEvent, RunReport
from protocols.wire.vocabulary import JobId, JournalId
from tests.coordinator.usecases.farm_model import Model
from tests.fakes.fake_farm import new_farm, order_gcode
from tests.fakes.model_agent import ModelAgent

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


async def _live_on_record(seed: int) -> None:
    await (await _live_through(seed)).audit()


def _story(seed: int, live: Callable[[int], Awaitable[object]] = _live_through) -> None:
    try:
        asyncio.run(live(seed))
    except AssertionError as verdict:
        raise AssertionError(f"seed {seed}: {verdict}") from verdict


@settings(max_examples=150, deadline=None)
@given(st.integers(min_value=0, max_value=2**32))
def test_every_plate_starts_once_every_job_ends_and_history_tells_it_all(seed: int) -> None:
    _story(seed, _live_on_record)


def _release_without_proof(holding: Holding, report: RunReport, boot_id: str) -> Answer:
    """Take a permitted run back as if it had never been permitted."""
    told = _ANSWER(holding, report, boot_id)
    assert holding.run is not None
    unwanted = holding.run.state is RunState.PERMITTED and told is Answer.REPEAT
    return Answer.REVOKE if unwanted else told


def _forget_nothing(holding: Holding, journal_id: JournalId, now: datetime) -> Effects:
    """Take a new memory for the old one: revoke what was permitted."""
    printer = forgotten(holding.printer, journal_id, now, by="")
    run = holding.run
    if run is None or not run.live:
        return (Save(printer),)
    lost = replace(run, state=RunState.REVOKED)
    return (Save(printer), Save(lost), *leases.close(printer)[1])


def _any_order(holding: Holding, event: RunEvent, now: datetime) -> Effects:
    """Apply events as they come: no numbers."""
    number = holding.printer.events_applied
    numbered = replace(event, number=number + 1)
    return _APPLY(holding, numbered, now)


_ANSWER, _APPLY = leases.answer, reports.apply_event
_TABLE = dict(runs.MACHINE.table)

MUTATIONS: dict[str, tuple[object, str, object]] = {
    "a permitted run is given up only with proof": (leases, "answer", _release_without_proof),
    "a new memory loses what was permitted": (presence, "_with_new_memory", _forget_nothing),
    "events are applied once, in order": (reports, "apply_event", _any_order),
    "a lost run is not settled by a release": (
        runs,
        "MACHINE",
        Machine(
            "run",
            RunState.LEASED,
            {**_TABLE, (RunState.LOST, RunChange.RELEASE): RunState.REVOKED},
        ),
    ),
    "finished prints occupy the bed": (reports, "occupied", lambda printer, *_, **__: printer),
}


@pytest.mark.parametrize("rule", sorted(MUTATIONS))
def test_without_the_rule_the_judge_sees_it(rule: str, monkeypatch: pytest.MonkeyPatch) -> None:
    where, name, mutant = MUTATIONS[rule]
    monkeypatch.setattr(where, name, mutant)

    def live_many_lives() -> None:
        for seed in range(400):
            _story(seed)

    with pytest.raises(AssertionError, match="seed"):
        live_many_lives()


def _tell_only_what_was_noted(*given: Any) -> Any:
    """Forget the changes that no note names."""
    events, rows = _TOLD(*given)
    return [event for event in events if not event.name.endswith(".changed")], rows


async def _save_run_in_silence(transaction: Writing, value: Value) -> None:
    """Give every run that started a layer that no event tells."""
    silent = isinstance(value, Run) and value.started
    await _SAVE(transaction, replace(value, layer=value.layer + 1) if silent else value)


_TOLD, _SAVE = performing.told, Writing._save

SILENCES: dict[str, tuple[object, str, object]] = {
    "a change that nobody noted is told too": (performing, "told", _tell_only_what_was_noted),
    "what is stored is what is told": (Writing, "_save", _save_run_in_silence),
}


@pytest.mark.parametrize("rule", sorted(SILENCES))
def test_without_the_rule_the_audit_sees_it(rule: str, monkeypatch: pytest.MonkeyPatch) -> None:
    where, name, mutant = SILENCES[rule]
    monkeypatch.setattr(where, name, mutant)

    def live_some_lives() -> None:
        for seed in range(20):
            _story(seed, _live_on_record)

    with pytest.raises(AssertionError, match="by history"):
        live_some_lives()
