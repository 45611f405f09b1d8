"""Keeps an eye on one printer by the rules of `core.watch`; tells what begins and what ends."""

from typing import Any

from agent.core.observation import RunState
from agent.core.watch import Look, Watch, watch
from agent.findings import Findings
from agent.printers.hearing import Hearing
from agent.printers.plate_run import PlateRun
from agent.printers.starvation import LOOK_BYTES_MAX, Starvation
from agent.printers.streaming import Streaming
from agent.printers.transcript import Transcript
from protocols.gcode.survey import COMMANDS_PER_MARK
from protocols.wire.vocabulary import Finding


class Watching:
    """What is wrong with a printer.

    Attributes:
        findings: what is wrong now.
    """

    def __init__(
        self, streaming: Streaming, hearing: Hearing, transcript: Transcript, log: Any
    ) -> None:
        """Watch what goes and comes, and tell a log that is bound to the printer."""
        self.findings = Findings(log, "printer")
        self._streaming = streaming
        self._feed = streaming.feed
        self._hearing = hearing
        self._transcript = transcript
        self._starvation = Starvation()
        self._memory = Watch()

    def look(self, now_s: float) -> list[Finding]:
        """Take a look; returns what has just begun to be wrong."""
        feed, connection = self._feed, self._feed.connection
        dryness = self._starvation.look(
            self._transcript.spoken(bytes_max=LOOK_BYTES_MAX) if feed.open else [],
            now_s=now_s,
            unanswered=connection.lines_under_way,
            motion_s=_motion_s(feed.run) if feed.open else None,
        )
        look = Look(
            now_s=now_s,
            readings=self._hearing.readings,
            read_at_s=self._hearing.read_at_s,
            connected=feed.open,
            lines_sent=connection.lines_sent,
            resends=connection.resends,
            dryness=dryness,
            out_of_place=self._streaming.out_of_place,
        )
        self._memory, found = watch(self._memory, look)
        return self.findings.take(found)


def _motion_s(run: PlateRun | None) -> float | None:
    """Return what a command of the plate takes about here, None while none is to be said."""
    if run is None or not run.feeding or run.state is not RunState.PRINTING or not run.accepted:
        return None
    begin = max(0, run.accepted - COMMANDS_PER_MARK)
    passed_s = run.survey.elapsed_at(run.accepted) - run.survey.elapsed_at(begin)
    return passed_s / (run.accepted - begin)
