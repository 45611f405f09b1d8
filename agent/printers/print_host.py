"""The contract of a print host: a program beside a printer that prints files by itself.

`HostDriver` (host_driver.py) makes a driver of whatever keeps this contract, and holds the rules
that all hosts share. A host stores, begins, steers and tells; it decides nothing.

Three errors say what came of a call, and nothing else is raised: `DriverUnavailable`: the host did
not get it. `NotPossible`: it got it and refused. `AnswerLost`: nobody knows.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from agent.printers.driver import PlateFile, RunState
from agent.printers.host_handle import Handle
from protocols.gcode.rules import Limits
from protocols.wire.vocabulary import UNTUNED, PrinterState, RunId, Temperature, Tuning

MOVING = frozenset({PrinterState.PRINTING, PrinterState.PAUSED})


@dataclass(frozen=True, slots=True, kw_only=True)
class HostView:
    """What a host shows of its printer at one moment.

    Attributes:
        state: OFFLINE: the host is there, its printer is not. PRINTING from the first sign of a
            start until motion has ended, cancelling and pausing included.
        job: what is printed, or was selected last, as the host calls it; empty for nothing.
        words: what a person should know; empty when all is well.
        temperatures: the last readings.
        completion: 0 to 1 of the file, None where unknown.
        file_bytes: bytes of the file that were read.
        remaining_s: the host's own estimate.
        tuning: fan, speed and flow, where the host tells.
    """

    state: PrinterState
    job: str = ""
    words: str = ""
    temperatures: Mapping[str, Temperature] = field(default_factory=dict)
    completion: float | None = None
    file_bytes: int | None = None
    remaining_s: float | None = None
    tuning: Tuning = UNTUNED


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a job ended, as its host tells: FINISHED, STOPPED or FAILED.

    UNKNOWN where the host knows that it ended, and that nobody can say how.
    """

    state: RunState
    reason: str = ""


class PrintHost(Protocol):
    """One host with one printer."""

    @property
    def name(self) -> str:
        """What it is and where, for a person."""

    @property
    def commands(self) -> frozenset[str]:
        """Operations that `command` understands."""

    @property
    def unsaid(self) -> RunState:
        """What becomes of a run that began, and of whose end the host keeps no record."""

    async def watch(self, tell: Callable[[HostView], None]) -> None:
        """Connect, and tell every view of the printer; ends by raising when the host is lost."""

    async def limits(self) -> Limits | None:
        """Return what the host knows of its printer's size, None where that can't be used."""

    async def store(self, plate: PlateFile) -> None:
        """Have the plate lie in our folder, byte by byte; costs little where it does already.

        Raises:
            PlateRefused: the host keeps other bytes than it was given.
        """

    async def clean(self, *, jobs: Collection[str], plates: Collection[str]) -> None:
        """Remove what is ours and no longer needed, all but these jobs and hashes of plates."""

    def job_of(self, run_id: RunId) -> str:
        """Return what the host calls a run's job; no two runs share it."""

    async def prepare(self, plate: PlateFile, run_id: RunId) -> str:
        """Make the run's job ready to begin; returns what `ending` compares the history with."""

    async def begin(self, job: str) -> None:
        """Begin a job that was prepared; returns once the host has accepted."""

    async def pause(self, job: str) -> None:
        """Pause this job, and no other."""

    async def resume(self, job: str) -> None:
        """Go on with this job, and no other."""

    async def cancel(self, job: str) -> None:
        """Cancel this job, and no other."""

    async def ending(self, handle: Handle) -> Ending | None:
        """Return how a job ended, None where the host has no record of an end."""

    async def forget(self, job: str) -> None:
        """Make sure that a job can't begin any more; NotPossible: it is being printed."""

    async def cool(self) -> None:
        """Turn off every heater."""

    async def dialogue(self) -> list[str]:
        """Return the last lines that host and printer exchanged, oldest first."""

    async def command(self, name: str, arguments: Mapping[str, Any]) -> str:
        """Do one of `commands`; returns words for the person who asked."""

    async def picture(self) -> bytes:
        """Return the newest picture of its webcam; NotPossible: it has none."""

    def close(self) -> None:
        """Give back threads and connections; a later call opens them again."""


def number(said: Any) -> float | None:
    """Return a number that a host told, None where it told none."""
    return float(said) if isinstance(said, int | float) else None


def ratio(said: Any, *, of: float = 1.0) -> float | None:
    """Return a part of `of` that a host told, to a thousandth; None where it told none."""
    part = number(said)
    return None if part is None else round(part / of, 3)
