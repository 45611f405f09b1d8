"""How long a line may rest before it is looked at again: pure, time is an argument.

Theory. While moves drain more slowly than lines arrive, each line waits in the firmware until the
planner has room for it, and its `ok` comes late for no other reason. Nothing is gained by answering
each of these oks at once; on an idle machine, waking up for one costs more than all that follows.
So the line rests for about as long as the firmware needs for what it holds, and the oks are
answered in one go. The planner behind it stays full meanwhile.

What a line waits is seen: the time from its being written to its ok, less the least such time ever
seen, which is the way there and back. Without waiting there is no rest: then the link is what
limits, or the firmware itself. How long a rest may be is tried out: longer while something of what
was under way was still there when it ended, and shorter where nothing was. Twice nothing, and there
is no rest before a line has waited again: the planner is full.
"""

# The kernel's poll counts in milliseconds.
STEP_S = 0.001
# Less than that is the machine's own unpunctuality.
WAIT_S_MIN = 0.001
FIRST_SHARE = 0.5  # of the first waiting seen: the rest of it still lies there
LONGER = 1.05
LONGER_S = 0.0001
SHORTER = 0.85


class Rest:
    """One connection's rests.

    Attributes:
        s_max: for how long nobody need look, as long as all is well.
        way_s: least time seen from a line to its ok, infinity before the first.
    """

    __slots__ = ("_emptied", "_rest_s", "_sample", "_sampled_s", "_waits_s", "s_max", "way_s")

    def __init__(self) -> None:
        self.s_max = 0.0
        self.way_s = float("inf")
        self._sample = -1
        self._sampled_s = 0.0
        self._waits_s = 0.0
        self._rest_s = 0.0
        self._emptied = False

    def served(self, now: float, accepted: int, written: int, left: int) -> float:
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
        if self._waits_s < WAIT_S_MIN:
            return 0.0
        if left == 0:
            self._rest_s *= SHORTER
            # Once may be chance. Twice, and the planner may be running dry: it is filled first.
            if self._emptied:
                self._sample, self._sampled_s, self._waits_s = written, now, 0.0
            self._emptied = not self._emptied
            if not self._emptied:
                return 0.0
        else:
            self._emptied = False
            if self._rest_s == 0.0:
                self._rest_s = self._waits_s * FIRST_SHARE
            elif self._rest_s < self.s_max:
                self._rest_s = self._rest_s * LONGER + LONGER_S
        return min(self._rest_s // STEP_S * STEP_S, self.s_max)
