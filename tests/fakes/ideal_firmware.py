"""A firmware's line protocol without a printer: what it executed is the oracle. Pure."""

from collections import deque

from protocols.gcode.lines import decode, parse
from protocols.gcode.meatpack import Unpacker

INFO = (
    b"FIRMWARE_NAME:Marlin 2.1.2 SOURCE_CODE_URL:github.com/MarlinFirmware PROTOCOL_VERSION:1.0\n"
    b"Cap:AUTOREPORT_TEMP:0\nCap:BUSY_PROTOCOL:1\n"
)


class IdealFirmware:
    """Executes intact lines in order, refuses all others, as Marlin 2.1 does."""

    def __init__(self, *, ok_after_resend: bool = True, advanced_ok: bool = False) -> None:
        self.executed: list[str] = []
        self.last_line = 0
        self._ok_after_resend = ok_after_resend
        self._advanced_ok = advanced_ok
        self._tail = b""

    def receive(self, data: bytes) -> bytes:
        *lines, self._tail = (self._tail + data).split(b"\n")
        return b"".join(self._line(line) for line in lines if line.strip())

    def _line(self, line: bytes) -> bytes:
        frame = decode(line)
        if frame.number is None:
            if frame.checksum_given is not None:
                return self._refuse(b"No Line Number with checksum")
            command = parse(frame.command)
            # A move comes without number only if it lost that and its checksum: see the README's
            # section on what the wire itself can't survive.
            if command is None or command.name[0] != "M":
                return b'echo:Unknown command: "%b"\nok\n' % line
            self.executed.append(frame.command)
            return self.answer(frame.command)
        if not frame.intact:
            return self._refuse(b"checksum mismatch")
        if frame.command.startswith("M110"):
            self.last_line = frame.number
            return b"ok\n"
        if frame.number != self.last_line + 1:
            return self._refuse(b"Line Number is not Last Line Number+1")
        self.last_line = frame.number
        return self.take(frame.number, frame.command)

    def take(self, number: int, command: str) -> bytes:
        self.executed.append(command)
        if self._advanced_ok and command != "M105":
            return self.answer(command).removesuffix(b"ok\n") + b"ok N%d P15 B3\n" % number
        return self.answer(command)

    def answer(self, command: str) -> bytes:
        if command == "M105":
            return b"ok T:20.00 /0.00 B:21.00 /0.00 @:0 B@:0\n"
        if command == "M115":
            return INFO + b"ok\n"
        if command == "M114":
            return b"X:1.00 Y:2.00 Z:3.00 E:4.00 Count X:80 Y:160 Z:1200\nok\n"
        return b"ok\n"

    def _refuse(self, words: bytes) -> bytes:
        return b"Error:%b, Last Line: %d\nResend: %d\n%b" % (
            words,
            self.last_line,
            self.last_line + 1,
            b"ok\n" if self._ok_after_resend else b"",
        )


class QueueingFirmware(IdealFirmware):
    """Has a command queue as Marlin has: oks come later, complaints overtake them.

    A complaint also throws away what the receive buffer holds, were it half a line.
    """

    QUEUE_LINES = 4

    def __init__(self, *, ok_after_resend: bool = True, advanced_ok: bool = False) -> None:
        super().__init__(ok_after_resend=ok_after_resend, advanced_ok=advanced_ok)
        self._queue: deque[tuple[int, str]] = deque()
        self._buffer = b""

    @property
    def works(self) -> bool:
        """Whether `execute` would do anything."""
        return bool(self._queue)

    def receive(self, data: bytes) -> bytes:
        self._buffer += data
        return self._read()

    def execute(self) -> bytes:
        """Execute the oldest command of the queue and return what is said about it."""
        number, command = self._queue.popleft()
        return super().take(number, command) + self._read()

    def take(self, number: int, command: str) -> bytes:
        self._queue.append((number, command))
        return b""

    def _read(self) -> bytes:
        said = b""
        while b"\n" in self._buffer and len(self._queue) < self.QUEUE_LINES:
            line, _, self._buffer = self._buffer.partition(b"\n")
            if line.strip():
                said += self._line(line)
        return said

    def _refuse(self, words: bytes) -> bytes:
        self._buffer = b""
        return super()._refuse(words)


class UnpackingFirmware(QueueingFirmware):
    """Unpacks what it reads, and says so; it reads no further than its queue has room."""

    def __init__(self, *, ok_after_resend: bool = True, advanced_ok: bool = False) -> None:
        super().__init__(ok_after_resend=ok_after_resend, advanced_ok=advanced_ok)
        self.unpacker = Unpacker()
        self._wire = b""

    def receive(self, data: bytes) -> bytes:
        self._wire += data
        return self._read()

    def answer(self, command: str) -> bytes:
        return (b"Cap:MEATPACK:1\n" if command == "M115" else b"") + super().answer(command)

    def _read(self) -> bytes:
        said = b""
        while self._wire and len(self._queue) < self.QUEUE_LINES:
            byte, self._wire = self._wire[:1], self._wire[1:]
            text, states = self.unpacker.feed(byte)
            self._buffer += text
            said += b"".join(state.encode() + b"\n" for state in states)
            said += super()._read()
        return said

    def _refuse(self, words: bytes) -> bytes:
        self._wire = b""
        return super()._refuse(words)
