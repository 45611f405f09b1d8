"""What a driver sees, as data: the part of the driver's contract that decisions are made from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from protocols.wire.vocabulary import UNTUNED, Finding, PrinterState, RunId, Temperature, Tuning


class RunState(StrEnum):
    """What a printer did with the run that it was given last."""

    NONE = "none"
    PRINTING = "printing"
    PAUSED = "paused"
    FINISHED = "finished"
    STOPPED = "stopped"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSeen:
    """How far a run has come.

    Attributes:
        state: what the printer does with it. FINISHED only once motion has ended.
        line: lines of the plate that the firmware acknowledged; `line_count` in all.
        layer: the layer being printed, 1 the first, 0 before it; `layer_count` in all.
        progress: 0 to 1, by time where it is known.
        remaining_s: estimated seconds to the end, None where unknown.
        lines_sent: lines sent, repeats included; `resends` asked for by the firmware.
        reason: why it failed, stopped or is unknown, for a person.
        evidence: the end of the dialogue with the printer, where the run ended badly.
    """

    run_id: RunId
    state: RunState
    line: int = 0
    line_count: int = 0
    layer: int = 0
    layer_count: int = 0
    progress: float = 0.0
    remaining_s: float | None = None
    lines_sent: int = 0
    resends: int = 0
    reason: str = ""
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What a driver sees now; never None and never reset by a lost connection.

    Attributes:
        state: the printer's own state; OFFLINE while there is no connection.
        temperatures: heater name (`tool0`, `bed`, `chamber`) -> last reading.
        run: the run that this driver started or took over last, None before the first.
        message: what the printer says of itself, for a person; empty when all is well.
        foreign: something is printing that this driver did not start.
        findings: what is wrong with the printer, alarms first.
        tuning: fan, speed and flow, as far as they are known.
    """

    state: PrinterState
    temperatures: Mapping[str, Temperature] = field(default_factory=dict)
    run: RunSeen | None = None
    message: str = ""
    foreign: bool = False
    findings: tuple[Finding, ...] = ()
    tuning: Tuning = UNTUNED
