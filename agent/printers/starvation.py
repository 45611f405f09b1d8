"""Whether the planner of a firmware runs dry in the middle of a print, from what was said last.

Theory. A head that waits for its next move stops, and leaves a blob. Only the firmware knows; but

- with ADVANCED_OK each ok tells how many blocks are free. A move whose ok leaves all but its own
  block free came onto an empty planner;
- without, a full planner shows by its oks: it makes a move wait until a block has ended, and a
  command that is no move not. Where moves are answered as fast as other commands, byte for byte,
  the planner has never been full; and where the moves of that time are shorter than it, it can't
  have filled up behind our back: the line is what holds the print up.

Nothing is done per line: the end of the transcript is looked at now and then.
"""

import re
from collections import deque
from collections.abc import Sequence
from itertools import pairwise
from statistics import median
from typing import NamedTuple

from agent.core.watch import Dryness
from agent.printers.transcript import Spoken

LOOK_BYTES_MAX = 4_096  # of the transcript: some eighty lines with their answers
REMEMBERED_S = 30.0
SURE_LINES_MIN = 30  # twice a planner; fewer say nothing about a full one
_AS_FAST = 1.3
_FASTER_THAN_MOTION = 0.8  # estimates leave acceleration out: the real motion takes longer
_QUICK_KEPT = 16
_QUICK_MIN = 3

_SENT = re.compile(r"N(\d+) ?([GMT]\d+)")
_OK = re.compile(r"ok(?: N(\d+) P(\d+) B\d+)?(?: |$)")
_TROUBLE = re.compile(r"resend|rs |error|start$", re.IGNORECASE)
_MOVES = frozenset({"G0", "G1", "G2", "G3"})
_STILL = frozenset({"G28", "G29", "G4", "M400"})  # after these the planner is empty
# Done at once when their turn comes, whatever moves.
_QUICK = frozenset(
    {"G90", "G91", "G92", "M73", "M82", "M83", "M104", "M105", "M106", "M107", "M117", "M140",
     "M201", "M203", "M204", "M205", "M220", "M221", "M900"}
)  # fmt: skip


class _Answered(NamedTuple):
    """One line and its ok."""

    sent_at_s: float
    name: str
    size_bytes: int
    ok_at_s: float
    planner_free: int | None


class _Sample(NamedTuple):
    at_s: float
    covered_s: float
    gaps_ms: tuple[float, ...]


