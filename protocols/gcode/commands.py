"""Commands by name: what no plate may say, what alters the machine, what a firmware knows at all.

The names that Marlin knows are those of its documentation (https://marlinfw.org/meta/gcode/), the
others those that Prusa's firmware adds. Other firmwares take what they do not know in silence, or
call their macros that way: for them nothing is unknown.
"""

from collections.abc import Iterable, Mapping

from protocols.gcode.dialects import MARLIN, PRUSA, Dialect

FORBIDDEN: Mapping[str, str] = {
    "M23": "it prints from the SD card",
    "M24": "it prints from the SD card",
    "M28": "it writes to the SD card",
    "M29": "it writes to the SD card",
    "M30": "it deletes from the SD card",
    "M32": "it prints from the SD card",
    "M81": "it switches the power off",
    "M110": "it breaks the numbering of lines",
    "M112": "it stops the machine",
    "M410": "it stops the machine",
    "M500": "it overwrites stored settings",
    "M502": "it discards stored settings",
    "M504": "it overwrites stored settings",
    "M524": "it stops a print",
    "M575": "it changes the speed of the serial line",
    "M928": "it writes to the SD card",
    "M997": "it flashes the firmware",
    "M999": "it restarts the firmware",
}

# Where words may be commands: those that store settings or restart.
FORBIDDEN_MACROS: Mapping[str, str] = {
    "SAVE_CONFIG": "it overwrites stored settings",
    "RESTART": "it restarts the firmware",
    "FIRMWARE_RESTART": "it restarts the firmware",
    "SDCARD_PRINT_FILE": "it prints from the SD card",
    "SDCARD_RESET_FILE": "it prints from the SD card",
    "CANCEL_PRINT": "it stops a print",
}

# Until the printer is restarted, all later prints have it too.
ALTERING: Mapping[str, str] = {
    "M92": "steps per millimetre",
    "M111": "what is carried out and what is told",
    "M206": "where home is",
    "M211": "whether moves are kept inside the machine",
    "M301": "how the nozzle is heated",
    "M302": "whether it extrudes when cold",
    "M304": "how the bed is heated",
    "M428": "where home is",
    "M569": "how the motors are driven",
    "M665": "the geometry",
    "M666": "the geometry",
    "M851": "where the probe is",
    "M906": "motor currents",
    "M907": "motor currents",
    "M908": "motor currents",
    "M913": "how the motors are driven",
    "M914": "how homing is felt",
}


def _spans(letter: str, text: str) -> Iterable[str]:
    for span in text.split():
        first, _, last = span.partition("-")
        yield from (f"{letter}{number}" for number in range(int(first), int(last or first) + 1))


_MARLIN = frozenset(
    (
        *_spans("G", "0-5 10-12 17-21 26-35 38 42 53-61 76 80 90-92 425"),
        *_spans("M", "0-12 16-34 42-43 48 73 75-78 80-87 92 100 102 104-123 125-129"),
        *_spans("M", "140-145 149-150 154-155 163-166 190-193 200-224 226 240 250 255-256 260-261"),
        *_spans("M", "280-282 290 300-306 350-351 355 360-364 380-381 400-403 404-407 410 412-414"),
        *_spans("M", "420-423 425 428 430 485-486 493 500-504 510-512 524 540 550-554 569 575"),
        *_spans("M", "592-593 600 603 605 665-666 672 701-702 710 808 810-820 851-852 860-869"),
        *_spans("M", "871 876 900 906-909 910-922 928 951 993-995 997 999 7219"),
    )
)  # fmt: skip
_PRUSA = frozenset(
    (
        *_spans("G", "6 29 30 75-76 80-81 86-88 98-99"),
        *_spans("M", "27 44-47 72 74 79 93 117 220-221 310 323-325 330-336 350-351 361 403 552"),
        *_spans("M", "555 569 572-574 591 593 600-601 602-604 700-709 711-713 850 860-863 910-918"),
        *_spans("M", "919-920 960 1012-1015 1401 1600-1704 9150 9200-9201"),
    )
)  # fmt: skip


def known(name: str, dialect: Dialect) -> bool:
    """Whether a firmware knows a command by its name; a fraction in it does not count."""
    if name[0] not in "GM":
        return True
    whole = name.partition(".")[0]
    if dialect is PRUSA:
        return whole in _MARLIN or whole in _PRUSA
    return dialect is not MARLIN or whole in _MARLIN
