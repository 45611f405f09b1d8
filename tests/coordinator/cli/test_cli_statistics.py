"""`farmhand statistics` against a served farm."""

from coordinator.cli.exits import Exit
from tests.coordinator.api.test_api_statistics import printed
from tests.coordinator.cli.conftest import Farmhand
from tests.fakes.served_farm import ServedFarm


async def test_figures_come_as_a_table_and_as_sheets(farm: ServedFarm, farmhand: Farmhand) -> None:
    await printed(farm)
    since = (farm.clock.now()).replace(year=2001).isoformat()
    until = (farm.clock.now()).replace(year=2100).isoformat()
    span = ("--since", since, "--until", until)
    table = await farmhand("statistics", *span)
    assert table.code == Exit.OK, table.err
    assert "first" in table.out  # the printer's name
    assert "1.5 h" in table.out
    assert (await farmhand("statistics", "--by", "month", "--json", *span)).json["by"] == "month"
    assert (
        "group,name,finished" in (await farmhand("statistics", "--by", "group", "--csv", *span)).out
    )
    assert "run-1,job-1" in (await farmhand("statistics", "--runs", *span)).out
    assert (await farmhand("statistics", "--since", "never")).code == Exit.USAGE
