"""One line of bytes from a firmware -> one Reply.

The spellings are those of Marlin 1.0 to 2.1, Prusa, RepRapFirmware, Klipper, Repetier and Smoothie.
`parse_reply` never raises: noise becomes `Unrecognised`. Prefixes are looked at before any regular
expression, the commonest first, because a print hears one `ok` per line.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType

from protocols.gcode.replies import (
    PLAIN_OK,
    ActionCommand,
    Busy,
    BusyKind,
    Capability,
    CardDone,
    CardFile,
    CardStatus,
    Echo,
    ErrorKind,
    FirmwareError,
    FirmwareInfo,
    Ok,
    Packing,
    Position,
    Reading,
    Reply,
    Resend,
    Start,
    Targets,
    Temperatures,
    UnknownCommand,
    Unrecognised,
    Wait,
)

# No line number is longer; more digits are noise, and Python refuses to read thousands of them.
_NUMBER = rb"(\d{1,10})(?!\d)"
_FIRST_NUMBER = re.compile(rb"\D*?" + _NUMBER)
_ADVANCED_OK = re.compile(rb"ok N(\d{1,10}) P(\d{1,10}) B(\d{1,10})\r?").fullmatch
_OK_WORD = re.compile(rb"(?:^|\s)([NPB])(\d{1,10})(?=\s|$)")
_OK_NUMBER = re.compile(rb"(\d{1,10})(?:\s|$)")
_LAST_LINE = re.compile(rb"last line:\s*" + _NUMBER, re.IGNORECASE)
_HEATER = re.compile(
    rb"(?:^|\s)(T\d?|B|C|P|A):\s*(-?\d{1,5}(?:\.\d{1,9})?)(?:\s*/\s*(-?\d{1,5}(?:\.\d{1,9})?))?"
)
_TARGET = re.compile(rb"Target(Extr|Bed)(\d?):\s*(-?\d{1,5}(?:\.\d{1,9})?)")
_AXIS = re.compile(rb"([XYZE]):\s*(-?\d{1,9}(?:\.\d{1,9})?)")
_UNKNOWN_COMMAND = re.compile(rb"(?:echo:\s*)?unknown command:\s*\"?([^\"]*)", re.IGNORECASE)
_INFO_KEY = re.compile(r"(?:^|\s)([A-Z][A-Z0-9_]*):")
_PACKING = re.compile(rb"\[MP\] (?:PV\d+ )?(ON|OFF)( NSP| ESP)?$")
_ACTION = re.compile(rb"//\s*action:\s*(\S+)\s*(.*)")

_CARD_BYTES = re.compile(rb"sd printing byte\s*(\d{1,12})\s*/\s*(\d{1,12})", re.IGNORECASE)
_CARD_OPENED = re.compile(rb"file opened:\s*(.*?)(?:\s+size:\s*\d+)?$", re.IGNORECASE)

_HEATER_NAMES = {b"T": "tool0", b"B": "bed", b"C": "chamber", b"P": "probe", b"A": "ambient"}
_BUSY_KINDS = {
    b"paused for user": BusyKind.PAUSED_FOR_USER,
    b"paused for input": BusyKind.PAUSED_FOR_INPUT,
}

_FATAL_TEXTS = (
    b"thermal runaway", b"thermal malfunction", b"heating failed", b"mintemp", b"maxtemp",
    b"watchdog", b"kill caused", b"kill() called", b"printer halted", b"printer stopped",
    b"emergency stop",
)  # fmt: skip
_TRANSMISSION_TEXTS = (
    b"checksum", b"line number", b"linenumber", b"last line", b"format error", b"expected line",
)  # fmt: skip
_STORAGE_TEXTS = (
    b"volume.init", b"openroot", b"workdir", b"open failed", b"cannot open", b"cannot enter",
    b"error writing to file", b"no media", b"sd init",
)  # fmt: skip
# Marlin and most; with a full stop RepRapFirmware and Klipper; Smoothie.
_CARD_IDLE = (b"not sd printing", b"not currently playing")
_CARD_PAUSED = (b"sd print paused", b"print saved")  # Prusa


def parse_reply(line: bytes) -> Reply:
    """Return what one received line says, with or without its line end; never raises."""
    if line == b"ok" or line == b"ok\r":
        return PLAIN_OK
    advanced = _ADVANCED_OK(line)
    if advanced is not None:
        number, planner_free, buffer_free = advanced.groups()
        return Ok(int(number), int(planner_free), int(buffer_free))
    line = line.strip(b" \t\r\n\0")
    if line.startswith(b"ok") and not line[2:3].isalpha():
        return _parse_ok(line[2:].strip())
    first = line[:1]
    if first in _BY_FIRST_BYTE:
        reply = _BY_FIRST_BYTE[first](line)
        if reply is not None:
            return reply
    if line.startswith(b"File deleted:") and line.endswith(b"ok"):
        return Ok()  # of M30, on the same line in old firmwares
    if b"FIRMWARE_NAME:" in line:
        return _parse_info(line)
    if any(text in line.lower() for text in _FATAL_TEXTS):
        return FirmwareError(ErrorKind.FATAL, _text(line))
    return Unrecognised(_text(line))


def is_fatal(text: str) -> bool:
    """Whether a text says that the firmware has stopped itself."""
    lower = text.lower().encode("latin-1", "replace")
    return any(part in lower for part in _FATAL_TEXTS)


def _text(line: bytes) -> str:
    return line.decode("latin-1")


def _parse_ok(rest: bytes) -> Ok:
    if not rest:
        return PLAIN_OK
    numbered = _OK_NUMBER.match(rest)
    if numbered is not None:
        return Ok(number=int(numbered[1]))
    if rest[:2] in (b"X:", b"C:"):
        return Ok(position=_axes(rest))
    words = {letter: int(value) for letter, value in _OK_WORD.findall(rest)}
    readings = _readings(rest)
    return Ok(words.get(b"N"), words.get(b"P"), words.get(b"B"), readings or None)


def _readings(line: bytes) -> Mapping[str, Reading]:
    """Return the readings in a line; the first of a name wins, and `T` yields to `T0`."""
    found: dict[bytes, Reading] = {}
    for name, actual, target in _HEATER.findall(line):
        found.setdefault(name, Reading(float(actual), float(target) if target else None))
    if b"T" in found and any(len(name) == 2 for name in found):
        del found[b"T"]
    return MappingProxyType(
        {_HEATER_NAMES.get(name) or f"tool{int(name[1:])}": value for name, value in found.items()}
    )


def _axes(line: bytes) -> Mapping[str, float]:
    axes: dict[str, float] = {}
    # What follows `Count` is in motor steps.
    for letter, value in _AXIS.findall(line.partition(b"Count")[0]):
        axes.setdefault(letter.decode(), float(value))
    return MappingProxyType(axes)


def _parse_temperatures(line: bytes) -> Reply | None:
    if _HEATER.match(line) is None:
        return None
    return Temperatures(_readings(line))


def _parse_targets(line: bytes) -> Reply | None:
    found = _TARGET.findall(line)
    if not found:
        return _parse_temperatures(line)
    return Targets(
        MappingProxyType(
            {
                "bed" if heater == b"Bed" else f"tool{int(number or b'0')}": float(target)
                for heater, number, target in found
            }
        )
    )


def _parse_position(line: bytes) -> Reply | None:
    return Position(_axes(line)) if line.startswith(b"X:") and _AXIS.match(line) else None


def _parse_resend(line: bytes) -> Reply | None:
    lower = line.lower()
    asks = lower.startswith(b"resend") or (lower.startswith(b"rs") and not lower[2:3].isalpha())
    if not asks and not re.match(rb"rs\s+n?\d", lower):
        return None
    found = _FIRST_NUMBER.match(line)
    return Resend(int(found[1]) if found else None)


def _parse_error(line: bytes) -> Reply | None:
    lower = line.lower()
    if lower.startswith((b"fatal:", b"!!")):
        return FirmwareError(ErrorKind.FATAL, _text(line))
    if lower.startswith(b"echo:"):
        return _parse_echo(line)
    if not lower.startswith(b"error"):
        return None
    last = _LAST_LINE.search(line)
    last_line = int(last[1]) if last else None
    text = _text(line).partition(":")[2].strip() or _text(line)
    for kind, texts in (
        (ErrorKind.FATAL, _FATAL_TEXTS),
        (ErrorKind.TRANSMISSION, _TRANSMISSION_TEXTS),
        (ErrorKind.STORAGE, _STORAGE_TEXTS),
    ):
        if any(part in lower for part in texts):
            return FirmwareError(kind, text, last_line)
    return FirmwareError(ErrorKind.OTHER, text, last_line)


def _parse_echo(line: bytes) -> Reply:
    text = line[5:].strip()
    if text[:5] == b"busy:":
        return _busy(text)
    unknown = _UNKNOWN_COMMAND.match(text)
    if unknown is not None:
        return UnknownCommand(_text(unknown[1].strip()))
    return Echo(_text(text))


def _busy(text: bytes) -> Reply:
    return Busy(_BUSY_KINDS.get(text[5:].strip().lower(), BusyKind.PROCESSING))


def _parse_busy(line: bytes) -> Reply | None:
    return _busy(line) if line.startswith(b"busy:") else None


def _parse_single_word(line: bytes) -> Reply | None:
    # Longer lines hold these words too, and mean nothing of the kind.
    if line == b"start":
        return Start()
    return Wait() if line == b"wait" else None


def _parse_capability(line: bytes) -> Reply | None:
    if not line.startswith(b"Cap:"):
        return _parse_temperatures(line)
    name, _, value = line[4:].partition(b":")
    return Capability(_text(name.strip()), value.strip() == b"1")


def _parse_slashes(line: bytes) -> Reply | None:
    if not line.startswith(b"//"):
        return None
    action = _ACTION.match(line)
    if action is None:
        return Echo(_text(line[2:].strip()))
    return ActionCommand(_text(action[1]), _text(action[2].strip()))


def _parse_unknown_command(line: bytes) -> Reply | None:
    unknown = _UNKNOWN_COMMAND.match(line)
    return UnknownCommand(_text(unknown[1].strip())) if unknown else None


def _parse_info(line: bytes) -> Reply:
    text = _text(line)
    keys = list(_INFO_KEY.finditer(text))
    ends = [key.start() for key in keys[1:]] + [len(text)]
    values = {key[1]: text[key.end() : end].strip() for key, end in zip(keys, ends, strict=True)}
    return FirmwareInfo(MappingProxyType(values))


def _parse_name(line: bytes) -> Reply | None:
    # Malyan boards leave the first word out.
    if line.startswith((b"NAME:", b"NAME.")):
        return FirmwareInfo(MappingProxyType({"FIRMWARE_NAME": _text(line[5:].strip())}))
    return None


def _parse_packing(line: bytes) -> Reply | None:
    told = _PACKING.match(line)
    return told and Packing(told[1] == b"ON", told[2] != b" NSP")


def _parse_card(line: bytes) -> Reply | None:
    lower = line.lower()
    told = _CARD_BYTES.match(line)
    if told is not None:
        byte, size = int(told[1]), int(told[2])
        return CardStatus(size > 0, byte, size)  # "0/0" is said where nothing prints
    if lower.startswith(_CARD_IDLE):
        return CardStatus(False)
    if lower.startswith(_CARD_PAUSED):
        return CardStatus(True)
    if lower.startswith(b"done printing file"):
        return CardDone()
    if lower.startswith(b"file selected"):
        return CardFile("")
    opened = _CARD_OPENED.match(line)
    return CardFile(_text(opened[1])) if opened is not None else None


def _parse_name_or_card(line: bytes) -> Reply | None:
    return _parse_name(line) or _parse_card(line)


_BY_FIRST_BYTE = {
    b"[": _parse_packing,
    b"T": _parse_targets,
    b"B": _parse_temperatures,
    b"C": _parse_capability,
    b"X": _parse_position,
    b"R": _parse_resend,
    b"r": _parse_resend,
    b"E": _parse_error,
    b"e": _parse_error,
    b"f": _parse_error,
    b"!": _parse_error,
    b"b": _parse_busy,
    b"s": _parse_single_word,
    b"w": _parse_single_word,
    b"/": _parse_slashes,
    b"U": _parse_unknown_command,
    b"u": _parse_unknown_command,
    b"N": _parse_name_or_card,
    b"S": _parse_card,
    b"D": _parse_card,
    b"F": _parse_card,
    b"P": _parse_card,
}
