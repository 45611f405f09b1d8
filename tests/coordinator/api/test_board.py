"""The board is never older than the question."""

import asyncio

import pytest

from coordinator.api.asking import BOARD
from coordinator.errors import NotFound, Unavailable
from coordinator.usecases import controlling, reading
from protocols.wire.vocabulary import PrinterId
from tests.fakes.served_farm import ServedFarm

P1 = PrinterId("p1")


async def test_who_asks_while_the_board_is_read_gets_what_was_changed_before(
    farm: ServedFarm, monkeypatch: pytest.MonkeyPatch
) -> None:
    board, read = farm.app[BOARD], reading.printer_views_of
    begun, may_end = asyncio.Event(), asyncio.Event()

    async def slowly(*given: object) -> object:
        views = await read(*given)  # type: ignore[arg-type]
        begun.set()
        await may_end.wait()
        return views

    with board.heard():
        await farm.printers_arrive("p1", "p2")
        await board.listed()
        monkeypatch.setattr(reading, "printer_views_of", slowly)
        await controlling.clear_printer(farm.farm, P1, "user:anna")
        first = asyncio.ensure_future(board.entry(P1))
        await begun.wait()
        second = asyncio.ensure_future(board.entry(P1))
        await asyncio.wait({second}, timeout=0.01)
        assert not second.done()
        may_end.set()
        for entry in (await first, await second):
            assert entry.document["bed"]["state"] == "clear"


async def test_a_change_that_could_not_be_read_is_read_by_who_asks_next(
    farm: ServedFarm, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def locked(*_: object) -> None:
        raise Unavailable("store_locked", "locked")

    board = farm.app[BOARD]
    with board.heard():
        await farm.printers_arrive("p1")
        before = (await board.listed()).tag
        await controlling.clear_printer(farm.farm, P1, "user:anna")
        with monkeypatch.context() as patch:
            patch.setattr(reading, "printer_views_of", locked)
            with pytest.raises(Unavailable):
                await board.listed()
        assert (await board.entry(P1)).document["bed"]["state"] == "clear"
        assert (await board.listed()).tag != before


async def test_printers_that_arrive_later_stand_in_their_place(farm: ServedFarm) -> None:
    board = farm.app[BOARD]
    with board.heard():
        await farm.printers_arrive("p2")
        assert [entry.document["id"] for entry in await board.entries()] == ["p2"]
        with pytest.raises(NotFound):
            await board.entry(P1)
        await farm.printers_arrive("p1", "p2")
        assert [entry.document["id"] for entry in await board.entries()] == ["p1", "p2"]
