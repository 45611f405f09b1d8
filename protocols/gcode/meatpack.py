"""MeatPack: two characters of G-code in a byte, for firmwares that say `Cap:MEATPACK:1`.

The protocol, as Marlin and Prusa speak it (PV01; devised by Scott Mudge). A byte holds two codes of
four bits, the first character in the lower half. Codes 0 to 14 are `0123456789. \\nGX`; 15 means
that the character itself follows, whole, after this byte; where both are 15, both follow in order.
The half behind a newline in the lower half is skipped, so that every line fills whole bytes.

Two bytes 0xFF are followed by a command: 0xFB switches packing on, 0xFA off, 0xF9 resets, 0xF8
asks, 0xF7 gives the code of the blank to `E`, 0xF6 gives it back. Commands are understood whether
packing is on or off and in the middle of anything, even behind a byte 0xFF that was a packed one:
that is what makes a reset safe whatever was said before. Each is answered with
`[MP] PV01 ON ESP` (or `OFF`; `NSP` where the blank's code is `E`'s), once or twice, and no ok.

Packed lines can't hold two bytes 0xFF in a row: what follows a whole character's mark is ASCII.
"""

from protocols.gcode.lines import encode

CHARACTERS = b"0123456789. \nGX"
WHOLE = 0xF
ENABLE, DISABLE, RESET, QUERY = 0xFB, 0xFA, 0xF9, 0xF8
NO_SPACES, SPACES = 0xF7, 0xF6
COMMAND_BYTE = 0xFF

_CODES = {character: code for code, character in enumerate(CHARACTERS)}
_NEWLINE = CHARACTERS.index(b"\n")
_BLANK = CHARACTERS.index(b" ")


def command(code: int) -> bytes:
    """Return what gives a command to the unpacker."""
    return bytes((COMMAND_BYTE, COMMAND_BYTE, code))


# Whatever the firmware was told before, and however much of it arrived.
SWITCH_OFF = command(RESET)
# Some Marlins leave the blank's code as it was at a reset.
SWITCH_ON = SWITCH_OFF + command(SPACES) + command(ENABLE)
ASK = command(QUERY)
# Ends a line even where the unpacker waits for two characters that went lost.
LINE_END = b"\xcc\xcc\xcc"


class _Pairs(dict[bytes, bytes]):
    """Two characters -> what they are packed into, made when first needed: some hundreds."""

    def __missing__(self, pair: bytes) -> bytes:
        first, second = (_CODES.get(character, WHOLE) for character in pair)
        whole = bytes(character for character in pair if character not in _CODES)
        packed = self[pair] = bytes((first | second << 4,)) + whole
        return packed


_PAIRS = _Pairs()


def pack(line: bytes) -> bytes:
    """Return one line of ASCII, newline included, as the unpacker takes it."""
    if len(line) & 1:
        line += b"\n"  # skipped
    return b"".join([_PAIRS[line[at : at + 2]] for at in range(0, len(line), 2)])


def unpacked(line: bytes) -> bytes:
    """Return what says a line as it is, between packed ones.

    An emergency parser looks at the wire before anything is unpacked, and knows a command only at
    the beginning of a line, hence the newline.
    """
    return b"".join((command(DISABLE), b"\n", line, command(ENABLE)))


def encode_packed(number: int, text: str) -> bytes:
    """Return what carries a command, packed; as `lines.encode` else, which bounds its length."""
    return pack(encode(number, text))


def encode_unpacked(number: int, text: str) -> bytes:
    """Return what carries a command that is looked for ahead of the unpacker."""
    return unpacked(encode(number, text))


class Unpacker:
    """The firmware's end: bytes in, characters and answers out."""

    def __init__(self) -> None:
        """Begin as after power-on: off."""
        self.on = self.no_spaces = False
        self._marks = 0  # bytes 0xFF that may be the beginning of a command
        self._commanded = False
        self._whole = 0  # characters that follow whole
        self._behind = b""  # the second of a pair, behind its first that follows whole

    @property
    def state(self) -> str:
        """What it answers to a command."""
        return f"[MP] PV01 {'ON' if self.on else 'OFF'} {'NSP' if self.no_spaces else 'ESP'}"

    def feed(self, data: bytes) -> tuple[bytes, list[str]]:
        """Take bytes from the wire; return the characters in them, and the answers to commands."""
        if not (self.on or self._marks or self._commanded or COMMAND_BYTE in data):
            return data, []
        out = bytearray()
        answers: list[str] = []
        for byte in data:
            if byte == COMMAND_BYTE:
                self._commanded = self._commanded or bool(self._marks)
                self._marks = 1 - self._marks
            elif self._commanded:
                self._commanded = False
                self._obey(byte)
                answers.append(self.state)
            else:
                if self._marks:
                    self._marks = 0
                    out += self._take(COMMAND_BYTE)
                out += self._take(byte)
        return bytes(out), answers

    def _obey(self, code: int) -> None:
        match code:
            case 0xFB | 0xFA:
                self.on = code == ENABLE
            case 0xF7 | 0xF6:
                self.no_spaces = code == NO_SPACES
            case 0xF9:
                self.__init__()  # type: ignore[misc]

    def _take(self, byte: int) -> bytes:
        if not self.on:
            return bytes((byte,))
        if self._whole:
            self._whole -= 1
            behind, self._behind = self._behind, b""
            return bytes((byte,)) + behind
        first, second = byte & 0xF, byte >> 4
        if first == WHOLE:
            self._whole = 1 + (second == WHOLE)
            self._behind = b"" if second == WHOLE else self._character(second)
            return b""
        if first == _NEWLINE:
            return b"\n"
        if second == WHOLE:
            self._whole = 1
            return self._character(first)
        return self._character(first) + self._character(second)

    def _character(self, code: int) -> bytes:
        return b"E" if code == _BLANK and self.no_spaces else CHARACTERS[code : code + 1]
