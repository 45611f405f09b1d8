"""Accounts as JSON: pure functions from values to documents; see `render.py` for the rules."""

from datetime import datetime

from coordinator.api.render import Document, moment
from coordinator.domain.access import Caller
from coordinator.domain.accounts import ApiKey, Session, User
from coordinator.usecases.sessions import Tokens


def caller_document(caller: Caller) -> Document:
    """Return who somebody is to the farm. `owner` is what their jobs have as theirs."""
    return {
        "actor": caller.actor,
        "owner": caller.owner or caller.actor,
        "role": caller.role.value,
        "permissions": sorted(permission.value for permission in caller.permissions),
    }


def user_document(user: User) -> Document:
    """Return a user. Null: both of `quota` where there is no limit."""
    return {
        "id": user.user_id,
        "name": user.name,
        "role": user.role.value,
        "state": user.state.value,
        "subject": user.subject,
        "quota": {
            "jobs_open_max": user.jobs_open_max,
            "grams_per_month": user.grams_per_month,
        },
        "created_at": moment(user.created_at),
    }


def key_document(key: ApiKey, user: User, used_at: datetime | None) -> Document:
    """Return a key, without its secret. Null: `expires_at` for never, `used_at` before its first.

    `used_at` is written down once a minute at most.
    """
    return {
        "id": key.key_id,
        "name": key.name,
        "user": user.name,
        "scopes": [scope.value for scope in key.scopes],
        "created_at": moment(key.created_at),
        "expires_at": moment(key.expires_at) if key.expires_at is not None else None,
        "used_at": moment(used_at) if used_at is not None else None,
    }


def session_document(session: Session, *, current: str) -> Document:
    """Return a session; `current` says whether it is the one that asks."""
    return {
        "id": session.session_id,
        "created_at": moment(session.created_at),
        "seen_at": moment(session.seen_at),
        "address": session.address,
        "browser": session.browser,
        "current": session.session_id == current,
    }


def tokens_document(tokens: Tokens) -> Document:
    """Return tokens, named as RFC 6749 does; `expires_in` in seconds."""
    return {
        "token_type": "Bearer",
        "access_token": tokens.access,
        "expires_in": tokens.access_lives_s,
        "refresh_token": tokens.refresh,
    }
