"""How often to tell of messages that are dropped: who sends rubbish sends a lot of it."""

TELL_AGAIN_S = 60.0


class Complaints:
    """Counts what is dropped; the first is told at once, all others at most once a minute."""

    def __init__(self) -> None:
        """Begin with nothing to complain of."""
        self.count = 0
        self._told = 0
        self._told_at_s: float | None = None

    def note(self, now_s: float) -> int:
        """Count one more, at a monotonic time; return how many are to be told of now, else 0."""
        self.count += 1
        if self._told_at_s is not None and now_s < self._told_at_s + TELL_AGAIN_S:
            return 0
        untold = self.count - self._told
        self._told, self._told_at_s = self.count, now_s
        return untold
