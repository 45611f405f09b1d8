"""Accounts as JSON: shapes, and pure functions to them; see `render.py` for the rules."""

from datetime import datetime
from typing import Literal

from typing_extensions import TypedDict

from coordinator.api.documents import Moment
from coordinator.api.render import moment, moment_or_null
from coordinator.domain.access import Caller, Permission, Role
from coordinator.domain.accounts import ApiKey, Session, User, UserState
from coordinator.usecases.sessions import Tokens


class CallerDocument(TypedDict):
    """Who somebody is to the farm. `owner` is what their jobs have as theirs."""

    actor: str
    owner: str
    role: Role
    permissions: list[Permission]


class QuotaDocument(TypedDict):
    """How much somebody may take. Null: there is no limit."""

    jobs_open_max: int | None
    grams_per_month: float | None


class UserDocument(TypedDict):
    """A user. `subject` is who they are to the OpenID provider, empty where it knows them not."""

    id: str
    name: str
    role: Role
    state: UserState
    subject: str
    quota: QuotaDocument
    created_at: Moment


class KeyDocument(TypedDict):
    """A key, without its secret. Null: `expires_at` for never, `used_at` before its first.

    `used_at` is written down once a minute at most.
    """

    id: str
    name: str
    user: str
    scopes: list[Permission]
    created_at: Moment
    expires_at: Moment | None
    used_at: Moment | None


class NewKeyDocument(KeyDocument):
    """A key with its secret, as `key`: shown this once."""

    key: str


class SessionDocument(TypedDict):
    """A browser that is logged in; `current` says whether it is the one that asks."""

    id: str
    created_at: Moment
    seen_at: Moment
    address: str
    browser: str
    current: bool


class TokensDocument(TypedDict):
    """Tokens, named as RFC 6749 does; `expires_in` in seconds."""

    token_type: Literal["Bearer"]
    access_token: str
    expires_in: int
    refresh_token: str


class WaysDocument(TypedDict):
    """Which ways to log in there are."""

    password: bool
    openid: bool


class EndedDocument(TypedDict):
    """What was ended."""

    id: str


def caller_document(caller: Caller) -> CallerDocument:
    """Return who somebody is to the farm."""
    return {
        "actor": caller.actor,
        "owner": caller.owner or caller.actor,
        "role": caller.role,
        "permissions": sorted(caller.permissions),
    }


def user_document(user: User) -> UserDocument:
    """Return a user."""
    return {
        "id": user.user_id,
        "name": user.name,
        "role": user.role,
        "state": user.state,
        "subject": user.subject,
        "quota": {
            "jobs_open_max": user.jobs_open_max,
            "grams_per_month": user.grams_per_month,
        },
        "created_at": moment(user.created_at),
    }


def key_document(key: ApiKey, user: User, used_at: datetime | None) -> KeyDocument:
    """Return a key, without its secret."""
    return {
        "id": key.key_id,
        "name": key.name,
        "user": user.name,
        "scopes": list(key.scopes),
        "created_at": moment(key.created_at),
        "expires_at": moment_or_null(key.expires_at),
        "used_at": moment_or_null(used_at),
    }


def session_document(session: Session, *, current: str) -> SessionDocument:
    """Return a session; `current` is the one that asks."""
    return {
        "id": session.session_id,
        "created_at": moment(session.created_at),
        "seen_at": moment(session.seen_at),
        "address": session.address,
        "browser": session.browser,
        "current": session.session_id == current,
    }


def tokens_document(tokens: Tokens) -> TokensDocument:
    """Return tokens."""
    return {
        "token_type": "Bearer",
        "access_token": tokens.access,
        "expires_in": tokens.access_lives_s,
        "refresh_token": tokens.refresh,
    }
