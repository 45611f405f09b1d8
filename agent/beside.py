"""What an agent does beside a print, or between two: plates brought ahead, a bed emptied.

Each is a task of its own, so that the printer's loop goes on; what came of it is taken in by the
loop, `collect`, and only there written down.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from secrets import token_hex

import structlog

from agent.core.memory import EjectionStage
from agent.core.run import Happened
from agent.core.situation import Ahead
from agent.errors import DriverError, FileUnavailable, PlateRefused
from agent.files import FileStore
from agent.printers.driver import Driver, PlateFile
from agent.remembered import Remembered
from protocols.wire.to_agent import PlateReference
from protocols.wire.vocabulary import PrinterId, RunId, RunPhase, nonce_of

log = structlog.get_logger(__name__)

RETRY_S = 10.0
# A bed may have to cool down before a print comes off it.
EJECTION_LINE_S_MAX = 3600.0

Brought = PlateFile | FileUnavailable | DriverError


async def bring(files: FileStore, driver: Driver, plate: PlateReference) -> Brought:
    """Return the plate, fetched and looked at, or what was wrong: a raise would end its group."""
    try:
        path = await files.fetch(plate)
        file = PlateFile(path=path, sha256=plate.sha256, name=plate.name)
        await driver.check(file)
    except (FileUnavailable, DriverError) as failure:
        return failure
    return file


def is_final(failure: FileUnavailable | DriverError) -> bool:
    """Whether trying again would fail again."""
    if isinstance(failure, FileUnavailable):
        return not failure.retry
    return isinstance(failure, PlateRefused)


class Beside:
    """The tasks of one printer, and what they brought; all of it is forgotten with the process."""

    def __init__(
        self,
        printer_id: PrinterId,
        driver: Driver,
        files: FileStore,
        boot_id: str,
        *,
        ejection: Sequence[str],
        wake: Callable[[], None],
    ) -> None:
        """Know nothing yet.

        Args:
            printer_id: whose.
            driver: that printer's.
            files: where plates are.
            boot_id: of this process.
            ejection: the G-code that empties the bed, line by line; empty: a person does.
            wake: called when something was done.
        """
        self._log = log.bind(printer_id=printer_id)
        self._driver = driver
        self._files = files
        self._boot_id = boot_id
        self._ejection = ejection
        self._wake = wake
        self.forget()

    def forget(self) -> None:
        """Begin anew: what was under way is over, and no nonce that was made counts any more."""
        self.ahead = Ahead()
        self._plates: dict[RunId, PlateFile] = {}
        self._fetching: tuple[RunId, asyncio.Task[Brought]] | None = None
        self._ejecting: asyncio.Task[str] | None = None

    @property
    def ejects(self) -> bool:
        """Whether this printer empties its bed by itself."""
        return bool(self._ejection)

    def take(self, run_id: RunId) -> PlateFile | None:
        """Return the plate of a run whose turn it is, None where it was not brought ahead."""
        return self._plates.pop(run_id, None)

    def fetch(self, run_id: RunId, remembered: Remembered, tasks: asyncio.TaskGroup) -> None:
        """Begin to bring a staged run's plate here."""
        run = next(run for run in remembered.memory.staged if run.run_id == run_id)
        work = bring(self._files, self._driver, run.plate)
        task = tasks.create_task(work, name=f"fetch.{run_id}")
        task.add_done_callback(lambda _: self._wake())
        self._fetching = (run_id, task)
        self.ahead = replace(self.ahead, fetching=True)

    async def arm(self, run_id: RunId, remembered: Remembered) -> None:
        """Make a nonce for a staged run, and write it down."""
        nonce = nonce_of(self._boot_id, token_hex(8))
        await remembered.record_staged(run_id, Happened.ARMED, nonce=nonce)
        held = {run.nonce for run in remembered.memory.staged} | {remembered.run.nonce, nonce}
        nonces = frozenset(each for each in (*self.ahead.nonces, nonce) if each in held)
        self.ahead = replace(self.ahead, nonces=nonces)

    async def eject(self, remembered: Remembered, tasks: asyncio.TaskGroup) -> None:
        """Write down that the bed is being emptied, and begin."""
        await remembered.note_ejection(EjectionStage.BEGUN)
        self._log.info("ejection.begun", occupation=remembered.memory.occupation)
        self._ejecting = tasks.create_task(self._empty_the_bed(), name="ejection")
        self._ejecting.add_done_callback(lambda _: self._wake())
        self.ahead = replace(self.ahead, ejecting=True, trouble="")

    async def _empty_the_bed(self) -> str:
        """Return why it broke off, empty when it went through."""
        for line in self._ejection:
            order = {"line": line, "within_s": EJECTION_LINE_S_MAX}
            try:
                await self._driver.command("send", order)
            except DriverError as failure:
                return f"{line}: {failure}"
        return ""

    async def collect(self, remembered: Remembered) -> None:
        """Write down what was done since. Raises JournalDamaged: it is collected again."""
        if self._fetching is not None and self._fetching[1].done():
            await self._collect_plate(*self._fetching, remembered)
            self._fetching = None
            self.ahead = replace(self.ahead, fetching=False)
        if self._ejecting is not None and self._ejecting.done():
            trouble = self._ejecting.result()
            if trouble:
                self._log.error("ejection.broke_off", reason=trouble)
            else:
                await remembered.note_ejection(EjectionStage.DONE)
                self._log.info("ejection.done", occupation=remembered.memory.occupation)
            self._ejecting = None
            self.ahead = replace(self.ahead, ejecting=False, trouble=trouble)

    async def _collect_plate(
        self, run_id: RunId, task: "asyncio.Task[Brought]", remembered: Remembered
    ) -> None:
        brought = task.result()
        run = next((run for run in remembered.memory.staged if run.run_id == run_id), None)
        if run is None:
            if isinstance(brought, PlateFile):  # its turn came meanwhile, or it was given up
                self._plates[run_id] = brought
        elif isinstance(brought, PlateFile):
            if run.phase is RunPhase.FETCHING:
                await remembered.record_staged(run_id, Happened.FETCHED)
            self._plates = {run_id: brought} | {
                each.run_id: self._plates[each.run_id]
                for each in remembered.memory.staged
                if each.run_id in self._plates
            }
            self.ahead = replace(self.ahead, here=frozenset(self._plates))
        elif is_final(brought):
            await remembered.record_staged(run_id, Happened.REFUSED, str(brought))
        else:
            retry_at_s = asyncio.get_running_loop().time() + RETRY_S
            self.ahead = replace(self.ahead, retry_at_s=retry_at_s)
