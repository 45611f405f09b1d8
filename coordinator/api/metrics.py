"""What the farm tells Prometheus.

Names: base units, ratios from 0 to 1, states as sets of 0 and 1. A printer is told by its id; its
name stands in `farmhand_printer_info` alone. No file, job or person is ever a label.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence

from aiohttp import web

from coordinator.api.asking import BOARD, FARM, VERSION
from coordinator.api.counted_metrics import tell_counted, tell_traffic
from coordinator.api.exposition import CONTENT_TYPE, Exposition, labels
from coordinator.api.live import STREAM
from coordinator.api.meter import METER, Meter
from coordinator.api.packing import gzipped
from coordinator.api.printer_metrics import PrinterMetrics
from coordinator.api.routes import Route
from coordinator.domain.access import Permission
from coordinator.domain.jobs import JobState
from coordinator.usecases.telling_metrics import FarmFigures, FarmMetrics
from protocols.wire.from_agent import HostSample
from protocols.wire.vocabulary import AgentId

PRINTER_METRICS = web.AppKey("printer metrics", PrinterMetrics)
FARM_METRICS = web.AppKey("farm metrics", FarmMetrics)


async def show_metrics(request: web.Request) -> web.Response:
    """Return how the farm is, for Prometheus."""
    farm = request.app[FARM]
    page = Exposition()
    page.gauge(
        "farmhand_build_info",
        "Always 1; which version answers.",
        [(labels(version=request.app[VERSION]), 1)],
    )
    views = await request.app[BOARD].standing()
    await request.app[PRINTER_METRICS].tell(page, views, farm.live, farm.clock.monotonic())
    tell_farm(page, await request.app[FARM_METRICS].now())
    tell_counted(page, farm.live.counted)
    tell_traffic(page, farm.live.traffic)
    tell_process(page, request.app[METER])
    page.gauge(
        "farmhand_live_connections",
        "How many screens and programs look on as the farm changes.",
        [("", request.app[STREAM].seats)],
    )
    page.gauge(
        "farmhand_plates_in_the_making",
        "How many plates are sliced right now.",
        [("", len(farm.live.slicings))],
    )
    body = page.text().encode()
    response = web.Response(headers={"Content-Type": CONTENT_TYPE, "Vary": "Accept-Encoding"})
    if "gzip" in request.headers.get("Accept-Encoding", ""):
        response.headers["Content-Encoding"] = "gzip"
        # A megabyte takes milliseconds; a thread that compresses holds nobody up.
        body = await asyncio.to_thread(gzipped, body)
    response.body = body
    return response


def tell_farm(page: Exposition, found: FarmFigures) -> None:
    """Add agents, jobs, prints, and what the farm itself needs."""
    page.gauge(
        "farmhand_agent_up",
        "1 while an agent is connected.",
        ((labels(agent=agent.agent_id), float(agent.online)) for agent in found.agents),
    )
    page.gauge(
        "farmhand_agent_info",
        "Always 1; which version an agent is.",
        ((labels(agent=agent.agent_id, version=agent.build), 1.0) for agent in found.agents),
    )
    _tell_hosts(page, sorted(found.hosts.items()))
    page.gauge(
        "farmhand_jobs",
        "How many jobs are in each state.",
        ((labels(state=state), float(found.jobs.get(state, 0))) for state in JobState),
    )
    page.counter(
        "farmhand_prints_total",
        "Prints that ended, since the farm's beginning.",
        (
            (labels(printer=printer, result=state), float(count))
            for printer, state, count in found.prints
        ),
    )
    page.gauge(
        "farmhand_part_up",
        "1 while a part of the farm works: its database, its broker, and so on.",
        ((labels(part=part), float(not trouble)) for part, trouble in found.parts.items()),
    )
    page.gauge(
        "farmhand_outbox_oldest_seconds",
        "How long the oldest word to an agent waits to be said.",
        [("", found.outbox_oldest_s)],
    )
    if found.disk_free_bytes is not None:
        page.gauge(
            "farmhand_disk_free_bytes",
            "Where the farm keeps its files.",
            [("", float(found.disk_free_bytes))],
        )


def _tell_hosts(page: Exposition, hosts: Sequence[tuple[AgentId, HostSample]]) -> None:
    page.gauge(
        "farmhand_agent_cpu_celsius",
        "Of the processor beside the printers.",
        ((labels(agent=name), h.cpu_celsius) for name, h in hosts if h.cpu_celsius is not None),
    )
    page.gauge(
        "farmhand_agent_disk_free_bytes",
        "Where an agent keeps plates and its journal.",
        (
            (labels(agent=name), float(host.disk_free_bytes))
            for name, host in hosts
            if host.disk_free_bytes is not None
        ),
    )
    page.gauge(
        "farmhand_agent_under_voltage",
        "1 while the machine beside the printers gets too little.",
        (
            (labels(agent=name), float(host.under_voltage))
            for name, host in hosts
            if host.under_voltage is not None
        ),
    )


def tell_process(page: Exposition, meter: Meter) -> None:
    """Add how this coordinator answers, and since when."""
    page.gauge(
        "farmhand_start_timestamp_seconds",
        "When this coordinator began, since 1970.",
        [("", meter.started_unix_s)],
    )
    page.histogram(
        "farmhand_http_request_duration_seconds",
        "How long answers took; live connections as long as they last.",
        meter.requests,
    )
    page.gauge(
        "farmhand_event_loop_lag_seconds",
        "The longest that the loop was late since it was asked last.",
        [("", meter.lag_s())],
    )


def prepare(app: web.Application) -> None:
    """Have what is told kept, and heard of as it changes, as long as requests are answered."""
    app[PRINTER_METRICS], app[FARM_METRICS] = PrinterMetrics(), FarmMetrics(app[FARM])

    async def heard(app: web.Application) -> AsyncIterator[None]:
        with app[FARM_METRICS].heard():
            yield

    app.cleanup_ctx.append(heard)


ROUTES = (
    Route(
        method="GET",
        path="/metrics",
        handler=show_metrics,
        needs=Permission.FARM_READ,
        content_type="text/plain",
    ),
)
