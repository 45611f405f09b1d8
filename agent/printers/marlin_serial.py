"""Drives a printer with Marlin, or a firmware like it, over a serial line, as its host.

The firmware knows nothing of plates: this driver feeds it one line after the other. While the
firmware lives, a run survives a lost port and the death of this process: the firmware tells the
last number that it has, and the plate goes on behind it (streaming.py, run_record.py). Once the
firmware has restarted, position and heat are gone and the run has failed.
"""

import asyncio
import contextlib
import os
from collections.abc import Coroutine, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import structlog

from agent.core.watch import calls_for_stop
from agent.errors import DriverUnavailable, NotPossible, PlateRefused
from agent.printers.baud_rates import TRIAL_S, BaudRates
from agent.printers.driver import Capabilities, Observation, PlateFile, RunSeen, RunState
from agent.printers.feed import Feed
from agent.printers.hearing import Hearing
from agent.printers.marlin_settings import WINDOW_LINES_MAX, MarlinSerialSettings
from agent.printers.panel import Panel
from agent.printers.serial_link import SerialLink
from agent.printers.serial_port import open_port
from agent.printers.streaming import Streaming
from agent.printers.surveys import SURVEYS
from agent.printers.terminal import COMMANDS, Terminal
from agent.printers.transcript import Transcript
from agent.printers.watching import Watching
from protocols.gcode import events
from protocols.gcode.connection import Connection
from protocols.gcode.rules import Severity, judge
from protocols.gcode.states import State
from protocols.gcode.survey import Survey
from protocols.wire.vocabulary import PrinterId, PrinterState, RunId

RECONNECT_S_MIN = 0.5
RECONNECT_S_MAX = 30.0
TEND_INTERVAL_S = 2.0
NOTE_INTERVAL_S = 10.0
# An agent asks for its run within seconds of its start; reading a large plate may take a minute.
ASKED_FOR_WITHIN_S = 300.0

log = structlog.get_logger()


