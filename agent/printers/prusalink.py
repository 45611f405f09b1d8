"""Drives a Prusa printer through PrusaLink, which it leaves as it is.

PrusaLink tells nothing by itself: it is asked, more often while something is going on. Calls are
prusalink_http.py's, words prusalink_states.py's, and the rules of host_driver.py make a driver of
it. It copies no files and keeps no history; see the README for what that costs.
"""

import asyncio
import time
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import structlog

from agent.errors import DriverError, DriverUnavailable, NotPossible, PlateRefused
from agent.printers import host_folder
from agent.printers.driver import PlateFile, RunState
from agent.printers.host_driver import HostDriver
from agent.printers.host_handle import Handle
from agent.printers.host_plates import PlateChecks
from agent.printers.host_settings import HostSettings
from agent.printers.print_host import MOVING, Ending, HostView
from agent.printers.prusalink_http import Conflict, NotFound, PrusaLinkHttp
from agent.printers.prusalink_states import job_name, view_of
from agent.printers.webcam import checked_picture
from protocols.gcode.rules import Limits
from protocols.wire.vocabulary import PrinterId, PrinterState, RunId

POLL_S_MIN = 0.05
POLL_ORDERED_S = 0.5  # for a while after an order, until it shows
ORDERED_S = 5.0
LISTED_S_MAX = 10.0
LOOK_AGAIN_S = 0.5
# On a Pi it refuses to begin while it shows the end of the last print: for 11 s.
REFUSED_S_MAX = 15.0
UPLOAD_WAIT_S = 60.0  # a start waits so long for its file; then it is tried again later
STOPPED = "it was stopped at the printer"

ENDINGS: Mapping[str, Ending] = {
    "FINISHED": Ending(state=RunState.FINISHED),
    "STOPPED": Ending(state=RunState.STOPPED, reason=STOPPED),
    "ERROR": Ending(state=RunState.FAILED, reason="the printer stopped with an error"),
}  # printer's state -> how the job that it names ended

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class PrusaLinkSettings(HostSettings):
    """How to reach a PrusaLink.

    Attributes:
        username: the key is this user's password (`maker` on most printers); empty: it is an API
            key.
        storage: where plates go, `usb` or `local`; empty: the first that can be written to.
        poll_moving_s, poll_resting_s: it is asked so often while something goes on, and else.
    """

    username: str = ""
    storage: str = ""
    poll_moving_s: float = 1.0
    poll_resting_s: float = 3.0


class PrusaLink(HostDriver):
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
        parsed = PrusaLinkSettings.parse(settings)
        checks = PlateChecks(parsed.given_limits, parsed.allow)
        super().__init__(printer_id, PrusaLinkHost(parsed), checks, state_dir=state_dir, **limits_s)


