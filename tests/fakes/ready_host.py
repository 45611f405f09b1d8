"""A connection that has shaken hands with a firmware, and what it hears and says from then on."""

from protocols.gcode.connection import Connection
from protocols.gcode.events import Event, OwnLine
from protocols.gcode.states import State

MARLIN = b"FIRMWARE_NAME:Marlin 2.1.2\n"


class ReadyHost:
    """The next line has number 3. Time is in `now`."""

    def __init__(
        self,
        *,
        info: bytes = MARLIN,
        window_lines_max: int = 1,
        window_bytes_max: int = 4096,
        complaint: bytes = b"Resend: 3\nok\n",
        temperatures: bytes = b"ok T:20 /0\n",
    ) -> None:
        self.connection = Connection(
            window_lines_max=window_lines_max, window_bytes_max=window_bytes_max
        )
        self.now = 0.0
        self.connection.open(self.now)
        self.hear(b"ok\n")
        self.wait(1)
        for answer in (b"ok\n", info + b"ok\n", temperatures, complaint):
            self.hear(answer)
        if self.connection.state is not State.READY:
            self.wait(1)
        assert self.connection.state is State.READY
        self.own = [e for e in self._told if isinstance(e, OwnLine)]
        self.said()

    def hear(self, data: bytes) -> list[Event]:
        self._told = self.connection.receive(data, self.now)
        return self._told

    def wait(self, seconds: float) -> list[Event]:
        """Let time pass, ringing whenever it is due."""
        until, told = self.now + seconds, []
        while (due := self.connection.deadline) is not None and due <= until:
            self.now = max(self.now, due)
            told += self.connection.expire(self.now)
        self.now = until
        self._told = told
        return told

    def submit(self, *commands: str) -> None:
        for command in commands:
            self.connection.submit(command, self.now, tag=command)

    def said(self) -> list[str]:
        return self.connection.outbound().decode().splitlines()

    def said_commands(self) -> list[str]:
        """What was said, without numbers and checksums."""
        return [line.partition("*")[0].lstrip("N0123456789").strip() for line in self.said()]
