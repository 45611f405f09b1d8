"""Drives a printer with Klipper through Moonraker, which it leaves as they are.

Moonraker tells what its printer does as it happens. Requests are moonraker_socket.py's, words
moonraker_states.py's, and the rules of host_driver.py make a driver of it.
"""

import asyncio
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import structlog

from agent.errors import AnswerLost, DriverUnavailable, NotPossible
from agent.printers import host_folder
from agent.printers.driver import PlateFile, RunState
from agent.printers.host_driver import HostDriver
from agent.printers.host_handle import Handle
from agent.printers.host_plates import PlateChecks
from agent.printers.host_settings import HostSettings
from agent.printers.moonraker_files import MoonrakerFiles
from agent.printers.moonraker_socket import CHANGES, SUBSCRIBE, Link, MoonrakerSocket
from agent.printers.moonraker_states import limits_of, objects_to_watch, view_of
from agent.printers.moonraker_terminal import COMMANDS, MoonrakerTerminal
from agent.printers.print_host import Ending, HostView
from protocols.gcode.rules import Limits
from protocols.wire.vocabulary import PrinterId, PrinterState, RunId

LOOK_AGAIN_S = 1.0  # while Klipper is not ready: of some of its states Moonraker tells nothing
FINDS_KLIPPER_S = 5.0  # a Moonraker that was restarted takes a second, and says "disconnected"
ORDER_S = 20.0  # then Klipper has the order, and obeys once it is done with what it is at
CANCELLED = "it was cancelled at Klipper"

# What Moonraker's history says of a print -> how it ended. Other words tell only that Moonraker
# itself ended in the middle of it.
ENDINGS: Mapping[str, tuple[RunState, str]] = {
    "completed": (RunState.FINISHED, ""),
    "cancelled": (RunState.STOPPED, CANCELLED),
    "error": (RunState.FAILED, "Klipper: the print ended with an error"),
    "klippy_shutdown": (RunState.FAILED, "Klipper shut down"),
    "klippy_disconnect": (RunState.FAILED, "Klipper was ended or restarted"),
}
IN_PROGRESS = "in_progress"
PRINT_ENDINGS: Mapping[str, str] = {
    "complete": "completed",
    "cancelled": "cancelled",
    "error": "error",
}  # `print_stats.state` -> the word of the history

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class MoonrakerSettings(HostSettings):
    """How to reach a Moonraker; the key may be missing where it trusts this machine."""

    key_needed: ClassVar[bool] = False


class Moonraker(HostDriver):
    """See `agent.printers.driver.Driver`."""

    def __init__(
        self,
        printer_id: PrinterId,
        settings: Mapping[str, Any],
        *,
        state_dir: Path | None = None,
        **limits_s: float,
    ) -> None:
        """Drive one printer; `limits_s` are those of `HostDriver`, for tests.

        Raises:
            SettingsInvalid: naming the key.
        """
        parsed = MoonrakerSettings.parse(settings)
        checks = PlateChecks(parsed.given_limits, parsed.allow)
        super().__init__(printer_id, MoonrakerHost(parsed), checks, state_dir=state_dir, **limits_s)


