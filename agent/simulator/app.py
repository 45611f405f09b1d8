"""The shell around the firmware: the port, the clock, the control socket and the log file."""

import asyncio
import contextlib
import math
import signal
from collections.abc import Callable
from pathlib import Path

import structlog

from agent.simulator.bed import Bed
from agent.simulator.camera import Camera
from agent.simulator.control import obey
from agent.simulator.executed_log import LogFile
from agent.simulator.faults import Faults, parse_fault
from agent.simulator.firmware import Firmware
from agent.simulator.ports import Ears, Port, PtyPort, TcpPort
from agent.simulator.profiles import PROFILES, Board
from agent.simulator.settings import PrinterSettings

_LOG_DELAY_S = 0.02
_BUFFERED_BYTES_MAX = 4096

logger = structlog.get_logger()


class App:
    """One simulated printer at work."""

    def __init__(self, settings: PrinterSettings) -> None:
        self._settings = settings
        faults = Faults(settings.seed)
        for spec in settings.fault:
            faults.arm(parse_fault(spec))
        bed = Bed(settings.bed_mm) if settings.camera else None
        board = Board(
            name=settings.name,
            profile=PROFILES[settings.firmware],
            bed_mm=settings.bed_mm,
            advanced_ok=settings.advanced_ok,
            emergency_parser=settings.emergency_parser,
            receive_bytes=settings.receive_bytes,
            boot_s=settings.boot_s,
            report_interval_s_min=settings.report_interval_s * settings.speed,
            card=_files_of(settings.card),
            bed=bed,
        )
        self._firmware = Firmware(board, faults)
        self._camera = (
            Camera(settings.camera, lambda: bed.picture(self._firmware.machine.planner.reached))
            if settings.camera and bed
            else None
        )
        self._log = LogFile(settings.log) if settings.log else None
        ears = Ears(received=self._received, opened=self._opened, closed=self._closed)
        self._port: Port = (
            PtyPort(settings.pty, ears) if settings.pty else TcpPort(settings.tcp_address, ears)
        )
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at_s = math.inf
        self._log_timer: asyncio.TimerHandle | None = None
        self._plugged = True
        self._tasks: asyncio.TaskGroup | None = None

    async def run(self) -> None:
        """Serve until SIGTERM or SIGINT.

        Raises:
            OSError: the port or the control socket can't be had.
        """
        stopped = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stopped.set)
        await self.serve(stopped)

    async def serve(self, stopped: asyncio.Event, ready: Callable[[], None] = lambda: None) -> None:
        """Serve until `stopped` is set; `ready` is called once hosts can connect.

        Raises:
            OSError: as `run`.
        """
        self._loop = asyncio.get_running_loop()
        self._began_s = self._loop.time()
        try:
            await self._port.open()
            control = await self._open_control()
            if self._camera is not None:
                await self._camera.open()
            logger.info(
                "printer.started",
                printer=self._settings.name,
                port=str(self._settings.pty or self._settings.tcp),
            )
            ready()
            try:
                async with asyncio.TaskGroup() as self._tasks:
                    self._pump()
                    await stopped.wait()
            finally:
                self._close_control(control)
                if self._camera is not None:
                    self._camera.close()
                self._write_log()
                logger.info("printer.stopped", executed=self._firmware.log.commands)
        finally:
            self._port.close()
            if self._log:
                self._log.close()

    async def _open_control(self) -> asyncio.Server | None:
        """Listen on the control socket, if one is wanted."""
        path = self._settings.control
        if path is None:
            return None
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        return await asyncio.start_unix_server(self._converse, path)

    def _close_control(self, control: asyncio.Server | None) -> None:
        if control is not None and self._settings.control is not None:
            control.close()
            self._settings.control.unlink(missing_ok=True)

    def _now(self) -> float:
        return (self._loop.time() - self._began_s) * self._settings.speed

    def _received(self, data: bytes) -> None:
        self._firmware.receive(data, self._now())
        self._pump()

    def _opened(self, resets: bool) -> None:
        logger.info("host.connected")
        if resets and self._settings.reset_on_open:
            self._firmware.reset("opened", self._now())
            self._pump()

    def _closed(self) -> None:
        logger.info("host.disconnected")
        self._firmware.drop_output()

    def _pump(self) -> None:
        """Carry out what the firmware has to say, and wake up when it has more to do."""
        firmware = self._firmware
        if data := firmware.outbound():
            self._port.write(data)
        if firmware.plugged is not self._plugged:
            self._plug()
        if self._log_timer is None:
            self._log_timer = self._loop.call_later(_LOG_DELAY_S, self._log_is_due)
        at_s = self._began_s + firmware.deadline / self._settings.speed
        if at_s != self._timer_at_s:
            if self._timer is not None:
                self._timer.cancel()
            self._timer = None if at_s == math.inf else self._loop.call_at(at_s, self._due)
            self._timer_at_s = at_s

    def _due(self) -> None:
        self._timer_at_s = math.inf
        self._firmware.advance(self._now())
        self._pump()

    def _plug(self) -> None:
        self._plugged = self._firmware.plugged
        logger.info("port.changed", plugged=self._plugged)
        if self._plugged:
            assert self._tasks is not None
            self._tasks.create_task(self._port.open(), name="open port")
        else:
            self._port.close()

    def _log_is_due(self) -> None:
        self._log_timer = None
        self._write_log()

    def _write_log(self) -> None:
        data = self._firmware.log.take()
        if data and self._log:
            self._log.write(data)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, ValueError):
            while line := await reader.readline():
                answer = obey(self._firmware, line.decode("utf-8", "replace"), self._now())
                self._pump()
                self._write_log()
                writer.write(answer.encode() + b"\n")
                await writer.drain()
        writer.close()


def _files_of(folder: Path | None) -> dict[str, bytes] | None:
    """Return the files in a folder, as they are now."""
    if folder is None:
        return None
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
