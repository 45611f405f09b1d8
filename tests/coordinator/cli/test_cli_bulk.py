"""`farmhand job all` and `farmhand printer all` against a served farm."""

from pathlib import Path

from coordinator.cli.exits import Exit
from tests.coordinator.cli.conftest import Farmhand
from tests.fakes.fake_farm import GCODE
from tests.fakes.served_farm import ServedFarm


async def test_one_thing_is_done_to_many_and_what_fails_is_told(
    farm: ServedFarm, farmhand: Farmhand, tmp_path: Path
) -> None:
    await farm.printers_arrive("p-1", "p-2")
    await farmhand("printer", "set", "p-1", "--group", "lab")
    cleared = await farmhand("printer", "all", "clear", "--group", "lab")
    assert (cleared.code, "p-1" in cleared.out, "p-2" in cleared.out) == (Exit.OK, True, False)
    file = tmp_path / "part.gcode"
    file.write_bytes(GCODE)
    jobs = [(await farmhand("job", "submit", str(file), "--json")).json["id"] for _ in range(2)]
    assert (await farmhand("job", "all", "pause", "--state", "ready")).code == Exit.OK
    ended = await farmhand("job", "all", "cancel", jobs[0], "job-none")
    assert (ended.code, "1 of 2 failed" in ended.err) == (Exit.FAILED, True)
    assert "there is no job" in ended.out
    assert "no jobs are meant" in (await farmhand("job", "all", "cancel", "--text", "x")).out
    assert (await farmhand("job", "all", "cancel")).code == Exit.USAGE
    left = (await farmhand("job", "ls", "--state", "ready", "--json")).json
    assert [job["id"] for job in left] == jobs[1:]