class MoonrakerHost:
    """See `agent.printers.print_host.PrintHost`."""

    commands = COMMANDS
    unsaid = RunState.FAILED  # its history and Klipper know what did not fail

    def __init__(self, settings: MoonrakerSettings) -> None:
        """Connect to nothing yet.

        Raises:
            SettingsInvalid: the key can't be read.
        """
        self._link = Link(settings.url.rstrip("/"), settings.key)
        self._files = MoonrakerFiles(self._link, settings.kept_bytes_max)
        self._terminal = MoonrakerTerminal(self._link)
        self._view = HostView(state=PrinterState.OFFLINE)
        self._klippy = "disconnected"
        self._looked_at_s = 0.0
        self._status: dict[str, dict[str, Any]] = {}
        self._orders: dict[str, asyncio.Future[Any]] = {}

    @property
    def name(self) -> str:
        """What it is and where."""
        return f"Moonraker at {self._link.root}"

    # ------------------------------------------------------------------ what is seen

    async def watch(self, tell: Callable[[HostView], None]) -> None:
        """See the contract."""
        try:
            async with self._link.connection() as socket:
                self._orders = {}
                socket.heard = self._terminal.heard
                await self._find_klipper(socket)
                while True:
                    self._view = view_of(self._klippy, self._status, self._view)
                    tell(self._view)
                    await self._hear(socket)
        except (NotPossible, AnswerLost) as error:
            raise DriverUnavailable(str(error)) from error

    async def _find_klipper(self, socket: MoonrakerSocket) -> None:
        """Learn how Klipper is; one that prints on must not be taken for gone."""
        until_s = time.monotonic() + FINDS_KLIPPER_S
        await self._look(socket)
        while self._klippy in ("disconnected", "startup") and time.monotonic() < until_s:
            await asyncio.sleep(LOOK_AGAIN_S / 2)
            await self._look(socket)

    async def _look(self, socket: MoonrakerSocket) -> None:
        """Ask how Klipper is, and follow it where it is there."""
        self._looked_at_s = time.monotonic()
        self._klippy = str((await socket.ask("server.info")).get("klippy_state", ""))
        if self._klippy in ("disconnected", "startup"):
            self._status = {}
            return
        try:
            known = (await socket.ask("printer.objects.list")).get("objects", ())
            watched = {"objects": objects_to_watch(known)}
            told = await socket.ask(SUBSCRIBE, watched)
            self._status = dict(told.get("status") or {})
        except (NotPossible, AnswerLost, DriverUnavailable):
            self._status = {}
            if self._klippy == "ready":
                self._klippy = "startup"  # it went away meanwhile; the next look tells

    async def _hear(self, socket: MoonrakerSocket) -> None:
        """Wait for something new, and take it in."""
        until_s = self._looked_at_s + LOOK_AGAIN_S
        try:
            within_s = None if self._klippy == "ready" else max(0.0, until_s - time.monotonic())
            method, params = await socket.told(within_s)
        except TimeoutError:
            await self._look(socket)
            return
        match method, params:
            case (method, [changes, *_]) if method == CHANGES:
                for item, fields in changes.items():
                    self._status[item] = self._status.get(item, {}) | fields
            case (("notify_klippy_ready" | "notify_klippy_shutdown"), _):
                await self._look(socket)
            case "notify_klippy_disconnected", _:
                self._klippy, self._status = "disconnected", {}

    async def limits(self) -> Limits | None:
        """Return how far Klipper moves the head."""
        return limits_of(await self._query("toolhead"))

    async def _query(self, item: str) -> Mapping[str, Any]:
        """Return what Klipper has of an object just now; empty where it has none."""
        told = await self._link.ask("printer.objects.query", {"objects": {item: None}})
        found: Mapping[str, Any] = told.get("status", {}).get(item, {})
        return found

    async def cool(self) -> None:
        """See the contract."""
        await self._link.call("printer.gcode.script", {"script": "TURN_OFF_HEATERS"})

    # ------------------------------------------------------------------ jobs

    def job_of(self, run_id: RunId) -> str:
        """Return the path of the run's file."""
        return host_folder.run_path(run_id)

    async def prepare(self, plate: PlateFile, run_id: RunId) -> str:
        """See the contract; the mark is the process that Klipper is."""
        await self._files.prepare(plate, self.job_of(run_id))
        return await self._process()

    async def _process(self) -> str:
        told = await self._link.ask("printer.info")
        return str(told.get("process_id") or "")

    async def begin(self, job: str) -> None:
        """See the contract."""
        await self._link.call("printer.print.start", {"filename": job}, ORDER_S)

    async def pause(self, job: str) -> None:
        """See the contract."""
        await self._steer(job, "printer.print.pause")

    async def resume(self, job: str) -> None:
        """See the contract."""
        await self._steer(job, "printer.print.resume")

    async def cancel(self, job: str) -> None:
        """See the contract."""
        await self._steer(job, "printer.print.cancel")

    async def _steer(self, job: str, method: str) -> None:
        """Give an order; returns once Klipper has it.

        Klipper answers when it is done, and begins when the command it is at is over: heating
        takes minutes. An order that it has not answered yet is not given again.
        """
        if (await self._query("print_stats")).get("filename") != job:
            # Klipper's orders name no job: a person may have begun another meanwhile.
            raise NotPossible("Klipper is at something else")
        order = self._orders.get(method)
        if order is None or order.done():
            self._orders[method] = order = await self._link.send(method, {})
        await asyncio.wait((order,), timeout=ORDER_S)
        if order.done():
            order.result()

    async def ending(self, handle: Handle) -> Ending | None:
        """Read it from Moonraker's history, and where that ended with Moonraker, from Klipper."""
        entry = await self._files.first_print(handle.job)
        status = str(entry.get("status")) if entry else ""
        if status == IN_PROGRESS:
            return None
        if status in ENDINGS:
            return self._ending(status, handle.job)
        stats = await self._query("print_stats")
        if stats.get("filename") == handle.job:
            word = PRINT_ENDINGS.get(str(stats.get("state")))
            return self._ending(word, handle.job, stats) if word else None
        if not status:
            return None
        if handle.mark and handle.mark != await self._process():
            reason = "Klipper no longer prints it: it was restarted, and Moonraker too"
            return Ending(state=RunState.FAILED, reason=reason)
        reason = "Moonraker was restarted in the middle of it, and Klipper was told to forget it"
        return Ending(state=RunState.UNKNOWN, reason=reason)

    def _ending(self, status: str, job: str, stats: Mapping[str, Any] | None = None) -> Ending:
        state, words = ENDINGS[status]
        if state is RunState.FAILED:
            stats = stats or self._status.get("print_stats") or {}
            said = str(stats.get("message") or "") if stats.get("filename") == job else ""
            words = ": ".join(part for part in (words, said or self._view.words) if part)
        return Ending(state=state, reason=words)

    async def store(self, plate: PlateFile) -> None:
        """See the contract."""
        await self._files.store(plate)

    async def clean(self, *, jobs: Collection[str], plates: Collection[str]) -> None:
        """See the contract."""
        await self._files.clean(jobs=jobs, plates=plates)

    async def forget(self, job: str) -> None:
        """See the contract."""
        await self._files.forget(job)

    # ------------------------------------------------------------------ what people ask

    async def dialogue(self) -> list[str]:
        """See the contract."""
        return await self._terminal.lines()

    async def command(self, name: str, arguments: Mapping[str, Any]) -> str:
        """See the contract."""
        return await self._terminal.command(name, arguments)

    async def picture(self) -> bytes:
        """See the contract."""
        return await self._terminal.picture()

    def close(self) -> None:
        """See the contract; a connection ends with `watch`."""
