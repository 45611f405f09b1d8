"""Accounts on a real database: the history proves them, and shows who changed them by hand."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from coordinator.adapters.access_tokens import SignedTokens
from coordinator.adapters.db.store import open_store
from coordinator.adapters.passwords import Argon2Passwords
from coordinator.domain.access import Permission, Role
from coordinator.usecases import users
from coordinator.usecases.admitting import ROOT
from coordinator.usecases.auditing import verify
from coordinator.usecases.gate import Gate
from coordinator.usecases.users import Quota
from tests.fakes.fake_farm import new_farm


async def live(path: Path) -> None:
    """Leave a farm with a user who has a key, and one who is gone."""
    async with open_store(path) as store:
        farm = new_farm(path.parent, store=store)
        gate = Gate(
            farm=farm,
            root_token="not of any use here",
            passwords=Argon2Passwords(memory_kib=8, passes=1),
            tokens=SignedTokens(b"k" * 32),
        )
        quota = Quota(jobs_open_max=3, grams_per_month=500)
        for name in ("anna", "bert"):
            await users.add_user(
                gate, name, Role.SUBMITTER, "user:admin", password="hunter2 hunter2", quota=quota
            )
            scopes = (Permission.JOBS_SUBMIT,)
            await users.create_key(farm, ROOT, "ci", of=name, scopes=scopes)
        await users.change_user(farm, "anna", "user:admin", quota=Quota(grams_per_month=0.1))
        await users.remove_user(farm, "bert", "user:admin")


async def faults(path: Path) -> list[str]:
    async with open_store(path) as store:
        verdict = await verify(new_farm(path.parent, store=store))
        return [fault.words for fault in verdict.faults]


async def test_what_happened_to_users_and_keys_can_be_proved(tmp_path: Path) -> None:
    await live(tmp_path / "farm.sqlite3")
    assert await faults(tmp_path / "farm.sqlite3") == []


@pytest.mark.parametrize(
    ("by_hand", "shows"),
    [
        ("UPDATE users SET role = 'admin' WHERE name = 'anna'", "role is 'admin' in the table"),
        ("UPDATE users SET state = 'active' WHERE name = 'bert'", "state is 'active'"),
        ("UPDATE api_keys SET revoked_at = NULL", "revoked_at is None"),
        ("UPDATE api_keys SET secret_sha256 = 'mine'", "secret_sha256 is 'mine'"),
    ],
)
async def test_who_gives_themselves_rights_in_the_table_is_found_out(
    tmp_path: Path, by_hand: str, shows: str
) -> None:
    path = tmp_path / "farm.sqlite3"
    await live(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(by_hand)
        connection.commit()
    assert shows in " ".join(await faults(path))


async def test_no_password_is_told_and_none_is_left_of_who_was_removed(tmp_path: Path) -> None:
    path = tmp_path / "farm.sqlite3"
    await live(path)
    with closing(sqlite3.connect(path)) as connection:
        told = str(connection.execute("SELECT * FROM events").fetchall())
        left = connection.execute("SELECT count(*) FROM passwords").fetchone()[0]
    assert "argon2" not in told
    assert "hunter2" not in told
    assert left == 1
