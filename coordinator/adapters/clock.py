"""The real clock, and ids that sort by it."""

import secrets
import threading
import time
from datetime import UTC, datetime

# Crockford's alphabet: no letter that is taken for a digit; in lower case it fits a topic.
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_TIME_BITS = 48  # of milliseconds: until the year 10889
_CHANCE_BITS = 80
# Two letters at once: every request has an id.
_PAIRS = [first + second for first in _ALPHABET for second in _ALPHABET]
_SHIFTS = range(_TIME_BITS + _CHANCE_BITS - 8, -1, -10)


class SystemClock:
    """The port `Clock`."""

    def now(self) -> datetime:
        """Return the wall clock's time, aware, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return seconds that never jump."""
        return time.monotonic()


class TimeSortedIds:
    """The port `Ids`: ULIDs (github.com/ulid/spec) with a prefix.

    Ids of one process always grow, within a millisecond and after the clock was set back too.
    """

    def __init__(self) -> None:
        """Begin with no memory; two coordinators on one database differ by chance alone."""
        self._last = 0
        self._lock = threading.Lock()

    def new(self, prefix: str) -> str:
        """Return a fresh id: the prefix, a hyphen and 26 letters and digits."""
        fresh = time.time_ns() // 1_000_000 << _CHANCE_BITS | secrets.randbits(_CHANCE_BITS)
        with self._lock:
            self._last = value = max(fresh, self._last + 1)
        letters = [_PAIRS[value >> shift & 1023] for shift in _SHIFTS]
        return f"{prefix}-{''.join(letters)}"
