"""`farmhand printer picture` and its like against a served farm."""

from pathlib import Path

from coordinator.cli.exits import Exit
from coordinator.cli.looking import sketch
from coordinator.ports_pictures import Picture
from protocols.wire.vocabulary import PrinterId
from tests.coordinator.cli.conftest import Farmhand
from tests.fakes.pictures import PNG
from tests.fakes.served_farm import ServedFarm


async def test_a_picture_is_saved_under_the_printers_name_or_as_told(
    farm: ServedFarm, farmhand: Farmhand, tmp_path: Path
) -> None:
    await farm.printers_arrive("p-1")
    picture = Picture(data=PNG, taken_at=farm.clock.now())
    await farm.farm.pictures.keep(PrinterId("p-1"), picture)
    out = tmp_path / "bed.png"
    ended = await farmhand("printer", "picture", "p-1", "--out", str(out))
    assert ended.code == Exit.OK, ended.err
    assert "32 bytes, taken" in ended.out
    assert out.read_bytes() == PNG
    nowhere = await farmhand("printer", "picture", "p-1", "--out", str(tmp_path / "x" / "y"))
    assert "can't be written" in nowhere.err
    assert "run" in (await farmhand("run", "picture", "run-9")).err
    assert "nothing was printed there yet" in (await farmhand("printer", "runs", "p-1")).out


async def test_temperatures_are_told_heater_by_heater(farm: ServedFarm, farmhand: Farmhand) -> None:
    await farm.printers_arrive("p-1")
    shown = await farmhand("printer", "temperatures", "p-1")
    assert "tool0" in shown.out, shown.err
    assert "22 °C" in shown.out
    told = (await farmhand("printer", "temperatures", "p-1", "--span", "day", "--json")).json
    assert told["step_s"] == 300


def test_a_sketch_has_a_blank_where_nothing_was_measured() -> None:
    assert sketch([None, 20.0, 20.0, 200.0]) == " ▁▁█"
    assert sketch([None] * 720) == ""
    assert sketch([20.0] * 720) == "▁" * 36
