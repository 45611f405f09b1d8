"""A run's life on a serial line: begun, held, gone on with, ended, and taken up again.

Taking up. Whoever finds a run that was begun and did not end (this process after a lost port, or
another after its death) asks the firmware for its last number. The record tells how many commands
of the plate that makes. Before the plate goes on, the firmware is asked where the head is; it must
be where the plate has it, else a person decides. A pause stays a pause, a stop a stop.
"""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any

from agent.core.observation import RunState
from agent.core.watch import words_of_place
from agent.errors import DriverUnavailable, NotPossible
from agent.printers.driver import PlateFile
from agent.printers.feed import Feed
from agent.printers.plate_run import Mark, PlateRun
from agent.printers.run_record import Beginning, RunRecord, kernel_boot_id
from agent.printers.surveys import SURVEYS
from protocols.gcode.modal import ModalState
from protocols.gcode.survey import Survey
from protocols.wire.vocabulary import RunId, Temperature

PLACE_TOLERANCE_MM = 0.06  # firmwares tell two decimals
COLD_CELSIUS = 5.0  # so far below its target a heater is waited for before a plate goes on

HEAT_UNKNOWN = "heater state unknown"
SPOKEN_TO = "the printer counts lines that are not this run's: another program has spoken to it"
MACHINE_RESTARTED = "the machine beside the printer restarted, and its last notes may be missing"


