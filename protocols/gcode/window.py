"""How many lines, and bytes, may be unaccepted at once: learned, shrunk by losses, regrown."""

from protocols.gcode.timing import CALM_LINES

# A second resend without a calm stretch since the last makes the window grow half as fast: where
# it is the window itself that loses lines, it has to stay small for longer and longer.
LINES_TO_GROW_MAX = 64


class Window:
    """Bounds on what is unaccepted. 1 line after a resend, one more for each clean stretch.

    Attributes:
        lines: at most so many lines unaccepted, now.
        bytes_max: at most so many bytes, newlines included; a single line may be longer.
        full: `lines` when nothing was lost lately.
    """

    __slots__ = ("_clean", "_lines_known", "_to_grow", "bytes_max", "full", "lines", "lines_max")

    def __init__(self, lines_max: int, bytes_max: int, *, lines_known: int | None = None) -> None:
        """Begin with 1 line.

        Args:
            lines_max: what the owner allows at most.
            bytes_max: what fits into the firmware's receive buffer.
            lines_known: what the owner knows that the board takes; None: not known.
        """
        self.lines_max = lines_max
        self.bytes_max = bytes_max
        self._lines_known = lines_known
        self.lines = self.full = 1
        self._clean = 0
        self._to_grow = 1

    def begin(self, lines: int) -> None:
        """A conversation begins, with a firmware whose boards all take so many lines."""
        self.lines = self.full = min(self.lines_max, self._lines_known or lines)
        self._clean, self._to_grow = 0, 1

    def learn(self, buffer_free: int, behind: int) -> None:
        """The firmware told its free slots with an ok, while `behind` later lines were under way.

        The line that the ok is for still occupies a slot when Marlin counts, hence the one more.
        Those behind it may have arrived by then or not.
        """
        least, most = buffer_free + 1, buffer_free + 1 + behind
        full = min(self.lines_max, max(self.full, least), most)
        if full != self.full:
            self.full = full
            self.lines = min(self.lines, full)

    def accepted(self) -> None:
        """One more line was accepted; to be called only while `lines` is less than `full`."""
        self._clean += 1
        if self._clean >= self._to_grow:
            self.lines += 1
            self._clean = 0

    def shrink(self, lines_since: int) -> None:
        """A line was refused, so many accepted lines after the last refusal."""
        calm = lines_since >= CALM_LINES
        self._to_grow = 1 if calm else min(self._to_grow * 2, LINES_TO_GROW_MAX)
        self._clean = 0
        self.lines = 1
