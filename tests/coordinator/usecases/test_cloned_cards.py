"""Two processes with one card: found out, refused, told; one process after the other is none."""

from dataclasses import replace

import pytest

from coordinator.domain.jobs import JobState
from coordinator.errors import Unavailable
from coordinator.usecases.absorbing import absorb
from coordinator.usecases.controlling import set_service
from coordinator.usecases.farm import Farm
from coordinator.usecases.reading import job_view, printer_view
from protocols.wire.from_agent import Presence
from tests.fakes.fake_farm import order_gcode
from tests.fakes.model_agent import ModelAgent
from tests.fakes.story import work


async def come(farm: Farm, agent: ModelAgent, *connections: str) -> None:
    """Present processes: `b2` is the process b by its second connection."""
    for name in connections:
        await absorb(farm, as_process(agent.presence(), name))


def as_process(presence: Presence, name: str) -> Presence:
    return replace(presence, boot_id=f"boot-{name[0]}", connection_id=f"connection-{name}")


async def quarantine(farm: Farm, agent: ModelAgent) -> str:
    return (await printer_view(farm, agent.printer_id)).printer.quarantine


async def test_two_processes_that_push_each_other_out_get_nothing_new(
    farm: Farm, agent: ModelAgent
) -> None:
    await come(farm, agent, "a1", "b1", "a2", "b2", "a3")
    assert await quarantine(farm, agent) == ""
    await come(farm, agent, "b3")
    assert "two agents answer as agent-a: its card was copied" in await quarantine(farm, agent)
    job = await order_gcode(farm)
    await work(farm, agent)
    assert (await job_view(farm, job.job_id)).job.state is JobState.READY
    await set_service(farm, agent.printer_id, False, "user:anna")
    await come(farm, agent, "a4")
    assert await quarantine(farm, agent) == ""
    await come(farm, agent, *("b4", "a5", "b5", "a6", "b6"))
    assert await quarantine(farm, agent)


@pytest.mark.parametrize(
    "story",
    [
        ("a1", "b1", "c1", "d1", "e1", "f1", "g1", "h1", "i1", "j1"),
        ("a1", "a2", "a3", "b1", "b2", "b3", "b4"),
        # A broker that comes back with the same old copy again and again.
        ("a1", "b1", "a1", "b2", "a1", "b3", "a1", "b4"),
    ],
)
async def test_processes_that_follow_each_other_are_one_agent(
    farm: Farm, agent: ModelAgent, story: tuple[str, ...]
) -> None:
    await come(farm, agent, *story)
    assert await quarantine(farm, agent) == ""


async def test_what_the_store_did_not_take_is_counted_when_it_does(
    farm: Farm, agent: ModelAgent, monkeypatch: pytest.MonkeyPatch
) -> None:
    await come(farm, agent, "a1", "b1", "a2", "b2", "a3")
    last = as_process(agent.presence(), "b3")
    with monkeypatch.context() as patched:

        async def full(*_: object) -> None:
            raise Unavailable("disk_full", "no room")

        patched.setattr("tests.fakes.memory_store.MemoryUnit.record", full)
        with pytest.raises(Unavailable):
            await absorb(farm, last)
    assert await quarantine(farm, agent) == ""
    await absorb(farm, last)
    assert await quarantine(farm, agent)
