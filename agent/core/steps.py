"""What the shell of a printer must do, as data.

Steps of one decision are performed in their order; the first that fails ends the round.
"""

from dataclasses import dataclass

from agent.core.run import Happened
from protocols.wire.vocabulary import RunId


@dataclass(frozen=True, slots=True)
class Fetch:
    """Bring the plate here, check its hash, and let the driver look at it."""


@dataclass(frozen=True, slots=True)
class Arm:
    """Make a fresh nonce and write it down."""


@dataclass(frozen=True, slots=True)
class FetchStaged:
    """Bring the plate of a staged run here, and let the driver look at it, beside the print."""

    run_id: RunId


@dataclass(frozen=True, slots=True)
class ArmStaged:
    """Make a fresh nonce for a staged run and write it down."""

    run_id: RunId


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Write down that a staged run never started and never will."""

    run_id: RunId
    reason: str


@dataclass(frozen=True, slots=True)
class Promote:
    """Write down that the first staged run takes the place of the one that FINISHED."""


@dataclass(frozen=True, slots=True)
class Eject:
    """Write down that the bed is being emptied, then let the printer do it."""


@dataclass(frozen=True, slots=True)
class Report:
    """Say how things stand, now."""


@dataclass(frozen=True, slots=True)
class WriteJournal:
    """Write down what happened to the run, before anything else is done about it."""

    happened: Happened
    reason: str = ""


@dataclass(frozen=True, slots=True)
class NoteForeign:
    """Write down that somebody else's print began, or is gone."""

    printing: bool


@dataclass(frozen=True, slots=True)
class Start:
    """Tell the printer to start. Comes right after the commitment, and nowhere else."""


@dataclass(frozen=True, slots=True)
class Pause:
    """Tell the printer to pause."""


@dataclass(frozen=True, slots=True)
class Resume:
    """Tell the printer to go on."""


@dataclass(frozen=True, slots=True)
class Stop:
    """Tell the printer to stop for good."""


@dataclass(frozen=True, slots=True)
class Recover:
    """Ask the printer what became of the run, and take it over where it goes on."""


Step = (
    Fetch
    | Arm
    | FetchStaged
    | ArmStaged
    | GiveUp
    | Promote
    | Eject
    | Report
    | WriteJournal
    | NoteForeign
    | Start
    | Pause
    | Resume
    | Stop
    | Recover
)
