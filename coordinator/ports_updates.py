"""The part of a `Unit` that is about releases and their rollouts: see `ports.py`."""

from typing import Protocol

from coordinator.domain.releases import Release
from coordinator.domain.updates import Rollout


class UpdatesUnit(Protocol):
    """Releases and rollouts in one transaction."""

    async def release(self, version: str) -> Release | None:
        """Return one release."""

    async def releases(self) -> list[Release]:
        """Return all of them, the last one first."""

    async def save_release(self, release: Release) -> None:
        """Insert or replace a release."""

    async def drop_release(self, version: str) -> None:
        """Remove a release; nothing happens where there is none."""

    async def rollout(self, rollout_id: str) -> Rollout | None:
        """Return one rollout."""

    async def rollouts(self, limit: int) -> list[Rollout]:
        """Return so many, the last one first."""

    async def save_rollout(self, rollout: Rollout) -> None:
        """Insert or replace a rollout."""
