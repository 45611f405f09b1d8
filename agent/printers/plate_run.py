"""One plate being streamed: where it is in its file, what comes next, what an observer is told."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import BinaryIO

from agent.printers.driver import PlateFile, RunSeen, RunState
from protocols.gcode.program import ProgramLine, Survey, read_program
from protocols.wire.vocabulary import RunId


class Mark(StrEnum):
    """Tags of commands that are not lines of the plate: what their acceptance means."""

    BARRIER = "barrier"
    FINISHED = "finished"
    PAUSED = "paused"
    RESUMED = "resumed"
    STOPPED = "stopped"
    SENT = "sent"


@dataclass(slots=True)
class PlateRun:
    """The run that a driver is, or was last, busy with."""

    run_id: RunId
    plate: PlateFile
    survey: Survey
    file: BinaryIO
    lines_before: int
    resends_before: int
    state: RunState = RunState.PRINTING
    feeding: bool = True
    accepted: int = 0
    reason: str = ""
    _lines: Iterator[ProgramLine] = field(init=False)

    def __post_init__(self) -> None:
        self._lines = read_program(self.file)

    @property
    def active(self) -> bool:
        """Whether it may still move something."""
        return self.state in (RunState.PRINTING, RunState.PAUSED)

    def next_command(self) -> str | None:
        """Return the plate's next command, None after the last."""
        line = next(self._lines, None)
        return None if line is None else line.command

    def end(self, state: RunState, reason: str = "") -> None:
        """Close the run; an ended one stays as it ended."""
        if self.active:
            self.state = state
            self.reason = reason
            self.feeding = False
            self.file.close()

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
        )
