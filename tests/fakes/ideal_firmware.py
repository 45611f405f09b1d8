"""A firmware's line protocol without a printer: what it executed is the oracle. Pure."""

from protocols.gcode.lines import decode

INFO = (
    b"FIRMWARE_NAME:Marlin 2.1.2 SOURCE_CODE_URL:github.com/MarlinFirmware PROTOCOL_VERSION:1.0\n"
    b"Cap:AUTOREPORT_TEMP:0\nCap:BUSY_PROTOCOL:1\n"
)


class IdealFirmware:
    """Executes intact lines in order, refuses all others, as Marlin 2.1 does."""

    def __init__(self) -> None:
        self.executed: list[str] = []
        self.last_line = 0
        self._tail = b""

    def receive(self, data: bytes) -> bytes:
        *lines, self._tail = (self._tail + data).split(b"\n")
        return b"".join(self._line(line) for line in lines if line.strip())

    def _line(self, line: bytes) -> bytes:
        frame = decode(line)
        if frame.number is None:
            if frame.checksum_given is not None:
                return self._refuse(b"No Line Number with checksum")
            if line == b"M105":
                return self.answer("M105")
            return b'echo:Unknown command: "%b"\nok\n' % line
        if not frame.intact:
            return self._refuse(b"checksum mismatch")
        if frame.command.startswith("M110"):
            self.last_line = frame.number
            return b"ok\n"
        if frame.number != self.last_line + 1:
            return self._refuse(b"Line Number is not Last Line Number+1")
        self.last_line = frame.number
        self.executed.append(frame.command)
        return self.answer(frame.command)

    def answer(self, command: str) -> bytes:
        if command == "M105":
            return b"ok T:20.00 /0.00 B:21.00 /0.00 @:0 B@:0\n"
        if command == "M115":
            return INFO + b"ok\n"
        if command == "M114":
            return b"X:1.00 Y:2.00 Z:3.00 E:4.00 Count X:80 Y:160 Z:1200\nok\n"
        return b"ok\n"

    def _refuse(self, words: bytes) -> bytes:
        return b"Error:%b, Last Line: %d\nResend: %d\nok\n" % (
            words,
            self.last_line,
            self.last_line + 1,
        )
