"""What a connection tells its owner. Values only; nothing here acts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from protocols.gcode.dialects import UNKNOWN, Dialect
from protocols.gcode.replies import Reading


@dataclass(frozen=True, slots=True)
class Ready:
    """The firmware answers and has told what it is; lines may be submitted.

    Attributes:
        firmware: M115's keys and values, empty where the firmware has none.
        capabilities: names of the `Cap:` lines that said 1.
        dialect: the row of `dialects` that fits.
    """

    firmware: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    capabilities: frozenset[str] = frozenset()
    dialect: Dialect = UNKNOWN


@dataclass(frozen=True, slots=True)
class Identified:
    """The firmware that was adopted has told what it is; the fields are those of Ready."""

    firmware: Mapping[str, str]
    capabilities: frozenset[str]
    dialect: Dialect


@dataclass(frozen=True, slots=True)
class NumberFound:
    """The firmware lives, has not restarted, and counts on from here.

    The connection waits for `go_on` or `begin_anew`.

    Attributes:
        last_line: number of the last line that the firmware took; it executes, or has executed,
            everything up to it.
    """

    last_line: int


@dataclass(frozen=True, slots=True)
class NumberUnknown:
    """The firmware lives and does not tell where it is. Waits like NumberFound."""

    reason: str


@dataclass(frozen=True, slots=True)
class OwnLine:
    """A numbered line of the connection itself; told before its bytes can be fetched."""

    number: int
    command: str


@dataclass(slots=True)
class Accepted:
    """A submitted command was executed by the firmware (a move: is in its planner).

    Not frozen: one is made per line, and freezing triples the cost. Treat it as a value.

    Attributes:
        number: the line number that it had on the wire.
        tag: what the owner submitted it with.
    """

    number: int
    tag: object = None


@dataclass(frozen=True, slots=True)
class LineRepeated:
    """The firmware asked for a repetition, and gets it from this line on."""

    number: int


@dataclass(frozen=True, slots=True)
class TemperaturesReported:
    """Fresh readings by heater; heaters not named are not included."""

    readings: Mapping[str, Reading]


@dataclass(frozen=True, slots=True)
class PositionReported:
    """Where the firmware thinks the head is: axis letter -> millimetres."""

    axes: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class AttentionChanged:
    """The firmware began, or ceased, to wait for a person at the machine."""

    needed: bool


@dataclass(frozen=True, slots=True)
class ActionRequested:
    """The firmware asks its host for something (`//action:`). Nothing was done about it."""

    name: str
    argument: str


@dataclass(frozen=True, slots=True)
class ErrorReported:
    """An error that is neither about transmission nor fatal."""

    text: str


@dataclass(frozen=True, slots=True)
class CommandUnknown:
    """The firmware does not know this command; it went on."""

    command: str


@dataclass(frozen=True, slots=True)
class CardTold:
    """Whether a file is printed from the printer's own card; `byte` of `size`, 0 if untold."""

    printing: bool
    byte: int = 0
    size: int = 0


@dataclass(frozen=True, slots=True)
class CardFileOpened:
    """A file on the card was opened, as it is before it is printed; the name may be empty."""

    name: str


@dataclass(frozen=True, slots=True)
class CardFileDone:
    """A file was read from the card to its end."""


@dataclass(frozen=True, slots=True)
class Said:
    """A line for people, or one that nobody here understands."""

    text: str


@dataclass(frozen=True, slots=True)
class BoardReset:
    """The firmware restarted by itself: position, temperatures and numbering are gone.

    Everything submitted and not yet accepted is dropped. A new handshake is under way.

    Attributes:
        last_accepted: number of the last line accepted before, 0 for none.
    """

    last_accepted: int


@dataclass(frozen=True, slots=True)
class Halted:
    """The firmware stopped itself for a reason like a thermal runaway; it needs a reset."""

    reason: str


@dataclass(frozen=True, slots=True)
class ConnectionFailed:
    """Nobody answers, or nothing gets through: close the port and begin anew."""

    reason: str


Event = (
    Ready | Identified | NumberFound | NumberUnknown | OwnLine | Accepted | LineRepeated
    | TemperaturesReported | PositionReported | AttentionChanged | ActionRequested | ErrorReported
    | CommandUnknown | CardTold | CardFileOpened | CardFileDone | Said | BoardReset | Halted
    | ConnectionFailed
)  # fmt: skip
