"""Users and their keys: made, changed, taken away."""

import re
import secrets
from dataclasses import dataclass, replace
from datetime import datetime

from coordinator.domain.access import Caller, Permission, Role
from coordinator.domain.accounts import (
    ApiKey,
    KeyId,
    User,
    UserId,
    UserState,
    granted,
    secret_hash,
)
from coordinator.domain.effects import Note, Save
from coordinator.errors import NotFound, NotPermitted, Refused
from coordinator.ports import Unit
from coordinator.usecases.admitting import KEY_PREFIX
from coordinator.usecases.farm import Farm
from coordinator.usecases.gate import Gate
from coordinator.usecases.performing import Writing, writing
from coordinator.usecases.sessions import check_new_password, end_all

# What is read in history and typed at a prompt; an address of e-mail is a name too.
_NAME = re.compile(r"[a-z0-9][a-z0-9._@+-]{0,63}")
_KEY_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._ -]{0,63}")
KEYS_MAX = 100  # of one user, those revoked not counted: more are a script that went wrong

FIRST_ADMIN = "admin"


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """How much of the farm somebody may take; see `User`."""

    jobs_open_max: int | None = None
    grams_per_month: float | None = None


async def all_users(farm: Farm) -> list[User]:
    """Return the users that were not removed, by name."""
    async with farm.store.read() as unit:
        return [user for user in await unit.users() if user.state is not UserState.REMOVED]


async def the_user(unit: Unit, name: str) -> User:
    """Return a user who was not removed.

    Raises:
        NotFound: there is none.
    """
    user = await unit.user_named(name)
    if user is None or user.state is UserState.REMOVED:
        raise NotFound("user", name)
    return user


async def user_named(farm: Farm, name: str) -> User:
    """Return one user.

    Raises:
        NotFound: there is none.
    """
    async with farm.store.read() as unit:
        return await the_user(unit, name)


async def add_user(
    gate: Gate,
    name: str,
    role: Role,
    actor: str,
    origin: str = "",
    *,
    password: str = "",
    subject: str = "",
    quota: Quota | None = None,
) -> User:
    """Make a user.

    Args:
        password: empty for who logs in elsewhere, or only has keys.
        subject: as in `User`.

    Raises:
        Refused: the name is unfit or taken, the password unfit.
    """
    if not _NAME.fullmatch(name):
        raise Refused(
            "name_unfit", "a name has 1 to 64 of a-z 0-9 . _ @ + - and begins with a-z 0-9"
        )
    if password:
        check_new_password(name, password)
    hashed = await gate.passwords.hash(password) if password else ""
    quota = quota or Quota()
    async with writing(gate.farm, actor, origin) as transaction:
        if await transaction.unit.user_named(name) is not None:
            raise Refused("name_taken", f"the name {name} is taken, or was: history knows it")
        user = User(
            user_id=UserId(gate.farm.ids.new("user")),
            name=name,
            role=role,
            subject=subject,
            jobs_open_max=quota.jobs_open_max,
            grams_per_month=quota.grams_per_month,
            created_at=transaction.now,
        )
        if hashed:
            await transaction.unit.save_password(user.user_id, hashed)
        await _save(transaction, user, "user.added")
    return user


async def change_user(
    farm: Farm,
    name: str,
    actor: str,
    origin: str = "",
    *,
    role: Role | None = None,
    disabled: bool | None = None,
    quota: Quota | None = None,
) -> User:
    """Change what is given; who is disabled is logged out everywhere.

    Raises:
        NotFound: there is no such user.
    """
    async with writing(farm, actor, origin) as transaction:
        user = await the_user(transaction.unit, name)
        if role is not None:
            user = replace(user, role=role)
        if quota is not None:
            user = replace(
                user,
                jobs_open_max=quota.jobs_open_max,
                grams_per_month=quota.grams_per_month,
            )
        if disabled is not None:
            user = replace(user, state=UserState.DISABLED if disabled else UserState.ACTIVE)
        if disabled:
            await end_all(transaction.unit, user.user_id)
        await _save(transaction, user, "user.changed")
    return user


async def remove_user(farm: Farm, name: str, actor: str, origin: str = "") -> User:
    """Take a user's ways in away for good; history goes on to know the name.

    Raises:
        NotFound: there is no such user.
    """
    async with writing(farm, actor, origin) as transaction:
        unit = transaction.unit
        user = await the_user(unit, name)
        await unit.drop_password(user.user_id)
        await end_all(unit, user.user_id)
        for key in await unit.keys(user.user_id):
            if key.revoked_at is None:
                await _save(transaction, replace(key, revoked_at=transaction.now), "key.revoked")
        user = replace(user, state=UserState.REMOVED, subject="")
        await _save(transaction, user, "user.removed")
    return user


