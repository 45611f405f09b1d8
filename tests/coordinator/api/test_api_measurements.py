"""Measurements over HTTP, and over a restart."""

from pathlib import Path

import aiohttp

from coordinator.adapters.measurements_file import MeasurementsFile
from coordinator.usecases.live import Live
from coordinator.usecases.measuring import keep, take_up
from tests.fakes.served_farm import ServedFarm

PATH = "/api/v1/printers/p-1/measurements"


async def test_what_was_measured_comes_in_columns_with_their_units(
    farm: ServedFarm, session: aiohttp.ClientSession
) -> None:
    async with session.get(PATH) as response:
        assert (response.status, (await response.json())["code"]) == (404, "unknown_printer")
    await farm.printers_arrive("p-1")
    async with session.get(PATH) as response:
        hour = await response.json()
    assert (hour["printer_id"], hour["span"], hour["step_s"]) == ("p-1", "hour", 5)
    assert sorted(hour["columns"]) == ["bed_celsius", "tool0_celsius", "tool0_target_celsius"]
    tool = hour["columns"]["tool0_celsius"]
    assert (len(tool), tool[-1], set(tool[:-1])) == (720, 21.5, {None})
    async with session.get(f"{PATH}?span=day") as response:
        day = await response.json()
    assert (day["step_s"], len(day["columns"]["bed_celsius"])) == (300, 288)
    async with session.get(f"{PATH}?span=week") as response:
        assert (response.status, (await response.json())["code"]) == (422, "invalid_query")


async def test_they_outlive_the_process_and_a_spoilt_file_costs_only_charts(
    farm: ServedFarm, session: aiohttp.ClientSession, tmp_path: Path
) -> None:
    await farm.printers_arrive("p-1")
    path = tmp_path / "measurements"
    shelf, measured = MeasurementsFile(path), farm.farm.live.measured
    await keep(farm.farm, shelf)
    farm.farm.live.measured = Live().measured
    await take_up(farm.farm, shelf)
    assert farm.farm.live.measured is not measured
    async with session.get(PATH) as response:
        assert (await response.json())["columns"]["bed_celsius"][-1] == 20.0
    path.write_bytes(path.read_bytes()[:-3])
    farm.farm.live.measured = Live().measured
    await take_up(farm.farm, shelf)
    async with session.get(PATH) as response:
        assert (await response.json())["columns"] == {}
    path.unlink()
    path.mkdir()
    await keep(farm.farm, shelf)  # it can't, and holds nothing up
