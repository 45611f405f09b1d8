"""One printer's loop: observe, reconcile, perform one round of steps, report.

Everything that decides is in `core`; here the steps are performed in their order, and what came of
them is written down. The loop wakes for a document, a change at the printer, the connection,
and for time. It may be ended and begun again at any instruction: what matters is in the
journal, and the driver lives on in a task of its own.
"""

import asyncio
import secrets
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, assert_never

import structlog

from agent.beside import Beside, Brought, bring, is_final
from agent.commands import Orders
from agent.core.ahead import give_up, wanted
from agent.core.memory import Change, note_foreign, promoted
from agent.core.observation import RunState
from agent.core.reconcile import fate, is_begun, reconcile
from agent.core.run import Happened, Run
from agent.core.situation import Decision, Recall, Situation
from agent.core.steps import (
    Arm,
    ArmStaged,
    Eject,
    Fetch,
    FetchStaged,
    GiveUp,
    NoteForeign,
    Pause,
    Promote,
    Recover,
    Report,
    Resume,
    Start,
    Step,
    Stop,
    WriteJournal,
)
from agent.documents import Documents
from agent.errors import (
    AgentError,
    DriverError,
    JournalDamaged,
    PlateRefused,
    StartUnknown,
)
from agent.outbox import Outbox
from agent.pictures import Photographer
from agent.printers.driver import Driver, PlateFile
from agent.remembered import Remembered
from agent.reports import gist, report
from agent.surroundings import Surroundings
from protocols.wire.to_agent import Desired
from protocols.wire.vocabulary import Finding, Mode, Nonce, PrinterId, RunId, RunPhase, nonce_of

log = structlog.get_logger(__name__)

RETRY_S = 10.0  # after a fetch or a start that failed and may succeed later
RECOVER_AGAIN_S = 2.0  # the nozzle may be resting on the print
REPORT_S = 30.0  # a report is repeated so often even if nothing changed
OBEY_S_MAX = 60.0  # for a printer to take an order; homing and heating block that long
START_S_MAX = 180.0


