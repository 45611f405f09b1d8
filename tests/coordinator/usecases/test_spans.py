"""What use cases tell a tracer: what takes time, and the runs that ended."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import structlog

from coordinator.domain.runs import Run
from coordinator.ports_tracing import Fact
from coordinator.usecases.controlling import settle_run
from coordinator.usecases.farm import Farm
from coordinator.usecases.preparing import prepare_jobs
from coordinator.usecases.slicing import slice_plates
from protocols.wire.vocabulary import EventKind, RunPhase
from tests.coordinator.usecases.test_preparing import present
from tests.fakes.fake_farm import order_gcode, order_model
from tests.fakes.story import connect, say, start, work


@dataclass
class Noted:
    """A tracer, and the span that is on: where each began, and what bound ids it was told with."""

    spans: list[tuple[str, ...]] = field(default_factory=list)
    spells: list[tuple[str, bool, Mapping[str, Fact]]] = field(default_factory=list)
    ids: dict[str, Any] = field(default_factory=dict)
    _on: tuple[str, ...] = ()

    @contextmanager
    def span(self, name: str, **_: Any) -> Iterator["Noted"]:
        before, self._on = self._on, (*self._on, name)
        self.spans.append(self._on)
        self.ids[name] = structlog.contextvars.get_contextvars()
        try:
            yield self
        finally:
            self._on = before

    def note(self, **_: Fact) -> None:
        pass

    def spell(
        self, name: str, began_at: datetime, ended_at: datetime, ok: bool, facts: Mapping[str, Fact]
    ) -> None:
        assert began_at <= ended_at
        self.spells.append((name, ok, facts))


async def test_a_plate_is_sliced_within_a_span_that_names_its_job(farm: Farm) -> None:
    tracer = Noted()
    farm = replace(farm, tracer=tracer)
    await present(farm, ("p1", "mk4", "PLA"))
    job = await order_model(farm)
    assert ("accept_order", "write") in tracer.spans
    await prepare_jobs(farm)
    await slice_plates(farm)
    assert ("slice_plate", "write") in tracer.spans
    assert tracer.ids["slice_plate"] == {"job_id": job.job_id, "printer_class": "mk4"}


async def test_a_run_is_told_once_when_it_ended_and_how(farm: Farm) -> None:
    tracer = Noted()
    farm = replace(farm, tracer=tracer)
    agent = await connect(farm, "a")
    await order_gcode(farm)
    await work(farm, agent)
    await start(farm, agent)
    assert tracer.spells == []
    agent.end(RunPhase.FAILED, EventKind.FAILED)
    await say(farm, agent)
    [(name, ok, facts)] = tracer.spells
    assert (name, ok, facts["state"], facts["printer_id"]) == ("run", False, "failed", "printer-a")


async def test_a_lost_run_is_told_when_somebody_settled_it(farm: Farm) -> None:
    tracer = Noted()
    farm = replace(farm, tracer=tracer)
    agent = await connect(farm, "a")
    await order_gcode(farm)
    await work(farm, agent)
    await start(farm, agent)
    agent.end(RunPhase.LOST, EventKind.LOST)
    await say(farm, agent)
    assert tracer.spells == []
    [run] = await runs_of(farm)
    await settle_run(farm, run.run_id, "finished", "user:anna")
    [(_, ok, facts)] = tracer.spells
    assert (ok, facts["run_id"]) == (True, run.run_id)


async def runs_of(farm: Farm) -> list[Run]:
    async with farm.store.read() as unit:
        return await unit.runs()
