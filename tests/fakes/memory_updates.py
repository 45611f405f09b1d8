"""The part of a unit in memory that is about releases and rollouts."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from coordinator.domain.releases import Release
from coordinator.domain.updates import Rollout

if TYPE_CHECKING:
    from tests.fakes.memory_store import Tables


@dataclass
class UpdateTables:
    """Its rows."""

    releases: dict[str, Release] = field(default_factory=dict)
    rollouts: dict[str, Rollout] = field(default_factory=dict)

    def copy(self) -> "UpdateTables":
        return UpdateTables(dict(self.releases), dict(self.rollouts))


class MemoryUpdates:
    """Implements `coordinator.ports_updates.UpdatesUnit` on tables."""

    tables: "Tables"
    changed: bool

    async def release(self, version: str) -> Release | None:
        return self.tables.updates.releases.get(version)

    async def releases(self) -> list[Release]:
        found = self.tables.updates.releases.values()
        return sorted(found, key=lambda each: (each.added_at, each.version), reverse=True)

    async def save_release(self, release: Release) -> None:
        self.changed = True
        self.tables.updates.releases[release.version] = release

    async def drop_release(self, version: str) -> None:
        self.changed = True
        self.tables.updates.releases.pop(version, None)

    async def rollout(self, rollout_id: str) -> Rollout | None:
        return self.tables.updates.rollouts.get(rollout_id)

    async def rollouts(self, limit: int) -> list[Rollout]:
        found = self.tables.updates.rollouts.values()
        order = sorted(found, key=lambda each: (each.made_at, each.rollout_id), reverse=True)
        return order[:limit]

    async def save_rollout(self, rollout: Rollout) -> None:
        self.changed = True
        self.tables.updates.rollouts[rollout.rollout_id] = rollout