class MarlinSerial:
    """See `agent.printers.driver.Driver`."""

    capabilities: ClassVar[Capabilities] = Capabilities(
        pause=True, recovers=True, streams=True, commands=COMMANDS
    )

    def __init__(
        self, printer_id: PrinterId, settings: Mapping[str, Any], *, state_dir: Path | None = None
    ) -> None:
        """Drive one printer; what outlives this process is kept in `state_dir`, if it is given."""
        self._settings = MarlinSerialSettings.parse(settings)
        self._log = log.bind(printer_id=printer_id)
        self._transcript = Transcript()
        self._baud_rates = BaudRates(
            self._settings.baud_rate, state_dir and state_dir / "baud_rate"
        )
        self._feed = Feed(
            self._new_connection(), now=_now, tell=self._heard, shortens=self._settings.shorten
        )
        self._streaming = Streaming(
            self._feed, state_dir and state_dir / "run.jsonl", self._log, self._do_beside
        )
        self._panel = Panel(self._streaming, now=_now, log=self._log)
        self._hearing = Hearing(
            self._streaming,
            self._panel,
            self._transcript,
            self._log,
            quick_stop=self._settings.quick_stop,
            on_error=self._settings.on_error,
            errand=self._do_beside,
        )
        self._terminal = Terminal(
            self._streaming,
            self._hearing,
            self._transcript,
            state=self._state,
            foreign=lambda: self._panel.foreign,
            tell=self._heard,
        )
        self._watching = Watching(self._streaming, self._hearing, self._transcript, self._log)
        self._streaming.look = self._watch
        self._change = asyncio.Event()
        self._told: tuple[object, ...] = ()
        self._errands: asyncio.TaskGroup | None = None

    def _new_connection(self) -> Connection:
        settings = self._settings
        return Connection(
            window_lines_max=settings.window or WINDOW_LINES_MAX,
            window_bytes_max=settings.bytes_max,
            window_lines=settings.window or None,
            packs=settings.meatpack,
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
            foreign=self._panel.foreign,
            findings=self._watching.findings.now,
            tuning=self._feed.turned.now(connection.dialect),
        )

    @property
    def _message(self) -> str:
        words = self._hearing.message or self._streaming.remark or self._panel.words
        return words or self._watching.findings.words

    @property
    def _gist(self) -> tuple[object, ...]:
        """The message without the numbers that creep in it."""
        words = (self._hearing.message, self._streaming.remark, self._panel.words)
        return (*words, *self._watching.findings.rules)

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
        if not self._panel.settled:
            return PrinterState.OFFLINE  # what it does is not known yet
        return PrinterState.PRINTING if self._panel.foreign else PrinterState.IDLE

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
        rates = self._baud_rates
        port = await asyncio.to_thread(open_port, self._settings.port, rates.current)
        connection = self._new_connection()
        trial: asyncio.TimerHandle | None = None
        try:
            self._feed.attach(connection)
            link = SerialLink(
                port.fileno(),
                connection,
                self._heard_and_speak,
                self._transcript,
                rest_s_max=lambda: self._feed.rest_s_max,
            )
            self._feed.link = link
            if rates.searching:
                words = f"nobody answers at {rates.current} baud"
                trial = asyncio.get_running_loop().call_later(TRIAL_S, self._end_trial, link, words)
            await link.serve(adopt=self._streaming.unsettled)
        finally:
            if trial is not None:
                trial.cancel()
            if not self._hearing.connected and not self._streaming.unsettled:
                rates.silent()
            self._feed.link = None
            self._streaming.found = None
            with contextlib.suppress(OSError):
                os.write(port.fileno(), connection.parting)
            port.close()

    def _end_trial(self, link: SerialLink, words: str) -> None:
        if not self._hearing.connected:
            link.lose(words)

    async def _tend(self) -> None:
        """Now and then look for faults, note how far the plate is, give up what nobody wants."""
        noted_s, noted, unasked_s = 0.0, 0, 0.0
        while True:
            await asyncio.sleep(TEND_INTERVAL_S)
            self._watch()
            self._panel.look()
            self._ask_tuning()
            run, noted_s = self._streaming.active, noted_s + TEND_INTERVAL_S
            if run is not None and run.accepted != noted and noted_s >= NOTE_INTERVAL_S:
                noted_s, noted = 0.0, run.accepted
                run.record.note_line(noted, run.survey.layer_at(noted))
            unasked_s = unasked_s + TEND_INTERVAL_S if self._streaming.found is not None else 0.0
            if unasked_s > ASKED_FOR_WITHIN_S:
                self._streaming.abandon("nobody asked for it after the agent restarted")

    def _ask_tuning(self) -> None:
        """Ask how speed and flow stand, where that disturbs nothing."""
        feed, panel, run = self._feed, self._panel, self._streaming.active
        ready = feed.open and feed.connection.state is State.READY and panel.settled
        ending = run is not None and run.record.stopping is not None
        if not ready or ending or panel.asking or panel.foreign or self._hearing.attention:
            return
        if questions := feed.turned.questions(feed.connection.dialect):
            feed.say(*questions)
            feed.pump_and_flush()

    def _watch(self) -> None:
        begun = self._watching.look(_now())
        grave = [one for one in begun if calls_for_stop(one, self._settings.stop_on)]
        if grave:
            self._streaming.stop(grave[0].words, quick=self._settings.quick_stop)
            self._feed.pump_and_flush()
        self._look()

    def _heard_and_speak(self, told: list[events.Event], now: float) -> float:
        if not told and (rest_s_max := self._feed.rest_s_max):
            return rest_s_max
        self._heard(told)
        self._feed.pump(now)
        return 0.0

    def _heard(self, told: list[events.Event]) -> None:
        for event in told:
            self._hearing.handle(event)
            if type(event) is events.Ready:
                self._baud_rates.answered()
        self._look()

    # ------------------------------------------------------------------ what the owner asks

    async def check(self, plate: PlateFile) -> None:
        """Look whether the plate may run here."""
        await self._survey(plate)

    async def _survey(self, plate: PlateFile) -> Survey:
        survey = await asyncio.to_thread(SURVEYS.of, plate)
        settings, dialect = self._settings, self._feed.connection.dialect
        for finding in judge(survey, settings.limits, dialect, settings.policy):
            if finding.severity is Severity.REFUSE:
                raise PlateRefused(finding.words, finding.line)
        return survey

    async def start(self, plate: PlateFile, run_id: RunId) -> None:
        """Begin to feed the plate; once written down, a start is never unknown (`recover`)."""
        self._must_be_idle()
        survey = await self._survey(plate)
        await self._panel.make_sure()
        self._must_be_idle()
        await self._streaming.begin(plate, survey, run_id, self._hearing.firmware)
        self._speak()

    def _must_be_idle(self) -> None:
        state = self._state()
        if state is PrinterState.OFFLINE:
            raise DriverUnavailable(self._message or "the printer is not connected")
        if self._panel.foreign:
            raise NotPossible(f"the printer {self._panel.words}")
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
                unknown = RunSeen(run_id=run_id, state=RunState.UNKNOWN, reason=reason)
                return replace(unknown, evidence=tuple(self._hearing.evidence()))
            if (run is None or run.run_id != run_id) and record.ended is not None:
                state, reason = record.ended
                return RunSeen(
                    run_id=run_id,
                    state=state,
                    line=record.line,
                    layer=record.layer,
                    reason=reason,
                    evidence=record.evidence,
                )
        seen = self.observation.run
        assert seen is not None, "the run was taken up"
        return seen

    async def command(self, name: str, arguments: Mapping[str, Any]) -> str:
        """See `Terminal.command`."""
        return await self._terminal.command(name, arguments)


def _now() -> float:
    return asyncio.get_running_loop().time()
