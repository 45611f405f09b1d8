"""A breaker for each provider and class of call: who fails again and again is left alone a while.

Theory. CLOSED lets calls through. Five failures in a row open it, or half of the last minute's
calls where there were ten; a provider without credit, or with a wrong key, opens it at once. OPEN
lets none through, for 30 s and then twice as long each time, up to ten minutes. Then it is HALF
open: one free call (health, or a look) tells whether it closes or opens again. A paid call never
serves as that question.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

from coordinator.domain.providing import Blame

FAILURES_MAX = 5
WINDOW_S = 60.0
CALLS_MIN = 10
FAILED_RATIO_MAX = 0.5
OPEN_S = 30.0
OPEN_S_MAX = 600.0
# Without credit, or with a wrong key, a person has to do something: there is no hurry.
UNPAID_S = 900.0


class Call(StrEnum):
    """Classes of calls; each fails, and is left alone, for itself."""

    SUBMIT = "submit"
    READ = "read"
    DOWNLOAD = "download"


class Stand(StrEnum):
    """How a breaker stands."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


# How much a failure counts; what is not here is no fault of the provider's.
_WEIGHT = {
    Blame.RETRY_SAFE: 1.0,
    Blame.SUBMIT_UNSURE: 1.0,
    Blame.PROTOCOL: 1.0,
    Blame.PROVIDER_FAILED: 0.5,
    Blame.DEADLINE: 0.5,
}
_AT_ONCE = frozenset({Blame.QUOTA, Blame.AUTH_CONFIG})


@dataclass(frozen=True, slots=True, kw_only=True)
class Breaker:
    """One breaker; times are seconds of a clock that never jumps.

    Attributes:
        recent: the last calls: when, and how much each failed.
        open_until_s: None while it is closed.
        opened: how often in a row it opened.
        words: why it is open, for a person.
    """

    recent: tuple[tuple[float, float], ...] = ()
    failures: int = 0
    open_until_s: float | None = None
    opened: int = 0
    words: str = ""


def stand(breaker: Breaker, now_s: float) -> Stand:
    """Return how a breaker stands."""
    if breaker.open_until_s is None:
        return Stand.CLOSED
    return Stand.OPEN if now_s < breaker.open_until_s else Stand.HALF_OPEN


def after_success(breaker: Breaker, now_s: float) -> Breaker:
    """Return the breaker after a call that went well: whatever it was, it is closed."""
    if breaker.open_until_s is not None:
        return Breaker()
    return replace(breaker, recent=_with(breaker, now_s, 0.0), failures=0)


def after_fault(breaker: Breaker, blame: Blame, words: str, now_s: float) -> Breaker:
    """Return the breaker after a call that failed."""
    if blame in _AT_ONCE:
        return _open(breaker, words, now_s, UNPAID_S)
    weight = _WEIGHT.get(blame)
    if weight is None:
        return breaker
    recent = _with(breaker, now_s, weight)
    failures = breaker.failures + (1 if weight == 1.0 else 0)
    failed = replace(breaker, recent=recent, failures=failures)
    was_open = breaker.open_until_s is not None
    ratio = sum(each for _, each in recent) / len(recent)
    many = len(recent) >= CALLS_MIN and ratio >= FAILED_RATIO_MAX
    if was_open or failures >= FAILURES_MAX or many:
        wait_s = min(OPEN_S * 2**breaker.opened, OPEN_S_MAX)
        return _open(failed, words, now_s, wait_s)
    return failed


def _open(breaker: Breaker, words: str, now_s: float, wait_s: float) -> Breaker:
    return Breaker(open_until_s=now_s + wait_s, opened=breaker.opened + 1, words=words)


def _with(breaker: Breaker, now_s: float, weight: float) -> tuple[tuple[float, float], ...]:
    kept = tuple(each for each in breaker.recent if each[0] > now_s - WINDOW_S)
    return (*kept[-99:], (now_s, weight))
