"""What every `Store` keeps to with spools."""

from dataclasses import replace

from coordinator.domain.history import row_of, thing_of
from coordinator.domain.library import Place
from coordinator.domain.stock import SpoolsWanted
from coordinator.ports import Store
from protocols.wire.vocabulary import PrinterId
from tests.fakes.library_values import LATER, NOW
from tests.fakes.stock_values import SPOOL


async def test_spools_come_back_as_they_were_saved_last(store: Store) -> None:
    drawn = replace(SPOOL, remaining_g=0.125, cost=None, version=1)
    async with store.write() as unit:
        await unit.save_spool(SPOOL)
        assert await unit.spool("spool-1") == SPOOL
        await unit.save_spool(drawn)
    async with store.read() as unit:
        assert await unit.spool("spool-1") == drawn
        assert await unit.spool("spool-2") is None
        rows = dict([told async for page in unit.rows() for told in page])
    assert rows == {thing_of(drawn): row_of(drawn)}


async def test_pages_of_spools_are_narrowed_and_follow_each_other(store: Store) -> None:
    loaded = replace(SPOOL, spool_id="spool-2", printer_id=PrinterId("p1"), tool=1)
    petg = replace(SPOOL, spool_id="spool-0", material="PETG", created_at=LATER)
    gone = replace(SPOOL, spool_id="spool-3", archived=True, created_at=LATER)
    async with store.write() as unit:
        for spool in (gone, petg, loaded, SPOOL):
            await unit.save_spool(spool)

    async def found(**wanted: object) -> list[str]:
        async with store.read() as unit:
            spools = await unit.spools(SpoolsWanted(**wanted))  # type: ignore[arg-type]
            assert len(spools) == await unit.spools_count(SpoolsWanted(**wanted))  # type: ignore[arg-type]
        return [spool.spool_id for spool in spools]

    assert await found() == ["spool-1", "spool-2", "spool-0"]
    assert await found(archived=True) == ["spool-1", "spool-2", "spool-0", "spool-3"]
    assert await found(material="pla") == ["spool-1", "spool-2"]
    assert await found(loaded=True) == await found(printer_id=PrinterId("p1")) == ["spool-2"]
    assert await found(loaded=False) == ["spool-1", "spool-0"]
    async with store.read() as unit:
        page = await unit.spools(SpoolsWanted(), after=Place(NOW, "spool-1"), limit=1)
    assert page == [loaded]
