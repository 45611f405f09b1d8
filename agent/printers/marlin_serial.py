"""Drives a printer with Marlin, or a firmware like it, over a serial line, as its host.

The firmware knows nothing of plates: this driver feeds it one line after the other. So a print
that breaks off (lost port, restarted board) has failed; it can't have gone on by itself.
"""

import asyncio
from collections.abc import Mapping
from typing import Any, ClassVar

import structlog

from agent.errors import DriverUnavailable, NotPossible, PlateRefused
from agent.printers.driver import Capabilities, Observation, PlateFile, RunSeen, RunState
from agent.printers.marlin_settings import MarlinSerialSettings
from agent.printers.plate_run import Mark, PlateRun
from agent.printers.serial_link import SerialLink
from agent.printers.serial_port import open_port
from protocols.errors import InvalidLine
from protocols.gcode.connection import Connection
from protocols.gcode.events import (
    Accepted,
    ActionRequested,
    AttentionChanged,
    BoardReset,
    CommandUnknown,
    ConnectionFailed,
    ErrorReported,
    Event,
    Halted,
    LineRepeated,
    PositionReported,
    Ready,
    Said,
    TemperaturesReported,
)
from protocols.gcode.lines import parse, strip_comment
from protocols.gcode.modal import ModalState
from protocols.gcode.program import Survey, read_program, survey
from protocols.gcode.rules import Severity, check_program
from protocols.gcode.states import State
from protocols.wire.vocabulary import PrinterId, PrinterState, RunId, Temperature

RECONNECT_S_MIN = 0.5
RECONNECT_S_MAX = 30.0
SEND_TIMEOUT_S = 120.0  # for an answer to a single command; homing takes this long at worst

_HEATERS_OFF = ("M104 S0", "M140 S0", "M107")
_HEAT_WAITS = frozenset({"M109", "M190", "M191"})

log = structlog.get_logger()


