"""A driver made of a print host, with the rules that all hosts share.

A run is a job of the host with a name of its own (host_run.py). What the host prints under another
name is foreign: it is seen, and neither steered nor stopped.

Accepted is not started: `start` returns once the host is seen printing the job, or has a record of
its end. A start whose answer was lost, or that never shows, is unknown, and `recover` finds out.

A host that is lost stays as it was last seen; a finding says how old that is.
"""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import structlog

from agent.errors import AnswerLost, DriverError, DriverUnavailable, NotPossible, StartUnknown
from agent.printers.driver import Capabilities, Observation, PlateFile, RunSeen
from agent.printers.host_contact import BACK_OFF_S_MAX, Contact
from agent.printers.host_handle import Handle
from agent.printers.host_plates import PlateChecks
from agent.printers.host_run import HostRun
from agent.printers.print_host import MOVING, HostView, PrintHost
from protocols.gcode.interjections import objection
from protocols.gcode.lines import parse, strip_comment
from protocols.wire.vocabulary import PrinterId, PrinterState, RunId

# The plate lies there already, as a rule. With the order itself and START_SEEN_S it stays below
# what an agent gives a start, after which that is unknown.
PREPARE_S_MAX = 80.0
START_SEEN_S = 60.0  # scripts before a print may home and probe, but it shows as begun before them
SETTLE_S = 10.0  # a host writes the end of a job down beside its other work

log = structlog.get_logger()


