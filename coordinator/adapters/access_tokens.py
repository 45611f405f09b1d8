"""The port `AccessTokens`: JWT, signed with HS256, for nobody but this farm reads them."""

import asyncio
from datetime import UTC, datetime

from coordinator.domain.accounts import FamilyId, UserId
from coordinator.ports_accounts import AccessClaims

_ALGORITHM = "HS256"
_ISSUER = "farmhand"
_TYPE = "at+jwt"


class SignedTokens:
    """Tokens under one key of 32 bytes or more; in a thread, where the library is loaded too."""

    def __init__(self, key: bytes) -> None:
        """Take the key; the library is loaded with the first token."""
        self._key = key

    async def sign(self, claims: AccessClaims) -> str:
        """Return the token."""
        return await asyncio.to_thread(self._sign, claims)

    async def read(self, token: str, now: datetime) -> AccessClaims | None:
        """Return what a token says, None where it is not ours, was altered or is over."""
        return await asyncio.to_thread(self._read, token, now)

    def _sign(self, claims: AccessClaims) -> str:
        from joserfc import jwt
        from joserfc.jwk import OctKey

        said = {
            "iss": _ISSUER,
            "sub": claims.user_id,
            "fam": claims.family_id,
            "exp": int(claims.expires_at.timestamp()),
        }
        header = {"alg": _ALGORITHM, "typ": _TYPE}
        return jwt.encode(header, said, OctKey.import_key(self._key))

    def _read(self, token: str, now: datetime) -> AccessClaims | None:
        from joserfc import jwt
        from joserfc.errors import JoseError
        from joserfc.jwk import OctKey

        try:
            found = jwt.decode(token, OctKey.import_key(self._key), algorithms=[_ALGORITHM])
        except (JoseError, ValueError):
            return None
        said = found.claims
        ours = said.get("iss") == _ISSUER and found.header.get("typ") == _TYPE
        texts = isinstance(said.get("sub"), str) and isinstance(said.get("fam"), str)
        if not ours or not texts or not isinstance(said.get("exp"), int):
            return None
        expires_at = datetime.fromtimestamp(said["exp"], UTC)
        if now >= expires_at:
            return None
        return AccessClaims(
            user_id=UserId(said["sub"]), family_id=FamilyId(said["fam"]), expires_at=expires_at
        )
