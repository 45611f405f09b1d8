"""What agents say reaches the store: together, again after trouble, and one harms no other."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from coordinator.errors import Unavailable
from coordinator.usecases.hearing import hear
from protocols.wire.from_agent import PrinterSample, Telemetry
from protocols.wire.vocabulary import AgentId, PrinterState
from tests.fakes.fake_farm import new_farm
from tests.fakes.memory_store import MemoryStore, MemoryUnit
from tests.fakes.model_agent import ModelAgent


class LockedStore(MemoryStore):
    """A store that another program holds for some transactions."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self.times = times

    @asynccontextmanager
    async def write(self) -> AsyncIterator[MemoryUnit]:
        async with super().write() as unit:
            yield unit
            if self.times > 0:  # at the end: what was looked at has to be forgotten again
                self.times -= 1
                raise Unavailable("store_locked", "another program holds the database")


async def test_what_comes_together_is_one_commit(tmp_path: Path) -> None:
    store = MemoryStore()
    farm = new_farm(tmp_path, store=store)
    agents = [ModelAgent(str(number)) for number in range(3)]
    said = [message for agent in agents for message in (agent.presence(), agent.reported())]
    await hear(farm, said)
    assert store.writes == 1
    assert {each.seen for each in store.tables.printers.values()} == {PrinterState.IDLE}


async def test_what_came_while_the_store_did_not_answer_is_not_lost(tmp_path: Path) -> None:
    store = LockedStore(times=3)
    farm = new_farm(tmp_path, store=store)
    agent = ModelAgent("1")
    await hear(farm, [agent.presence(), agent.reported()], retry_s=0.0)
    assert store.times == 0
    [printer] = store.tables.printers.values()
    assert (printer.online, printer.seen) == (True, PrinterState.IDLE)


async def test_a_message_that_can_not_be_taken_in_harms_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = MemoryStore()
    farm = new_farm(tmp_path, store=store)
    bad, good = ModelAgent("bad"), ModelAgent("good")
    save = MemoryUnit.save_agent

    async def refuse(unit: MemoryUnit, agent: object) -> None:
        if getattr(agent, "agent_id", "") == bad.agent_id:
            raise RuntimeError("a mistake of ours")
        await save(unit, agent)  # type: ignore[arg-type]

    monkeypatch.setattr(MemoryUnit, "save_agent", refuse)
    await hear(farm, [good.presence(), bad.presence(), good.reported()])
    assert list(store.tables.agents) == [good.agent_id]
    assert store.tables.printers[good.printer_id].seen is PrinterState.IDLE


async def test_others_have_their_turn_between_messages(tmp_path: Path) -> None:
    farm, turns = new_farm(tmp_path), 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    counting = asyncio.create_task(count())
    await hear(farm, [ModelAgent(str(number)).presence() for number in range(50)])
    counting.cancel()
    assert turns >= 50


def measured(agent: ModelAgent) -> Telemetry:
    sample = PrinterSample(printer_id=agent.printer_id, state=PrinterState.PRINTING)
    return Telemetry(agent_id=agent.agent_id, at_unix_s=1.0, printers=(sample,))


async def test_telemetry_counts_only_from_the_agent_that_has_the_printer(tmp_path: Path) -> None:
    farm = new_farm(tmp_path)
    owner, thief = ModelAgent("1"), AgentId("agent-2")
    await hear(farm, [measured(owner)])
    assert farm.live.sample(owner.printer_id) is None
    await hear(farm, [owner.presence(), replace(measured(owner), agent_id=thief)])
    assert farm.live.sample(owner.printer_id) is None
    assert farm.live.foreign_samples == 2
    await hear(farm, [measured(owner)])
    assert farm.live.sample(owner.printer_id) is not None