class Streaming:
    """One run at a time.

    Attributes:
        earlier: what another process left, None without such a run.
        found: the firmware's last number, while nobody went on from it.
        make_safe: something broke off, and hot heaters may rest over a part.
        remark: something a person should know of the run; empty when all is well.
        place: where the firmware said the head is, last.
        evidence: returns the end of the dialogue.
        look: has the rules looked at, now that something is wrong.
    """

    def __init__(
        self,
        feed: Feed,
        record_path: Path | None,
        log: Any,
        errand: Callable[[Coroutine[Any, Any, None]], None],
    ) -> None:
        """Stream through a feed.

        Args:
            feed: takes the lines.
            record_path: of the record that outlives this process; None: it does not.
            log: bound to the printer.
            errand: has something done beside the streaming.
        """
        self.feed = feed
        self.log = log
        self._record_path = record_path
        self.earlier = RunRecord.load(record_path)
        self.found: int | None = None
        self.make_safe = False
        self.remark = ""
        self.place: Mapping[str, float] = {}
        self.readings: Mapping[str, Temperature] = {}
        self.evidence: Callable[[], list[str]] = list
        self.look: Callable[[], None] = lambda: None
        self._misplaced: Mapping[str, tuple[float, float]] = {}
        self._errand = errand

    @property
    def active(self) -> PlateRun | None:
        """The run, while it may still move something."""
        run = self.feed.run
        return run if run is not None and run.active else None

    @property
    def out_of_place(self) -> Mapping[str, tuple[float, float]]:
        """Axis -> where the head is and where the plate of the run has it, if they differ."""
        return self._misplaced if self.active is not None else {}

    @property
    def unsettled(self) -> bool:
        """Whether a firmware that lives may be in the middle of a run."""
        earlier = self.earlier
        return self.active is not None or (earlier is not None and earlier.ended is None)

    # ------------------------------------------------------------------ what the firmware does

    def ready(self) -> None:
        """Lines may be said, for the first time or again."""
        run = self.active
        if self.make_safe:
            self.make_safe = False
            self.feed.say(*self.heaters_off())
        if run is None:
            return
        if run.record.stopping is not None:
            self.feed.end(self.heaters_off(), quick=False)
        elif run.record.paused is not None:
            self.feed.ask_where()
        else:
            self.feed.say("M114", tag=Mark.LOCATED)

    def accepted(self, mark: object) -> None:
        """Something that was said beside the plate was done."""
        run = self.active
        if run is None:
            return
        match mark:
            case Mark.FINISHED:
                run.end(RunState.FINISHED)
            case Mark.STOPPED:
                run.end(RunState.STOPPED, run.record.stopping or "")
            case Mark.PAUSED if run.record.paused is not None:
                run.state, run.paused_at = RunState.PAUSED, self.place
                if run.record.resuming:
                    self._errand(self.go_on())
                else:
                    self._errand(self._compare(run))
            case Mark.RESUMED if run.record.resuming:
                run.record.note_resumed(run.taken)
                run.feeding, run.state, run.reason = True, RunState.PRINTING, ""
            case Mark.LOCATED:
                run.paused_at = self.place
                self._errand(self._compare(run))

    def break_off(self, reason: str, *, state: RunState = RunState.FAILED) -> None:
        """The run can't go on."""
        run, earlier = self.active, self.earlier
        if run is not None:
            words = f"{reason} at {run.where()}; {HEAT_UNKNOWN}"
            run.end(state, words, self.evidence())
            self.log.error("run.broken_off", run_id=run.run_id, reason=words)
        elif earlier is not None and earlier.ended is None:
            words = f"{reason} at line {earlier.line} or later, layer {earlier.layer}"
            self._end_earlier(earlier, state, f"{words}; {HEAT_UNKNOWN}")
        else:
            return
        self.make_safe = True

    def _end_earlier(self, earlier: RunRecord, state: RunState, words: str) -> None:
        earlier.note_ended(state, words, self.evidence())
        earlier.close()
        self.log.error("run.broken_off", run_id=earlier.beginning.run_id, reason=words)

    def number_found(self, last_number: int) -> None:
        """The firmware lives and tells its last number."""
        self.found = last_number
        if self.active is not None:
            self.take_up(self.active)
        elif not self.unsettled:
            self.begin_anew()

    def number_unknown(self, reason: str) -> None:
        """The firmware lives and does not tell."""
        self.break_off(reason, state=RunState.UNKNOWN)
        self.begin_anew()

    def begin_anew(self) -> None:
        """Let the firmware count from the beginning."""
        self.found = None
        self.feed.begin_anew()

    # ------------------------------------------------------------------ taking up

    def take_up(self, run: PlateRun) -> None:
        """Go on with a run behind the firmware's last number, or end it where that is unknown."""
        assert self.found is not None, "the firmware told its number"
        number, record = self.found, run.record
        position = record.position_at(number)
        if position is None or position > run.survey.line_count:
            self.break_off(SPOKEN_TO, state=RunState.UNKNOWN)
            self.begin_anew()
            return
        self.found = None
        record.note_adopted(number + 1)
        run.seek(position)
        run.feeding = False  # until the firmware has told where the head is
        self.log.info("run.taken_up", run_id=run.run_id, line=position, number=number)
        self.feed.go_on(number + 1)

    def abandon(self, reason: str) -> RunRecord:
        """Give up the run of an earlier process; nobody can say what becomes of it."""
        assert self.earlier is not None, "there is such a run"
        if self.earlier.ended is None:
            self._end_earlier(self.earlier, RunState.UNKNOWN, reason)
            self.make_safe = True
        if self.found is not None:
            self.begin_anew()
        return self.earlier

    async def begin(self, plate: PlateFile, survey: Survey, run_id: RunId, firmware: str) -> None:
        """Make a plate the run, written down with the number that its first line will have.

        Raises:
            NotPossible: it can't be written down, or the plate can't be opened; not started.
        """
        record = None
        # The connection may speak while the record is written.
        while record is None or record.beginning.first_number != self.feed.connection.next_number:
            beginning = Beginning(
                run_id=run_id,
                sha256=plate.sha256,
                kernel_boot_id=kernel_boot_id(),
                first_number=self.feed.connection.next_number,
                firmware=firmware,
            )
            try:
                record = await asyncio.to_thread(RunRecord.begin, self._record_path, beginning)
            except OSError as error:
                raise NotPossible(f"the run can't be written down: {error}") from error
        if not self.feed.open:
            record.note_ended(RunState.NONE, "it never began")
            record.close()
            raise DriverUnavailable("the connection was lost before the run began")
        self._open(plate, survey, record)

    async def settle(self, run_id: RunId, plate: PlateFile | None) -> RunRecord | None:
        """Take up the run of an earlier process; returns its record, None where there is none.

        Raises:
            DriverUnavailable: the firmware has not told its number yet.
        """
        earlier = self.earlier
        if earlier is None or earlier.beginning.run_id != run_id or earlier.ended is not None:
            return earlier
        if self.found is None:
            raise DriverUnavailable("the printer was not asked yet how far it came")
        if not earlier.exact:
            return self.abandon(MACHINE_RESTARTED)
        if plate is None or plate.sha256 != earlier.beginning.sha256:
            return self.abandon("its plate is no longer here")
        survey = await asyncio.to_thread(SURVEYS.of, plate)
        if self.found is None or self.earlier is not earlier or earlier.ended is not None:
            raise DriverUnavailable("the connection was lost while the plate was read")
        self.take_up(self._open(plate, survey, earlier))
        return earlier

    def _open(self, plate: PlateFile, survey: Survey, record: RunRecord) -> PlateRun:
        try:
            file = plate.path.open("rb")
        except OSError as error:
            record.note_ended(RunState.UNKNOWN, f"its plate can't be opened: {error}")
            raise NotPossible(f"the plate can't be opened: {error}") from error
        connection = self.feed.connection
        self.earlier, self.remark, self._misplaced = None, "", {}
        self.feed.run = run = PlateRun(
            plate=plate,
            survey=survey,
            record=record,
            file=file,
            worded=self.feed.worded,
            lines_before=connection.lines_sent,
            resends_before=connection.resends,
        )
        self.feed.turned.begin(run)
        for number, command in record.turning:
            self.feed.turned.said(command, number, record.position_at(number))
        return run

    async def _compare(self, run: PlateRun) -> None:
        """Hold the firmware's word against the plate; a run being taken up goes on if they agree.

        A pause is not ended by this, whatever the outcome.
        """
        told, taken = run.paused_at, run.taken
        state, sure = await asyncio.to_thread(run.left_behind)
        if run is not self.active or run.taken != taken:
            return
        self._misplaced = _difference(state, sure, told)
        if words := words_of_place(self._misplaced):
            self.remark = words
            self.look()
            self.log.warning("run.out_of_place", run_id=run.run_id, reason=words)
        if run.record.paused is None and not run.feeding:
            if words:
                self.feed.hold(words)
            else:
                run.feeding = True
        self.feed.pump_and_flush()

    # ------------------------------------------------------------------ what the owner asks

    async def go_on(self) -> None:
        """Restore what the plate has set, then go on with it; a pause asked meanwhile stays."""
        run = self.active
        if run is None or run.record.paused is None:
            return
        run.record.note_resuming()
        state, sure = await asyncio.to_thread(run.left_behind)
        if run is not self.active or not run.record.resuming or not self.feed.open:
            return
        if _difference(state, sure, run.paused_at):
            state = state.at(run.paused_at)
        self.remark, self._misplaced = "", {}
        self.feed.say(*state.restore_commands(cold=self._is_cold(state)))
        self.feed.say("M105", tag=Mark.RESUMED)
        self.feed.pump_and_flush()

    def stop(self, reason: str, *, quick: bool) -> None:
        """End the run; on a lost port at once, since no line of it can be said any more."""
        run = self.active
        if run is None:
            return
        run.feeding = False
        run.record.note_stopping(reason)
        if self.feed.open:
            self.feed.end(self.heaters_off(), quick=quick)
        else:
            words = reason or f"stopped while the printer was not connected; {HEAT_UNKNOWN}"
            run.end(RunState.STOPPED, words)
            self.make_safe = True

    def heaters_off(self) -> list[str]:
        """Return what turns off every heater that is known, and the fan."""
        run = self.feed.run
        tools = {int(name[4:]) for name in self.readings if name[4:].isdigit()}
        tools |= run.survey.tools if run is not None else set()
        several = [f"M104 T{tool} S0" for tool in sorted(tools)] if len(tools) > 1 else []
        chamber = ["M141 S0"] if "chamber" in self.readings else []
        return ["M104 S0", *several, "M140 S0", *chamber, "M107"]

    def _is_cold(self, state: ModalState) -> bool:
        wanted = {f"tool{tool}": heat for tool, heat in state.tool_celsius.items()}
        wanted["bed"] = state.bed_celsius
        return any(
            name in self.readings and self.readings[name].actual_celsius < heat - COLD_CELSIUS
            for name, heat in wanted.items()
        )


def _difference(
    state: ModalState, sure: frozenset[str], told: Mapping[str, float]
) -> dict[str, tuple[float, float]]:
    """Return the axes whose place the firmware has elsewhere than the plate: there and here."""
    wrong = {}
    for axis in sure & told.keys():
        here = getattr(state, f"{axis.lower()}_mm")
        if abs(told[axis] - here) > PLACE_TOLERANCE_MM:
            wrong[axis] = (told[axis], here)
    return wrong
