"""Accounts: people, and the keys, sessions and tokens by which they are known.

Theory. A user is who history names; a name is given once, so that a line of five years ago still
tells who it was: who is removed stays as a row, without a way in. All credentials are chance of 256
bits, of which only the hash is kept, so a copied database opens nothing; only passwords, which
people choose, need a slow hash, and that lies in a table that history does not tell of.

A session ends when it was not used for a while, and after a month in any case. A key lasts until
it expires or is revoked, and never reaches farther than its user. A family of tokens begins with a
log in; each refresh gives a new token and makes the old one useless. Whoever shows an old one shows
that there are two who have it: the family ends, for both.
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NewType

from coordinator.domain.access import PERMISSIONS, Caller, Permission, Role, reach
from coordinator.errors import Refused

UserId = NewType("UserId", str)
KeyId = NewType("KeyId", str)
SessionId = NewType("SessionId", str)
FamilyId = NewType("FamilyId", str)

# Who sits at the same screen every week stays logged in; a lost laptop does not for long.
SESSION_IDLE = timedelta(days=14)
SESSION_LIFE = timedelta(days=30)
FAMILY_LIFE = timedelta(days=30)
# As short as a stolen one should work, as long as a program does not ask all the time.
ACCESS_LIFE = timedelta(minutes=15)
# When something was last used is written down at most so often: reading must not become writing.
USE_NOTED_EVERY = timedelta(minutes=1)


class UserState(StrEnum):
    """Whether a user may come in."""

    ACTIVE = "active"
    DISABLED = "disabled"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A person, or a screen or program that has an account.

    Attributes:
        name: what they log in with and what history calls them; never changed nor given again.
        subject: who they are to the OpenID provider, `<issuer> <sub>`; empty for none.
        jobs_open_max: how many jobs of theirs may be open at once; None for any number.
        grams_per_month: how much filament their prints may take in a calendar month (UTC).
    """

    user_id: UserId
    name: str
    role: Role
    state: UserState = UserState.ACTIVE
    subject: str = ""
    jobs_open_max: int | None = None
    grams_per_month: float | None = None
    created_at: datetime

    @property
    def actor(self) -> str:
        """What history calls them."""
        return f"user:{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """What a program shows. `name` tells its user's keys apart."""

    key_id: KeyId
    user_id: UserId
    name: str
    scopes: tuple[Permission, ...]
    secret_sha256: str
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A browser that is logged in; `address` and `browser` are as it said them."""

    session_id: SessionId
    user_id: UserId
    secret_sha256: str
    created_at: datetime
    seen_at: datetime
    address: str = ""
    browser: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """The tokens that came of one log in; `secret_sha256` is of the one that may be shown next."""

    family_id: FamilyId
    user_id: UserId
    secret_sha256: str
    created_at: datetime
    renewed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SignUp:
    """Who of those whom an OpenID provider knows may come in, and as what.

    Attributes:
        claim: which claim tells their groups: a word, or a list of words.
        roles: what a group is to the farm; of several the role that may most.
        otherwise: what everybody else is; None keeps them out.
    """

    claim: str = "groups"
    roles: Mapping[str, Role] = field(default_factory=dict)
    otherwise: Role | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What somebody takes of the farm: open jobs now, grams printed since a time."""

    jobs_open: int
    filament_g: float


