"""Whether a host answers: a loss is told once, and so is its end; what was seen grows old."""

import time
from collections.abc import Callable
from typing import Any

from protocols.wire.vocabulary import Finding, Level

BACK_OFF_S_MIN = 1.0
BACK_OFF_S_MAX = 30.0  # a host that was rebooted is back in the farm so soon


class Contact:
    """One host's.

    Attributes:
        open: the host was heard, and not lost since.
        reason: why it was lost last.
    """

    def __init__(
        self,
        log: Any,
        back_off_s_max: float = BACK_OFF_S_MAX,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begin without; `now` is a monotonic clock."""
        self.open = False
        self.reason = "not reached yet"
        self._log = log
        self._back_off_s_max = back_off_s_max
        self._now = now
        self._heard_at_s: float | None = None
        self._told = False
        self._delay_s = BACK_OFF_S_MIN

    def heard(self) -> None:
        """It told something."""
        now_s = self._now()
        if not self.open and self._told:
            gone_s = None if self._heard_at_s is None else round(now_s - self._heard_at_s, 1)
            self._log.info("host.back", gone_s=gone_s)
        self.open, self._told = True, False
        self._heard_at_s = now_s
        self._delay_s = BACK_OFF_S_MIN

    def lost(self, reason: str) -> float:
        """It does not answer; returns the seconds to wait before it is tried again."""
        self.open, self.reason = False, reason
        if not self._told:
            self._told = True
            self._log.warning("host.lost", reason=reason)
        delay_s = self._delay_s
        self._delay_s = min(2 * delay_s, self._back_off_s_max)
        return delay_s

    @property
    def age_s(self) -> float | None:
        """Seconds since it was heard last; 0 while it is there, None before the first time."""
        if self._heard_at_s is None:
            return None
        return 0.0 if self.open else self._now() - self._heard_at_s

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What is wrong: all that is shown of the printer is as old as this says."""
        age_s = self.age_s
        if self.open or age_s is None:
            return ()
        words = f"the host does not answer; what is shown of the printer is {age_s:.0f} s old"
        evidence = {"age_s": round(age_s, 1)}
        return (Finding(rule="stale", level=Level.WARNING, words=words, evidence=evidence),)
