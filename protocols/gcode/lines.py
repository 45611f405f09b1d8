"""One line of G-code: number and checksum it, take both off again, read its words.

The frame is that of RepRap and Marlin firmwares: `N<number> <command>*<checksum>`, the checksum
being the exclusive or of all bytes before the asterisk, written in decimal
(https://reprap.org/wiki/G-code#Checking).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from protocols.errors import InvalidLine

# Marlin's MAX_CMD_SIZE, the smallest in common use, counting number, checksum and newline.
LINE_BYTES_MAX = 96

_NAME = re.compile(r"([A-Z])\s*([0-9]{1,9}(?:\.[0-9]+)?)")
_WORD = re.compile(r"([A-Z])\s*([-+]?(?:\d+\.?\d*|\.\d+))?")
_FRAME = re.compile(rb"\s*N\s*(-?\d{1,10})(?!\d)\s*(.*)", re.DOTALL)

_LOW_512 = (1 << 512) - 1
_LOW_64 = (1 << 64) - 1

# These take the rest of the line as text, so that it holds no words.
_TEXT_COMMANDS = frozenset({"M117", "M118", "M23", "M28", "M30", "M928"})


@dataclass(frozen=True, slots=True)
class Command:
    """A command taken apart.

    Attributes:
        name: letter and code without leading zeros, `G1`, `M109`, `T0`, `G38.2`.
        words: letter -> value; a letter without a number, as in `G28 X`, has None.
        text: what follows the name, trimmed.
    """

    name: str
    words: Mapping[str, float | None]
    text: str

    def value(self, letter: str, default: float | None = None) -> float | None:
        """Return the number behind a letter, or the default where there is none."""
        found = self.words.get(letter)
        return default if found is None else found


@dataclass(frozen=True, slots=True)
class Frame:
    """What a firmware finds in one received line.

    Attributes:
        number: the line number, None where the line has none.
        command: the line without number and checksum, trimmed.
        checksum_given: what the sender wrote behind the asterisk, None without one.
        checksum_actual: what the bytes amount to.
    """

    number: int | None
    command: str
    checksum_given: int | None
    checksum_actual: int

    @property
    def intact(self) -> bool:
        """Whether a checksum is there and fits."""
        return self.checksum_given == self.checksum_actual


def checksum(body: bytes) -> int:
    """Return the exclusive or of all bytes, 0 to 255."""
    # Folding one large number takes half the time of a loop over the bytes.
    folded = int.from_bytes(body, "little")
    if len(body) > 64:
        while folded >> 512:
            folded = (folded >> 512) ^ (folded & _LOW_512)
    folded ^= folded >> 256
    folded ^= folded >> 128
    folded = (folded ^ folded >> 64) & _LOW_64
    folded ^= folded >> 32
    folded ^= folded >> 16
    folded ^= folded >> 8
    return folded & 0xFF


def encode(number: int, command: str) -> bytes:
    """Return the bytes that carry a command, newline included.

    Args:
        number: the line number, 0 or more.
        command: one command without comment, as `strip_comment` leaves it.

    Raises:
        InvalidLine: it is empty, not ASCII, holds a line end, `*` or `;`, or is too long.
    """
    if not command:
        raise InvalidLine(command, "it is empty")
    if "*" in command or ";" in command or "\n" in command or "\r" in command:
        raise InvalidLine(command, "it holds a line end, a comment or an asterisk")
    if not command.isascii():
        raise InvalidLine(command, "it is not plain ASCII")
    body = f"N{number} {command}".encode()
    line = b"%b*%d\n" % (body, checksum(body))
    if len(line) > LINE_BYTES_MAX:
        raise InvalidLine(command, f"it takes {len(line)} bytes, of {LINE_BYTES_MAX} at most")
    return line


def decode(line: bytes) -> Frame:
    """Take number and checksum off one received line; never raises."""
    body, star, tail = line.rstrip(b"\r\n").rpartition(b"*")
    if not star:
        body = tail
    digits = tail.strip() if star else b""
    given = int(digits) if digits.isdigit() and len(digits) <= 3 else None
    if star and given is None:
        given = -1
    numbered = _FRAME.match(body)
    number = int(numbered[1]) if numbered else None
    text = numbered[2] if numbered else body
    return Frame(number, text.decode("latin-1").strip(), given, checksum(body))


def strip_comment(text: str) -> str:
    """Return the command in a line of a file: no `;` or `( )` comment, no blanks around it."""
    text = text.partition(";")[0]
    if "(" in text and not text.lstrip().upper().startswith(tuple(_TEXT_COMMANDS)):
        text = re.sub(r"\([^)]*\)", "", text)
    return text.strip()


def parse(text: str) -> Command | None:
    """Return the command in a line without comment, or None where there is none."""
    upper = text.strip().upper()
    named = _NAME.match(upper)
    if named is None:
        return None
    whole, dot, fraction = named[2].partition(".")
    name = f"{named[1]}{int(whole)}{dot}{fraction}"
    rest = text.strip()[named.end() :].strip()
    words: dict[str, float | None] = {}
    if name not in _TEXT_COMMANDS:
        for letter, number in _WORD.findall(rest.upper()):
            words.setdefault(letter, float(number) if number else None)
    return Command(name, MappingProxyType(words), rest)
