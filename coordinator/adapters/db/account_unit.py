"""The part of a `Unit` that is about accounts; the contracts stand in the port."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import BindParameter, Connection, Select, bindparam, delete, func, select

from coordinator.adapters.db import account_tables, mapping, tables
from coordinator.adapters.db.history_unit import HistoryUnit
from coordinator.adapters.db.mapping import Row
from coordinator.adapters.db.saving import saving
from coordinator.domain.access import Permission, Role
from coordinator.domain.accounts import (
    ApiKey,
    Family,
    FamilyId,
    KeyId,
    Session,
    SessionId,
    Usage,
    User,
    UserId,
    UserState,
)
from coordinator.domain.jobs import ENDED

_USERS = tables.table(account_tables.UserRow)
_PASSWORDS = tables.table(account_tables.PasswordRow)
_KEYS = tables.table(account_tables.KeyRow)
_KEY_USES = tables.table(account_tables.KeyUseRow)
_SESSIONS = tables.table(account_tables.SessionRow)
_FAMILIES = tables.table(account_tables.FamilyRow)
_JOBS = tables.table(tables.JobRow)
_PLATES = tables.table(tables.PlateRow)
_RUNS = tables.table(tables.RunRow)

Value = TypeVar("Value")
_ID: BindParameter[str] = bindparam("id")

_ALL_USERS = select(_USERS).order_by(_USERS.c.name)
_USER = select(_USERS).where(_USERS.c.user_id == _ID)
_USER_NAMED = select(_USERS).where(_USERS.c.name == _ID)
_USER_OF_SUBJECT = select(_USERS).where(_USERS.c.subject == _ID, _USERS.c.subject != "")
_PASSWORD = select(_PASSWORDS).where(_PASSWORDS.c.user_id == _ID)
_ALL_KEYS = select(_KEYS).order_by(_KEYS.c.created_at, _KEYS.c.key_id)
_KEYS_OF = _ALL_KEYS.where(_KEYS.c.user_id == _ID)
_KEY = select(_KEYS).where(_KEYS.c.key_id == _ID)
_KEY_USE = select(_KEY_USES).where(_KEY_USES.c.key_id == _ID)
_SESSION = select(_SESSIONS).where(_SESSIONS.c.secret_sha256 == _ID)
_SESSIONS_OF = (
    select(_SESSIONS)
    .where(_SESSIONS.c.user_id == _ID)
    .order_by(_SESSIONS.c.created_at, _SESSIONS.c.session_id)
)
_FAMILY = select(_FAMILIES).where(_FAMILIES.c.family_id == _ID)
_FAMILIES_OF = (
    select(_FAMILIES)
    .where(_FAMILIES.c.user_id == _ID)
    .order_by(_FAMILIES.c.created_at, _FAMILIES.c.family_id)
)
_JOBS_OPEN = select(func.count()).where(
    _JOBS.c.owner == _ID, _JOBS.c.state.not_in([state.value for state in ENDED])
)
_PRINTED_G = (
    select(func.coalesce(func.sum(_PLATES.c.filament_g), 0.0))
    .select_from(_RUNS)
    .join(_JOBS, _JOBS.c.job_id == _RUNS.c.job_id)
    .join(
        _PLATES, (_PLATES.c.job_id == _RUNS.c.job_id) & (_PLATES.c.sha256 == _RUNS.c.plate_sha256)
    )
    .where(_JOBS.c.owner == _ID, _RUNS.c.started_at >= bindparam("since"))
)

_SAVE_USER = saving(_USERS, "user_id")
_SAVE_PASSWORD = saving(_PASSWORDS, "user_id")
_SAVE_KEY = saving(_KEYS, "key_id")
_SAVE_KEY_USE = saving(_KEY_USES, "key_id")
_SAVE_SESSION = saving(_SESSIONS, "session_id")
_SAVE_FAMILY = saving(_FAMILIES, "family_id")


class SqlAccountUnit(HistoryUnit):
    """Accounts in one transaction."""

    def __init__(self, connection: Connection) -> None:
        """Take a connection whose transaction has begun, or begins with the first statement."""
        super().__init__(connection)
        self._dialect = connection.dialect.name

    async def users(self) -> list[User]:
        """Return all users, by name."""
        return self._values(_ALL_USERS, _user_of)

    async def user(self, user_id: UserId) -> User | None:
        """Return one user."""
        return self._first(_USER, user_id, _user_of)

    async def user_named(self, name: str) -> User | None:
        """Return the user of a name."""
        return self._first(_USER_NAMED, name, _user_of)

    async def user_of_subject(self, subject: str) -> User | None:
        """Return the user whom an OpenID provider knows so."""
        return self._first(_USER_OF_SUBJECT, subject, _user_of)

    async def save_user(self, user: User) -> None:
        """Insert or replace a user."""
        self._connection.execute(_SAVE_USER[self._dialect], mapping.to_row(user))

    async def password(self, user_id: UserId) -> str | None:
        """Return the slow hash of a user's password."""
        return self._first(_PASSWORD, user_id, lambda row: str(row["hashed"]))

    async def save_password(self, user_id: UserId, hashed: str) -> None:
        """Insert or replace a user's password."""
        given = {"user_id": user_id, "hashed": hashed}
        self._connection.execute(_SAVE_PASSWORD[self._dialect], given)

    async def drop_password(self, user_id: UserId) -> None:
        """Take a user's password away."""
        self._connection.execute(delete(_PASSWORDS).where(_PASSWORDS.c.user_id == user_id))

    async def keys(self, user_id: UserId | None = None) -> list[ApiKey]:
        """Return keys, oldest first."""
        if user_id is None:
            return self._values(_ALL_KEYS, _key_of)
        return self._values(_KEYS_OF, _key_of, id=user_id)

    async def key(self, key_id: KeyId) -> ApiKey | None:
        """Return one key."""
        return self._first(_KEY, key_id, _key_of)

    async def save_key(self, key: ApiKey) -> None:
        """Insert or replace a key."""
        self._connection.execute(_SAVE_KEY[self._dialect], mapping.to_row(key))

    async def key_used_at(self, key_id: KeyId) -> datetime | None:
        """Return when a key was last used."""
        used: datetime | None = self._first(_KEY_USE, key_id, lambda row: row["used_at"])
        return used

    async def note_key_use(self, key_id: KeyId, at: datetime) -> None:
        """Write down that a key was used."""
        given = {"key_id": key_id, "used_at": at}
        self._connection.execute(_SAVE_KEY_USE[self._dialect], given)

    async def session_of_secret(self, secret_sha256: str) -> Session | None:
        """Return the session with this secret."""
        return self._first(_SESSION, secret_sha256, lambda row: Session(**row))

    async def sessions(self, user_id: UserId) -> list[Session]:
        """Return a user's sessions, oldest first."""
        return self._values(_SESSIONS_OF, lambda row: Session(**row), id=user_id)

    async def save_session(self, session: Session) -> None:
        """Insert or replace a session."""
        self._connection.execute(_SAVE_SESSION[self._dialect], mapping.to_row(session))

    async def drop_session(self, session_id: SessionId) -> None:
        """End a session."""
        self._connection.execute(delete(_SESSIONS).where(_SESSIONS.c.session_id == session_id))

    async def drop_sessions_before(self, created: datetime, seen: datetime) -> int:
        """End what is over; return how many there were."""
        over = (_SESSIONS.c.created_at <= created) | (_SESSIONS.c.seen_at <= seen)
        return self._connection.execute(delete(_SESSIONS).where(over)).rowcount

    async def family(self, family_id: FamilyId) -> Family | None:
        """Return one family of tokens."""
        return self._first(_FAMILY, family_id, lambda row: Family(**row))

    async def families(self, user_id: UserId) -> list[Family]:
        """Return a user's families of tokens, oldest first."""
        return self._values(_FAMILIES_OF, lambda row: Family(**row), id=user_id)

    async def save_family(self, family: Family) -> None:
        """Insert or replace a family of tokens."""
        self._connection.execute(_SAVE_FAMILY[self._dialect], mapping.to_row(family))

    async def drop_family(self, family_id: FamilyId) -> None:
        """End a family of tokens."""
        self._connection.execute(delete(_FAMILIES).where(_FAMILIES.c.family_id == family_id))

    async def drop_families_before(self, created: datetime) -> int:
        """End the families that began before a time; return how many there were."""
        over = _FAMILIES.c.created_at <= created
        return self._connection.execute(delete(_FAMILIES).where(over)).rowcount

    async def usage(self, owner: str, since: datetime) -> Usage:
        """Return what an owner takes of the farm."""
        jobs_open = self._connection.execute(_JOBS_OPEN, {"id": owner}).scalar_one()
        printed_g = self._connection.execute(_PRINTED_G, {"id": owner, "since": since}).scalar_one()
        return Usage(jobs_open=jobs_open, filament_g=float(printed_g))

    def _values(
        self, wanted: Select[Any], make: Callable[[Row], Value], **given: Any
    ) -> list[Value]:
        found = self._connection.execute(wanted, given).mappings()
        return [make(dict(row)) for row in found]

    def _first(
        self, wanted: Select[Any], its_id: str, make: Callable[[Row], Value]
    ) -> Value | None:
        row = self._connection.execute(wanted, {"id": its_id}).mappings().first()
        return None if row is None else make(dict(row))


def _user_of(row: Row) -> User:
    return User(**row | {"role": Role(row["role"]), "state": UserState(row["state"])})


def _key_of(row: Row) -> ApiKey:
    return ApiKey(**row | {"scopes": tuple(Permission(each) for each in row["scopes"])})