class MarlinSerial:
    """See `agent.printers.driver.Driver`."""

    capabilities: ClassVar[Capabilities] = Capabilities(
        pause=True, recovers=False, commands=frozenset({"send"})
    )

    def __init__(self, printer_id: PrinterId, settings: Mapping[str, Any]) -> None:
        self._settings = MarlinSerialSettings.parse(settings)
        self._log = log.bind(printer_id=printer_id)
        self._connection = Connection(window_lines_max=self._settings.window)
        self._link: SerialLink | None = None
        self._run: PlateRun | None = None
        self._readings: dict[str, Temperature] = {}
        self._message = "not connected yet"
        self._attention = False
        self._make_safe = False
        self._surveyed: tuple[str, Survey] | None = None
        self._answer: list[str] | None = None
        self._answered: asyncio.Future[None] | None = None
        self._change = asyncio.Event()
        self._told: tuple[object, ...] = ()

    # ------------------------------------------------------------------ what is seen

    @property
    def observation(self) -> Observation:
        """What is seen now."""
        run = self._run
        return Observation(
            state=self._state(),
            temperatures=dict(self._readings),
            run=run.seen(lines_sent=self._connection.lines_sent, resends=self._connection.resends)
            if run
            else None,
            message=self._message,
        )

    def _state(self) -> PrinterState:
        match self._connection.state:
            case State.HALTED:
                return PrinterState.HALTED
            case State.READY | State.DRAINING if self._link is not None:
                pass
            case _:
                return PrinterState.OFFLINE
        if self._attention:
            return PrinterState.ATTENTION
        if self._run is not None and self._run.active:
            paused = self._run.state is RunState.PAUSED
            return PrinterState.PAUSED if paused else PrinterState.PRINTING
        return PrinterState.IDLE

    async def changed(self) -> None:
        """Wait until the state, or the run's, differs from when this was last seen."""
        await self._change.wait()
        self._change.clear()

    def _look(self) -> None:
        now = (self._state(), self._run and (self._run.run_id, self._run.state), self._message)
        if now != self._told:
            self._told = now
            self._change.set()

    # ------------------------------------------------------------------ the connection's life

    async def run(self) -> None:
        """Connect, converse, reconnect; ends only when cancelled."""
        delay_s = RECONNECT_S_MIN
        reason = ""
        while True:
            try:
                await self._converse()
            except DriverUnavailable as error:
                was_ready = self._message == ""
                self._link = None
                self._lost(str(error))
                if str(error) != reason:
                    reason = str(error)
                    self._log.warning("printer.unreachable", reason=reason)
                delay_s = RECONNECT_S_MIN if was_ready else min(delay_s * 2, RECONNECT_S_MAX)
            await asyncio.sleep(delay_s)

    async def _converse(self) -> None:
        port = await asyncio.to_thread(open_port, self._settings.port, self._settings.baud_rate)
        try:
            self._connection = Connection(window_lines_max=self._settings.window)
            self._link = SerialLink(port.fileno(), self._connection, self._handle)
            await self._link.serve()
        finally:
            self._link = None
            port.close()

    def _lost(self, reason: str) -> None:
        self._message = reason
        self._attention = False
        self._break_off(f"the connection was lost: {reason}")
        self._look()

    def _break_off(self, reason: str) -> None:
        if self._answered is not None and not self._answered.done():
            self._answered.set_exception(DriverUnavailable(reason))
        run = self._run
        if run is not None and run.active:
            where = f"{reason} (at line {run.accepted} of {run.survey.line_count})"
            run.end(RunState.FAILED, where)
            self._make_safe = True
            self._log.error("run.broken_off", run_id=run.run_id, reason=where)

    def _handle(self, event: Event) -> None:
        match event:
            case Accepted(_, tag):
                self._accepted(tag)
            case TemperaturesReported(readings):
                for name, value in readings.items():
                    self._readings[name] = Temperature(value.actual_celsius, value.target_celsius)
            case Ready():
                self._became_ready(event)
            case AttentionChanged(needed):
                self._attention = needed
                self._message = "the printer waits for somebody to attend to it" if needed else ""
            case ActionRequested(name, argument):
                self._log.info("printer.asked", action=name, argument=argument)
                self._asked(name)
            case ErrorReported(text):
                self._log.warning("printer.complained", text=text)
                self._message = text
                self._halt_feeding(f"the printer reported: {text}")
            case Said(text) | CommandUnknown(text):
                if self._answer is not None:
                    self._answer.append(text)
            case PositionReported(axes):
                if self._answer is not None:
                    self._answer.append(" ".join(f"{a}{v:g}" for a, v in axes.items()))
            case LineRepeated():
                pass
            case BoardReset():
                self._message = "the board restarted"
                self._break_off("the board restarted by itself")
            case Halted(reason):
                self._message = f"{reason}: reset the printer"
                self._break_off(reason)
                self._make_safe = False
            case ConnectionFailed(reason):
                if self._link is not None:
                    self._link.lose(reason)
        self._look()

    def _became_ready(self, ready: Ready) -> None:
        self._message = ""
        self._log.info("printer.connected", dialect=ready.dialect.name, **_identity(ready))
        if self._make_safe:
            # What broke off left hot heaters over a part.
            self._make_safe = False
            for line in _HEATERS_OFF:
                self._submit(line)

    def _asked(self, action: str) -> None:
        if action in ("pause", "paused"):
            self._halt_feeding("paused at the printer")
        elif action == "cancel" and self._run is not None and self._run.active:
            self._begin_stop("cancelled at the printer")

    # ------------------------------------------------------------------ feeding

    def _submit(self, command: str, tag: object = None, *, urgent: bool = False) -> None:
        self._connection.submit(command, asyncio.get_running_loop().time(), tag=tag, urgent=urgent)

    def _feed(self) -> None:
        run = self._run
        while run is not None and run.feeding and self._connection.room:
            command = run.next_command()
            if command is None:
                run.feeding = False
                # The M105 after it tells by its own kind of ok that the barrier really passed.
                self._submit("M400", Mark.BARRIER)
                self._submit("M105", Mark.FINISHED)
                return
            self._submit(command, run)

    def _accepted(self, tag: object) -> None:
        run = self._run
        if run is not None and tag is run:
            run.accepted += 1
            self._feed()
        elif tag is Mark.SENT and self._answered is not None and not self._answered.done():
            self._answered.set_result(None)
        elif run is not None and tag is Mark.FINISHED:
            run.end(RunState.FINISHED)
        elif run is not None and tag is Mark.PAUSED and run.active:
            run.state = RunState.PAUSED
        elif run is not None and tag is Mark.RESUMED and run.active:
            run.feeding = True
            self._feed()
        elif run is not None and tag is Mark.STOPPED:
            run.end(RunState.STOPPED, run.reason)

    def _halt_feeding(self, reason: str) -> None:
        run = self._run
        if run is not None and run.feeding:
            run.feeding = False
            run.reason = reason
            self._submit("M400")
            self._submit("M114", Mark.PAUSED)

    # ------------------------------------------------------------------ what the owner asks

    async def check(self, plate: PlateFile) -> None:
        """Look whether the plate may run here."""
        await asyncio.to_thread(self._check, plate)

    def _check(self, plate: PlateFile) -> None:
        if self._surveyed is not None and self._surveyed[0] == plate.sha256:
            return
        dialect = self._connection.dialect
        with plate.path.open("rb") as file:
            for finding in check_program(file, self._settings.limits, dialect):
                if finding.severity is Severity.REFUSE:
                    raise PlateRefused(finding.words, finding.line)
            file.seek(0)
            self._surveyed = (plate.sha256, survey(file))

    async def start(self, plate: PlateFile, run_id: RunId) -> None:
        """Begin to feed the plate."""
        self._must_be_idle()
        await self.check(plate)
        self._must_be_idle()
        assert self._surveyed is not None
        connection = self._connection
        self._run = PlateRun(
            run_id=run_id,
            plate=plate,
            survey=self._surveyed[1],
            file=plate.path.open("rb"),
            lines_before=connection.lines_sent,
            resends_before=connection.resends,
        )
        self._feed()
        self._flush()

    def _must_be_idle(self) -> None:
        state = self._state()
        if state is PrinterState.OFFLINE:
            raise DriverUnavailable(self._message or "the printer is not connected")
        if state is not PrinterState.IDLE or self._connection.state is not State.READY:
            raise NotPossible(f"the printer is {state}")

    def _flush(self) -> None:
        if self._link is not None:
            self._link.flush()
        self._look()

    async def pause(self) -> None:
        """Feed no further; PAUSED is seen once motion has ended."""
        self._halt_feeding("")
        self._flush()

    async def resume(self) -> None:
        """Restore what the file had set, and feed on."""
        run = self._run
        if run is None or run.state is not RunState.PAUSED:
            raise NotPossible("nothing is paused")
        state = await asyncio.to_thread(_state_after, run.plate, run.accepted)
        if self._state() is PrinterState.OFFLINE or run.state is not RunState.PAUSED:
            raise NotPossible("the printer is not connected")
        for line in state.restore_commands():
            self._submit(line)
        run.state = RunState.PRINTING
        run.reason = ""
        self._submit("M105", Mark.RESUMED)
        self._flush()

    async def stop(self) -> None:
        """End the run; heaters off."""
        if self._state() in (PrinterState.OFFLINE, PrinterState.HALTED):
            return
        self._begin_stop("")
        self._flush()

    def _begin_stop(self, reason: str) -> None:
        run = self._run
        if run is not None and run.active:
            run.feeding = False
            run.reason = reason
        self._connection.drop_queued()
        self._submit("M108", urgent=True)  # it ends a wait for heat; else it does nothing
        for line in _HEATERS_OFF:
            self._submit(line)
        self._submit("M84", Mark.STOPPED)

    async def recover(self, run_id: RunId, plate: PlateFile | None) -> RunSeen:
        """Say what became of a run; known only if this process fed it."""
        if self._run is not None and self._run.run_id == run_id:
            seen = self.observation.run
            assert seen is not None
            return seen
        if self._state() is PrinterState.OFFLINE:
            raise DriverUnavailable(self._message)
        reason = "the agent restarted in mid-print; how far the printer came is not known"
        return RunSeen(run_id=run_id, state=RunState.UNKNOWN, reason=reason)

    async def command(self, name: str, arguments: Mapping[str, Any]) -> str:
        """Send one line of G-code (`send`, with `line`) and return what the printer says to it."""
        line = strip_comment(str(arguments.get("line", "")))
        if name != "send" or parse(line) is None:
            raise NotPossible(f"{name!r} with {line!r} is no command for this printer")
        self._must_be_idle()
        if self._answered is not None:
            raise NotPossible("another command is under way")
        self._answer = []
        self._answered = asyncio.get_running_loop().create_future()
        try:
            self._submit(line, Mark.SENT)
            self._flush()
            async with asyncio.timeout(SEND_TIMEOUT_S):
                await self._answered
            return "\n".join(self._answer)
        except InvalidLine as problem:
            raise NotPossible(str(problem)) from problem
        except TimeoutError:
            raise NotPossible(f"no answer to {line} within {SEND_TIMEOUT_S:.0f} s") from None
        finally:
            self._answer = self._answered = None


def _identity(ready: Ready) -> dict[str, str]:
    return {"firmware": ready.firmware.get("FIRMWARE_NAME", "")}


def _state_after(plate: PlateFile, count: int) -> ModalState:
    """Return what the first `count` commands of a plate leave behind."""
    state = ModalState()
    with plate.path.open("rb") as file:
        for position, item in enumerate(read_program(file)):
            if position >= count:
                break
            command = parse(item.command)
            if command is not None:
                state.apply(command)
    return state
