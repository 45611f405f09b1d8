"""How long a line may rest before it is looked at again: pure, time is an argument.

Theory. While moves drain more slowly than lines arrive, each line waits in the firmware until the
planner has room for it, and its `ok` comes late for no other reason. Nothing is gained by answering
each of these oks at once; on an idle machine, waking up for one costs more than all that follows.
So a part of that waiting is spent at rest, and several oks are answered in one go.

What a line waits is seen: the time from its being written to its ok, less the least such time ever
seen, which is the way there and back. If everything under way was accepted when a rest ended, the
rest was too long for what the firmware does now: it is halved, and grows back slowly.
"""

# So much of what a line waits in the firmware is rested: the same share of the window is used up
# meanwhile, and the rest of it still lies there.
SHARE = 0.6
# A planner of 8 blocks, the smallest, and three lines before it last so long at 1,200 moves/s.
REST_S_MAX = 0.008
# Where lines wait for less than 5 ms, at 800 a second, a machine that is late by some milliseconds
# finds nothing left of a planner of 16 blocks: lines have to lie there, not the processor rest.
REST_S_MIN = 0.003
# The kernel's poll counts in milliseconds.
STEP_S = 0.001
GROWTH = 1.1
EAGERNESS_MIN = 1 / 64  # grown back after some forty looks


class Rest:
    """One connection's rests.

    Attributes:
        way_s: least time seen from a line to its ok, infinity before the first.
    """

    __slots__ = ("_eagerness", "_sample", "_sampled_s", "_waits_s", "way_s")

    def __init__(self) -> None:
        self.way_s = float("inf")
        self._sample = -1
        self._sampled_s = 0.0
        self._waits_s = 0.0
        self._eagerness = 1.0

    def served(self, now: float, *, accepted: int, written: int, left: int) -> float:
        """Return for how many seconds the line may rest now; 0 is not at all.

        Args:
            now: monotonic, when the bytes were read.
            accepted: number of the last line that was accepted.
            written: number of the last line written, those of just now included.
            left: how many lines were under way after the bytes were read, before more were written.
        """
        if accepted >= self._sample or written < self._sample:
            if 0 <= self._sample <= written:
                took_s = now - self._sampled_s
                if took_s < self.way_s:
                    self.way_s = took_s
                self._waits_s = took_s - self.way_s
            self._sample, self._sampled_s = written, now
        if left == 0:
            self._eagerness = max(self._eagerness / 2, EAGERNESS_MIN)
            return 0.0
        if self._eagerness < 1.0:
            self._eagerness *= GROWTH
        rest_s = self._waits_s * SHARE * self._eagerness
        if rest_s < REST_S_MIN:
            return 0.0
        return min(rest_s // STEP_S * STEP_S, REST_S_MAX)
