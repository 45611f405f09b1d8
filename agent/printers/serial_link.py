"""Moves bytes between an open port and a Connection, on a loop for lines."""

import asyncio
import os
from collections.abc import Callable
from contextvars import copy_context

from agent.errors import DriverUnavailable
from agent.printers.line_loop import LineLoop
from agent.printers.resting import Rest
from agent.printers.transcript import Transcript
from protocols.gcode.connection import Connection
from protocols.gcode.events import Event
from protocols.gcode.flow import PIECES

READ_BYTES_MAX = 4096
# While nothing but the plate's lines comes and goes, the deadline is looked at only so often.
LOOK_INTERVAL_S = 1.0


class SerialLink:
    """One port's life: from `serve` until it is lost.

    Events are handed over synchronously, with the time; the answer tells for how many seconds
    nobody need look while lines of a plate flow, 0 where there is something else to do. So does
    `rest_s_max`.
    """

    def __init__(
        self,
        descriptor: int,
        connection: Connection,
        handle: Callable[[list[Event], float], float],
        transcript: Transcript,
        *,
        rest_s_max: Callable[[], float],
    ) -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, LineLoop), "serial lines are served by a loop for lines"
        self._descriptor = descriptor
        self._connection = connection
        self._flow = connection.flow
        self._handle = handle
        self._transcript = transcript
        self._rest_s_max = rest_s_max
        self._loop = loop
        self._lost: asyncio.Future[str] = loop.create_future()
        self._timer: asyncio.TimerHandle | None = None
        self._unwritten = b""
        self._heard = b""  # by the pump, and not answered
        self._rest = Rest()
        # What is heard within the selector is logged as what it belongs to.
        self._context = copy_context()
        pump = loop.lines.pump
        self._pumped = None if pump is None else pump.add(descriptor)

    async def serve(self, *, adopt: bool) -> None:
        """Converse until the port is lost or `lose` is called.

        Args:
            adopt: the firmware may be in the middle of a print.

        Raises:
            DriverUnavailable: always, in the end, with the reason.
        """
        self._loop.lines.add_line(
            self._descriptor, self._readable, None if self._pumped is None else self
        )
        try:
            self._connection.open(self._loop.time(), adopt=adopt)
            self.flush()
            raise DriverUnavailable(await self._lost)
        finally:
            self._loop.lines.remove_line(self._descriptor)
            self._loop.remove_writer(self._descriptor)
            if self._pumped is not None and self._loop.lines.pump is not None:
                self._loop.lines.pump.remove(self._pumped)
            if self._timer is not None:
                self._timer.cancel()

    def lose(self, reason: str) -> None:
        """End `serve`."""
        if not self._lost.done():
            self._lost.set_result(reason)

    def flush(self) -> None:
        """Write what the connection has to say, and see to its deadline. Call after `submit`."""
        now = self._loop.time()
        self._speak(now)
        self._see_to_deadline(now)

    def _speak(self, now: float) -> None:
        data = self._connection.outbound()
        if data:
            self._transcript.note(now, ">", data)
        if data or self._unwritten:
            self._write(self._unwritten + data)

    def _see_to_deadline(self, now: float) -> None:
        deadline = self._connection.deadline
        if deadline is None:
            return
        at = min(deadline, now + LOOK_INTERVAL_S)
        # A timer that rings early looks again; so it is not moved for each line.
        if self._timer is None or at < self._timer.when():
            if self._timer is not None:
                self._timer.cancel()
            self._timer = self._loop.call_at(at, self._ring)

    def _write(self, data: bytes) -> None:
        try:
            written = os.write(self._descriptor, data)
        except BlockingIOError:
            written = 0
        except OSError as error:
            self.lose(f"writing to the port failed: {error}")
            return
        self._keep_unwritten(data[written:])

    def _keep_unwritten(self, data: bytes) -> None:
        waiting = bool(self._unwritten)
        self._unwritten = data
        if self._unwritten and not waiting:
            self._loop.add_writer(self._descriptor, self.flush)
        elif waiting and not self._unwritten:
            self._loop.remove_writer(self._descriptor)

    def _readable(self, ready: bool, now: float) -> float:
        """Read and answer; returns for how many seconds the line may rest.

        Args:
            ready: the kernel says so. Else a port without data may give nothing, as a closed one.
            now: monotonic.
        """
        served = self._take_back()
        data, self._heard = self._heard, b""
        if served and not data:
            self.lend()  # it came back for more lines; what else there is will be told again
            return 0.0
        try:
            data = data or os.read(self._descriptor, READ_BYTES_MAX)
        except BlockingIOError:
            self.lend()
            return 0.0
        except OSError as error:
            self.lose(f"reading from the port failed: {error}")
            return 0.0
        if not data:
            if ready:
                self.lose("the port was closed at the other end")
            self.lend()
            return 0.0
        try:
            rest_s = self._serve(data, now)
            self.lend()
            # Where there is a pump, only it knows how the firmware keeps up.
            return rest_s if self._pumped is None else 0.0
        except Exception as error:  # the loop lives on; the printer's own task has to deal with it
            if not self._lost.done():
                self._lost.set_exception(error)
            return 0.0

    def _serve(self, data: bytes, now: float) -> float:
        flow = self._flow
        out = None if self._unwritten else flow.answer(data, now)
        if out is None:
            return self._answer(data, now)
        self._transcript.note_exchange(now, data, out)
        if out:
            self._write(out)
        return self._rest.served(now, flow.accepted, flow.written, flow.left)

    def _answer(self, data: bytes, now: float) -> float:
        """Answer what is not just a plate that goes on."""
        connection = self._connection
        asked = connection.next_number - 1
        self._transcript.note(now, "<", data)
        told = connection.receive(data, now)
        self._rest.s_max = self._context.run(self._handle, told, now)
        self._speak(now)
        if not (self._rest.s_max and connection.undisturbed):
            self._see_to_deadline(now)
            return 0.0
        written = connection.next_number - 1
        accepted = written - connection.lines_under_way
        return self._rest.served(now, accepted, written, asked - accepted)

    def lend(self) -> None:
        """See `line_loop.Lender`."""
        pumped = self._pumped
        if pumped is None or pumped.lent or self._unwritten or self._heard:
            return
        if (lent := self._flow.lend()) is not None:
            pumped.lend(lent, rest_s_max=self._rest_s_max())

    def take_back(self) -> None:
        """See `line_loop.Lender`."""
        self._take_back()

    def _take_back(self) -> bool:
        """Take back what is lent; returns whether the plate went on meanwhile."""
        if self._pumped is None or not self._pumped.lent:
            return False
        returned = self._pumped.take_back()
        at_s = 0.0
        for exchange in returned.exchanges:
            at_s = exchange.at_s
            self._transcript.note_exchange(*exchange)
        piece = returned.heard if returned.heard in PIECES else b""
        self._heard = b"" if piece else returned.heard
        self._flow.take_back(
            accepted=returned.accepted, written=returned.written, heard=piece, now=at_s
        )
        if returned.unwritten:
            self._keep_unwritten(returned.unwritten)
        return bool(returned.exchanges)

    def _ring(self) -> None:
        self._timer = None
        deadline = self._connection.deadline
        now = self._loop.time()
        if deadline is not None and deadline <= now:
            self._context.run(self._handle, self._connection.expire(now), now)
        self.flush()
