"""Health, who one is, codes, files and sessions on the command line; and what Tab offers."""

import asyncio
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest

from coordinator.cli import completing
from coordinator.cli.exits import Exit
from coordinator.errors import Unavailable
from tests.coordinator.cli.conftest import Farmhand
from tests.fakes.fake_farm import GCODE, order_gcode
from tests.fakes.processes import run
from tests.fakes.served_farm import ServedFarm

MAIN = "coordinator.cli.main"


async def test_health_is_told_and_its_exit_code_says_whether_anything_works(
    farm: ServedFarm, farmhand: Farmhand, monkeypatch: pytest.MonkeyPatch
) -> None:
    farm.slicer.trouble = "install prusa-slicer"
    ended = await farmhand("health")
    assert ended.code == Exit.OK
    assert ended.out.startswith("degraded, version 1.2.3")
    assert "slicer: install prusa-slicer" in ended.out

    def locked() -> None:
        raise Unavailable("locked", "the database is locked")

    monkeypatch.setattr(farm.store, "read", locked)
    assert (await farmhand("health", "--json")).code == Exit.FAILED


async def test_who_one_is_and_what_codes_mean(farmhand: Farmhand) -> None:
    ended = await farmhand("whoami")
    assert "role: admin" in ended.out
    assert "farm:admin" in ended.out
    ended = await farmhand("explain", "job_ended")
    assert "The job has ended." in ended.out
    assert (await farmhand("explain", "nonsense")).code == Exit.FAILED
    assert "too_large" in (await farmhand("explain")).out
    assert (await farmhand("openapi")).json["openapi"].startswith("3.1")


async def test_an_artifact_is_fetched_whole_or_not_at_all(
    farm: ServedFarm, farmhand: Farmhand, tmp_path: Path
) -> None:
    await order_gcode(farm.farm)
    name, file = sha256(GCODE).hexdigest(), tmp_path / "part.gcode"
    ended = await farmhand("artifact", "get", name, "-o", str(file))
    assert (ended.code, file.read_bytes()) == (Exit.OK, GCODE)
    assert (await farmhand("artifact", "get", name, "-o", str(file))).code == Exit.USAGE
    farm.artifacts.kept[name] = b"something else"
    other = tmp_path / "other.gcode"
    ended = await farmhand("artifact", "get", name, "-o", str(other))
    assert (ended.code, "not what the name says" in ended.err) == (Exit.FAILED, True)
    left = await asyncio.to_thread(lambda: [path.name for path in tmp_path.glob("*.gcode*")])
    assert left == ["part.gcode"]


async def test_one_user_is_shown(farmhand: Farmhand, tmp_path: Path) -> None:
    password = tmp_path / "password"
    password.write_text("correct horse battery staple")
    added = await farmhand(
        "user", "add", "anna", "--role", "operator", "--password-file", str(password)
    )
    assert added.code == Exit.OK, added.err
    ended = await farmhand("user", "show", "anna")
    assert "role: operator" in ended.out
    assert (await farmhand("user", "show", "nobody")).code == Exit.FAILED


async def test_tab_offers_what_the_farm_knows(farm: ServedFarm, farmhand: Farmhand) -> None:
    await farm.printers_arrive("mk3-1", "mk3-2", "xl")
    job = await order_gcode(farm.farm, name="hook")
    offered = await offers(completing.printers, "mk3")
    assert [name for name, _ in offered] == ["mk3-1", "mk3-2"]
    assert await offers(completing.jobs, "job-") == [(job.job_id, "hook, ready")]
    assert await offers(completing.jobs, "x") == []
    assert [name for name, _ in await offers(completing.agents, "")] == ["pi-1"]
    assert await offers(completing.webhooks, "") == []
    assert await offers(completing.users, "") == []


async def offers(offer: Callable[[str], completing.Offers], incomplete: str) -> completing.Offers:
    return await asyncio.to_thread(offer, incomplete)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_gets_a_script_that_asks_the_command_by_its_name(shell: str) -> None:
    ended = run(MAIN, _FARMHAND_COMPLETE=f"source_{shell}")
    assert ended.code == 0
    assert f"_FARMHAND_COMPLETE=complete_{shell}" in ended.out


def test_tab_offers_nothing_soon_where_no_coordinator_answers(tmp_path: Path) -> None:
    words = {"COMP_WORDS": "farmhand printer show ", "COMP_CWORD": "3"}
    nowhere = {"FARMHAND_URL": "http://127.0.0.1:9", "FARMHAND_TOKEN": "t" * 32}
    ended = run(MAIN, _FARMHAND_COMPLETE="complete_bash", **words, **nowhere)
    assert (ended.code, ended.out.strip(), ended.err) == (0, "", "")
    verbs = {"COMP_WORDS": "farmhand printer cl", "COMP_CWORD": "2"}
    ended = run(MAIN, _FARMHAND_COMPLETE="complete_bash", **verbs)
    assert ended.out.split() == ["clear", "clearing"]
