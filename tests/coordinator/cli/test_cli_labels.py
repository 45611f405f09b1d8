"""`farmhand printer labels` against a served farm."""

from pathlib import Path

from coordinator.cli.exits import Exit
from tests.coordinator.cli.conftest import Farmhand
from tests.fakes.served_farm import ServedFarm


async def test_labels_are_written_as_a_page(
    farm: ServedFarm, farmhand: Farmhand, tmp_path: Path
) -> None:
    await farm.printers_arrive("p-1", "p-2")
    page = tmp_path / "labels.html"
    done = await farmhand("printer", "labels", str(page), "p-2", "--base", "http://farm.local")
    assert done.code == Exit.OK, done.err
    assert "1 labels" in done.out
    assert "http://farm.local/p/p-2" in page.read_text()
    assert (await farmhand("printer", "labels", str(tmp_path), "--json")).code == Exit.FAILED
