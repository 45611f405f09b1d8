"""Drives a printer through OctoPrint, which it leaves as it is.

Push updates tell what it does; where something between us lets no socket through, it is asked
again and again. Calls are octoprint_rest.py's, words octoprint_states.py's, and the rules of
host_driver.py make a driver of it.
"""

import asyncio
import time
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import structlog
from octorest import OctoRest

from agent.errors import AnswerLost, DriverError, DriverUnavailable, NotPossible
from agent.printers import host_folder
from agent.printers.driver import PlateFile, RunState
from agent.printers.host_driver import HostDriver
from agent.printers.host_handle import Handle
from agent.printers.host_plates import PlateChecks
from agent.printers.host_settings import HostSettings
from agent.printers.octoprint_files import OctoPrintFiles, info_of, mark_of
from agent.printers.octoprint_rest import Rest
from agent.printers.octoprint_socket import FIRST_MESSAGE_S_MAX, NoSocket, push_socket
from agent.printers.octoprint_states import (
    STATED,
    job_path,
    state_of,
    view_after,
    view_of,
)
from agent.printers.octoprint_terminal import COMMANDS, OctoPrintTerminal
from agent.printers.print_host import MOVING, Ending, HostView
from protocols.gcode.rules import Limits
from protocols.wire.vocabulary import PrinterId, PrinterState, RunId

POLL_MOVING_S = 2.0
POLL_RESTING_S = 5.0
POLL_ORDERED_S = 0.5  # for a while after an order, until it shows
# Messages are put together every half a second, and may be older than an event that overtook them.
LATE_S = 1.0
POLLED_S_MAX = 600.0  # then the socket is tried again
CANCELLED = "it was cancelled at OctoPrint"

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class OctoPrintSettings(HostSettings):
    """How to reach an OctoPrint, and how that reaches its printer.

    Attributes:
        connect: have it connect to its printer once each time that it was reached; not after an
            error, which is for a person to look at.
        serial_port, baud_rate, printer_profile: to connect with; empty: what OctoPrint prefers.
    """

    connect: bool = True
    serial_port: str = ""
    baud_rate: int = 0
    printer_profile: str = ""


class OctoPrint(HostDriver):
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
        parsed = OctoPrintSettings.parse(settings)
        host = OctoPrintHost(parsed, log.bind(printer_id=printer_id))
        checks = PlateChecks(parsed.given_limits, parsed.allow)
        super().__init__(printer_id, host, checks, state_dir=state_dir, **limits_s)


