"""How often somebody may ask: buckets in memory, by key, session or address."""

import math
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping

from aiohttp import web

from coordinator.api.problems import BadRequest, Problem
from coordinator.domain.rates import Rate, Verdict, arrive

# A page that polls every second with pictures stays far below it, a script that runs wild does not.
OF_CREDENTIAL = Rate(burst=200, period_s=0.02)
# What everybody may ask, a monitor say; and credentials that are nobody's, until somebody mends it.
OF_PUBLIC = Rate(burst=200, period_s=0.1)
OF_REFUSED = Rate(burst=60, period_s=1.0)
# Guessing: a person types wrongly a few times, and a name is not locked for long by strangers.
OF_LOG_IN = Rate(burst=10, period_s=6.0)
OF_NAME = Rate(burst=20, period_s=15.0)

# As many are remembered; who comes back after so many others begins anew.
REMEMBERED_MAX = 20_000


class Limiter:
    """Buckets by what they are for and whose they are."""

    def __init__(self, now_s: Callable[[], float] = time.monotonic) -> None:
        """Begin with all of them empty."""
        self._now_s = now_s
        self._empty_at_s: OrderedDict[tuple[Rate, str], float] = OrderedDict()

    def take(self, rate: Rate, whose: str) -> Mapping[str, str]:
        """Count a request; return what its answer says of the limit.

        Raises:
            BadRequest: 429, there were too many.
        """
        key = (rate, whose)
        verdict = arrive(rate, self._empty_at_s.get(key, 0.0), self._now_s())
        self._empty_at_s[key] = verdict.empty_at_s
        self._empty_at_s.move_to_end(key)
        if len(self._empty_at_s) > REMEMBERED_MAX:
            self._empty_at_s.popitem(last=False)
        headers = _headers(rate, verdict)
        if not verdict.admitted:
            raise _too_many(verdict, headers)
        return headers


LIMITER = web.AppKey("limiter", Limiter)
# What the answer is to say of the limit.
LIMIT_HEADERS = web.RequestKey("limit_headers", Mapping[str, str])


def _headers(rate: Rate, verdict: Verdict) -> Mapping[str, str]:
    """Return the fields of draft-ietf-httpapi-ratelimit-headers, in the form that clients know."""
    return {
        "RateLimit-Limit": str(rate.burst),
        "RateLimit-Remaining": str(verdict.left),
        "RateLimit-Reset": str(math.ceil(verdict.wait_s)),
    }


def _too_many(verdict: Verdict, headers: Mapping[str, str]) -> BadRequest:
    wait_s = max(1, math.ceil(verdict.wait_s))
    return BadRequest(
        Problem(
            status=429,
            code="too_many_requests",
            title="Too many requests",
            detail=f"Wait {wait_s} s, then ask again, and less often.",
            facts={"retry_after_s": wait_s},
            headers={**headers, "Retry-After": str(wait_s)},
        )
    )
