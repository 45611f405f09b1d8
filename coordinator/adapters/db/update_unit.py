"""The part of a `Unit` that is about releases and rollouts; the contracts stand in the port."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, delete, select

from coordinator.adapters.db import tables, update_tables
from coordinator.adapters.db.saving import saving
from coordinator.domain.releases import Release
from coordinator.domain.updates import AgentUpdate, Rollout, RolloutState, UpdateState

_RELEASES = tables.table(update_tables.ReleaseRow)
_ROLLOUTS = tables.table(update_tables.RolloutRow)
_RELEASE = select(_RELEASES).where(_RELEASES.c.version == bindparam("id"))
_ALL_RELEASES = select(_RELEASES).order_by(_RELEASES.c.added_at.desc(), _RELEASES.c.version.desc())
_DROP_RELEASE = delete(_RELEASES).where(_RELEASES.c.version == bindparam("id"))
_SAVE_RELEASE = saving(_RELEASES, "version")
_ROLLOUT = select(_ROLLOUTS).where(_ROLLOUTS.c.rollout_id == bindparam("id"))
_LAST_ROLLOUTS = select(_ROLLOUTS).order_by(
    _ROLLOUTS.c.made_at.desc(), _ROLLOUTS.c.rollout_id.desc()
)
_SAVE_ROLLOUT = saving(_ROLLOUTS, "rollout_id")
_TIMES = ("asked_at", "away_since", "sound_since")


class UpdateUnit:
    """Releases and rollouts in one transaction."""

    _connection: Connection

    async def release(self, version: str) -> Release | None:
        """Return one release."""
        row = self._connection.execute(_RELEASE, {"id": version}).mappings().first()
        return Release(**row) if row is not None else None

    async def releases(self) -> list[Release]:
        """Return all of them, the last one first."""
        return [Release(**row) for row in self._connection.execute(_ALL_RELEASES).mappings()]

    async def save_release(self, release: Release) -> None:
        """Insert or replace a release."""
        self._connection.execute(_SAVE_RELEASE[self._connection.dialect.name], asdict(release))

    async def drop_release(self, version: str) -> None:
        """Remove a release."""
        self._connection.execute(_DROP_RELEASE, {"id": version})

    async def rollout(self, rollout_id: str) -> Rollout | None:
        """Return one rollout."""
        row = self._connection.execute(_ROLLOUT, {"id": rollout_id}).mappings().first()
        return _rollout_of(dict(row)) if row is not None else None

    async def rollouts(self, limit: int) -> list[Rollout]:
        """Return so many, the last one first."""
        found = self._connection.execute(_LAST_ROLLOUTS.limit(limit)).mappings()
        return [_rollout_of(dict(row)) for row in found]

    async def save_rollout(self, rollout: Rollout) -> None:
        """Insert or replace a rollout."""
        row = asdict(rollout) | {
            "state": rollout.state.value,
            "agents": [_agent_row(each) for each in rollout.agents],
        }
        self._connection.execute(_SAVE_ROLLOUT[self._connection.dialect.name], row)


def _agent_row(update: AgentUpdate) -> dict[str, Any]:
    times = {name: getattr(update, name) for name in _TIMES}
    told = {name: time and time.isoformat() for name, time in times.items()}
    own = {"state": update.state.value, "reachable": list(update.reachable)}
    return asdict(update) | own | told


def _rollout_of(row: dict[str, Any]) -> Rollout:
    agents = tuple(_agent_of(each) for each in row.pop("agents"))
    return Rollout(**{**row, "state": RolloutState(row["state"])}, agents=agents)


def _agent_of(row: Mapping[str, Any]) -> AgentUpdate:
    times = {name: row[name] and datetime.fromisoformat(row[name]) for name in _TIMES}
    own = {"state": UpdateState(row["state"]), "reachable": tuple(row["reachable"])}
    return AgentUpdate(**{**row, **own, **times})
