"""Drives a printer with Marlin, or a firmware like it, over a serial line, as its host.

The firmware knows nothing of plates: this driver feeds it one line after the other. While the
firmware lives, a run survives a lost port and the death of this process: the firmware tells the
last number that it has, and the plate goes on behind it (streaming.py, run_record.py). Once the
firmware has restarted, position and heat are gone and the run has failed.
"""

import asyncio
from collections.abc import Coroutine, Mapping
from pathlib import Path
from typing import Any, ClassVar

import structlog

from agent.core.watch import Look
from agent.errors import DriverUnavailable, NotPossible, PlateRefused
from agent.printers.driver import Capabilities, Observation, PlateFile, RunSeen, RunState
from agent.printers.feed import Feed
from agent.printers.hearing import Hearing
from agent.printers.marlin_settings import WINDOW_LINES_MAX, MarlinSerialSettings
from agent.printers.plate_run import Mark
from agent.printers.serial_link import SerialLink
from agent.printers.serial_port import open_port
from agent.printers.streaming import Streaming
from agent.printers.surveys import SURVEYS
from agent.printers.transcript import Transcript
from agent.printers.watching import Watching
from protocols.errors import InvalidLine
from protocols.gcode import events
from protocols.gcode.connection import Connection
from protocols.gcode.lines import encode, parse, strip_comment
from protocols.gcode.rules import Severity, judge
from protocols.gcode.states import State
from protocols.gcode.survey import Survey
from protocols.wire.vocabulary import PrinterId, PrinterState, RunId

RECONNECT_S_MIN = 0.5
RECONNECT_S_MAX = 30.0
SEND_TIMEOUT_S = 120.0  # for an answer to a single command; homing takes this long at worst
TEND_INTERVAL_S = 2.0
NOTE_INTERVAL_S = 10.0
# An agent asks for its run within seconds of its start; reading a large plate may take a minute.
ASKED_FOR_WITHIN_S = 300.0
_LONGEST_NUMBER = 999_999_999

log = structlog.get_logger()


