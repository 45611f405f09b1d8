"""A judge that can't condemn proves nothing: without any one rule, some promise is seen broken."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

import pytest

import agent.printer_task
from agent.core import fence, reconcile
from agent.core.reconcile import Decision, Situation
from agent.core.run import Happened
from agent.core.steps import Arm, Start, WriteJournal
from coordinator.domain import copies, leases, reports
from coordinator.domain.effects import Effects
from coordinator.domain.leases import Holding
from coordinator.domain.planning import Placement
from coordinator.usecases import dispatching
from coordinator.usecases.farm import Farm
from coordinator.usecases.performing import Writing
from protocols.wire.from_agent import RunEvent
from protocols.wire.vocabulary import Epoch, PrinterId, RunId
from tests.fakes.memory_store import MemoryUnit
from tests.simulation import farm
from tests.simulation.card import SimulatedJournal
from tests.simulation.farm import live_through
from tests.simulation.proof import main

SEEDS = 120
HOURS = 4.0

Patch = pytest.MonkeyPatch


def _no_fence(patch: Patch) -> None:
    patch.setattr(fence, "_objection", lambda memory, document: "")


def _start_before_the_fsync(patch: Patch) -> None:
    patch.setattr(SimulatedJournal, "lazy_s", 120.0)
    patch.setitem(farm.TROUBLES, "agent's power cut", 60)


def _no_nonce(patch: Patch) -> None:
    """An agent starts what it is assigned, without asking."""
    careful = reconcile.reconcile

    def rash(situation: Situation) -> Decision:
        decision = careful(situation)
        if Arm() in decision.steps:
            return Decision(steps=(WriteJournal(Happened.COMMITTED), Start()))
        return decision

    patch.setattr(agent.printer_task, "reconcile", rash)


def _events_in_any_order(patch: Patch) -> None:
    applied = reports.apply_event

    def apply(holding: Holding, event: RunEvent, now: datetime) -> Effects:
        number = holding.printer.events_applied
        return applied(holding, replace(event, number=number + 1), now)

    patch.setattr(reports, "apply_event", apply)


def _no_bed_rule(patch: Patch) -> None:
    patch.setattr(reconcile, "bed_is_clear", lambda desired, memory: True)
    patch.setattr(reports, "occupied", lambda printer, *_, **__: printer)


def _lease_as_planned(patch: Patch) -> None:
    """Lease what a plan says without a second look: only the epoch can tell that it is old."""

    async def lease(farm: Farm, transaction: Writing, placement: Placement) -> bool:
        job, printer = placement.job, placement.printer
        run_id = RunId(farm.ids.new("run"))
        _, run, effects = leases.grant(
            printer, job, placement.plate, run_id=run_id, now=transaction.now
        )
        job_runs = await transaction.unit.runs(job_id=job.job_id)
        _, followed = copies.follow(job, copies.with_run(job_runs, run), transaction.now)
        await transaction.perform((*effects, *followed))
        return True

    patch.setattr(dispatching, "_lease", lease)


def _no_compare_and_set(patch: Patch) -> None:
    _lease_as_planned(patch)

    async def raise_epoch(self: MemoryUnit, printer_id: PrinterId, *, expected: Epoch) -> bool:
        self.changed = True
        printer = self.tables.printers[printer_id]
        self.tables.printers[printer_id] = replace(printer, epoch=Epoch(printer.epoch + 1))
        return True

    patch.setattr(MemoryUnit, "raise_epoch", raise_epoch)
    patch.setitem(farm.TROUBLES, "two coordinators", 20)


# Rule -> how to take it away, and the word that the judge has to say.
MUTATIONS: dict[str, tuple[Callable[[Patch], None], str]] = {
    "the fence": (_no_fence, "start after the end|double start|fence"),
    # A nonce counts only for the process that made it, so that forgetting one starts nothing twice;
    # what is lost is history that the coordinator has already.
    "the fsync before the start": (_start_before_the_fsync, "double start|events: "),
    "the nonce": (_no_nonce, "start after the end|double start"),
    "the numbers of events": (_events_in_any_order, "events|history|stuck"),
    "the bed rule": (_no_bed_rule, "bed not clear"),
    "the epoch's compare-and-set": (_no_compare_and_set, "orphan|one copy too many"),
}


@pytest.mark.parametrize("rule", sorted(MUTATIONS))
def test_without_the_rule_a_promise_is_seen_broken(rule: str, monkeypatch: Patch) -> None:
    mutate, verdict = MUTATIONS[rule]
    monkeypatch.setattr(farm, "CALM_S_MAX", 4 * 3600.0)
    mutate(monkeypatch)
    seen: list[str] = []
    for seed in range(SEEDS):
        seen += live_through(seed, HOURS).verdicts
        if any(re.search(verdict, each) for each in seen):
            return
    pytest.fail(f"without {rule} the judge saw only {seen}")


def test_a_broken_promise_is_told_with_its_seed(
    monkeypatch: Patch, capsys: pytest.CaptureFixture[str]
) -> None:
    _no_bed_rule(monkeypatch)
    assert main(["--seeds", "20"]) == 1
    said = capsys.readouterr().out
    assert "physically starts" in said
    assert "again: farmhand prove simulation --from" in said
