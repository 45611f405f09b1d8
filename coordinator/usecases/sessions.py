"""Browsers and clients of people: log in, log out, what is open, and the password."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from coordinator.domain.access import Caller
from coordinator.domain.accounts import (
    ACCESS_LIFE,
    FAMILY_LIFE,
    SESSION_IDLE,
    SESSION_LIFE,
    Family,
    FamilyId,
    Session,
    SessionId,
    User,
    UserId,
    UserState,
    family_ended,
    renewed,
    secret_hash,
)
from coordinator.domain.effects import Note
from coordinator.errors import NotFound, Refused
from coordinator.ports import Unit
from coordinator.ports_accounts import AccessClaims
from coordinator.usecases.gate import Gate
from coordinator.usecases.performing import Writing, writing

PASSWORD_CHARACTERS_MIN = 10
PASSWORD_CHARACTERS_MAX = 1024
REFRESH_PREFIX = "refresh_"
_TOLD_CHARACTERS_MAX = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """From where somebody logs in, as far as it can be told, and with which request."""

    address: str = ""
    browser: str = ""
    origin: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """What a client gets: each is shown once. Times in seconds."""

    access: str
    access_lives_s: int
    refresh: str


class LogInFailed(Refused):
    """Name and password are not those of somebody who may come in; nobody learns which it was."""

    def __init__(self) -> None:
        super().__init__("log_in_failed", "name or password are wrong")


async def check_password(gate: Gate, name: str, password: str) -> User:
    """Return whose name and password these are.

    It takes as long for a name that nobody has.

    Raises:
        LogInFailed: they are nobody's, or of somebody who is disabled.
    """
    async with gate.farm.store.read() as unit:
        user = await unit.user_named(name)
        hashed = await unit.password(user.user_id) if user is not None else None
    right = await gate.passwords.verify(hashed, password)
    if not right or user is None or user.state is not UserState.ACTIVE or hashed is None:
        raise LogInFailed
    if gate.passwords.is_outdated(hashed):
        anew = await gate.passwords.hash(password)
        async with gate.farm.store.write() as unit:
            if await unit.password(user.user_id) == hashed:
                await unit.save_password(user.user_id, anew)
    return user


async def begin_session(gate: Gate, user: User, visitor: Visitor, way: str) -> str:
    """Log a browser in; return the secret that it shows from now on.

    Args:
        way: how they proved who they are: `password`, `oidc`.
    """
    secret = secrets.token_urlsafe(32)
    farm = gate.farm
    async with writing(farm, user.actor, visitor.origin) as transaction:
        now = transaction.now
        session = Session(
            session_id=SessionId(farm.ids.new("session")),
            user_id=user.user_id,
            secret_sha256=secret_hash(secret),
            created_at=now,
            seen_at=now,
            address=visitor.address[:_TOLD_CHARACTERS_MAX],
            browser=visitor.browser[:_TOLD_CHARACTERS_MAX],
        )
        unit = transaction.unit
        await unit.drop_sessions_before(now - SESSION_LIFE, now - SESSION_IDLE)
        await unit.save_session(session)
        facts = {"address": session.address, "session": session.session_id, "way": way}
        await _tell(transaction, user.user_id, "user.logged_in", facts)
    return secret


async def open_sessions(gate: Gate, user_id: UserId) -> list[Session]:
    """Return somebody's sessions, oldest first."""
    async with gate.farm.store.read() as unit:
        return await unit.sessions(user_id)


async def end_session(gate: Gate, caller: Caller, session_id: SessionId, origin: str) -> None:
    """End one of the caller's own sessions.

    Raises:
        NotFound: they have no such session.
    """
    user_id = UserId(caller.user_id)
    async with writing(gate.farm, caller.actor, origin) as transaction:
        mine = [each.session_id for each in await transaction.unit.sessions(user_id)]
        if session_id not in mine:
            raise NotFound("session", session_id)
        await transaction.unit.drop_session(session_id)
        await _tell(transaction, user_id, "user.logged_out", {"session": session_id})


async def change_password(gate: Gate, caller: Caller, old: str, new: str, origin: str) -> None:
    """Give oneself another password; every other session and token of one's own ends.

    Raises:
        LogInFailed: the old one is wrong.
        Refused: the new one protects nothing; or there is no account to change.
    """
    user_id = UserId(caller.user_id)
    async with gate.farm.store.read() as unit:
        user = await unit.user(user_id)
    if user is None:
        raise Refused("no_account", "the farm's own token has no password")
    await check_password(gate, user.name, old)
    await set_password(gate, user, new, caller.actor, origin, keep=caller.credential_id)


