"""One plate being streamed: where it is in its file, what comes next, what an observer is told."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import islice
from typing import BinaryIO

from agent.printers.driver import PlateFile, RunSeen, RunState
from agent.printers.run_record import RunRecord
from protocols.gcode.lines import parse
from protocols.gcode.modal import ModalState
from protocols.gcode.program import command_in
from protocols.gcode.supply import NEVER, Supply
from protocols.gcode.survey import Survey
from protocols.wire.vocabulary import RunId

# The file is read by the loop that serves all lines: the kernel is asked to have it ready.
READ_AHEAD_BYTES = 256 * 1024
ADVISE_LINES = 2048  # so often: some 70 KB

_MOVES_ITS_OWN_WAY = frozenset({"G27", "G28", "G29", "G30", "G34", "G76", "G80", "M701", "M702"})


class Mark(StrEnum):
    """Tags of commands that are not lines of the plate: what their acceptance means."""

    BARRIER = "barrier"
    FINISHED = "finished"
    PAUSED = "paused"
    RESUMED = "resumed"
    STOPPED = "stopped"
    LOCATED = "located"


@dataclass(slots=True)
class PlateRun:
    """The run that a driver is, or was last, busy with.

    Attributes:
        worded: returns one of its commands as it is put to the firmware.
        supply: the plate's lines, from where the run is.
        pause_at: position of the next pause that the plate itself asks for, or NEVER.
        paused_at: where the firmware said the head was when a pause began; empty if unknown.
    """

    plate: PlateFile
    survey: Survey
    record: RunRecord
    file: BinaryIO
    worded: Callable[[str], str]
    lines_before: int = 0
    resends_before: int = 0
    state: RunState = RunState.PRINTING
    reason: str = ""
    pause_at: int = NEVER
    paused_at: Mapping[str, float] = field(default_factory=dict)
    supply: Supply = field(init=False)

    def __post_init__(self) -> None:
        self.seek(0)

    @property
    def run_id(self) -> RunId:
        """Whose run it is."""
        return self.record.beginning.run_id

    @property
    def active(self) -> bool:
        """Whether it may still move something."""
        return self.state in (RunState.PRINTING, RunState.PAUSED)

    def seek(self, position: int) -> None:
        """Go on after so many commands, all of which the firmware has."""
        offset, skipped = self.survey.nearest(position)
        self.file.seek(offset)
        commands = filter(None, map(command_in, _read_ahead(self.file)))
        for _ in islice(commands, skipped):
            pass
        self.supply = Supply(map(self.worded, commands), position=position)
        self._look_out(position)

    @property
    def taken(self) -> int:
        """Commands that were taken to be said."""
        return self.supply.taken

    @property
    def accepted(self) -> int:
        """Commands that the firmware accepted."""
        return self.supply.accepted

    @property
    def feeding(self) -> bool:
        """Whether lines of the plate may be said."""
        return self.supply.open

    @feeding.setter
    def feeding(self, allowed: bool) -> None:
        self.supply.open = allowed

    def pass_pause(self) -> str:
        """Return why the plate asks for a pause here, and look out for the one after it."""
        why = self.survey.pauses[self.pause_at]
        self._look_out(self.pause_at + 1)
        return why

    def _look_out(self, position: int) -> None:
        """Have the next pause that the plate asks for, from a position on, held at."""
        done = self.record.resumed_at
        if self.record.paused is not None:
            done = max(done, position)
        ahead = (at for at in self.survey.pauses if at >= position and at > done)
        self.pause_at = min(ahead, default=NEVER)
        self.supply.hold_at(self.pause_at)

    def end(self, state: RunState, reason: str = "", evidence: Sequence[str] = ()) -> None:
        """Close the run; an ended one stays as it ended."""
        if self.active:
            self.state = state
            self.reason = reason
            self.feeding = False
            self.file.close()
            self.record.note_ended(state, reason, evidence)
            self.record.close()

    def where(self) -> str:
        """Return how far it came, in words."""
        layer = self.survey.layer_at(self.accepted)
        return f"line {self.accepted} of {self.survey.line_count}, layer {layer}"

    def left_behind(self) -> tuple[ModalState, frozenset[str]]:
        """Return what the commands taken so far have set, and the axes whose place is sure.

        After homing, or anything else that moves the head its own way, an axis is sure again once
        it was sent somewhere. Reads the file: not for the loop.
        """
        state, position = self.survey.state_near(self.taken)
        offset, _ = self.survey.nearest(position)
        sure: set[str] = set()
        with self.plate.path.open("rb") as file:
            file.seek(offset)
            commands = filter(None, map(command_in, file))
            for text in islice(commands, self.taken - position):
                command = parse(text)
                if command is None or command.name in _MOVES_ITS_OWN_WAY or command.name[0] == "T":
                    sure.clear()
                if command is None:
                    continue
                if state.apply(command) is not None and state.absolute and not state.inches:
                    sure.update(axis for axis in "XYZ" if command.value(axis) is not None)
        return state, frozenset(sure)

    def seen(self, *, lines_sent: int, resends: int) -> RunSeen:
        """Return what an observer is told; the counts are the connection's."""
        done = self.state is RunState.FINISHED
        survey = self.survey
        return RunSeen(
            run_id=self.run_id,
            state=self.state,
            line=self.accepted,
            line_count=survey.line_count,
            layer=survey.layer_at(self.accepted),
            layer_count=survey.layer_count,
            progress=1.0 if done else min(0.999, survey.progress_at(self.accepted)),
            remaining_s=0.0 if done else survey.total_s - survey.elapsed_at(self.accepted),
            lines_sent=lines_sent - self.lines_before,
            resends=resends - self.resends_before,
            reason=self.reason,
            evidence=self.record.evidence,
        )


def _read_ahead(file: BinaryIO) -> Iterator[bytes]:
    """Yield the lines of a file from where it stands."""
    descriptor = file.fileno()
    for number, line in enumerate(file):
        if number % ADVISE_LINES == 0:
            os.posix_fadvise(descriptor, file.tell(), READ_AHEAD_BYTES, os.POSIX_FADV_WILLNEED)
        yield line
