"""A run's life at a host: begun, followed, ended, and found again after a restart.

The job's name is written down before the start. A run that began and that the host no longer shows
has ended, and the host is asked how; where it has no record of that, the run has failed. A run that
was never seen to begin is taken away from the host, so that it can't begin later.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from agent.errors import AnswerLost, DriverError, DriverUnavailable, NotPossible
from agent.printers.driver import RunSeen, RunState
from agent.printers.host_handle import Handle, HandleFile
from agent.printers.host_plates import Progress
from agent.printers.print_host import MOVING, HostView, PrintHost
from protocols.gcode.survey import Survey
from protocols.wire.vocabulary import PrinterState, RunId

LOOK_AGAIN_S = 1.0
EVIDENCE_LINES = 40


class HostRun:
    """The run that a printer behind a host is, or was last, busy with.

    Attributes:
        view: what the host showed last; kept while it is lost.
        handle: of the last run that was given to the host, by this process or one before it.
        look: called when the run has changed without a view.
        errands: for what has to be found out beside; None while nobody watches the host.
    """

    def __init__(
        self, host: PrintHost, log: Any, path: Path | None, *, start_seen_s: float, settle_s: float
    ) -> None:
        """Begin with what an earlier process left.

        Args:
            host: whose run it is.
            log: bound to the printer.
            path: of the handle's file; None: it does not outlive this process.
            start_seen_s: how long an accepted start may take to show.
            settle_s: how long the host may take to record an end.
        """
        self.view = HostView(state=PrinterState.OFFLINE)
        self.look: Callable[[], None] = lambda: None
        self.errands: asyncio.TaskGroup | None = None
        self._host = host
        self._log = log
        self._start_seen_s, self._settle_s = start_seen_s, settle_s
        self._file = HandleFile(path)
        self.handle = self._file.load()
        self._writing = asyncio.Lock()
        self._taken: RunId | None = None  # what this process started or took over
        self._progress = Progress()
        self._evidence: tuple[str, ...] = ()
        self._viewed = asyncio.Event()
        self._shown = asyncio.Event()  # the job of a start that is under way was seen
        self._trails_until_s = 0.0  # so long a job that ended may still show
        self._settling = self._unsafe = False

    # ------------------------------------------------------------------ what is seen

    def seen(self) -> RunSeen | None:
        """Return how far it is, None before this process started or took over one."""
        handle = self.handle
        if handle is None or handle.run_id != self._taken:
            return None
        paused = self.shows(handle) and self.view.state is PrinterState.PAUSED
        state = handle.ended or (RunState.PAUSED if paused else RunState.PRINTING)
        whole = state is RunState.FINISHED
        return self._progress.seen(
            handle.run_id, state, reason=handle.reason, evidence=self._evidence, whole=whole
        )

    @property
    def foreign(self) -> bool:
        """Whether the host prints what is no run of ours."""
        handle, view = self.handle, self.view
        if handle is None or view.job != handle.job:
            return view.state in MOVING
        trails = handle.ended is None or time.monotonic() < self._trails_until_s
        return view.state in MOVING and not trails

    def shows(self, handle: Handle) -> bool:
        """Whether the host is at the job, as far as it was seen."""
        return self.view.state in MOVING and self.view.job == handle.job

    def see(self, view: HostView) -> None:
        """Take what the host shows."""
        self.view = view
        self._viewed.set()
        self._judge()

    def _judge(self) -> None:
        """Draw from the last view what it means for the run."""
        handle, view = self.handle, self.view
        if handle is not None and handle.ended is None:
            if self.shows(handle):
                self._progress.follow(view)
                if not handle.began:
                    self._note(replace(handle, began=True))
                self._shown.set()
            elif handle.run_id == self._taken and not self._settling:
                self._settling = True
                self._do_beside(self._settle_beside(handle), "settle")
        if self._unsafe and view.state is PrinterState.IDLE:
            self._unsafe = False
            self._do_beside(self._make_safe(), "cool")

    def _do_beside(self, errand: Coroutine[Any, Any, None], name: str) -> None:
        if self.errands is None:
            errand.close()  # the next view asks for it again
        else:
            self.errands.create_task(errand, name=name)

    def unwatched(self) -> None:
        """Nobody watches the host any more; what went on beside was cancelled."""
        self.errands, self._settling = None, False

    # ------------------------------------------------------------------ its handle

    def _note(self, handle: Handle) -> None:
        """Remember it, and write it down soon: what the host has is asked again after a crash."""
        self.handle = handle
        self.look()
        self._do_beside(self._write_beside(), "handle")

    async def _write_beside(self) -> None:
        try:
            await self._write()
        except OSError as error:
            self._log.warning("handle.unwritable", reason=str(error))

    async def _write(self) -> None:
        async with self._writing:
            if self.handle is not None:
                await asyncio.to_thread(self._file.save, self.handle)

    async def note_stopping(self, handle: Handle) -> None:
        """Write down that a stop is asked for, so that the end is known for ours."""
        self.handle = replace(handle, stopping=True)
        await self._write_beside()

    # ------------------------------------------------------------------ how it begins

    async def take(self, handle: Handle, survey: Survey) -> None:
        """Take a run that is about to be started; it is on the card when this returns.

        Raises:
            NotPossible: it can't be written down.
        """
        self._taken, self._evidence = None, ()
        self._progress, self._shown = Progress(survey), asyncio.Event()
        self._unsafe = False
        self.handle = handle
        try:
            await self._write()
        except OSError as error:
            self.handle = None
            raise NotPossible(f"the run can't be written down: {error}") from error

    def refused(self, handle: Handle) -> None:
        """The start was refused: the host has nothing of it."""
        self._note(handle.end(RunState.NONE, "refused"))

    async def begins(self, handle: Handle) -> bool:
        """Whether the host shows the job as begun, or a record of its end, in time."""
        deadline_s = time.monotonic() + self._start_seen_s
        while time.monotonic() < deadline_s:
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_AGAIN_S):
                    await self._shown.wait()
            if not self._shown.is_set():
                with suppress(DriverError):
                    if (ending := await self._host.ending(handle)) is None:
                        continue
                    await self._end(replace(handle, began=True), ending.state, ending.reason)
            if self._shown.is_set() or (self.handle and self.handle.ended is not None):
                self._taken = handle.run_id
                self._judge()
                return True
        return False

    # ------------------------------------------------------------------ how it ends

    async def _settle_beside(self, handle: Handle) -> None:
        try:
            await self._settle(handle)
        except DriverError:
            pass  # the host is gone again; its next view asks again
        finally:
            self._settling = False

    async def _settle(self, handle: Handle) -> None:
        """Find out how a run ended that began and that the host is no longer at."""
        deadline_s = time.monotonic() + self._settle_s
        while (ending := await self._host.ending(handle)) is None:
            if self.shows(handle):
                return  # it is at it again
            if time.monotonic() > deadline_s:
                break
            await asyncio.sleep(LOOK_AGAIN_S / 2)
        current = self.handle
        if current is None or current.run_id != handle.run_id:
            return
        if ending is None:
            words = self.view.words or "it was restarted, or lost its printer"
            reason = f"the host no longer prints it, and does not say how it ended: {words}"
            await self._end(current, self._host.unsaid, reason)
        else:
            await self._end(current, ending.state, ending.reason)

    async def _end(self, handle: Handle, state: RunState, reason: str) -> None:
        """Take over how a run ended; a host may know it before its printer rests."""
        self._trails_until_s = time.monotonic() + self._settle_s
        with suppress(TimeoutError):
            async with asyncio.timeout(self._settle_s):
                await self._until_rest(handle)
        if handle.stopping and state is not RunState.FINISHED:
            state, reason = RunState.STOPPED, ""
        if state is not RunState.FINISHED:
            self._unsafe = True  # what was heated for it may rest on it
        if state is RunState.FAILED:
            with suppress(DriverError):
                self._evidence = tuple((await self._host.dialogue())[-EVIDENCE_LINES:])
        self._note(handle.end(state, reason))
        self._judge()

    async def _until_rest(self, handle: Handle) -> None:
        while self.shows(handle):
            self._viewed.clear()
            await self._viewed.wait()

    async def _make_safe(self) -> None:
        try:
            await self._host.cool()
        except DriverError as error:
            self._log.warning("heaters.not_turned_off", reason=str(error))

    # ------------------------------------------------------------------ how it is found again

    async def recover(self, run_id: RunId, sha256: str, survey: Survey | None) -> RunSeen:
        """Say what became of a run, and take it over where the host is at it.

        Raises:
            DriverUnavailable: the host does not say now.
        """
        handle = self.handle
        if handle is None or handle.run_id != run_id:
            handle = Handle(run_id=run_id, job=self._host.job_of(run_id), sha256=sha256)
            self._note(handle)
        if run_id != self._taken:
            self._evidence, self._progress = (), Progress(survey)
        if handle.ended is None:
            try:
                await self._find_out(handle)
            except (NotPossible, AnswerLost) as error:
                raise DriverUnavailable(str(error)) from error
        self._taken = run_id
        self._judge()
        seen = self.seen()
        assert seen is not None, "it is the one that was taken"
        return seen

    async def _find_out(self, handle: Handle) -> None:
        """Ask the host: its records first, since a person may be printing the file again.

        Without a mark nobody knows which of its records are older than the run.
        """
        shows = self.shows(handle)
        ending = None if shows and not handle.mark else await self._host.ending(handle)
        if ending is not None:
            await self._end(replace(handle, began=True), ending.state, ending.reason)
        elif shows:
            self._note(replace(handle, began=True))
        elif handle.began:
            await self._settle(handle)
        else:
            await self._host.forget(handle.job)
            reason = "the host knows nothing of it; it may never have begun"
            self._note(handle.end(RunState.UNKNOWN, reason))
