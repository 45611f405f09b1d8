"""How firmwares differ, as rows of data. A row holds only what the host acts upon.

To add a firmware, add a row: the first whose `recognised_by` occurs in M115's FIRMWARE_NAME counts.
"""

from dataclasses import dataclass

# Commands that may take minutes, during which a firmware without keepalive says nothing at all.
_LONG_COMMANDS = frozenset(
    {"G28", "G29", "G30", "G33", "G34", "G76", "M0", "M1", "M109", "M116", "M190", "M191", "M226",
     "M303", "M400", "M600", "M701", "M702"}
)  # fmt: skip

# BUFSIZE of Marlin's default configuration, and Prusa's; boards with more tell so (ADVANCED_OK).
_MARLIN_QUEUE_LINES = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """One firmware's ways.

    Attributes:
        name: what we call it.
        recognised_by: text that its FIRMWARE_NAME holds.
        long_commands: names of commands that may take minutes in silence.
        accepts_macros: words such as `PRINT_START` are commands too.
        window_lines: lines that every board with this firmware takes unaccepted.
        reads_glued_words: `G1X5Y5` is read like `G1 X5 Y5`; said so only of firmwares whose
            parser was looked at, with the exceptions that shorten.py names.
        card_question: what it answers with whether it prints from its card; empty: it can't say.
        tuning_questions: what it answers with how speed and flow stand, and that changes nothing:
            others take these for 100 %. Said so only of firmwares that were looked at.
        fan_by_ratio: a fan's value of 1 or less is its ratio, 1 being all.
    """

    name: str
    recognised_by: str
    long_commands: frozenset[str] = _LONG_COMMANDS
    accepts_macros: bool = False
    window_lines: int = 1
    reads_glued_words: bool = False
    card_question: str = "M27"
    tuning_questions: tuple[str, ...] = ()
    fan_by_ratio: bool = False


PRUSA = Dialect(
    name="Prusa",
    recognised_by="Prusa-Firmware",
    long_commands=_LONG_COMMANDS | {"G80", "M45", "M46", "M860"},
    window_lines=_MARLIN_QUEUE_LINES,
    reads_glued_words=True,
)
REPRAPFIRMWARE = Dialect(
    name="RepRapFirmware",
    recognised_by="RepRapFirmware",
    long_commands=_LONG_COMMANDS | {"G32", "M98", "M291"},
    tuning_questions=("M220",),  # M221 is an error where no tool is selected
    fan_by_ratio=True,
)
KLIPPER = Dialect(name="Klipper", recognised_by="Klipper", accepts_macros=True, window_lines=4)
REPETIER = Dialect(
    name="Repetier", recognised_by="Repetier", long_commands=_LONG_COMMANDS | {"G32"}
)
SMOOTHIE = Dialect(
    name="Smoothie",
    recognised_by="Smoothie",
    long_commands=_LONG_COMMANDS | {"G32"},
    tuning_questions=("M220", "M221"),
)
# Prints from its card behind the back of its own M27.
ULTIMAKER2 = Dialect(name="Ultimaker 2", recognised_by="Ultimaker2", card_question="")
MARLIN = Dialect(
    name="Marlin",
    recognised_by="Marlin",
    window_lines=_MARLIN_QUEUE_LINES,
    reads_glued_words=True,
    tuning_questions=("M220", "M221"),
)
# Spoken to like a Marlin, but one line at a time: nobody knows what its buffers hold.
UNKNOWN = Dialect(name="unknown", recognised_by="")

DIALECTS = (PRUSA, REPRAPFIRMWARE, KLIPPER, REPETIER, SMOOTHIE, ULTIMAKER2, MARLIN)


def dialect_of(firmware_name: str) -> Dialect:
    """Return the row for a FIRMWARE_NAME, UNKNOWN for a name nobody knows."""
    lower = firmware_name.lower()
    return next((row for row in DIALECTS if row.recognised_by.lower() in lower), UNKNOWN)
