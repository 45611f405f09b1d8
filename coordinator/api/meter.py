"""What is counted while requests are answered, from the coordinator's start on."""

import asyncio

from aiohttp import web

from coordinator.usecases.counted import Buckets, Series

BOUNDS_S = (0.005, 0.025, 0.1, 0.25, 1.0, 5.0, 30.0)
# How often the loop is looked at; a delay shorter than a wake's own is noise.
LAG_PERIOD_S = 1.0


class Meter:
    """Counts of one process.

    Attributes:
        started_unix_s: when it began.
        requests: how long answers took, by method, route and status.
    """

    def __init__(self, started_unix_s: float) -> None:
        """Begin at nought."""
        self.started_unix_s = started_unix_s
        self.requests: dict[Series, Buckets] = {}
        self._known: dict[tuple[str, str, int], Buckets] = {}
        self._lag_s_max = 0.0

    def answered(self, request: web.Request, status: int, took_s: float) -> None:
        """Count an answer; a route counts, never an address with what stands in it."""
        resource = request.match_info.route.resource
        key = (request.method, resource.canonical if resource else "", status)
        buckets = self._known.get(key)
        if buckets is None:
            method, route, code = key
            series = (("method", method), ("route", route or "none"), ("status", str(code)))
            buckets = self.requests[series] = self._known[key] = Buckets(BOUNDS_S)
        buckets.add(took_s)

    def lag_s(self) -> float:
        """Return the longest that the loop was late since somebody asked last."""
        found, self._lag_s_max = self._lag_s_max, 0.0
        return found

    async def watch_loop(self) -> None:
        """Look how late the loop is, until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + LAG_PERIOD_S
            await asyncio.sleep(LAG_PERIOD_S)
            self._lag_s_max = max(self._lag_s_max, loop.time() - due)


METER = web.AppKey("meter", Meter)
