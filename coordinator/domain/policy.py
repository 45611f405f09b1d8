"""How this farm decides where there is a choice, as data."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The farm's choices.

    Attributes:
        retries_max: how many failed runs of a job are replaced; a job keeps what it was born with.
        lease_patience_s: how long an offline printer keeps a lease that was not permitted. An
            agent that restarts is back within seconds; a job should not wait much longer.
        leases_ahead: how many leases a printer that empties its bed by itself is handed in advance,
            0 to 4. A job that is staged waits for its printer, even where another is free sooner.
        clearing_patience_s: how long a bed may be CLEARING before it counts as OCCUPIED again.
        leases_per_commit: bounds how long one transaction keeps other writers waiting.
        documents_per_flush: bounds how many desired documents are held in memory at once.
        approval: jobs of who may not manage jobs wait until somebody who may approves them.
        approve_generations: what providers made for who may not manage jobs waits likewise.
        copies_max: of one job; more are most likely a slip of the finger.
        artifact_path: where an agent fetches a plate, below the coordinator's address.
    """

    retries_max: int = 1
    lease_patience_s: float = 60.0
    leases_ahead: int = 2
    clearing_patience_s: float = 3600.0
    leases_per_commit: int = 50
    documents_per_flush: int = 100
    approval: bool = False
    approve_generations: bool = False
    copies_max: int = 1000
    artifact_path: str = "/api/v1/plates/{sha256}"
