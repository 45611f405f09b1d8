"""The words of the wire: ids, epochs, units, and the enums that messages are made of."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NewType

AgentId = NewType("AgentId", str)
PrinterId = NewType("PrinterId", str)
JobId = NewType("JobId", str)
RunId = NewType("RunId", str)

# A lease's number. It only grows, per printer; 0 means that there never was a lease.
Epoch = NewType("Epoch", int)
NEVER_LEASED = Epoch(0)

# Proof that an agent asked for a permit just now: fresh, random, and fsynced before it is said.
# It names the process that made it: a copy of a card holds the nonce, but is another process.
Nonce = NewType("Nonce", str)
_BOOT_LENGTH = 12

# The identity of one agent's memory. A new journal is a new memory, whatever the agent's name.
JournalId = NewType("JournalId", str)

# One level of a topic: no dots (NATS refuses them), no wildcards, no blanks.
ID_PATTERN = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_ID = re.compile(ID_PATTERN)


def is_id(text: str) -> bool:
    """Whether a text may name an agent or a printer: a-z, 0-9 and inner hyphens, 63 at most."""
    return _ID.fullmatch(text) is not None


def nonce_of(boot_id: str, chance: str) -> Nonce:
    """Return a nonce of this process; `chance` is fresh and random."""
    return Nonce(f"{boot_id[:_BOOT_LENGTH]}.{chance}")


def is_of_another_boot(nonce: Nonce, boot_id: str) -> bool:
    """Whether another process made the nonce; False where an older agent's does not tell."""
    boot, dot, _ = nonce.partition(".")
    return bool(dot) and boot != boot_id[:_BOOT_LENGTH]


class Mode(StrEnum):
    """What the coordinator wants of a run."""

    RUN = "run"
    PAUSE = "pause"
    STOP = "stop"


class BedPolicy(StrEnum):
    """Who empties a printer's bed after a print that finished."""

    ATTENDED = "attended"  # a person, who then says so
    SELF_CLEARING = "self_clearing"  # the printer: a belt, or an ejection routine of its agent


class UpdatePhase(StrEnum):
    """How far an agent is with an update."""

    FETCHING = "fetching"
    DRAINING = "draining"  # it takes no new run, and waits for what prints
    TRIAL = "trial"  # the new version runs, until somebody says that it is sound
    SETTLED = "settled"
    REFUSED = "refused"
    ROLLED_BACK = "rolled_back"


class RunPhase(StrEnum):
    """How far an agent is with a run."""

    FETCHING = "fetching"
    READY = "ready"
    COMMITTED = "committed"
    PRINTING = "printing"
    PAUSED = "paused"
    STOPPING = "stopping"
    FINISHED = "finished"
    STOPPED = "stopped"
    FAILED = "failed"
    LOST = "lost"

    @property
    def is_end(self) -> bool:
        """Whether nothing more will come of the run by itself."""
        return self in (RunPhase.FINISHED, RunPhase.STOPPED, RunPhase.FAILED, RunPhase.LOST)


class PrinterState(StrEnum):
    """What a printer is seen doing, by its driver."""

    OFFLINE = "offline"
    IDLE = "idle"
    PRINTING = "printing"
    PAUSED = "paused"
    ATTENTION = "attention"  # it waits for a person at the machine
    HALTED = "halted"  # it stopped itself and needs a reset


class EventKind(StrEnum):
    """What happened to a run, in the history."""

    STARTED = "started"
    PAUSED = "paused"
    RESUMED = "resumed"
    FINISHED = "finished"
    STOPPED = "stopped"
    FAILED = "failed"
    LOST = "lost"
    RELEASED = "released"  # never started, and never will be under this epoch


@dataclass(frozen=True, slots=True)
class Temperature:
    """One reading, in degrees Celsius; a target of 0 is off, None is unknown."""

    actual_celsius: float
    target_celsius: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuning:
    """What is set on a printer beside its heaters; None is what nobody knows.

    Attributes:
        fan_ratio: of the fan that cools the part, 0 to 1.
        speed_ratio, flow_ratio: what the plate says is multiplied by this, 1 as it says.
        fan_rpm, hotend_fan_rpm: how fast the fans of part and hotend turn, where that is measured.
    """

    fan_ratio: float | None = None
    speed_ratio: float | None = None
    flow_ratio: float | None = None
    fan_rpm: float | None = None
    hotend_fan_rpm: float | None = None


UNTUNED = Tuning()


class Level(StrEnum):
    """How urgent a finding is."""

    WARNING = "warning"
    ALARM = "alarm"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong now.

    Attributes:
        rule: its name, with a dot and the heater where it is about one: it tells findings apart.
        words: for a person.
        evidence: the numbers that it rests on, units last.
    """

    rule: str
    level: Level
    words: str
    evidence: Mapping[str, float] = field(default_factory=dict)
