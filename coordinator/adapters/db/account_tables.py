"""The tables of accounts: shape only, as in `tables.py`.

History tells of users and keys. Passwords, and when a key was last used, lie beside them: the first
are nobody's to read, the second changes all the time.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column, ForeignKey, String

from coordinator.adapters.db.shape import Field, SQLModel
from coordinator.adapters.db.tables import UtcDateTime


def _time(*, nullable: bool = False) -> Any:
    return Field(default=None, sa_column=Column(UtcDateTime, nullable=nullable))


def _user(*, primary_key: bool = False) -> Any:
    """Return a reference to a user; checked at the commit, for one unit saves in any order."""
    reference = ForeignKey("users.user_id", deferrable=True, initially="DEFERRED")
    return Field(
        sa_column=Column(
            String, reference, nullable=False, primary_key=primary_key, index=not primary_key
        )
    )


class UserRow(SQLModel, table=True):
    """A user. One name belongs to one, for ever."""

    __tablename__ = "users"

    user_id: str = Field(primary_key=True)
    name: str = Field(index=True, unique=True)
    role: str
    state: str
    subject: str = Field(index=True)
    jobs_open_max: int | None = None
    grams_per_month: float | None = None
    created_at: datetime = _time()


class PasswordRow(SQLModel, table=True):
    """The slow hash of a user's password."""

    __tablename__ = "passwords"

    user_id: str = _user(primary_key=True)
    hashed: str


class KeyRow(SQLModel, table=True):
    """A key of a program."""

    __tablename__ = "api_keys"

    key_id: str = Field(primary_key=True)
    user_id: str = _user()
    name: str
    scopes: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    secret_sha256: str
    created_at: datetime = _time()
    expires_at: datetime | None = _time(nullable=True)
    revoked_at: datetime | None = _time(nullable=True)


class KeyUseRow(SQLModel, table=True):
    """When a key was last used."""

    __tablename__ = "api_key_uses"

    key_id: str = Field(primary_key=True)
    used_at: datetime = _time()


class SessionRow(SQLModel, table=True):
    """A browser that is logged in."""

    __tablename__ = "sessions"

    session_id: str = Field(primary_key=True)
    user_id: str = _user()
    secret_sha256: str = Field(index=True, unique=True)
    created_at: datetime = _time()
    seen_at: datetime = _time()
    address: str
    browser: str


class FamilyRow(SQLModel, table=True):
    """The tokens that came of one log in."""

    __tablename__ = "token_families"

    family_id: str = Field(primary_key=True)
    user_id: str = _user()
    secret_sha256: str
    created_at: datetime = _time()
    renewed_at: datetime = _time()