async def set_password(
    gate: Gate, user: User, new: str, actor: str, origin: str, *, keep: str = ""
) -> None:
    """Give a user a password; all that they are logged in with ends, but for what is kept.

    Raises:
        Refused: `password_unfit`.
    """
    check_new_password(user.name, new)
    hashed = await gate.passwords.hash(new)
    async with writing(gate.farm, actor, origin) as transaction:
        await transaction.unit.save_password(user.user_id, hashed)
        await end_all(transaction.unit, user.user_id, keep=keep)
        await _tell(transaction, user.user_id, "user.password_changed", {})


async def end_all(unit: Unit, user_id: UserId, *, keep: str = "") -> None:
    """End all sessions and families of tokens of a user, but for one."""
    for session in await unit.sessions(user_id):
        if session.session_id != keep:
            await unit.drop_session(session.session_id)
    for family in await unit.families(user_id):
        if family.family_id != keep:
            await unit.drop_family(family.family_id)


def check_new_password(name: str, password: str) -> None:
    """Refuse a password that protects nothing.

    Raises:
        Refused: `password_unfit`.
    """
    if not PASSWORD_CHARACTERS_MIN <= len(password) <= PASSWORD_CHARACTERS_MAX:
        limits = f"{PASSWORD_CHARACTERS_MIN} to {PASSWORD_CHARACTERS_MAX}"
        raise Refused("password_unfit", f"a password has {limits} characters")
    if name.casefold() in password.casefold() and len(password) < 2 * len(name) + 4:
        raise Refused("password_unfit", "a password is not the name with something added")


async def begin_tokens(gate: Gate, user: User, visitor: Visitor) -> Tokens:
    """Log a client in that wants signed tokens."""
    farm = gate.farm
    async with writing(farm, user.actor, visitor.origin) as transaction:
        now = transaction.now
        family_id = FamilyId(farm.ids.new("family"))
        secret = secrets.token_urlsafe(32)
        family = Family(
            family_id=family_id,
            user_id=user.user_id,
            secret_sha256=secret_hash(secret),
            created_at=now,
            renewed_at=now,
        )
        await transaction.unit.drop_families_before(now - FAMILY_LIFE)
        await transaction.unit.save_family(family)
        facts = {"address": visitor.address, "family": family_id, "way": "tokens"}
        await _tell(transaction, user.user_id, "user.logged_in", facts)
    return await _tokens(gate, family, secret)


async def renew_tokens(gate: Gate, shown: str, origin: str) -> Tokens:
    """Give the next tokens for one that was not used before.

    Where it was, two have it, and one of them should not: the whole family ends.

    Raises:
        Refused: `refresh_refused`: it is not good, or no more.
    """
    family_id, secret = _parts(shown)
    fresh = secrets.token_urlsafe(32)
    after: Family | None = None
    async with writing(gate.farm, "farm", origin) as transaction:
        unit = transaction.unit
        family = await unit.family(family_id)
        user = await unit.user(family.user_id) if family is not None else None
        if family is not None and user is not None and user.state is UserState.ACTIVE:
            over = family_ended(family, transaction.now)
            shown_hash, next_hash = secret_hash(secret), secret_hash(fresh)
            if not over:
                after = renewed(family, shown_hash, next_hash, transaction.now)
            if after is not None:
                await unit.save_family(after)
            else:
                await unit.drop_family(family_id)
                if not over:
                    facts = {"family": family_id}
                    await _tell(transaction, family.user_id, "user.token_shown_twice", facts)
    if after is None:
        raise Refused("refresh_refused", "this token is not good any more: log in again")
    return await _tokens(gate, after, fresh)


async def end_tokens(gate: Gate, shown: str, origin: str) -> None:
    """Log a client out, by the token that it could renew with; another one ends nothing."""
    family_id, secret = _parts(shown)
    async with writing(gate.farm, "farm", origin) as transaction:
        family = await transaction.unit.family(family_id)
        if family is not None and family.secret_sha256 == secret_hash(secret):
            await transaction.unit.drop_family(family_id)
            await _tell(transaction, family.user_id, "user.logged_out", {"family": family_id})


def _parts(shown: str) -> tuple[FamilyId, str]:
    family_id, _, secret = shown.removeprefix(REFRESH_PREFIX).partition("_")
    return FamilyId(family_id), secret


async def _tokens(gate: Gate, family: Family, secret: str) -> Tokens:
    expires_at = gate.farm.clock.now() + ACCESS_LIFE
    claims = AccessClaims(user_id=family.user_id, family_id=family.family_id, expires_at=expires_at)
    return Tokens(
        access=await gate.tokens.sign(claims),
        access_lives_s=int(ACCESS_LIFE.total_seconds()),
        refresh=f"{REFRESH_PREFIX}{family.family_id}_{secret}",
    )


async def _tell(transaction: Writing, user_id: UserId, name: str, facts: Mapping[str, str]) -> None:
    note = Note(subject="user", subject_id=user_id, name=name, facts=facts)
    await transaction.perform((note,))
