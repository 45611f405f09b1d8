"""The port `Passwords`: argon2id, in a thread."""

import asyncio

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

# As OWASP's password storage sheet has it. Two at once bound the memory.
MEMORY_KIB = 19456
PASSES = 2
AT_ONCE = 2


class Argon2Passwords:
    """Passwords hashed with argon2id; `memory_kib` and `passes` are what one hash costs."""

    def __init__(self, *, memory_kib: int = MEMORY_KIB, passes: int = PASSES) -> None:
        """Hash nothing yet."""
        self._hasher = PasswordHasher(time_cost=passes, memory_cost=memory_kib, parallelism=1)
        self._seats = asyncio.Semaphore(AT_ONCE)

    async def hash(self, password: str) -> str:
        """Return what is stored of a password."""
        async with self._seats:
            return await asyncio.to_thread(self._hasher.hash, password)

    async def verify(self, hashed: str | None, password: str) -> bool:
        """Whether a password is the one; takes as long where there is none to compare with."""
        if hashed is None:
            await self.hash(password)
            return False
        async with self._seats:
            return await asyncio.to_thread(self._verify, hashed, password)

    def _verify(self, hashed: str, password: str) -> bool:
        try:
            return self._hasher.verify(hashed, password)
        except (VerificationError, InvalidHashError):
            return False

    def is_outdated(self, hashed: str) -> bool:
        """Whether it was hashed with other parameters than these."""
        return self._hasher.check_needs_rehash(hashed)