class PrusaLinkHost:
    """See `agent.printers.print_host.PrintHost`."""

    commands: frozenset[str] = frozenset()
    unsaid = RunState.UNKNOWN  # it keeps no history: not a word says that the print failed

    def __init__(self, settings: PrusaLinkSettings) -> None:
        """Connect to nothing yet.

        Raises:
            SettingsInvalid: the key can't be read.
        """
        self._http = PrusaLinkHttp(settings.url.rstrip("/"), settings.username, settings.key)
        self._settings, self._storage = settings, settings.storage
        self._view = HostView(state=PrinterState.OFFLINE)
        self._job: tuple[int, str] | None = None  # number and name of the job that was seen last
        self._ended: tuple[str, Ending] | None = None  # the last job that was seen to end
        self._ordered = asyncio.Event()
        self._ordered_at_s = 0.0
        self._errands: asyncio.TaskGroup | None = None
        self._upload: tuple[str, asyncio.Task[DriverError | None]] | None = None

    @property
    def name(self) -> str:
        """What it is and where."""
        return f"PrusaLink at {self._http.root}"

    # ------------------------------------------------------------------ what is seen

    async def watch(self, tell: Callable[[HostView], None]) -> None:
        """See the contract."""
        lost: DriverError | None = None
        async with self._http.session(), asyncio.TaskGroup() as self._errands:
            try:
                while True:
                    await self._look()
                    tell(self._view)
                    await self._rest()
            except DriverError as error:  # raised below: a group would wrap it
                lost = error
            finally:
                if self._upload is not None:
                    self._upload[1].cancel()
                self._errands = self._upload = None
        raise DriverUnavailable(str(lost)) from lost

    async def _look(self) -> str:
        """Ask how the printer is; returns PrusaLink's word for it."""
        status = await self._http.ask("/api/v1/status")
        number = (status.get("job") or {}).get("id")
        word = str((status.get("printer") or {}).get("state") or "")
        before = self._job
        if number is None:
            self._job = None
        elif self._job is None or self._job[0] != number or not self._job[1]:
            told = await self._http.ask("/api/v1/job")
            name = job_name(told.get("file") or {}) if told.get("id", number) == number else ""
            self._job = (number, name)
        name = self._job[1] if self._job else ""
        if word in ENDINGS and (ended := name or (before[1] if before else "")):
            self._ended = (ended, ENDINGS[word])
        self._view = view_of(status, name, self._view)
        return word

    async def _rest(self) -> None:
        settings, moving = self._settings, self._view.state in MOVING
        interval_s = settings.poll_moving_s if moving else settings.poll_resting_s
        if time.monotonic() < self._ordered_at_s + ORDERED_S:
            interval_s = min(interval_s, POLL_ORDERED_S)
        interval_s = max(interval_s, POLL_S_MIN)
        self._ordered.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(interval_s):
                await self._ordered.wait()

    async def _order(self, verb: str, path: str) -> None:
        """Have something done, and look soon what came of it."""
        try:
            await self._http.call(verb, path)
        finally:
            self._ordered_at_s = time.monotonic()
            self._ordered.set()

    async def limits(self) -> Limits | None:
        """PrusaLink tells no size."""
        return None

    async def cool(self) -> None:
        """Leave it to the firmware: it turns heaters off after a stop, and no call can."""

    # ------------------------------------------------------------------ files

    async def store(self, plate: PlateFile) -> None:
        """Look whether there is a place for it; it comes there under its run's name (`prepare`)."""
        await self._folder()

    async def _folder(self) -> str:
        """Return the address of our folder, on the storage that is to be used."""
        if not self._storage:
            told = await self._http.ask("/api/v1/storage")
            usable = [
                str(storage.get("path") or "").strip("/")
                for storage in told.get("storage_list") or ()
                if storage.get("available", True) and not storage.get("read_only")
            ]
            if not usable:
                raise NotPossible("it has no storage that can be written to: a USB drive?")
            self._storage = usable[0]
        return f"/api/v1/files/{quote(self._storage)}/{host_folder.FOLDER}"

    async def _address(self, job: str) -> str:
        return f"{await self._folder()}/{quote(job.removeprefix(host_folder.FOLDER + '/'))}"

    async def clean(self, *, jobs: Collection[str], plates: Collection[str]) -> None:
        """See the contract; plates are kept under the names of their runs only."""
        try:
            told = await self._http.ask(await self._folder())
        except NotFound:
            return
        files = [
            host_folder.Stored(path=job_name({"path": f"/{host_folder.FOLDER}", **child}),
                               size_bytes=0, date_s=0.0)
            for child in told.get("children") or ()
        ]  # fmt: skip
        kept = {*jobs, *([self._upload[0]] if self._upload else ())}
        for path in host_folder.surplus(files, jobs=kept, plates=plates, bytes_max=0):
            with suppress(NotPossible):  # a person prints it, or removed it
                await self._http.call("DELETE", await self._address(path))

    async def prepare(self, plate: PlateFile, run_id: RunId) -> str:
        """Have the plate lie there under the run's name.

        A printer may take many minutes for a large file: the upload goes on beside, and the start
        is tried again until it has ended.
        """
        job = self.job_of(run_id)
        if self._upload is None or self._upload[0] != job:
            if self._upload is not None:
                self._upload[1].cancel()
            if self._errands is None:
                raise DriverUnavailable("no connection")
            sending = self._errands.create_task(self._send(plate, job), name="prusalink.upload")
            self._upload = (job, sending)
        _, sending = self._upload
        await asyncio.wait((sending,), timeout=UPLOAD_WAIT_S)
        if not sending.done():
            raise NotPossible(f"the plate is still on its way ({self._view.words})")
        self._upload = None
        if sending.cancelled():
            raise DriverUnavailable("the upload was broken off")
        if (failure := sending.result()) is not None:
            raise failure
        return ""

    async def _send(self, plate: PlateFile, job: str) -> DriverError | None:
        """Upload a plate; what went wrong is returned, since it must not end the others."""
        try:
            address = await self._address(job)
            await self._http.upload(plate.path, address)
            size = await self._size_of(address)
            if size != plate.path.stat().st_size:
                return PlateRefused(f"PrusaLink keeps {size} bytes, not as many as it was sent")
        except DriverError as error:
            return error
        except OSError as error:
            return DriverUnavailable(f"the plate's file can't be read: {error}")
        return None

    async def _size_of(self, address: str) -> Any:
        """Return the size of a file that was just stored: its list of files follows behind."""
        until_s = time.monotonic() + LISTED_S_MAX
        while True:
            try:
                return (await self._http.ask(address)).get("size")
            except NotFound:
                if time.monotonic() > until_s:
                    raise
            await asyncio.sleep(LOOK_AGAIN_S)

    async def forget(self, job: str) -> None:
        """Remove the run's file, so that a start that is still on its way finds nothing."""
        with suppress(NotFound):
            await self._http.call("DELETE", await self._address(job))

    # ------------------------------------------------------------------ jobs

    def job_of(self, run_id: RunId) -> str:
        """Return the path of the run's file."""
        return host_folder.run_path(run_id)

    async def begin(self, job: str) -> None:
        """See the contract; a refusal is certain, so that the order may be given again."""
        until_s = time.monotonic() + REFUSED_S_MAX
        while True:
            try:
                return await self._order("POST", await self._address(job))
            except Conflict:
                if time.monotonic() > until_s or not await self._shows_an_end():
                    raise
            await asyncio.sleep(LOOK_AGAIN_S)

    async def _shows_an_end(self) -> bool:
        with suppress(DriverError):
            return await self._look() in ENDINGS
        return False

    async def pause(self, job: str) -> None:
        """See the contract."""
        await self._order("PUT", f"{await self._job_address(job)}/pause")

    async def resume(self, job: str) -> None:
        """See the contract."""
        await self._order("PUT", f"{await self._job_address(job)}/resume")

    async def cancel(self, job: str) -> None:
        """See the contract."""
        await self._order("DELETE", await self._job_address(job))

    async def _job_address(self, job: str) -> str:
        """Return the address of a job that goes on: its number, so that no other is meant."""
        await self._look()
        if self._job is None or self._job[1] != job:
            raise NotPossible("the printer is at something else")
        return f"/api/v1/job/{self._job[0]}"

    async def ending(self, handle: Handle) -> Ending | None:
        """Tell it from the job that the printer names, or that it named when it was seen last."""
        word = await self._look()
        if self._ended is not None and self._ended[0] == handle.job:
            return self._ended[1]
        at_another = self._job is not None and self._job[1] not in ("", handle.job)
        gone = self._job is None and word not in ("BUSY", "ATTENTION")
        if handle.began and (at_another or gone):
            reason = "the printer no longer prints it, and PrusaLink keeps no history"
            return Ending(state=RunState.UNKNOWN, reason=reason)
        return None

    # ------------------------------------------------------------------ what people ask

    async def dialogue(self) -> list[str]:
        """PrusaLink tells none."""
        return []

    async def command(self, name: str, arguments: Mapping[str, Any]) -> str:
        """There is none."""
        raise NotPossible(f"{name!r} is no command for this printer")

    async def picture(self) -> bytes:
        """See the contract; printers of metal have no cameras in their PrusaLink."""
        try:
            picture = await self._http.picture("/api/v1/cameras/snap")
        except NotFound:
            picture = b""
        if not picture:
            raise NotPossible("PrusaLink has no camera")
        return checked_picture(picture, self.name)

    def close(self) -> None:
        """See the contract; a connection ends with `watch`."""
