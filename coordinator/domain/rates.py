"""How many requests somebody may make: a bucket that leaks, kept as one number.

The generic cell rate algorithm (ITU-T I.371): what is kept is when the bucket will be empty. A
request adds one period to it, and is refused where that would lead farther ahead than the burst.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `burst` requests at once, and one more for each `period_s` that passes."""

    burst: int
    period_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What becomes of a request.

    Attributes:
        empty_at_s: what is kept for the next one.
        left: how many may follow at once.
        wait_s: how long to wait for the next one; 0 where none is needed.
    """

    admitted: bool
    empty_at_s: float
    left: int
    wait_s: float


def arrive(rate: Rate, empty_at_s: float, now_s: float) -> Verdict:
    """Return whether a request may pass now.

    Args:
        empty_at_s: what was kept of the request before; anything in the past for the first.
        now_s: monotonic.
    """
    filled_s = max(empty_at_s, now_s) - now_s
    room_s = rate.burst * rate.period_s - filled_s
    # A rounding error must not cost a request.
    if room_s < rate.period_s * (1 - 1e-9):
        return Verdict(admitted=False, empty_at_s=empty_at_s, left=0, wait_s=rate.period_s - room_s)
    left_s = room_s - rate.period_s
    left = int(left_s / rate.period_s + 1e-9)
    return Verdict(
        admitted=True,
        empty_at_s=now_s + filled_s + rate.period_s,
        left=left,
        wait_s=0.0 if left else rate.period_s - left_s,
    )
