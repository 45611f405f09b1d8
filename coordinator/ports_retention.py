"""The part of a `Unit` that tells who refers to files: see `ports.py`."""

from collections.abc import AsyncIterator, Sequence
from typing import Protocol

from coordinator.domain.retention import JobFiles


class RetentionUnit(Protocol):
    """Who refers to which artifact. Asked here, and nowhere else."""

    def job_files(self) -> AsyncIterator[Sequence[JobFiles]]:
        """Yield all jobs with the artifacts that they, their plates and their runs refer to."""

    async def referred_elsewhere(self) -> set[str]:
        """Return the hashes of all artifacts that anything but a job refers to."""