class Starvation:
    """Watches one firmware's planner."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self._free_most: int | None = None
        self._quick_s: deque[float] = deque(maxlen=_QUICK_KEPT)
        self._samples: deque[_Sample] = deque()
        self._looked_at_s = float("-inf")

    def look(
        self,
        spoken: Sequence[Spoken],
        *,
        now_s: float,
        unanswered: int,
        motion_s: float | None,
    ) -> Dryness | None:
        """Look at what was said; return how dry it was lately, None where nobody can say.

        Args:
            spoken: the end of the transcript.
            now_s: monotonic.
            unanswered: numbered lines that have no ok yet.
            motion_s: estimated seconds that a command of the plate takes here; None: no plate is
                being fed, and an empty planner is as it should be.
        """
        answered = _pair(_since_trouble(spoken), unanswered)
        self._learn(answered, idle=motion_s is None)
        if motion_s is None:
            self._samples.clear()
            self._looked_at_s = now_s
            return None
        fresh = [each for each in answered if each.ok_at_s > self._looked_at_s]
        self._looked_at_s = now_s
        if (sample := self._sample(fresh, now_s, motion_s)) is not None:
            self._samples.append(sample)
        while self._samples and self._samples[0].at_s < now_s - REMEMBERED_S:
            self._samples.popleft()
        return self._sum()

    def _sum(self) -> Dryness | None:
        covered_s = sum(sample.covered_s for sample in self._samples)
        if covered_s <= 0:
            return None
        gaps_ms = [gap for sample in self._samples for gap in sample.gaps_ms]
        return Dryness(
            per_minute=round(len(gaps_ms) / covered_s * 60, 1),
            gap_ms=round(max(gaps_ms, default=0.0), 1),
            times=len(gaps_ms),
        )

    def _learn(self, answered: Sequence[_Answered], *, idle: bool) -> None:
        for before, each in pairwise(answered):
            if each.planner_free is not None and (idle or each.name in _STILL):
                self._free_most = max(self._free_most or 0, each.planner_free)
            if each.name in _QUICK and each.ok_at_s > self._looked_at_s:
                self._quick_s.append(_took_s(before, each) / each.size_bytes)

    def _sample(
        self, answered: Sequence[_Answered], now_s: float, motion_s: float
    ) -> _Sample | None:
        pairs = [
            (before, each)
            for before, each in pairwise(answered)
            if before.name in _MOVES and each.name in _MOVES
        ]
        if not pairs:
            return None
        covered_s = answered[-1].ok_at_s - answered[0].ok_at_s
        if answered[-1].planner_free is not None:
            if self._free_most is None:
                return None
            gaps = _dry_by_blocks(pairs, self._free_most, motion_s)
        else:
            gaps = self._dry_by_times(pairs, motion_s)
        return _Sample(now_s, covered_s, tuple(gaps))

    def _dry_by_times(
        self, pairs: Sequence[tuple[_Answered, _Answered]], motion_s: float
    ) -> list[float]:
        took_s = [_took_s(before, each) for before, each in pairs]
        sure = len(pairs) >= SURE_LINES_MIN and len(self._quick_s) >= _QUICK_MIN
        if not sure or len(pairs) * motion_s > sum(took_s) * _FASTER_THAN_MOTION:
            return []
        per_byte_s = sum(took_s) / sum(each.size_bytes for _, each in pairs)
        if per_byte_s > median(self._quick_s) * _AS_FAST:
            return []
        return [(took - motion_s) * 1000 for took in took_s if took > motion_s]


def _dry_by_blocks(
    pairs: Sequence[tuple[_Answered, _Answered]], free_most: int, motion_s: float
) -> list[float]:
    """Return the gaps, in ms, before moves that came onto an empty planner."""
    gaps = []
    for before, each in pairs:
        if each.planner_free is None or before.planner_free is None:
            continue
        if each.planner_free >= free_most - 1:
            planned_s = (free_most - before.planner_free) * motion_s
            gaps.append(max(0.0, each.ok_at_s - before.ok_at_s - planned_s) * 1000)
    return gaps


def _took_s(before: _Answered, each: _Answered) -> float:
    """Return how long a line took once it was the oldest."""
    return each.ok_at_s - max(before.ok_at_s, each.sent_at_s)


def _since_trouble(spoken: Sequence[Spoken]) -> Sequence[Spoken]:
    """Return what came after the last refused line: before it, oks do not tell their lines."""
    for index in range(len(spoken) - 1, -1, -1):
        if spoken[index].way == "<" and _TROUBLE.match(spoken[index].text):
            return spoken[index + 1 :]
    return spoken


def _pair(spoken: Sequence[Spoken], unanswered: int) -> list[_Answered]:
    """Return lines with their oks, oldest first, told by number or counted from the end."""
    sent = [
        (line.at_s, int(found[1]), found[2], len(line.text) + 1)
        for line in spoken
        if line.way == ">" and (found := _SENT.match(line.text))
    ]
    oks = [
        (line.at_s, found)
        for line in spoken
        if line.way == "<" and (found := _OK.match(line.text)) and " T:" not in line.text
    ]
    if any(found[1] for _, found in oks):
        by_number = {number: (at_s, name, size) for at_s, number, name, size in sent}
        return [
            _Answered(*by_number[int(found[1])], at_s, int(found[2]))
            for at_s, found in oks
            if found[1] and int(found[1]) in by_number
        ]
    # Numbered M105s are answered with temperatures, and those oks are left out above.
    sent = [line for line in sent[: len(sent) - unanswered] if line[2] != "M105"]
    count = min(len(sent), len(oks))
    return [
        _Answered(at_s, name, size, ok_at_s, None)
        for (at_s, _, name, size), (ok_at_s, _) in zip(
            sent[len(sent) - count :], oks[len(oks) - count :], strict=True
        )
    ]
