"""Releases and rollouts as JSON: shapes, and pure functions to them; see `render.py`."""

from typing_extensions import TypedDict

from coordinator.api.documents import Moment
from coordinator.api.render import moment, moment_or_null
from coordinator.domain.releases import Release
from coordinator.domain.updates import AgentUpdate, Rollout, RolloutState, UpdateState


class ReleaseDocument(TypedDict):
    """A release of the agent. Whether one is trusted, each agent decides by its own keys."""

    version: str
    sha256: str
    size_bytes: int
    signed_by: str
    protocol_min: int
    protocol_max: int
    words: str
    added_by: str
    added_at: Moment


class AgentUpdateDocument(TypedDict):
    """One agent in a rollout; stage 0 are the canaries.

    Null: `asked_at` where it was not asked yet, `sound_since` unless it is well, on trial.
    """

    agent_id: str
    stage: int
    state: UpdateState
    words: str
    asked_at: Moment | None
    sound_since: Moment | None


class RolloutDocument(TypedDict):
    """A release on its way to agents; `words` say why it halted."""

    id: str
    version: str
    state: RolloutState
    words: str
    agents: list[AgentUpdateDocument]
    soak_s: float
    start_s: float
    troubles_max: int
    made_by: str
    made_at: Moment
    changed_at: Moment


def release_document(release: Release) -> ReleaseDocument:
    """Return a release."""
    return {
        "version": release.version,
        "sha256": release.sha256,
        "size_bytes": release.size_bytes,
        "signed_by": release.key_name,
        "protocol_min": release.protocol_min,
        "protocol_max": release.protocol_max,
        "words": release.words,
        "added_by": release.added_by,
        "added_at": moment(release.added_at),
    }


def rollout_document(rollout: Rollout) -> RolloutDocument:
    """Return a rollout."""
    return {
        "id": rollout.rollout_id,
        "version": rollout.version,
        "state": rollout.state,
        "words": rollout.words,
        "agents": [_agent_update(each) for each in rollout.agents],
        "soak_s": rollout.soak_s,
        "start_s": rollout.start_s,
        "troubles_max": rollout.troubles_max,
        "made_by": rollout.made_by,
        "made_at": moment(rollout.made_at),
        "changed_at": moment(rollout.changed_at),
    }


def _agent_update(update: AgentUpdate) -> AgentUpdateDocument:
    return {
        "agent_id": update.agent_id,
        "stage": update.stage,
        "state": update.state,
        "words": update.words,
        "asked_at": moment_or_null(update.asked_at),
        "sound_since": moment_or_null(update.sound_since),
    }