class OctoPrintHost:
    """See `agent.printers.print_host.PrintHost`."""

    unsaid = RunState.FAILED  # a host that streams and died printed no further
    commands = COMMANDS

    def __init__(self, settings: OctoPrintSettings, bound_log: Any) -> None:
        """Connect to nothing yet.

        Raises:
            SettingsInvalid: the key can't be read.
        """
        self._settings = settings
        self._log = bound_log
        self.rest = Rest(settings.url.rstrip("/"), settings.key)
        self._terminal = OctoPrintTerminal(self.rest, self.connect)
        self._view = HostView(state=PrinterState.OFFLINE)
        self._cancelled = ""
        self._files = OctoPrintFiles(self.rest, settings.kept_bytes_max)
        self._no_socket = ""
        self._stated_at_s = -LATE_S
        self._ordered = asyncio.Event()
        self._ordered_at_s = 0.0

    @property
    def name(self) -> str:
        """What it is and where."""
        return f"OctoPrint at {self.rest.root}"

    # ------------------------------------------------------------------ what is seen

    async def watch(self, tell: Callable[[HostView], None]) -> None:
        """See the contract."""
        try:
            login = await self.rest.login()
            await self._connect_at_first()
            await self._listen(login, tell)
        except NoSocket as error:
            if str(error) != self._no_socket:
                self._no_socket = str(error)
                self._log.warning("host.polled", reason=f"no push socket: {error}")
            await self._poll(tell)
        except (NotPossible, AnswerLost) as error:
            raise DriverUnavailable(str(error)) from error

    async def _listen(self, login: str, tell: Callable[[HostView], None]) -> None:
        async with push_socket(self.rest.root, login) as socket:
            within_s: float | None = FIRST_MESSAGE_S_MAX
            while True:
                message = await socket.receive(within_s)
                data = message.get("current") or message.get("history")
                if data is not None:
                    within_s, self._no_socket = None, ""
                    view = view_of(data, self._view)
                    late = time.monotonic() < self._stated_at_s + LATE_S
                    if late and view.state not in (PrinterState.OFFLINE, PrinterState.HALTED):
                        view = replace(view, state=self._view.state, words=self._view.words)
                    self._view = view
                elif "event" in message:
                    event, payload = message["event"]["type"], message["event"]["payload"] or {}
                    if event == "PrintCancelled":
                        self._cancelled = job_path(payload)
                    view = view_after(event, payload, self._view)
                    if event == STATED and view is not self._view:
                        self._stated_at_s = time.monotonic()
                    self._view = view
                    if within_s is not None:
                        continue  # not yet a whole picture
                else:
                    continue
                tell(self._view)

    async def _poll(self, tell: Callable[[HostView], None]) -> None:
        until_s = time.monotonic() + POLLED_S_MAX
        while time.monotonic() < until_s:
            data = await self.rest.call(_ask)
            self._view = view_of(data, self._view)
            tell(self._view)
            interval_s = POLL_MOVING_S if self._view.state in MOVING else POLL_RESTING_S
            if time.monotonic() < self._ordered_at_s + POLL_RESTING_S:
                interval_s = POLL_ORDERED_S
            self._ordered.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(interval_s):
                    await self._ordered.wait()

    async def _order(self, act: Callable[[OctoRest], object]) -> None:
        """Have something done, and look soon what came of it."""
        try:
            await self.rest.call(act)
        finally:
            self._ordered_at_s = time.monotonic()
            self._ordered.set()

    async def limits(self) -> Limits | None:
        """Return the volume of the printer profile in use; None for a bed that is no rectangle."""

        volume = (await self.rest.call(_profile))["volume"]
        if volume.get("formFactor") == "circular":
            return None
        width, depth = float(volume["width"]), float(volume["depth"])
        centred = volume.get("origin") == "center"
        return Limits(
            bed_x_mm=width,
            bed_y_mm=depth,
            height_mm=float(volume["height"]),
            origin_x_mm=-width / 2 if centred else 0.0,
            origin_y_mm=-depth / 2 if centred else 0.0,
        )

    # ------------------------------------------------------------------ its printer

    async def _connect_at_first(self) -> None:
        if not self._settings.connect:
            return
        # Its connection page says "Closed" after an error too; its job page tells them apart.
        told = await self.rest.call(lambda client: client.job_info())
        if told["state"] == "Offline":
            try:
                await self.connect()
            except NotPossible as refusal:
                self._log.warning("printer.not_connected", reason=str(refusal))

    async def connect(self) -> None:
        """Have it connect to its printer; whether that worked is seen."""
        settings = self._settings
        await self._order(
            lambda client: client.connect(
                port=settings.serial_port or None,
                baudrate=settings.baud_rate or None,
                printer_profile=settings.printer_profile or None,
            )
        )

    async def cool(self) -> None:
        """See the contract."""

        def turn_off(client: OctoRest) -> None:
            # Not by their readings: those are seconds old, and may be missing.
            profile = _profile(client)
            tools = int((profile.get("extruder") or {}).get("count") or 1)
            client.tool_target({f"tool{number}": 0 for number in range(tools)})
            if profile.get("heatedBed"):
                client.bed_target(0)
            if profile.get("heatedChamber"):
                client.chamber_target(0)

        await self.rest.call(turn_off)

    # ------------------------------------------------------------------ jobs

    def job_of(self, run_id: RunId) -> str:
        """Return the path of the run's file."""
        return host_folder.run_path(run_id)

    async def prepare(self, plate: PlateFile, run_id: RunId) -> str:
        """See the contract."""
        return await self._files.prepare(plate, self.job_of(run_id))

    async def begin(self, job: str) -> None:
        """See the contract."""
        await self._order(lambda client: client.select(job, print=True))

    async def pause(self, job: str) -> None:
        """See the contract."""
        await self._steer(job, lambda client: client.pause())

    async def resume(self, job: str) -> None:
        """See the contract."""
        await self._steer(job, lambda client: client.resume())

    async def cancel(self, job: str) -> None:
        """See the contract."""
        await self._steer(job, lambda client: client.cancel())

    async def _steer(self, job: str, order: Callable[[OctoRest], object]) -> None:
        def look_and_order(client: OctoRest) -> None:
            # OctoPrint's orders name no job: a person may have begun another meanwhile.
            if job_path(client.job_info()["job"]["file"]) != job:
                raise NotPossible("OctoPrint is at something else")
            order(client)

        await self._order(look_and_order)

    async def ending(self, handle: Handle) -> Ending | None:
        """Read it from the history of the run's own file.

        A failure is told from a cancelling by what was selected: only an error deselects it.
        """

        def look(client: OctoRest) -> tuple[Any, Any]:
            return info_of(client, handle.job), client.job_info()

        info, job = await self.rest.call(look)
        if info is None or mark_of(info) == (handle.mark or "0 0"):
            return None
        finished_before, _ = (handle.mark or "0 0").split()
        if int(mark_of(info).split()[0]) > int(finished_before):
            return Ending(state=RunState.FINISHED)
        selected = job_path(job["job"]["file"]) == handle.job
        state, words = state_of(str(job.get("state", "")), {}, str(job.get("error") or ""))
        well = state is PrinterState.IDLE or state in MOVING  # cancelling takes a while
        if self._cancelled == handle.job or (selected and well):
            return Ending(state=RunState.STOPPED, reason=CANCELLED)
        return Ending(state=RunState.FAILED, reason=words or "OctoPrint's history: it failed")

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
        """See the contract."""
        self.rest.close()


def _profile(client: OctoRest) -> Mapping[str, Any]:
    """Return the printer profile in use."""
    name = client.connection_info()["current"].get("printerProfile") or "_default"
    found: Mapping[str, Any] = client.printer_profile(name)
    return found


def _ask(client: OctoRest) -> dict[str, Any]:
    """Return what a push message would have told."""
    told = client.job_info()
    data = {"job": told["job"], "progress": told["progress"]}
    error = told.get("error", "")
    try:
        printer = client.printer(exclude=["sd"])
    except DriverError as refusal:
        if not isinstance(refusal, NotPossible):
            raise
        # It is not connected to its printer.
        return {**data, "state": {"text": told["state"], "error": error}}
    return {**data, "state": printer["state"], "temps": [printer["temperature"]]}