class MarlinSerial:
    """See `agent.printers.driver.Driver`."""

    capabilities: ClassVar[Capabilities] = Capabilities(
        pause=True, recovers=True, commands=frozenset({"send", "dialogue"})
    )

    def __init__(
        self, printer_id: PrinterId, settings: Mapping[str, Any], *, state_dir: Path | None = None
    ) -> None:
        """Drive one printer; what outlives this process is kept in `state_dir`, if it is given."""
        self._settings = MarlinSerialSettings.parse(settings)
        self._log = log.bind(printer_id=printer_id)
        self._transcript = Transcript()
        self._feed = Feed(self._new_connection(), now=_now, tell=self._heard)
        self._streaming = Streaming(
            self._feed, state_dir and state_dir / "run.jsonl", self._log, self._do_beside
        )
        self._hearing = Hearing(
            self._streaming,
            self._transcript,
            self._log,
            quick_stop=self._settings.quick_stop,
            errand=self._do_beside,
        )
        self._watching = Watching(self._log)
        self._change = asyncio.Event()
        self._told: tuple[object, ...] = ()
        self._errands: asyncio.TaskGroup | None = None

    def _new_connection(self) -> Connection:
        settings = self._settings
        return Connection(
            window_lines_max=settings.window or WINDOW_LINES_MAX,
            window_bytes_max=settings.bytes_max,
            window_lines=settings.window or None,
        )

    def _do_beside(self, errand: Coroutine[Any, Any, None]) -> None:
        assert self._errands is not None, "events come while `run` runs"
        self._errands.create_task(errand)

    # ------------------------------------------------------------------ what is seen

    @property
    def observation(self) -> Observation:
        """What is seen now."""
        run, connection = self._feed.run, self._feed.connection
        return Observation(
            state=self._state(),
            temperatures=dict(self._hearing.readings),
            run=run.seen(lines_sent=connection.lines_sent, resends=connection.resends)
            if run
            else None,
            message=self._message,
        )

    @property
    def _message(self) -> str:
        return self._hearing.message or self._streaming.remark or self._watching.words

    @property
    def _gist(self) -> tuple[object, ...]:
        """The message without the numbers that creep in it."""
        return (self._hearing.message, self._streaming.remark, *self._watching.findings)

    def _state(self) -> PrinterState:
        match self._feed.connection.state:
            case State.HALTED:
                return PrinterState.HALTED
            case State.ADOPTED if self._feed.link is not None and self._streaming.unsettled:
                return PrinterState.PRINTING  # for all that is known
            case State.READY | State.DRAINING if self._feed.link is not None:
                pass
            case _:
                return PrinterState.OFFLINE
        if self._hearing.attention:
            return PrinterState.ATTENTION
        if (run := self._streaming.active) is not None:
            paused = run.state is RunState.PAUSED
            return PrinterState.PAUSED if paused else PrinterState.PRINTING
        return PrinterState.IDLE

    async def changed(self) -> None:
        """Wait until the state, or the run's, differs from when this was last seen."""
        await self._change.wait()
        self._change.clear()

    def _look(self) -> None:
        run = self._feed.run
        now = (self._state(), run and (run.run_id, run.state), self._gist)
        if now != self._told:
            self._told = now
            self._change.set()

    # ------------------------------------------------------------------ the connection's life

    async def run(self) -> None:
        """Connect, converse, reconnect; ends only when cancelled."""
        async with asyncio.TaskGroup() as self._errands:
            self._errands.create_task(self._tend(), name="tend")
            await self._stay_connected()

    async def _stay_connected(self) -> None:
        delay_s = RECONNECT_S_MIN
        reason = ""
        while True:
            try:
                await self._converse()
            except DriverUnavailable as error:
                was_ready = self._hearing.connected
                self._hearing.lost(str(error))
                self._look()
                if str(error) != reason:
                    reason = str(error)
                    self._log.warning("printer.unreachable", reason=reason)
                delay_s = RECONNECT_S_MIN if was_ready else min(delay_s * 2, RECONNECT_S_MAX)
            await asyncio.sleep(delay_s)

    async def _converse(self) -> None:
        port = await asyncio.to_thread(open_port, self._settings.port, self._settings.baud_rate)
        try:
            connection = self._new_connection()
            self._feed.attach(connection)
            link = SerialLink(port.fileno(), connection, self._heard_and_speak, self._transcript)
            self._feed.link = link
            await link.serve(adopt=self._streaming.unsettled)
        finally:
            self._feed.link = None
            self._streaming.found = None
            port.close()

    async def _tend(self) -> None:
        """Now and then look for faults, note how far the plate is, give up what nobody wants."""
        noted_s, noted, unasked_s = 0.0, 0, 0.0
        while True:
            await asyncio.sleep(TEND_INTERVAL_S)
            self._watch()
            run, noted_s = self._streaming.active, noted_s + TEND_INTERVAL_S
            if run is not None and run.accepted != noted and noted_s >= NOTE_INTERVAL_S:
                noted_s, noted = 0.0, run.accepted
                run.record.note_line(noted, run.survey.layer_at(noted))
            unasked_s = unasked_s + TEND_INTERVAL_S if self._streaming.found is not None else 0.0
            if unasked_s > ASKED_FOR_WITHIN_S:
                self._streaming.abandon("nobody asked for it after the agent restarted")

    def _watch(self) -> None:
        connection = self._feed.connection
        begun = self._watching.look(
            Look(
                now_s=_now(),
                readings=self._hearing.readings,
                read_at_s=self._hearing.read_at_s,
                connected=self._feed.open,
                lines_sent=connection.lines_sent,
                resends=connection.resends,
            )
        )
        grave = [one for one in begun if one.rule.partition(".")[0] in self._settings.stop_on]
        if grave:
            self._streaming.stop(grave[0].words, quick=self._settings.quick_stop)
            self._feed.pump_and_flush()
        self._look()

    def _heard_and_speak(self, told: list[events.Event], now: float) -> bool:
        ordinary = self._heard(told)
        self._feed.pump(now)
        return ordinary

    def _heard(self, told: list[events.Event]) -> bool:
        """Take what the connection tells; True: only of lines of the plate that were accepted."""
        run, streamed = self._feed.run, 0
        for event in told:
            if type(event) is events.Accepted and event.tag is run and run is not None:
                run.accepted += 1
                streamed += 1
            else:
                self._hearing.handle(event)
        if streamed < len(told):
            self._look()
            return False
        return streamed > 0

    # ------------------------------------------------------------------ what the owner asks

    async def check(self, plate: PlateFile) -> None:
        """Look whether the plate may run here."""
        await self._survey(plate)

    async def _survey(self, plate: PlateFile) -> Survey:
        survey = await asyncio.to_thread(SURVEYS.of, plate)
        for finding in judge(survey, self._settings.limits, self._feed.connection.dialect):
            if finding.severity is Severity.REFUSE:
                raise PlateRefused(finding.words, finding.line)
        return survey

    async def start(self, plate: PlateFile, run_id: RunId) -> None:
        """Begin to feed the plate; once written down, a start is never unknown (`recover`)."""
        self._must_be_idle()
        survey = await self._survey(plate)
        self._must_be_idle()
        await self._streaming.begin(plate, survey, run_id, self._hearing.firmware)
        self._speak()

    def _must_be_idle(self) -> None:
        state = self._state()
        if state is PrinterState.OFFLINE:
            raise DriverUnavailable(self._message or "the printer is not connected")
        if state is not PrinterState.IDLE or self._feed.connection.state is not State.READY:
            raise NotPossible(f"the printer is {state}")

    def _speak(self) -> None:
        self._feed.pump_and_flush()
        self._look()

    async def pause(self) -> None:
        """Feed no further; PAUSED is seen once motion has ended."""
        self._feed.hold("")
        self._speak()

    async def resume(self) -> None:
        """Restore what the file had set, and feed on."""
        run = self._streaming.active
        if run is None or run.state is not RunState.PAUSED:
            raise NotPossible("nothing is paused")
        if not self._feed.open:
            raise NotPossible("the printer is not connected")
        await self._streaming.go_on()
        self._look()

    async def stop(self) -> None:
        """End the run; heaters off."""
        self._streaming.stop("", quick=self._settings.quick_stop)
        self._speak()

    async def recover(self, run_id: RunId, plate: PlateFile | None) -> RunSeen:
        """Say what became of a run, and go on with it where the firmware lives."""
        run = self._feed.run
        if run is None or run.run_id != run_id:
            if self._state() is PrinterState.OFFLINE:
                raise DriverUnavailable(self._message)
            record = await self._streaming.settle(run_id, plate)
            self._speak()
            run = self._feed.run
            if record is None or record.beginning.run_id != run_id:
                reason = "the driver has no record of it; how far the printer came is not known"
                return RunSeen(run_id=run_id, state=RunState.UNKNOWN, reason=reason)
            if (run is None or run.run_id != run_id) and record.ended is not None:
                state, reason = record.ended
                line, layer = record.line, record.layer
                return RunSeen(run_id=run_id, state=state, line=line, layer=layer, reason=reason)
        seen = self.observation.run
        assert seen is not None, "the run was taken up"
        return seen

    # ------------------------------------------------------------------ what an operator asks

    async def command(self, name: str, arguments: Mapping[str, Any]) -> str:
        """Send one `line` of G-code and wait for its end (`send`), or show the `dialogue`."""
        match name:
            case "dialogue":
                return "\n".join(self._hearing.evidence())
            case "send":
                within_s = arguments.get("within_s")
                if not isinstance(within_s, int | float):
                    within_s = SEND_TIMEOUT_S
                return await self._send(strip_comment(str(arguments.get("line", ""))), within_s)
        raise NotPossible(f"{name!r} is no command for this printer")

    async def _send(self, line: str, within_s: float) -> str:
        if parse(line) is None:
            raise NotPossible(f"{line!r} is no G-code")
        try:
            encode(_LONGEST_NUMBER, line)
        except InvalidLine as problem:
            raise NotPossible(str(problem)) from problem
        self._must_be_idle()
        hearing = self._hearing
        if hearing.answered is not None:
            raise NotPossible("another command is under way")
        quotes = hearing.quotes = []
        hearing.answered = asyncio.get_running_loop().create_future()
        try:
            self._feed.say(line, tag=Mark.SENT)
            self._speak()
            async with asyncio.timeout(within_s):
                await asyncio.wait((hearing.answered,))
            if hearing.answered.cancelled():
                raise DriverUnavailable(self._message)
            return "\n".join(quotes)
        except TimeoutError:
            raise NotPossible(f"no answer to {line} within {within_s:.0f} s") from None
        finally:
            hearing.answered = hearing.quotes = None


def _now() -> float:
    return asyncio.get_running_loop().time()
