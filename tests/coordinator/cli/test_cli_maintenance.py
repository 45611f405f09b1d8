"""`farmhand maintenance` against a served farm."""

from coordinator.cli.exits import Exit
from tests.coordinator.cli.conftest import Farmhand
from tests.fakes.served_farm import ServedFarm


async def test_a_task_is_made_done_and_put_away(farm: ServedFarm, farmhand: Farmhand) -> None:
    await farm.printers_arrive("p-1")
    assert "farmhand maintenance add" in (await farmhand("maintenance", "ls")).out
    added = await farmhand("maintenance", "add", "p-1", "oil", "--days", "30", "--json")
    assert added.code == Exit.OK, added.err
    task = added.json["id"]
    farm.clock.advance(31 * 86400)
    assert "31 of 30 days" in (await farmhand("maintenance", "ls", "--due")).out
    assert "two drops" in (await farmhand("maintenance", "done", task, "two drops")).out
    assert "due: no" in (await farmhand("maintenance", "show", task)).out
    changed = await farmhand("maintenance", "change", task, "--hours", "9", "--archive")
    assert "archived: yes" in changed.out
    assert (await farmhand("maintenance", "add", "p-1", "oil")).code == Exit.FAILED
