"""Lends serial lines to the pump, which goes the short way in C (pump.c), where it is built.

A line is lent with the next lines of its plate, numbered and encoded. It comes back when they are
nearly used up, when anything but bare oks is heard, or when its loop has something else to do.
Whoever looks at its connection in the loop's thread finds it given back.
"""

import ctypes
import os
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from protocols.gcode.flow import Lent

LIBRARY = Path(__file__).with_name("libpump.so")  # built from pump.c by build_pump.py
# Leaves lines to Python where it is "off": to compare, and where the library makes trouble.
SWITCH = "FARMHAND_PUMP"

LINES_MAX = 160
_HEARD_MAX = 4096
_NOTED_MAX = 4096
_NOTES_MAX = 160
_NOTE = struct.Struct("dii")
_READY_MAX = 32


class _Note(ctypes.Structure):
    _fields_ = (("at_s", ctypes.c_double), ("heard", ctypes.c_int32), ("said", ctypes.c_int32))


class _Line(ctypes.Structure):
    """As in pump.c."""

    _fields_ = (
        ("descriptor", ctypes.c_int32),
        ("lent", ctypes.c_int32),
        ("lines_max", ctypes.c_int32),
        ("bytes_max", ctypes.c_int32),
        ("under_way", ctypes.c_int32),
        ("count", ctypes.c_int32),
        ("number", ctypes.c_int32),
        ("rest_s_max", ctypes.c_double),
        ("sizes", ctypes.c_int32 * LINES_MAX),
        ("ready", ctypes.c_char_p),
        ("accepted", ctypes.c_int32),
        ("written", ctypes.c_int32),
        ("unwritten", ctypes.c_int32),
        ("heard_count", ctypes.c_int32),
        ("notes_count", ctypes.c_int32),
        ("heard", ctypes.c_ubyte * _HEARD_MAX),
        ("noted", ctypes.c_ubyte * _NOTED_MAX),
        ("notes", _Note * _NOTES_MAX),
        ("noted_count", ctypes.c_int32),
        ("bytes_under_way", ctypes.c_int32),
        ("said", ctypes.c_int32),
        ("rests_until_s", ctypes.c_double),
        ("met", ctypes.c_int32),
        ("sample", ctypes.c_int32),
        ("emptied", ctypes.c_int32),
        ("sampled_s", ctypes.c_double),
        ("way_s", ctypes.c_double),
        ("waits_s", ctypes.c_double),
        ("rest_s", ctypes.c_double),
    )


class Exchange(NamedTuple):
    """What was heard and answered at once."""

    at_s: float
    heard: bytes
    said: bytes


class Returned(NamedTuple):
    """What came of a line while it was lent.

    Attributes:
        accepted: lines that the firmware accepted.
        written: lines that were written, or begun.
        unwritten: bytes of those that the port did not take yet.
        heard: bytes that nobody has answered.
        exchanges: in order.
    """

    accepted: int
    written: int
    unwritten: bytes
    heard: bytes
    exchanges: list[Exchange]


