"""Plates of printers behind a host: what they are checked against, and how far one is."""

import asyncio
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, fields

from agent.errors import PlateRefused
from agent.printers.driver import PlateFile, RunSeen, RunState
from agent.printers.print_host import HostView, PrintHost
from agent.printers.surveys import SURVEYS
from protocols.gcode.dialects import UNKNOWN
from protocols.gcode.rules import Limits, Severity, judge
from protocols.gcode.survey import COMMANDS_PER_MARK, Survey
from protocols.wire.vocabulary import RunId

# Where nobody tells: the size of most printers, as for those on a serial line.
USUAL = Limits(bed_x_mm=220.0, bed_y_mm=220.0, height_mm=250.0)


@dataclass(frozen=True, slots=True)
class PlateChecks:
    """What a plate is held against: the settings, then what the host knows, then what is usual.

    Attributes:
        given: fields of `Limits` that the settings name.
        allow: rules that refuse nothing.
    """

    given: Mapping[str, float]
    allow: tuple[str, ...] = ()

    async def check(self, plate: PlateFile, host: PrintHost) -> None:
        """Look whether a plate may run on the host's printer.

        Raises:
            PlateRefused: with line and reason.
        """
        survey = await self.survey(plate)
        limits = await self._limits(host)
        policy = dict.fromkeys(("nothing", *self.allow), Severity.WARN)
        for finding in judge(survey, limits, UNKNOWN, policy):
            if finding.severity is Severity.REFUSE:
                raise PlateRefused(finding.words, finding.line)

    @staticmethod
    async def survey(plate: PlateFile) -> Survey:
        """Return the plate's survey, which takes seconds for a large one the first time."""
        return await asyncio.to_thread(SURVEYS.of, plate)

    async def _limits(self, host: PrintHost) -> Limits:
        size = {"bed_x_mm", "bed_y_mm", "height_mm"}
        known = None if size <= self.given.keys() else await host.limits()
        base = known or USUAL
        values = {field.name: getattr(base, field.name) for field in fields(Limits)}
        return Limits(**{**values, **self.given})


class Progress:
    """How far the host is with a run; never set back when the host is lost."""

    def __init__(self, survey: Survey | None = None) -> None:
        """Begin at the plate's first line; without a survey only the host's own words count."""
        self._survey = survey
        self._line = self._layer = 0
        self._progress = 0.0
        self._remaining_s: float | None = None

    def follow(self, view: HostView) -> None:
        """Take what a host shows while it is at the run."""
        survey = self._survey
        if survey is not None and view.file_bytes is not None:
            self._line = position_at(survey, view.file_bytes)
            self._layer = survey.layer_at(self._line)
        if survey is not None and self._line and survey.total_s > 0:
            elapsed_s = survey.elapsed_at(self._line)
            self._progress = elapsed_s / survey.total_s
            self._remaining_s = survey.total_s - elapsed_s
        elif view.completion is not None:
            self._progress = view.completion
        if view.remaining_s is not None:
            self._remaining_s = view.remaining_s

    def seen(
        self,
        run_id: RunId,
        state: RunState,
        *,
        reason: str,
        evidence: tuple[str, ...],
        whole: bool,
    ) -> RunSeen:
        """Return what is told of the run; `whole`: all of it was printed."""
        survey = self._survey
        lines = survey.line_count if survey else 0
        layers = survey.layer_count if survey else 0
        return RunSeen(
            run_id=run_id,
            state=state,
            line=lines if whole else self._line,
            line_count=lines,
            layer=layers if whole else self._layer,
            layer_count=layers,
            progress=1.0 if whole else self._progress,
            remaining_s=0.0 if whole else self._remaining_s,
            reason=reason,
            evidence=evidence,
        )


def position_at(survey: Survey, file_bytes: int) -> int:
    """Return how many commands of a plate lie before a byte, to `COMMANDS_PER_MARK`."""
    marks = max(0, bisect_right(survey.offsets, file_bytes) - 1)
    return min(marks * COMMANDS_PER_MARK, survey.line_count)
