"""`farmhand spool` and `farmhand material` against a served farm."""

from coordinator.cli.exits import Exit
from tests.coordinator.cli.conftest import Farmhand
from tests.fakes.served_farm import ServedFarm


async def test_a_spool_is_brought_loaded_weighed_and_put_away(
    farm: ServedFarm, farmhand: Farmhand
) -> None:
    await farm.printers_arrive("p-1")
    assert "farmhand spool add" in (await farmhand("spool", "ls")).out
    added = await farmhand("spool", "add", "PETG", "1000", "--colour", "red", "--json")
    assert added.code == Exit.OK, added.err
    spool = added.json["id"]
    assert "in: p-1" in (await farmhand("spool", "load", spool, "p-1")).out
    assert "spool: " + spool in (await farmhand("printer", "show", "p-1")).out
    changed = await farmhand("spool", "change", spool, "--left", "420", "--location", "shelf")
    assert "420 of 1000 g" in changed.out
    assert "420 of 1000 g" in (await farmhand("spool", "ls", "--printer", "p-1")).out
    assert "PETG" in (await farmhand("material", "ls")).out
    assert "in:" not in (await farmhand("spool", "unload", spool)).out
    assert "archived: yes" in (await farmhand("spool", "change", spool, "--archive")).out
    assert "no spools" in (await farmhand("spool", "ls")).out
    assert spool in (await farmhand("spool", "ls", "--archived")).out
    assert (await farmhand("spool", "load", spool, "p-9")).code == Exit.FAILED
