"""What a firmware can say, as values; reply_parser.py makes them of bytes."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Reading:
    """One heater or probe, in degrees Celsius; a target of 0 is off, None was not said."""

    actual_celsius: float
    target_celsius: float | None = None


class BusyKind(StrEnum):
    """Why a firmware does not answer yet."""

    PROCESSING = "processing"
    PAUSED_FOR_USER = "paused for user"
    PAUSED_FOR_INPUT = "paused for input"

    @property
    def needs_person(self) -> bool:
        """Whether somebody has to touch the machine before anything goes on."""
        return self is not BusyKind.PROCESSING


class ErrorKind(StrEnum):
    """What an error line means for the conversation."""

    TRANSMISSION = "transmission"  # a line arrived broken or out of order: repeat it
    FATAL = "fatal"  # the firmware has stopped itself, or must be stopped
    STORAGE = "storage"  # about its SD card: nothing to streaming
    OTHER = "other"


@dataclass(slots=True)
class Ok:
    """One line was executed, or a complaint ended.

    Not frozen: one is made per line, and freezing triples the cost. Treat it as a value.

    Attributes:
        number: which line, where the firmware tells (`ok N12`, `ok 12`).
        planner_free: free planner blocks, of ADVANCED_OK's P.
        buffer_free: free command slots, of ADVANCED_OK's B.
        readings: temperatures, when this answers an M105.
        position: axis -> millimetres, when this answers an M114.
        bare: nothing at all followed the `ok`.
    """

    number: int | None = None
    planner_free: int | None = None
    buffer_free: int | None = None
    readings: Mapping[str, Reading] | None = None
    position: Mapping[str, float] | None = None
    bare: bool = False


@dataclass(frozen=True, slots=True)
class Resend:
    """Please repeat from this line on; None when the number is missing or unreadable."""

    number: int | None


@dataclass(frozen=True, slots=True)
class Temperatures:
    """Readings by heater (`tool0`, `bed`, `chamber`, `probe`, `ambient`)."""

    readings: Mapping[str, Reading]


@dataclass(frozen=True, slots=True)
class Targets:
    """Target temperatures by heater, which Repetier tells apart from the readings."""

    targets: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Busy:
    """Still at it: grants nothing, but the firmware lives."""

    kind: BusyKind


@dataclass(frozen=True, slots=True)
class FirmwareError:
    """An error line; `last_line` is what it names as the last line received, if it does."""

    kind: ErrorKind
    text: str
    last_line: int | None = None


@dataclass(frozen=True, slots=True)
class Start:
    """The firmware has just booted: everything it knew is gone."""


@dataclass(frozen=True, slots=True)
class Wait:
    """The firmware is idle and heard nothing for a while."""


@dataclass(frozen=True, slots=True)
class FirmwareInfo:
    """The answer to M115: key -> value, `FIRMWARE_NAME` among them."""

    values: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Capability:
    """One `Cap:` line of the answer to M115."""

    name: str
    enabled: bool


@dataclass(frozen=True, slots=True)
class ActionCommand:
    """The firmware asks its host for something: `//action:pause`."""

    name: str
    argument: str


@dataclass(frozen=True, slots=True)
class Position:
    """Where the firmware thinks the head is: axis letter -> millimetres."""

    axes: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class UnknownCommand:
    """The firmware did not understand `command`, as it read it."""

    command: str


@dataclass(frozen=True, slots=True)
class Echo:
    """Text for people, marked as such by the firmware."""

    text: str


@dataclass(frozen=True, slots=True)
class Packing:
    """MeatPack's state, told after each of its commands.

    Attributes:
        on: it unpacks.
        spaces: blanks can be packed; else `E` in their place.
    """

    on: bool
    spaces: bool


@dataclass(frozen=True, slots=True)
class CardStatus:
    """Whether a file is being printed from the printer's own card, paused ones included.

    Attributes:
        printing: it is.
        byte, size: how far, and of how much; 0 where that is not told.
    """

    printing: bool
    byte: int = 0
    size: int = 0


@dataclass(frozen=True, slots=True)
class CardFile:
    """A file on the card was opened, to be printed; `name` may be empty."""

    name: str


@dataclass(frozen=True, slots=True)
class CardDone:
    """The last line of a file on the card was read."""


@dataclass(frozen=True, slots=True)
class Unrecognised:
    """Anything else: noise, banners, answers nobody here asked for. May be empty."""

    text: str


Reply = (
    Ok | Resend | Temperatures | Targets | Busy | FirmwareError | Start | Wait | FirmwareInfo
    | Capability | ActionCommand | Position | UnknownCommand | Echo | Packing | CardStatus
    | CardFile | CardDone | Unrecognised
)  # fmt: skip

PLAIN_OK = Ok(bare=True)