def secret_hash(secret: str) -> str:
    """Return what is kept of a secret that is made of chance."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


def session_ended(session: Session, now: datetime) -> bool:
    """Whether a session is over by itself."""
    return now >= min(session.seen_at + SESSION_IDLE, session.created_at + SESSION_LIFE)


def family_ended(family: Family, now: datetime) -> bool:
    """Whether a family of tokens is over by itself."""
    return now >= family.created_at + FAMILY_LIFE


def key_works(key: ApiKey, now: datetime) -> bool:
    """Whether a key may be shown."""
    return key.revoked_at is None and (key.expires_at is None or now < key.expires_at)


def use_is_due(noted_at: datetime | None, now: datetime) -> bool:
    """Whether a use is to be written down."""
    return noted_at is None or now - noted_at >= USE_NOTED_EVERY


def renewed(family: Family, shown_sha256: str, next_sha256: str, now: datetime) -> Family | None:
    """Return the family with its next token, None where the one shown was used before."""
    if shown_sha256 != family.secret_sha256:
        return None
    return replace(family, secret_sha256=next_sha256, renewed_at=now)


def caller_of(user: User, credential_id: str = "") -> Caller | None:
    """Return a user as who asks, None where they may not come in."""
    if user.state is not UserState.ACTIVE:
        return None
    return Caller(
        actor=user.actor,
        role=user.role,
        permissions=PERMISSIONS[user.role],
        owner=user.actor,
        user_id=user.user_id,
        credential_id=credential_id,
    )


def caller_with_key(user: User, key: ApiKey, now: datetime) -> Caller | None:
    """Return a user's key as who asks: it never reaches farther than its user does now."""
    caller = caller_of(user, key.key_id)
    if caller is None or not key_works(key, now):
        return None
    permissions = reach(key.scopes) & caller.permissions
    return replace(caller, actor=f"key:{user.name}/{key.name}", permissions=permissions)


# Of several roles the first counts.
_BY_REACH = (Role.ADMIN, Role.OPERATOR, Role.SUBMITTER, Role.VIEWER, Role.KIOSK, Role.AGENT)


def role_by_claims(sign_up: SignUp, claims: Mapping[str, object]) -> Role | None:
    """Return what somebody is to be by what a provider says of them, None where they stay out."""
    said = claims.get(sign_up.claim)
    groups = said if isinstance(said, list) else [said]
    roles = {
        sign_up.roles[group]
        for group in groups
        if isinstance(group, str) and group in sign_up.roles
    }
    return next((role for role in _BY_REACH if role in roles), sign_up.otherwise)


def granted(
    wanted: Iterable[Permission], user: User, creator: Collection[Permission]
) -> tuple[Permission, ...]:
    """Return a new key's scopes: what is wanted, or all that is possible where nothing is said.

    Args:
        user: whose key it is to be.
        creator: what may who makes it.

    Raises:
        Refused: `scope_too_wide`.
    """
    limit = PERMISSIONS[user.role] & frozenset(creator)
    scopes = frozenset(wanted) or limit
    if too_wide := sorted(scopes - limit):
        names = ", ".join(too_wide)
        raise Refused(
            "scope_too_wide", f"a key can't reach farther than its user and its maker: {names}"
        )
    return tuple(sorted(scopes))


def month_of(now: datetime) -> datetime:
    """Return when the month began that quotas count."""
    return now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def check_quota(user: User, usage: Usage, order_g: float | None) -> None:
    """Refuse an order that is beyond a user's quota.

    Args:
        order_g: what it takes in grams; None while nobody knows, as of a model before its slicing.

    Raises:
        Refused: `quota_jobs_open`, `quota_filament`.
    """
    if user.jobs_open_max is not None and usage.jobs_open >= user.jobs_open_max:
        raise Refused(
            "quota_jobs_open",
            f"{user.name} has {usage.jobs_open} open jobs, and may have {user.jobs_open_max}",
            {"jobs_open": usage.jobs_open, "jobs_open_max": user.jobs_open_max},
        )
    if user.grams_per_month is None:
        return
    used_g = usage.filament_g + (order_g or 0.0)
    if used_g > user.grams_per_month or usage.filament_g >= user.grams_per_month:
        raise Refused(
            "quota_filament",
            f"{user.name} has {user.grams_per_month:.0f} g a month, of which "
            f"{usage.filament_g:.0f} g are printed, and this takes {order_g or 0.0:.0f} g",
            {"filament_g": usage.filament_g, "grams_per_month": user.grams_per_month},
        )