class PumpedLine:
    """One serial line, as the pump sees it."""

    def __init__(self, pump: "Pump", descriptor: int) -> None:
        self.descriptor = descriptor
        self._pump = pump
        self._line = _Line(descriptor=descriptor)
        self._ready = b""
        self.address = ctypes.addressof(self._line)

    @property
    def lent(self) -> bool:
        """Whether the pump has it."""
        return bool(self._line.lent)

    def lend(self, lent: Lent, *, rest_s_max: float) -> None:
        """Have the pump serve it.

        Args:
            lent: at most LINES_MAX lines are under way or ready.
            rest_s_max: for how long nobody need look, as long as all is well.
        """
        line = self._line
        line.number, line.rest_s_max = lent.number, rest_s_max
        sizes = [*lent.under_way, *map(len, lent.ready)]
        self._ready = b"".join(lent.ready)
        line.lines_max, line.bytes_max = lent.lines_max, lent.bytes_max
        line.under_way, line.count = len(lent.under_way), len(sizes)
        line.sizes[: len(sizes)] = sizes
        line.ready = self._ready
        line.heard[: len(lent.heard)] = lent.heard
        line.heard_count = len(lent.heard)
        self._pump.library.pump_lend(self.address)

    def rest_after(
        self, at_s: float, *, accepted: int, under_way: int, left: int, rest_s_max: float
    ) -> float:
        """Return for how long it would rest after an answer; as `Rest.served`, which see."""
        line = self._line
        line.number, line.accepted, line.under_way = 1, accepted, under_way
        line.rest_s_max = rest_s_max
        return float(self._pump.library.pump_rest(self.address, at_s, left))

    def take_back(self) -> Returned:
        """Have it back; it was lent."""
        line = self._line
        self._pump.library.pump_take_back(self._pump.epoll, self.address)
        noted = ctypes.string_at(ctypes.addressof(line.noted), line.noted_count)
        notes = ctypes.string_at(ctypes.addressof(line.notes), line.notes_count * _NOTE.size)
        ready, exchanges, heard_at, said_at = self._ready, [], 0, 0
        for at_s, heard, said in _NOTE.iter_unpack(notes):
            heard_end, said_end = heard_at + heard, said_at + said
            exchanges.append(Exchange(at_s, noted[heard_at:heard_end], ready[said_at:said_end]))
            heard_at, said_at = heard_end, said_end
        return Returned(
            accepted=line.accepted,
            written=line.written,
            unwritten=self._ready[said_at - line.unwritten : said_at],
            heard=ctypes.string_at(ctypes.addressof(line.heard), line.heard_count),
            exchanges=exchanges,
        )


class Pump:
    """The library, with the lines of one loop."""

    def __init__(self, library: ctypes.CDLL, epoll: int) -> None:
        """Begin without a line.

        Args:
            library: as `load` finds it.
            epoll: descriptor of the epoll in which all lines are, and what else is waited for.
        """
        self.library = library
        self.epoll = epoll
        self._lines: list[PumpedLine] = []
        self._found = (ctypes.c_int32 * _READY_MAX)()
        self._addresses = (ctypes.c_void_p * 0)()

    @classmethod
    def load(cls, epoll: int) -> "Pump | None":
        """Return one for an epoll; None where it was not built, or is switched off."""
        if os.environ.get(SWITCH) == "off" or not LIBRARY.is_file():
            return None
        try:
            library = ctypes.CDLL(str(LIBRARY))
        except OSError:
            return None  # built for another machine
        if library.pump_line_bytes() != ctypes.sizeof(_Line):
            return None  # of another version
        library.pump_lend.argtypes = [ctypes.c_void_p]
        library.pump_lend.restype = None
        library.pump_take_back.argtypes = [ctypes.c_int, ctypes.c_void_p]
        library.pump_take_back.restype = None
        library.pump_rest.argtypes = [ctypes.c_void_p, ctypes.c_double, ctypes.c_int]
        library.pump_rest.restype = ctypes.c_double
        library.pump_wait.argtypes = [
            ctypes.c_int,
            ctypes.c_void_p,
            ctypes.c_int,
            ctypes.c_double,
            ctypes.c_void_p,
        ]
        return cls(library, epoll)

    def add(self, descriptor: int) -> PumpedLine:
        """Return a line that may be lent from now on."""
        line = PumpedLine(self, descriptor)
        self._keep([*self._lines, line])
        return line

    def remove(self, line: PumpedLine) -> None:
        """Never serve it again."""
        self._keep([one for one in self._lines if one is not line])

    def _keep(self, lines: list[PumpedLine]) -> None:
        self._lines = lines
        self._addresses = (ctypes.c_void_p * len(lines))(*(line.address for line in lines))

    def wait(self, until_s: float | None) -> Sequence[int]:
        """Serve the lines that are lent; other threads go on meanwhile.

        Args:
            until_s: monotonic; None: until something is ready.

        Returns:
            descriptors that need somebody: lent lines too, which are to be taken back.
        """
        count = self.library.pump_wait(
            self.epoll,
            ctypes.addressof(self._addresses),
            len(self._lines),
            -1.0 if until_s is None else until_s,
            ctypes.addressof(self._found),
        )
        return self._found[:count]
