"""What use cases ask of the outside about accounts: to store, to hash, to sign, to vouch."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

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


class AccountUnit(Protocol):
    """Accounts, in one transaction."""

    async def users(self) -> list[User]:
        """Return all users, those removed too, by name."""

    async def user(self, user_id: UserId) -> User | None:
        """Return one user."""

    async def user_named(self, name: str) -> User | None:
        """Return the user of a name, also one that was removed."""

    async def user_of_subject(self, subject: str) -> User | None:
        """Return the user whom an OpenID provider knows so."""

    async def save_user(self, user: User) -> None:
        """Insert or replace a user."""

    async def password(self, user_id: UserId) -> str | None:
        """Return the slow hash of a user's password, None where they have none."""

    async def save_password(self, user_id: UserId, hashed: str) -> None:
        """Insert or replace a user's password."""

    async def drop_password(self, user_id: UserId) -> None:
        """Take a user's password away; nothing happens where there is none."""

    async def keys(self, user_id: UserId | None = None) -> list[ApiKey]:
        """Return a user's keys (all for None), oldest first, those revoked too."""

    async def key(self, key_id: KeyId) -> ApiKey | None:
        """Return one key."""

    async def save_key(self, key: ApiKey) -> None:
        """Insert or replace a key."""

    async def key_used_at(self, key_id: KeyId) -> datetime | None:
        """Return when a key was last used, as far as it is written down."""

    async def note_key_use(self, key_id: KeyId, at: datetime) -> None:
        """Write down that a key was used."""

    async def session_of_secret(self, secret_sha256: str) -> Session | None:
        """Return the session with this secret."""

    async def sessions(self, user_id: UserId) -> list[Session]:
        """Return a user's sessions, oldest first."""

    async def save_session(self, session: Session) -> None:
        """Insert or replace a session."""

    async def drop_session(self, session_id: SessionId) -> None:
        """End a session; nothing happens where there is none."""

    async def drop_sessions_before(self, created: datetime, seen: datetime) -> int:
        """End what began before one time or was last seen before another; return how many."""

    async def family(self, family_id: FamilyId) -> Family | None:
        """Return one family of tokens."""

    async def families(self, user_id: UserId) -> list[Family]:
        """Return a user's families of tokens, oldest first."""

    async def save_family(self, family: Family) -> None:
        """Insert or replace a family of tokens."""

    async def drop_family(self, family_id: FamilyId) -> None:
        """End a family of tokens; nothing happens where there is none."""

    async def drop_families_before(self, created: datetime) -> int:
        """End the families that began before a time; return how many there were."""

    async def usage(self, owner: str, since: datetime) -> Usage:
        """Return how many jobs of an owner are open, and the grams of runs begun since then.

        A run counts with all that its plate takes, however it ended; a plate that does not tell
        counts nothing.
        """


class Passwords(Protocol):
    """A slow hash, away from the loop."""

    async def hash(self, password: str) -> str:
        """Return what is stored of a password."""

    async def verify(self, hashed: str | None, password: str) -> bool:
        """Whether a password is the one; takes as long where there is none to compare with."""

    def is_outdated(self, hashed: str) -> bool:
        """Whether a password should be hashed anew, at the next log in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessClaims:
    """What a signed token says: for whom, of which family, until when."""

    user_id: UserId
    family_id: FamilyId
    expires_at: datetime


class AccessTokens(Protocol):
    """Signed tokens that need not be stored."""

    async def sign(self, claims: AccessClaims) -> str:
        """Return the token."""

    async def read(self, token: str, now: datetime) -> AccessClaims | None:
        """Return what a token says, None where it is not ours, was altered or is over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Challenge:
    """What binds one log in at a provider to one browser: all three are chance."""

    state: str
    nonce: str
    verifier: str


class IdentityProvider(Protocol):
    """An OpenID provider."""

    async def address(self, challenge: Challenge, redirect_url: str) -> str:
        """Return where the browser is sent to log in.

        Raises:
            Unavailable: the provider does not answer, or not as one.
        """

    async def claims(
        self, challenge: Challenge, redirect_url: str, code: str
    ) -> Mapping[str, object]:
        """Return what the provider vouches for; issuer, audience, time and nonce were checked.

        Raises:
            Refused: `oidc_refused`: the code or the token is not good.
            Unavailable: the provider does not answer, or not as one.
        """
