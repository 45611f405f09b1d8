"""A host and a simulated firmware, a wire of so many bytes a second between, in virtual time.

The firmware's planner is watched: what the dialogue tells can be held against what it knows.
"""

from collections import deque
from collections.abc import Iterator, Sequence

from agent.printers.transcript import Transcript
from agent.simulator.executed_log import ExecutedLog
from agent.simulator.faults import Faults
from agent.simulator.firmware import Firmware
from agent.simulator.planner import Planner, Position
from agent.simulator.profiles import PROFILES, Board
from protocols.gcode.connection import Connection
from protocols.gcode.states import State

MOVES = ("G0", "G1", "G2", "G3")


class _Log(ExecutedLog):
    last = ""

    def command(self, number: int | None, text: str) -> None:
        super().command(number, text)
        self.last = text


class _Planner(Planner):
    """Notes each move that came when the one before it had ended already."""

    def __init__(self, log: _Log) -> None:
        super().__init__()
        self._log = log
        self._ended_s = 0.0
        self.gaps: list[tuple[float, float]] = []

    def push(self, duration_s: float, end: Position, now: float) -> None:
        if self.empty and self._log.last.startswith(MOVES):
            self.gaps.append((now, now - self._ended_s))
        super().push(duration_s, end, now)
        self._ended_s = self.empty_s()


class _Wire:
    """One direction: lines arrive when their last byte has passed."""

    def __init__(self, bytes_per_s: float) -> None:
        self._bytes_per_s = bytes_per_s
        self._free_at_s = 0.0
        self.under_way: deque[tuple[float, bytes]] = deque()

    def carry(self, data: bytes, now: float) -> None:
        for line in data.splitlines(keepends=True):
            self._free_at_s = max(self._free_at_s, now) + len(line) / self._bytes_per_s
            self.under_way.append((self._free_at_s, line))

    @property
    def due_s(self) -> float:
        return self.under_way[0][0] if self.under_way else float("inf")


class SlowLine:
    """One print over one wire.

    Attributes:
        transcript: what the host noted.
        accepted: commands of the plate that were answered.
        held: the host holds the plate.
    """

    def __init__(
        self, plate: Sequence[str], *, bytes_per_s: float, window: int, advanced_ok: bool
    ) -> None:
        board = Board(name="slow", profile=PROFILES["marlin"], advanced_ok=advanced_ok, boot_s=0.1)
        self.firmware = Firmware(board, Faults(1))
        log = self.firmware.log = _Log()
        self.planner = self.firmware.machine.planner = _Planner(log)
        self.firmware.machine.cold_extrusion = True
        self.transcript = Transcript()
        self.connection = Connection(
            window_lines_max=window, window_lines=window, window_bytes_max=4096
        )
        self.plate = plate
        self.taken = self.accepted = 0
        self.held = False
        self.now = 0.0
        self._out, self._in = _Wire(bytes_per_s), _Wire(bytes_per_s)
        self.connection.open(0.0)
        self._speak()

    @property
    def done(self) -> bool:
        return self.accepted == len(self.plate)

    def ticks(self, interval_s: float = 2.0) -> Iterator[float]:
        """Let time pass until the plate is said, stopping now and then."""
        while not self.done:
            until_s = self.now + interval_s
            while self._step(until_s):
                pass
            self.now = until_s
            yield self.now

    def _step(self, until_s: float) -> bool:
        deadline = self.connection.deadline
        due = min(
            self._out.due_s,
            self._in.due_s,
            self.firmware.deadline,
            float("inf") if deadline is None else deadline,
        )
        if due > until_s:
            return False
        self.now = max(self.now, due)
        while self._out.due_s <= self.now:
            self.firmware.receive(self._out.under_way.popleft()[1], self.now)
        self.firmware.advance(self.now)
        self._in.carry(self.firmware.outbound(), self.now)
        while self._in.due_s <= self.now:
            data = self._in.under_way.popleft()[1]
            self.transcript.note(self.now, "<", data)
            self._count(self.connection.receive(data, self.now))
        if deadline is not None and deadline <= self.now:
            self._count(self.connection.expire(self.now))
        self._speak()
        return True

    def _count(self, told: Sequence[object]) -> None:
        self.accepted += sum(getattr(event, "tag", None) == "plate" for event in told)

    def _speak(self) -> None:
        ready = self.connection.state is State.READY
        while ready and not self.held and self.connection.room and self.taken < len(self.plate):
            self.connection.submit(self.plate[self.taken], self.now, tag="plate")
            self.taken += 1
        if data := self.connection.outbound():
            self.transcript.note(self.now, ">", data)
            self._out.carry(data, self.now)
