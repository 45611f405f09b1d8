"""All that a use case needs, in one value: the ports, the policy, the short memory."""

from collections.abc import Callable
from dataclasses import dataclass, field

from coordinator.domain.policy import Policy
from coordinator.enrolment_ports import BrokerDoor, OpenDoor
from coordinator.ports import AgentLink, ArtifactStore, Clock, Ids, Slicer, Store
from coordinator.usecases.live import Live


def _unheard(work: str) -> None:
    """Let the ticker find the work by itself."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Farm:
    """One farm.

    Attributes:
        poke: told `dispatch`, `outbox`, `prepare` or `slice` after a commit that makes it due.
    """

    store: Store
    artifacts: ArtifactStore
    slicer: Slicer
    link: AgentLink
    clock: Clock
    ids: Ids
    door: BrokerDoor = field(default_factory=OpenDoor)
    live: Live = field(default_factory=Live)
    policy: Policy = field(default_factory=Policy)
    poke: Callable[[str], None] = _unheard
