"""Users and keys by command."""

from pathlib import Path

from tests.coordinator.cli.conftest import Farmhand
from tests.fakes.served_farm import ServedFarm


async def test_a_user_is_made_listed_changed_and_removed(
    farmhand: Farmhand, tmp_path: Path
) -> None:
    (tmp_path / "word").write_text("correct horse battery\n")
    made = await farmhand(
        "user", "add", "anna", "--role", "submitter", "--password-file", str(tmp_path / "word"),
        "--jobs", "3",
    )  # fmt: skip
    assert (made.code, made.out.splitlines()[0]) == (0, "anna")
    assert "3 open jobs" in (await farmhand("user", "ls")).out
    changed = await farmhand("user", "set", "anna", "--grams", "500", "--json")
    assert changed.json["quota"] == {"jobs_open_max": 3, "grams_per_month": 500}
    changed = await farmhand("user", "set", "anna", "--jobs", "-1", "--json")
    assert changed.json["quota"] == {"jobs_open_max": None, "grams_per_month": 500}
    assert (await farmhand("user", "set", "anna")).code == 2
    assert (await farmhand("user", "disable", "anna", "--json")).json["state"] == "disabled"
    assert (await farmhand("user", "disable", "anna", "--undo", "--json")).json["state"] == "active"
    assert (await farmhand("user", "rm", "anna", "--json")).json["state"] == "removed"
    assert (await farmhand("user", "rm", "anna")).err.startswith("farmhand: there is no user")


async def test_a_password_that_nobody_could_be_asked_for_is_made_and_printed(
    farmhand: Farmhand,
) -> None:
    made = await farmhand("user", "add", "anna", "--role", "viewer", "--json")
    assert made.json["name"] == "anna"
    first = made.err.split()[-1]
    assert len(first) >= 20
    second = (await farmhand("user", "passwd", "anna")).out.split()[-1]
    assert len(second) >= 20
    assert second != first


async def test_a_key_is_made_listed_and_revoked(farmhand: Farmhand, farm: ServedFarm) -> None:
    await farmhand("user", "add", "anna", "--role", "submitter", "--no-password")
    made = await farmhand(
        "key", "create", "ci", "--user", "anna", "--scope", "jobs:submit", "--expires", "500w"
    )
    assert made.code == 0, made.err
    assert made.out.startswith("farm_key-")
    key = (await farmhand("key", "ls", "--json")).json[0]
    assert (key["name"], key["user"], key["scopes"]) == ("ci", "anna", ["jobs:submit"])
    assert key["expires_at"] is not None
    assert (await farmhand("key", "create", "x", "--user", "anna", "--expires", "soon")).code == 2
    assert (await farmhand("key", "revoke", key["id"])).code == 0
    assert (await farmhand("key", "ls")).out == "no keys\n"
