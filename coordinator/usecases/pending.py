"""Log ins at an OpenID provider that began and did not come back yet: nobody remembers them.

All that binds one to its browser follows from the *state* that goes there and back, and from a key
that only coordinators of this farm have: so another one, or the next process, takes it up as well.
The provider's code is good once; the state says only when it began.
"""

import base64
import hashlib
import hmac
import secrets
from datetime import UTC, datetime, timedelta

from coordinator.ports_accounts import Challenge

# Time to find a telephone with the second factor.
PENDING_LIFE = timedelta(minutes=10)


class Pending:
    """Challenges, made and known again by a key."""

    def __init__(self, key: bytes | None = None) -> None:
        """Take the farm's key; without one, only what was made here is known again."""
        self._key = key if key is not None else secrets.token_bytes(32)

    def begin(self, now: datetime) -> Challenge:
        """Return a fresh challenge."""
        said = f"{secrets.token_urlsafe(24)}.{int(now.timestamp())}"
        return self._challenge(said, self._derived("state", said))

    def take_up(self, state: str, now: datetime) -> Challenge | None:
        """Return the challenge of a state; None where it is none of ours, or took too long."""
        said, _, proof = state.rpartition(".")
        expected = self._derived("state", said)
        if not hmac.compare_digest(proof.encode(), expected.encode()):
            return None
        began = datetime.fromtimestamp(int(said.rpartition(".")[2]), UTC)
        return self._challenge(said, expected) if now - began < PENDING_LIFE else None

    def _challenge(self, said: str, proof: str) -> Challenge:
        return Challenge(
            state=f"{said}.{proof}",
            nonce=self._derived("nonce", said),
            verifier=self._derived("verifier", said),
        )

    def _derived(self, what: str, said: str) -> str:
        """Return 256 bits that only the key tells, in 43 letters, the fewest of RFC 7636."""
        made = hmac.digest(self._key, f"log in {what} {said}".encode(), hashlib.sha256)
        return base64.urlsafe_b64encode(made).decode().rstrip("=")
