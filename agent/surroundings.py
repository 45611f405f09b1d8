"""What all printers of an agent share."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from agent.draining import Drain
from agent.files import FileStore
from agent.journal import Journal
from agent.outbox import Outlet
from protocols.wire.vocabulary import AgentId, Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """Handed to each printer's loop; `boot_id` is of this process.

    `host_findings`: what is wrong with the machine.
    """

    agent_id: AgentId
    boot_id: str
    journal: Journal
    files: FileStore
    outlet: Outlet
    host_findings: Callable[[], tuple[Finding, ...]] = tuple
    drain: Drain = field(default_factory=Drain)
    monotonic_s: Callable[[], float] = time.monotonic
