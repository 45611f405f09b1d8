"""What a monitor is told of what happened since the coordinator began."""

from dataclasses import replace
from datetime import timedelta

import aiohttp

from coordinator.api.exposition import Exposition
from coordinator.api.printer_metrics import PrinterMetrics
from coordinator.domain.printers import PrinterStatus
from coordinator.usecases import webhooks
from coordinator.usecases.counted import Counted
from coordinator.usecases.live import Live
from coordinator.usecases.reading import PrinterView
from protocols.wire.vocabulary import PrinterState
from tests.coordinator.api.test_api_metrics import scraped
from tests.fakes.fake_farm import order_gcode, order_model
from tests.fakes.fake_outside import answers
from tests.fakes.served_farm import ServedFarm
from tests.fakes.story import connect, end, start, work
from tests.fakes.values import JOB, NOW, PRINTER, RUN
from tests.fakes.webhook_story import hook

NOTHING = frozenset[str]()


async def counts(farm: ServedFarm, session: aiohttp.ClientSession, name: str = "part") -> None:
    """A model is sliced, fetched, waits and prints; webhooks are told; agents are spoken with."""
    agent = await connect(farm.farm, "a")
    await order_model(farm.farm, name=name, file_name=f"{name}.stl", material="PLA")
    await work(farm.farm, agent)
    farm.clock.advance(20.0)
    await start(farm.farm, agent)
    await end(farm.farm, agent)
    async with farm.store.read() as unit:
        [run] = await unit.runs(printer_id=agent.printer_id)
    async with session.get(f"/api/v1/artifacts/{run.plate_sha256}") as response:
        assert response.status == 200
        await response.read()
    endpoint = await hook(farm.farm, f"https://{name}.test/")
    await webhooks.send_test(farm.farm, endpoint.endpoint_id)
    farm.outside.answer = answers(500)
    await webhooks.send_test(farm.farm, endpoint.endpoint_id)
    traffic = farm.farm.live.traffic
    traffic.received["reported"] += 3
    traffic.sent["desired"] += 2
    traffic.lost["superseded"] += 1


async def test_the_way_of_a_job_to_its_printer_is_measured(
    session: aiohttp.ClientSession, farm: ServedFarm
) -> None:
    await counts(farm, session)
    found = await scraped(session)
    assert found["farmhand_job_wait_seconds_count", NOTHING] == 1
    assert found["farmhand_job_wait_seconds_sum", NOTHING] == 20
    assert found["farmhand_dispatch_duration_seconds_sum", NOTHING] == 20
    assert found["farmhand_slice_duration_seconds_count", frozenset({"fake 1", "made"})] == 1
    assert found["farmhand_transfer_duration_seconds_count", frozenset({"sent"})] == 1
    assert found["farmhand_filament_grams_total", frozenset({"printer-a", "PLA"})] == 0.03


async def test_messages_and_deliveries_are_counted_by_what_became_of_them(
    session: aiohttp.ClientSession, farm: ServedFarm
) -> None:
    await counts(farm, session)
    found = await scraped(session)
    messages = "farmhand_mqtt_messages_total"
    assert found[messages, frozenset({"received", "reported"})] == 3
    assert found[messages, frozenset({"sent", "desired"})] == 2
    assert found["farmhand_mqtt_messages_lost_total", frozenset({"superseded"})] == 1
    deliveries = "farmhand_webhook_deliveries_total"
    assert found[deliveries, frozenset({"taken"})] == 1
    assert found[deliveries, frozenset({"refused"})] == 1


async def test_only_the_first_print_of_a_job_ends_its_waiting(
    session: aiohttp.ClientSession, farm: ServedFarm
) -> None:
    agents = [await connect(farm.farm, name) for name in "ab"]
    await order_gcode(farm.farm, copies=2)
    await work(farm.farm, *agents)
    for agent in agents:
        farm.clock.advance(5.0)
        await start(farm.farm, agent)
    found = await scraped(session)
    assert found["farmhand_job_wait_seconds_sum", NOTHING] == 5
    assert found["farmhand_dispatch_duration_seconds_count", NOTHING] == 2


async def test_what_nobody_slices_is_told_as_refused(
    session: aiohttp.ClientSession, farm: ServedFarm
) -> None:
    farm.slicer.refused = {"mk4": "too large"}
    agent = await connect(farm.farm, "a")
    await order_model(farm.farm)
    await work(farm.farm, agent)
    found = await scraped(session)
    assert found["farmhand_slice_duration_seconds_count", frozenset({"", "refused"})] == 1


def test_a_lease_in_advance_waits_for_nobody_while_the_print_before_it_goes_on() -> None:
    counted, hour = Counted(), timedelta(hours=1)
    counted.ended(RUN, NOW + hour)
    counted.began(replace(RUN, leased_at=NOW), None, NOW + hour + timedelta(seconds=4))
    assert (counted.dispatches.count, counted.dispatches.sum_s) == (1, 4.0)
    assert counted.job_waits.count == 0


def test_a_clock_that_was_set_back_makes_no_wait_shorter_than_none() -> None:
    counted = Counted()
    job, earlier = replace(JOB, created_at=NOW), NOW - timedelta(seconds=9)
    counted.began(replace(RUN, leased_at=NOW), job, earlier)
    assert (counted.job_waits.sum_s, counted.dispatches.sum_s) == (0.0, 0.0)


async def test_for_how_long_a_printer_prints_and_waits_for_a_person_is_summed_up() -> None:
    metrics, live = PrinterMetrics(), Live()
    was = [
        (0.0, PrinterStatus.IDLE, PrinterState.IDLE),
        (10.0, PrinterStatus.BUSY, PrinterState.PRINTING),
        (40.0, PrinterStatus.BUSY, PrinterState.PAUSED),
        (45.0, PrinterStatus.BUSY, PrinterState.PRINTING),
        (65.0, PrinterStatus.NEEDS_CLEARING, PrinterState.IDLE),
        (66.5, PrinterStatus.FAULTED, PrinterState.HALTED),
        (67.0, PrinterStatus.OFFLINE, PrinterState.OFFLINE),
        (99.0, PrinterStatus.OFFLINE, PrinterState.OFFLINE),
    ]
    for now_s, status, seen in was:
        page, printer = Exposition(), replace(PRINTER, seen=seen)
        view = PrinterView(printer=printer, status=status, run=None, job=None, sample=None)
        await metrics.tell(page, [view], live, now_s)
    told = [line for line in page.text().splitlines() if "_seconds_total{" in line]
    its_id = PRINTER.printer_id
    waiting = f'farmhand_printer_waiting_for_operator_seconds_total{{printer="{its_id}",reason='
    assert told == [
        f'farmhand_printer_printing_seconds_total{{printer="{its_id}"}} 50.0',
        f'{waiting}"paused"}} 5.0',
        f'{waiting}"bed"}} 1.5',
        f'{waiting}"fault"}} 0.5',
    ]