class HostDriver:
    """See `agent.printers.driver.Driver`."""

    def __init__(
        self,
        printer_id: PrinterId,
        host: PrintHost,
        checks: PlateChecks,
        *,
        state_dir: Path | None,
        start_seen_s: float = START_SEEN_S,
        settle_s: float = SETTLE_S,
        back_off_s_max: float = BACK_OFF_S_MAX,
    ) -> None:
        """Drive what a host drives.

        Args:
            printer_id: for the log.
            host: not connected yet.
            checks: what plates are held against.
            state_dir: for the handle that outlives this process; None: it does not.
            start_seen_s: how long an accepted start may take to show.
            settle_s: how long the host may take to record an end.
            back_off_s_max: between two attempts to reach the host.
        """
        self._host = host
        self._checks = checks
        bound = log.bind(printer_id=printer_id)
        self._contact = Contact(bound, back_off_s_max)
        path = state_dir and state_dir / "host_run.json"
        self._run = HostRun(host, bound, path, start_seen_s=start_seen_s, settle_s=settle_s)
        self._run.look = self._look
        self._change = asyncio.Event()
        self._told: tuple[object, ...] = ()

    # ------------------------------------------------------------------ what is seen

    @property
    def capabilities(self) -> Capabilities:
        """What it can be asked for."""
        return Capabilities(pause=True, recovers=True, commands=self._host.commands, camera=True)

    @property
    def observation(self) -> Observation:
        """What is seen now."""
        contact, view = self._contact, self._run.view
        return Observation(
            state=view.state if contact.open else PrinterState.OFFLINE,
            temperatures=view.temperatures,
            run=self._run.seen(),
            message=view.words if contact.open else f"{self._host.name}: {contact.reason}",
            foreign=self._run.foreign,
            findings=contact.findings,
            tuning=view.tuning,
        )

    async def changed(self) -> None:
        """Wait until the state, or the run's, differs from when this was last seen."""
        await self._change.wait()
        self._change.clear()

    def _look(self) -> None:
        seen = self.observation
        run = seen.run and (seen.run.run_id, seen.run.state)
        now = (seen.state, run, seen.foreign, seen.message)
        if now != self._told:
            self._told = now
            self._change.set()

    # ------------------------------------------------------------------ the connection's life

    async def run(self) -> None:
        """Stay connected; ends only when cancelled."""
        try:
            async with asyncio.TaskGroup() as self._run.errands:
                while True:
                    try:
                        await self._host.watch(self._see)
                        reason = "it closed the connection"
                    except DriverError as error:
                        reason = str(error)
                    delay_s = self._contact.lost(reason)
                    self._look()
                    await asyncio.sleep(delay_s)
        finally:
            self._run.unwatched()
            self._host.close()

    def _see(self, view: HostView) -> None:
        self._contact.heard()
        self._run.see(view)
        self._look()

    # ------------------------------------------------------------------ what the owner asks

    async def check(self, plate: PlateFile) -> None:
        """Look whether the plate may run here, and bring it to the host."""
        await self._checks.check(plate, self._host)
        await self._host.store(plate)
        kept = self._run.handle
        jobs = {kept.job} if kept is not None else set()
        plates = {plate.sha256} | ({kept.sha256} if kept is not None else set())
        with suppress(DriverError):
            await self._host.clean(jobs=jobs, plates=plates)

    async def start(self, plate: PlateFile, run_id: RunId) -> None:
        """Begin a job for the run, and see it begin."""
        self._must_be_idle()
        survey = await self._checks.survey(plate)
        try:
            async with asyncio.timeout(PREPARE_S_MAX):
                mark = await self._host.prepare(plate, run_id)
        except AnswerLost as error:  # nothing that could start is said yet
            raise DriverUnavailable(str(error)) from error
        except TimeoutError:
            words = f"it did not have the plate ready in {PREPARE_S_MAX:.0f} s"
            raise DriverUnavailable(f"{self._host.name}: {words}") from None
        self._must_be_idle()
        job = self._host.job_of(run_id)
        handle = Handle(run_id=run_id, job=job, sha256=plate.sha256, mark=mark)
        await self._run.take(handle, survey)
        lost = "the host accepted it, but did not begin"
        try:
            await self._host.begin(job)
        except AnswerLost as error:
            lost = str(error)
        except DriverError:
            self._run.refused(handle)
            raise
        if not await self._run.begins(handle):
            raise StartUnknown(lost)
        self._look()

    def _must_be_idle(self) -> None:
        self._must_be_there()
        view = self._run.view
        if view.state is PrinterState.OFFLINE:
            raise DriverUnavailable(view.words or "the host has no printer")
        if view.state is not PrinterState.IDLE:
            raise NotPossible(f"the printer is {view.state}")

    def _must_be_there(self) -> None:
        if not self._contact.open:
            raise DriverUnavailable(f"{self._host.name}: {self._contact.reason}")

    def _at_work(self) -> Handle:
        """Return the handle of the run that is being printed."""
        self._must_be_there()
        handle = self._run.handle
        if handle is None or handle.ended is not None or not self._run.shows(handle):
            raise NotPossible("no run of ours is being printed")
        return handle

    async def pause(self) -> None:
        """Have the host pause."""
        await self._host.pause(self._at_work().job)

    async def resume(self) -> None:
        """Have the host go on."""
        handle = self._at_work()
        if self._run.view.state is not PrinterState.PAUSED:
            raise NotPossible("nothing is paused")
        await self._host.resume(handle.job)

    async def stop(self) -> None:
        """Have the host cancel."""
        handle = self._at_work()
        await self._run.note_stopping(handle)
        await self._host.cancel(handle.job)

    async def recover(self, run_id: RunId, plate: PlateFile | None) -> RunSeen:
        """Say what became of a run, and take it over where the host is at it."""
        self._must_be_there()
        survey = await self._checks.survey(plate) if plate is not None else None
        seen = await self._run.recover(run_id, plate.sha256 if plate else "", survey)
        self._look()
        return seen

    async def picture(self) -> bytes:
        """Return a picture of the host's webcam; see `agent.cameras.Camera`."""
        return await self._host.picture()

    async def command(self, name: str, arguments: Mapping[str, Any]) -> str:
        """Do one of the host's commands; a line that a print would not bear is refused."""
        if name not in self._host.commands:
            raise NotPossible(f"{name!r} is no command for this printer")
        if name == "send":
            line = strip_comment(str(arguments.get("line", "")))
            command = parse(line)
            if command is None:
                raise NotPossible(f"{line!r} is no G-code")
            if why := objection(command, printing=self._run.view.state in MOVING):
                raise NotPossible(f"{command.name}: {why}")
            arguments = {**arguments, "line": line}
        return await self._host.command(name, arguments)
