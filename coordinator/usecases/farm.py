"""All that a use case needs, in one value: the ports, the policy, the short memory."""

from collections.abc import Callable
from dataclasses import dataclass, field

from coordinator.domain.policy import Policy
from coordinator.ports import (
    AgentLink,
    ArtifactStore,
    Clock,
    Ids,
    Slicer,
    Store,
)
from coordinator.ports_disk import Disk, EndlessDisk
from coordinator.ports_enrolment import BrokerDoor, OpenDoor
from coordinator.ports_outward import Nowhere, Outside
from coordinator.ports_pictures import NoPictures, Pictures
from coordinator.ports_workshop import NoWorkshop, Workshop
from coordinator.usecases.live import Live
from coordinator.usecases.sources import Sources


def _unheard(work: str) -> None:
    """Let the ticker find the work by itself."""


@dataclass(kw_only=True, slots=True, eq=False)
class Farm:
    """One farm.

    Attributes:
        policy: replaced as a whole when somebody changes a setting; all else stays as it is.
        poke: told `dispatch`, `outbox`, `prepare`, `slice`, `generate` or `webhooks` after a commit
            that makes it due.
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
    outside: Outside = field(default_factory=Nowhere)
    disk: Disk = field(default_factory=EndlessDisk)
    pictures: Pictures = field(default_factory=NoPictures)
    sources: Sources = field(default_factory=Sources)
    workshop: Workshop = field(default_factory=NoWorkshop)
    poke: Callable[[str], None] = _unheard