class PrinterTask:
    """The loop of one printer. Documents come in by `desire`, commands by `orders`."""

    def __init__(
        self,
        printer_id: PrinterId,
        driver: Driver,
        around: Surroundings,
        *,
        ejection: Sequence[str] = (),
        photographer: Photographer | None = None,
    ) -> None:
        """Make a loop that does not run yet; `ejection` is the G-code that empties the bed."""
        self._printer_id = printer_id
        self._driver = driver
        self._around = around
        self._log = log.bind(printer_id=printer_id)
        self._wake = asyncio.Event()
        self._remembered: Remembered | None = None
        self._documents = Documents()
        self._recall = Recall()
        self._plate: PlateFile | None = None
        self._turn: RunId | None = None
        self._fetching: asyncio.Task[Brought] | None = None
        self._beside = Beside(
            printer_id, driver, around.files, around.boot_id, ejection=ejection, wake=self.wake
        )
        self.orders = Orders(driver, around.monotonic_s, photographer)
        self._sequence = 0
        self._reported: tuple[object, ...] = ()
        self._reported_at_s = 0.0
        self._outbox = Outbox(around.journal, printer_id)

    def desire(self, document: Desired) -> None:
        """Take a document."""
        self._documents.add(document)
        if self._fetching is not None and wanted(document, self._run) in (None, Mode.STOP):
            self._fetching.cancel()
        self.wake()

    def wake(self) -> None:
        """Look again."""
        self._wake.set()

    @property
    def begun(self) -> bool:
        """Whether a run has begun and did not end, or a bed is being emptied, as far as known."""
        now_s, known = self._around.monotonic_s(), self._remembered
        if known is None or self._beside.ahead.ejecting:
            return True
        return is_begun(known.memory, self._recall, now_s)

    @property
    def unheard(self) -> bool:
        """Whether there is history that no coordinator has acknowledged."""
        known = self._remembered
        return known is None or self._outbox.acknowledged < known.memory.events_stored

    async def run(self) -> None:
        """Look after the printer until cancelled.

        What an earlier run of this loop believed is forgotten; only the journal counts.
        """
        around = self._around
        self._remembered = await Remembered.load(
            around.journal,
            around.files,
            around.agent_id,
            self._printer_id,
            boot_id=around.boot_id,
        )
        self._documents.begin_again()
        self._recall, self._plate, self._turn = Recall(), None, None
        self._beside.forget()
        self._outbox, self._reported = Outbox(around.journal, self._printer_id), ()
        await self._outbox.load(events_stored=self._known.memory.events_stored)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._watch_driver(), name=f"watch.{self._printer_id}")
            tasks.create_task(self.orders.run(), name=f"orders.{self._printer_id}")
            while True:
                self._wake.clear()
                decision = await self._round(tasks)
                if not decision.steps:
                    await self._wait(decision.again_s)

    async def _watch_driver(self) -> None:
        while True:
            await self._driver.changed()
            self.wake()

    async def _wait(self, again_s: float | None) -> None:
        now_s = self._around.monotonic_s()
        until_s = min(now_s + REPORT_S, again_s if again_s is not None else now_s + REPORT_S)
        with suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, until_s - now_s)):
                await self._wake.wait()

    async def _round(self, tasks: asyncio.TaskGroup) -> Decision:
        """Look at everything once, and do what follows from it."""
        try:
            await self._beside.collect(self._known)
            await self._documents.admit(self._known, self._outbox)
            self._look_whose_turn_it_is()
            decision = reconcile(self._situation())
            for step in decision.steps:
                if not await self._perform(step, tasks):
                    break
            say_again_s = await self._outbox.say(
                self._around.outlet,
                events_stored=self._known.memory.events_stored,
                now_s=self._around.monotonic_s(),
            )
        except JournalDamaged as damage:
            # Nothing was written and so nothing may be done; what prints goes on.
            self._log.error("journal.unwritable", reason=str(damage))
            self._report(f"the journal: {damage}")
            await asyncio.sleep(RETRY_S)
            return Decision(again_s=0.0)
        self._report(decision.waits_for)
        return replace(decision, again_s=_earlier(decision.again_s, say_again_s))

    def _situation(self) -> Situation:
        return Situation(
            desired=self._documents.desired,
            memory=self._known.memory,
            observed=self._driver.observation,
            recall=self._recall,
            ahead=self._beside.ahead,
            can_pause=self._driver.capabilities.pause,
            self_clearing=self._beside.ejects,
            heard=self._around.outlet.heard,
            now_s=self._around.monotonic_s(),
            draining=self._around.drain.on,
        )

    @property
    def _known(self) -> Remembered:
        assert self._remembered is not None, "the memory is loaded before the first round"
        return self._remembered

    @property
    def _run(self) -> Run:
        return self._known.run

    async def _record(
        self, happened: Happened, reason: str = "", nonce: Nonce | None = None
    ) -> None:
        seen = self._driver.observation.run
        await self._known.record(happened, reason, nonce=nonce, seen=seen, amiss=self._amiss)

    @property
    def _amiss(self) -> tuple[Finding, ...]:
        return (*self._driver.observation.findings, *self._around.host_findings())

    def _look_whose_turn_it_is(self) -> None:
        """Begin anew with another run; its plate may have been brought ahead."""
        run = self._known.memory.run
        if run is not None and run.run_id != self._turn:
            self._turn, self._plate = run.run_id, self._beside.take(run.run_id)
            self._recall = Recall(plate_here=self._plate is not None)

    async def _perform(self, step: Step, tasks: asyncio.TaskGroup) -> bool:
        """Do one step; False ends the round."""
        match step:
            case Fetch():
                return await self._fetch(tasks)
            case Arm():
                nonce = nonce_of(self._around.boot_id, secrets.token_hex(8))
                await self._record(Happened.ARMED, nonce=nonce)
            case Report():
                self._report("the coordinator's permit")
                now_s = self._around.monotonic_s()
                self._recall = replace(self._recall, armed=self._run.nonce, armed_at_s=now_s)
            case FetchStaged(run_id):
                self._beside.fetch(run_id, self._known, tasks)
            case ArmStaged(run_id):
                await self._beside.arm(run_id, self._known)
            case GiveUp(run_id, reason):
                await self._known.record_staged(run_id, Happened.WITHDRAWN, reason)
            case Promote():
                await self._known.save(Change(memory=promoted(self._known.memory)))
            case Eject():
                await self._beside.eject(self._known, tasks)
            case WriteJournal(happened, reason):
                await self._record(happened, reason)
            case NoteForeign(printing):
                await self._known.save(Change(memory=note_foreign(self._known.memory, printing)))
            case Start():
                return await self._start()
            case Pause():
                await self._ask(step, self._driver.pause())
            case Resume():
                await self._ask(step, self._driver.resume())
            case Stop():
                await self._ask(step, self._driver.stop())
            case Recover():
                return await self._recover(tasks)
            case _:
                assert_never(step)
        return True

    async def _fetch(self, tasks: asyncio.TaskGroup) -> bool:
        """Bring the plate here and look at it; a document may call it off meanwhile."""
        self._report("its plate")
        self._fetching = tasks.create_task(
            bring(self._around.files, self._driver, self._run.plate),
            name=f"fetch.{self._printer_id}",
        )
        try:
            await asyncio.wait((self._fetching,))
            if self._fetching.cancelled():
                return False
            brought = self._fetching.result()
        finally:
            self._fetching = None
        if not isinstance(brought, PlateFile):
            return await self._fail(brought, final=is_final(brought))
        self._plate = brought
        self._recall = replace(self._recall, plate_here=True, trouble="")
        if self._run.phase is RunPhase.FETCHING:
            await self._record(Happened.FETCHED)
        return True

    async def _fail(self, failure: AgentError, *, final: bool) -> bool:
        """Give the run up before it began, or hold it back for a while."""
        if final:
            await self._record(Happened.REFUSED, str(failure))
        else:
            self._hold_back(str(failure), RETRY_S)
        return False

    def _hold_back(self, trouble: str, wait_s: float) -> None:
        if trouble and trouble != self._recall.trouble:
            self._log.warning("run.held_back", run_id=self._run.run_id, reason=trouble)
        retry_at_s = self._around.monotonic_s() + wait_s
        self._recall = replace(self._recall, retry_at_s=retry_at_s, trouble=trouble)

    async def _start(self) -> bool:
        """Tell the printer to start: the only place that does, right after the commitment."""
        run, plate = self._run, self._plate
        assert run.phase is RunPhase.COMMITTED, "saved, then said"
        assert plate is not None, "a run is ready only when its plate is here"
        try:
            async with asyncio.timeout(START_S_MAX):
                await self._driver.start(plate, run.run_id)
        except PlateRefused as refusal:
            await self._record(Happened.REFUSED, str(refusal))
        except (StartUnknown, TimeoutError) as failure:
            # It stays COMMITTED: the next round asks the printer, and never starts it again.
            self._log.error("run.start_unknown", run_id=run.run_id, reason=str(failure))
        except DriverError as failure:
            await self._record(Happened.NOT_STARTED, str(failure))
            self._hold_back(str(failure), RETRY_S)
        else:
            self._recall = Recall()
            await self._record(Happened.STARTED)
        return False

    async def _ask(self, step: Step, order: Coroutine[Any, Any, None]) -> None:
        """Give the printer an order; whether it obeyed is seen, not answered."""
        trouble = ""
        try:
            async with asyncio.timeout(OBEY_S_MAX):
                await order
        except TimeoutError:
            trouble = f"the printer did not take the order in {OBEY_S_MAX:.0f} s"
        except DriverError as failure:
            trouble = str(failure)
        if trouble:
            self._log.warning("order.failed", order=type(step).__name__, reason=trouble)
        now_s = self._around.monotonic_s()
        self._recall = replace(self._recall, asked=type(step), asked_at_s=now_s, trouble=trouble)

    async def _recover(self, tasks: asyncio.TaskGroup) -> bool:
        run = self._run
        sha256, path = run.plate.sha256, await self._around.files.cached(run.plate.sha256)
        plate = PlateFile(path=path, sha256=sha256, name=run.plate.name) if path else None
        try:
            async with asyncio.timeout(OBEY_S_MAX):
                seen = await self._driver.recover(run.run_id, plate)
        except TimeoutError:
            self._hold_back("the printer does not say what became of the run", RECOVER_AGAIN_S)
            return False
        except DriverError as failure:
            self._hold_back(str(failure), RECOVER_AGAIN_S)
            return False
        self._log.info("run.recovered", run_id=run.run_id, state=seen.state, reason=seen.reason)
        if seen.state not in (RunState.NONE, RunState.UNKNOWN):
            await self._give_up_what_another_process_armed(tasks)
        for write in fate(run, seen):
            await self._known.record(write.happened, write.reason, seen=seen, amiss=self._amiss)
        self._hold_back("", RECOVER_AGAIN_S)
        return True

    async def _give_up_what_another_process_armed(self, tasks: asyncio.TaskGroup) -> None:
        """Before anything is said of the run that this process now sees on its printer."""
        while decision := give_up(self._situation(), sure=True):
            for step in decision.steps:
                await self._perform(step, tasks)

    def _report(self, waits_for: str) -> None:
        """Say how things stand, if that is news or long ago."""
        now_s = self._around.monotonic_s()
        reported = report(
            self._known.memory,
            self._driver.observation,
            boot_id=self._around.boot_id,
            sequence=self._sequence + 1,
            waits_for=waits_for,
            events_acknowledged=self._outbox.acknowledged,
            refused=self._documents.refused,
            ahead=self._beside.ahead,
            desired=self._documents.desired,
        )
        if gist(reported) == self._reported and now_s < self._reported_at_s + REPORT_S:
            return
        self._sequence += 1
        self._reported, self._reported_at_s = gist(reported), now_s
        self._around.outlet.report(reported)


def _earlier(one_s: float | None, other_s: float | None) -> float | None:
    times_s = [time_s for time_s in (one_s, other_s) if time_s is not None]
    return min(times_s, default=None)