async def has_users(farm: Farm) -> bool:
    """Whether there ever was a user."""
    async with farm.store.read() as unit:
        return bool(await unit.users())


async def keys_of(
    farm: Farm, caller: Caller, name: str = ""
) -> list[tuple[ApiKey, User, datetime | None]]:
    """Return keys that still may be shown, with their users and when each was last used.

    Args:
        name: whose; the caller's own where it is empty, or everybody's for an administrator.

    Raises:
        NotFound: there is no such user.
        NotPermitted: they are somebody else's.
    """
    async with farm.store.read() as unit:
        whose = await _whose(unit, caller, name) if name or not _rules(caller) else None
        users = {user.user_id: user for user in await unit.users()}
        found = await unit.keys(whose.user_id if whose is not None else None)
        return [
            (key, users[key.user_id], await unit.key_used_at(key.key_id))
            for key in found
            if key.revoked_at is None
        ]


async def create_key(
    farm: Farm,
    caller: Caller,
    name: str,
    origin: str = "",
    *,
    of: str = "",
    scopes: tuple[Permission, ...] = (),
    expires_at: datetime | None = None,
) -> tuple[ApiKey, User, str]:
    """Make a key; return it, whose it is, and what is shown this once.

    Args:
        of: whose it is to be; the caller's own where it is empty.
        scopes: what it may do; all that its maker may where it is empty.

    Raises:
        NotFound, NotPermitted: as `keys_of`.
        Refused: the name is unfit or taken, a scope too wide, the end in the past.
    """
    if not _KEY_NAME.fullmatch(name):
        raise Refused("name_unfit", "a key's name has 1 to 64 letters, digits, spaces, . _ -")
    async with writing(farm, caller.actor, origin) as transaction:
        unit, now = transaction.unit, transaction.now
        user = await _whose(unit, caller, of)
        known = [key for key in await unit.keys(user.user_id) if key.revoked_at is None]
        if any(key.name == name for key in known):
            raise Refused("name_taken", f"{user.name} has a key {name} already")
        if len(known) >= KEYS_MAX:
            raise Refused("too_many_keys", f"{user.name} has {KEYS_MAX} keys: revoke some")
        if expires_at is not None and expires_at <= now:
            raise Refused("expiry_past", "a key can't end before it begins")
        secret = secrets.token_urlsafe(32)
        key = ApiKey(
            key_id=KeyId(farm.ids.new("key")),
            user_id=user.user_id,
            name=name,
            scopes=granted(scopes, user, caller.permissions),
            secret_sha256=secret_hash(secret),
            created_at=now,
            expires_at=expires_at,
        )
        await _save(transaction, key, "key.added")
    return key, user, f"{KEY_PREFIX}{key.key_id}_{secret}"


async def revoke_key(farm: Farm, caller: Caller, key_id: KeyId, origin: str = "") -> None:
    """Make a key useless: one's own, or for an administrator anybody's.

    Raises:
        NotFound: there is no such key, or it is somebody else's.
    """
    async with writing(farm, caller.actor, origin) as transaction:
        key = await transaction.unit.key(key_id)
        mine = key is not None and key.user_id == caller.user_id
        if key is None or key.revoked_at is not None or not (mine or _rules(caller)):
            raise NotFound("key", key_id)
        await _save(transaction, replace(key, revoked_at=transaction.now), "key.revoked")


def _rules(caller: Caller) -> bool:
    return caller.may(Permission.FARM_ADMIN)


async def _whose(unit: Unit, caller: Caller, name: str) -> User:
    """Return the user of a name, or the caller; the farm's own token stands for the first admin."""
    own = await unit.user(UserId(caller.user_id)) if caller.user_id else None
    if own is not None and name in ("", own.name):
        return own
    if not _rules(caller):
        raise NotPermitted("not_your_account", "only an administrator sees to others' keys")
    return await the_user(unit, name or FIRST_ADMIN)


async def _save(transaction: Writing, value: User | ApiKey, name: str) -> None:
    subject, subject_id = (
        ("user", value.user_id) if isinstance(value, User) else ("key", value.key_id)
    )
    note = Note(subject=subject, subject_id=subject_id, name=name)
    await transaction.perform((Save(value), note))
