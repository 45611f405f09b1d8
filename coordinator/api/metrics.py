"""What the farm tells Prometheus.

Names: base units, ratios from 0 to 1, states as sets of 0 and 1. A printer is told by its id; its
name stands in `farmhand_printer_info` alone. No file, job or person is ever a label.
"""

from collections.abc import Iterator, Sequence

from aiohttp import web

from coordinator.api.asking import BOARD, FARM, VERSION
from coordinator.api.exposition import CONTENT_TYPE, Exposition, labels
from coordinator.api.meter import METER, Meter
from coordinator.api.routes import Route
from coordinator.domain.access import Permission
from coordinator.domain.jobs import JobState
from coordinator.domain.printers import PrinterStatus
from coordinator.usecases.reading import PrinterView
from coordinator.usecases.telling_metrics import FarmMetrics, farm_metrics
from protocols.wire.from_agent import HostSample
from protocols.wire.vocabulary import AgentId


async def show_metrics(request: web.Request) -> web.Response:
    """Return how the farm is, for Prometheus."""
    farm = request.app[FARM]
    views = [entry.view for entry in await request.app[BOARD].entries()]
    page = Exposition()
    found = await farm_metrics(farm)
    page.gauge(
        "farmhand_build_info",
        "Always 1; which version answers.",
        [(labels(version=request.app[VERSION]), 1)],
    )
    tell_printers(page, views)
    tell_farm(page, found)
    tell_process(page, request.app[METER])
    return web.Response(text=page.text(), headers={"Content-Type": CONTENT_TYPE})


def tell_printers(page: Exposition, views: Sequence[PrinterView]) -> None:
    """Add what is known of each printer; what nobody knows has no sample."""
    page.gauge("farmhand_printer_info", "Always 1; what a printer is called.", _infos(views))
    page.gauge(
        "farmhand_printer_up",
        "1 while a printer's agent is connected.",
        ((_of(view), float(view.printer.online)) for view in views),
    )
    page.gauge(
        "farmhand_printer_state",
        "1 for the state that a printer is in, 0 for all others.",
        (
            (labels(printer=view.printer.printer_id, state=state), float(view.status is state))
            for view in views
            for state in PrinterStatus
        ),
    )
    page.gauge("farmhand_printer_temperature_celsius", "Of each heater.", _temperatures(views))
    page.gauge(
        "farmhand_printer_temperature_target_celsius",
        "What each heater is to have; 0 is off.",
        _targets(views),
    )
    printing = [view for view in views if view.sample is not None and view.sample.printer.run_id]
    page.gauge(
        "farmhand_printer_job_progress_ratio",
        "How far the print is, by time: 0 to 1.",
        ((_of(view), view.sample.printer.progress) for view in printing if view.sample),
    )
    page.gauge(
        "farmhand_printer_job_remaining_seconds",
        "How long the print will take yet.",
        (
            (_of(view), view.sample.printer.remaining_s)
            for view in printing
            if view.sample and view.sample.printer.remaining_s is not None
        ),
    )
    page.gauge(
        "farmhand_printer_last_seen_timestamp_seconds",
        "When telemetry of it came last, since 1970.",
        ((_of(view), view.sample.seen_at.timestamp()) for view in views if view.sample),
    )
    page.gauge(
        "farmhand_printer_findings",
        "What is wrong with a printer, by rule: 1 while it is.",
        (
            (labels(printer=view.printer.printer_id, rule=each.rule, level=each.level.value), 1.0)
            for view in views
            for each in view.findings
        ),
    )


def tell_farm(page: Exposition, found: FarmMetrics) -> None:
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
    """Add how this coordinator answers."""
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


def _of(view: PrinterView) -> str:
    return labels(printer=view.printer.printer_id)


def _infos(views: Sequence[PrinterView]) -> Iterator[tuple[str, float]]:
    for view in views:
        printer = view.printer
        told = labels(
            printer=printer.printer_id,
            name=printer.name,
            printer_class=printer.printer_class,
            printer_group=printer.printer_group,
            location=printer.location,
            agent=printer.agent_id,
            driver=printer.driver,
            material=printer.material,
        )
        yield told, 1.0


def _temperatures(views: Sequence[PrinterView]) -> Iterator[tuple[str, float]]:
    for view in views:
        for heater, read in view.sample.printer.temperatures.items() if view.sample else ():
            yield labels(printer=view.printer.printer_id, heater=heater), read.actual_celsius


def _targets(views: Sequence[PrinterView]) -> Iterator[tuple[str, float]]:
    for view in views:
        for heater, read in view.sample.printer.temperatures.items() if view.sample else ():
            if read.target_celsius is not None:
                told = labels(printer=view.printer.printer_id, heater=heater)
                yield told, read.target_celsius


ROUTES = (
    Route(
        method="GET",
        path="/metrics",
        handler=show_metrics,
        needs=Permission.FARM_READ,
        content_type="text/plain",
    ),
)
