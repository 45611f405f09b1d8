"""`farmhand printer add`, `import` and `agent discover` against a served farm."""

from pathlib import Path

from coordinator.cli.exits import Exit
from tests.coordinator.api.test_api_equipping import HEAD, agent_takes
from tests.coordinator.cli.conftest import Farmhand
from tests.fakes.served_farm import AGENT, ServedFarm


async def test_printers_are_found_added_imported_and_removed(
    farm: ServedFarm, farmhand: Farmhand, tmp_path: Path
) -> None:
    await farm.printers_arrive("p-1")
    agent_takes(farm)
    assert "http://mk4.local" in (await farmhand("agent", "discover", AGENT)).out
    key = tmp_path / "key"
    key.write_text("s3cret\n")
    said = ("--agent", AGENT, "--driver", "octoprint", "--address", "http://o", "--class", "mk4")
    added = await farmhand(
        "printer", "add", "o-1", *said, "--set", "path=farm", "--key-file", str(key)
    )
    assert added.code == Exit.OK, added.err
    assert farm.link.commands[-1].arguments["settings.api_key"] == "s3cret"
    table = tmp_path / "fleet.csv"
    table.write_text(f"{HEAD}A,{AGENT},prusalink,http://a,mk4,,\nB,pi-9,prusalink,http://b,m,,\n")
    wrong = await farmhand("printer", "import", str(table))
    assert (wrong.code, "line 3: there is no agent pi-9" in wrong.out) == (Exit.FAILED, True)
    table.write_text(f"{HEAD}A,{AGENT},prusalink,http://a,mk4,,\n")
    assert "0 were added" in (await farmhand("printer", "import", str(table), "--dry-run")).out
    assert "1 were added" in (await farmhand("printer", "import", str(table))).out
    assert (await farmhand("printer", "remove", "a", "--agent", AGENT)).code == Exit.OK
