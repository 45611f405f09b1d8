"""The accounts of a store in memory."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

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
)
from coordinator.domain.jobs import ENDED

if TYPE_CHECKING:
    from tests.fakes.memory_store import Tables


@dataclass
class Accounts:
    """All rows about accounts."""

    users: dict[UserId, User] = field(default_factory=dict)
    passwords: dict[UserId, str] = field(default_factory=dict)
    keys: dict[KeyId, ApiKey] = field(default_factory=dict)
    key_uses: dict[KeyId, datetime] = field(default_factory=dict)
    sessions: dict[SessionId, Session] = field(default_factory=dict)
    families: dict[FamilyId, Family] = field(default_factory=dict)

    def copy(self) -> "Accounts":
        return Accounts(
            users=dict(self.users),
            passwords=dict(self.passwords),
            keys=dict(self.keys),
            key_uses=dict(self.key_uses),
            sessions=dict(self.sessions),
            families=dict(self.families),
        )


class MemoryAccountUnit:
    """Implements `coordinator.ports_accounts.AccountUnit` on a copy of the tables."""

    def __init__(self, tables: "Tables") -> None:
        self.tables = tables
        self.changed = False

    @property
    def _accounts(self) -> Accounts:
        return self.tables.accounts

    async def users(self) -> list[User]:
        return sorted(self._accounts.users.values(), key=lambda user: user.name)

    async def user(self, user_id: UserId) -> User | None:
        return self._accounts.users.get(user_id)

    async def user_named(self, name: str) -> User | None:
        return next((user for user in await self.users() if user.name == name), None)

    async def user_of_subject(self, subject: str) -> User | None:
        known = (user for user in await self.users() if user.subject)
        return next((user for user in known if user.subject == subject), None)

    async def save_user(self, user: User) -> None:
        self.changed = True
        self._accounts.users[user.user_id] = user

    async def password(self, user_id: UserId) -> str | None:
        return self._accounts.passwords.get(user_id)

    async def save_password(self, user_id: UserId, hashed: str) -> None:
        self.changed = True
        self._accounts.passwords[user_id] = hashed

    async def drop_password(self, user_id: UserId) -> None:
        self.changed = True
        self._accounts.passwords.pop(user_id, None)

    async def keys(self, user_id: UserId | None = None) -> list[ApiKey]:
        mine = [key for key in self._accounts.keys.values() if user_id in (None, key.user_id)]
        return sorted(mine, key=lambda key: (key.created_at, key.key_id))

    async def key(self, key_id: KeyId) -> ApiKey | None:
        return self._accounts.keys.get(key_id)

    async def save_key(self, key: ApiKey) -> None:
        self.changed = True
        self._accounts.keys[key.key_id] = key

    async def key_used_at(self, key_id: KeyId) -> datetime | None:
        return self._accounts.key_uses.get(key_id)

    async def note_key_use(self, key_id: KeyId, at: datetime) -> None:
        self.changed = True
        self._accounts.key_uses[key_id] = at

    async def session_of_secret(self, secret_sha256: str) -> Session | None:
        found = (
            each for each in self._accounts.sessions.values() if each.secret_sha256 == secret_sha256
        )
        return next(found, None)

    async def sessions(self, user_id: UserId) -> list[Session]:
        mine = [each for each in self._accounts.sessions.values() if each.user_id == user_id]
        return sorted(mine, key=lambda each: (each.created_at, each.session_id))

    async def save_session(self, session: Session) -> None:
        self.changed = True
        self._accounts.sessions[session.session_id] = session

    async def drop_session(self, session_id: SessionId) -> None:
        self.changed = True
        self._accounts.sessions.pop(session_id, None)

    async def drop_sessions_before(self, created: datetime, seen: datetime) -> int:
        over = [
            each.session_id
            for each in self._accounts.sessions.values()
            if each.created_at <= created or each.seen_at <= seen
        ]
        for session_id in over:
            await self.drop_session(session_id)
        return len(over)

    async def family(self, family_id: FamilyId) -> Family | None:
        return self._accounts.families.get(family_id)

    async def families(self, user_id: UserId) -> list[Family]:
        mine = [each for each in self._accounts.families.values() if each.user_id == user_id]
        return sorted(mine, key=lambda each: (each.created_at, each.family_id))

    async def save_family(self, family: Family) -> None:
        self.changed = True
        self._accounts.families[family.family_id] = family

    async def drop_family(self, family_id: FamilyId) -> None:
        self.changed = True
        self._accounts.families.pop(family_id, None)

    async def drop_families_before(self, created: datetime) -> int:
        families = self._accounts.families.values()
        over = [each.family_id for each in families if each.created_at <= created]
        for family_id in over:
            await self.drop_family(family_id)
        return len(over)

    async def usage(self, owner: str, since: datetime) -> Usage:
        jobs = {job.job_id: job for job in self.tables.jobs.values() if job.owner == owner}
        plates = {
            (plate.job_id, plate.sha256): plate.filament_g or 0.0
            for plate in self.tables.plates.values()
        }
        printed_g = sum(
            plates.get((run.job_id, run.plate_sha256), 0.0)
            for run in self.tables.runs.values()
            if run.job_id in jobs and run.started_at is not None and run.started_at >= since
        )
        jobs_open = sum(job.state not in ENDED for job in jobs.values())
        return Usage(jobs_open=jobs_open, filament_g=printed_g)
