"""The contract of a driver: how an agent talks to one printer, whatever the kind.

A driver never decides. It says what it sees (`observation`), does what it is told, and after any
restart says what became of a run (`recover`). One task owns a driver and calls it in turn;
`observation` may be read, and `command` called, at any time, also while another call waits.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from agent.core.observation import Observation, RunSeen, RunState
from protocols.wire.vocabulary import RunId

__all__ = ["Capabilities", "Driver", "Observation", "PlateFile", "RunSeen", "RunState"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What a kind of printer can be asked for.

    Attributes:
        pause: a print can be paused and resumed.
        recovers: `recover` knows what became of a run after the agent died in the middle of it.
        streams: it feeds the printer line by line: it must not wait, and runs on a loop for lines.
        commands: operations that `command` understands.
        camera: it has a `picture()` as `agent.cameras.Camera` has, of its host's webcam.
    """

    pause: bool
    recovers: bool
    streams: bool = False
    commands: frozenset[str] = frozenset()
    camera: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PlateFile:
    """A plate that lies on this machine, fetched and checked."""

    path: Path
    sha256: str
    name: str


class Driver(Protocol):
    """One printer. Built from its table of settings by `open_driver`; see registry.py."""

    @property
    def capabilities(self) -> Capabilities:
        """What it can be asked for; always the same."""

    @property
    def observation(self) -> Observation:
        """What is seen now: a snapshot, no IO; may be asked for from another thread."""

    async def run(self) -> None:
        """Connect, keep the connection, reconnect with back-off; ends only when cancelled.

        Cancelling it closes the connection. It never stops a print on purpose.
        """

    async def changed(self) -> None:
        """Wait until `observation` differs in state or run state; progress alone does not count."""

    async def check(self, plate: PlateFile) -> None:
        """Look whether the plate may run on this printer, before anything moves.

        The plate of a lease in advance is looked at while another run goes on.

        Raises:
            PlateRefused: with the line and the reason.
        """

    async def start(self, plate: PlateFile, run_id: RunId) -> None:
        """Start a run, and return once the printer has taken it.

        Raises:
            DriverUnavailable: no connection; surely not started.
            PlateRefused: surely not started, and never will be.
            NotPossible: the printer is busy or halted; surely not started.
            StartUnknown: it may have started.
        """

    async def pause(self) -> None:
        """Pause the run; returns once asked, `observation` tells when it has happened."""

    async def resume(self) -> None:
        """Go on with a paused run."""

    async def stop(self) -> None:
        """End the run for good, heaters off; `observation` tells when it has happened."""

    async def recover(self, run_id: RunId, plate: PlateFile | None) -> RunSeen:
        """Say after a restart what became of a run, and take it over where it goes on.

        Returns UNKNOWN with a reason where nobody can say.

        Raises:
            DriverUnavailable: not connected yet: ask again later.
        """

    async def command(self, name: str, arguments: Mapping[str, Any]) -> str:
        """Do one thing of `capabilities.commands`; returns words for the person who asked.

        Raises:
            NotPossible: unknown, or not now.
        """
