"""What a monitor reads, as Prometheus' own parser reads it."""

import asyncio
import re
from dataclasses import replace

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from coordinator.api.exposition import Exposition, labels
from coordinator.api.printer_metrics import AT_ONCE, PrinterMetrics
from coordinator.domain.effects import Save
from coordinator.domain.printers import PrinterStatus
from coordinator.domain.retiring import retire
from coordinator.domain.runs import RunState
from coordinator.usecases.absorbing import absorb
from coordinator.usecases.controlling import set_service
from coordinator.usecases.counted import Buckets
from coordinator.usecases.live import Live
from coordinator.usecases.performing import writing
from coordinator.usecases.reading import PrinterView
from protocols.wire.from_agent import HostSample, PrinterSample, Telemetry
from protocols.wire.vocabulary import PrinterId, PrinterState, RunId, Temperature
from tests.fakes.served_farm import AGENT, ServedFarm
from tests.fakes.values import JOB, NOW, PRINTER, RUN


async def prints(farm: ServedFarm) -> None:
    """A printer is in the middle of a print, its machine well, and something is wrong with it."""
    await farm.printers_arrive("mk4")
    await farm.something_is_wrong("mk4")
    sample = PrinterSample(
        printer_id=PrinterId("mk4"),
        state=PrinterState.PRINTING,
        run_id=RunId("run-1"),
        temperatures={"tool0": Temperature(209.5, 210.0), "bed": Temperature(60.0)},
        progress=0.25,
        remaining_s=90.0,
    )
    host = HostSample(cpu_celsius=51.0, disk_free_bytes=10**9, under_voltage=False)
    told = Telemetry(agent_id=AGENT, at_unix_s=0.0, printers=(sample,), host=host)
    await absorb(farm.farm, told)


async def finishes(farm: ServedFarm) -> None:
    """A print of that printer ends."""
    run = replace(
        RUN, printer_id=PrinterId("mk4"), state=RunState.FINISHED, started_at=NOW, ended_at=NOW
    )
    async with writing(farm.farm, "farm") as transaction:
        await transaction.unit.save_job(replace(JOB, job_id=run.job_id))
        await transaction.perform((Save(run),))


async def scraped(session: aiohttp.ClientSession) -> dict[tuple[str, frozenset[str]], float]:
    """Return name and label values -> value, of all samples."""
    async with session.get("/metrics") as response:
        assert response.status == 200
        assert response.headers["Content-Type"].startswith("text/plain; version=0.0.4")
        text = await response.text()
    return {
        (sample.name, frozenset(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def test_a_printer_is_told_by_its_state_its_heaters_and_its_print(
    session: aiohttp.ClientSession, farm: ServedFarm
) -> None:
    await prints(farm)
    found = await scraped(session)
    assert found["farmhand_printer_up", frozenset({"mk4"})] == 1
    assert found["farmhand_printer_state", frozenset({"mk4", "idle"})] == 0
    states = [value for (name, _), value in found.items() if name == "farmhand_printer_state"]
    assert sorted(states)[-2:] == [0, 1]
    assert found["farmhand_printer_temperature_celsius", frozenset({"mk4", "tool0"})] == 209.5
    assert found["farmhand_printer_temperature_target_celsius", frozenset({"mk4", "tool0"})] == 210
    assert ("farmhand_printer_temperature_target_celsius", frozenset({"mk4", "bed"})) not in found
    assert found["farmhand_printer_job_progress_ratio", frozenset({"mk4"})] == 0.25
    assert found["farmhand_printer_job_remaining_seconds", frozenset({"mk4"})] == 90
    assert found["farmhand_printer_findings", frozenset({"mk4", "resends", "warning"})] == 1
    assert found["farmhand_agent_cpu_celsius", frozenset({"pi-1"})] == 51
    assert found["farmhand_jobs", frozenset({"printing"})] == 0
    assert found["farmhand_part_up", frozenset({"database"})] == 1


async def test_what_changed_since_somebody_asked_is_told_anew(
    session: aiohttp.ClientSession, farm: ServedFarm
) -> None:
    await prints(farm)
    await farm.printers_arrive("mk4", "xl")
    before = await scraped(session)
    assert before["farmhand_printer_temperature_celsius", frozenset({"xl", "tool0"})] == 21.5
    assert ("farmhand_printer_job_progress_ratio", frozenset({"mk4"})) not in before
    await prints(farm)
    async with writing(farm.farm, "user:anna") as transaction:
        xl = await transaction.unit.printer(PrinterId("xl"))
        assert xl is not None
        await transaction.perform(retire(xl, [], transaction.now))
    await set_service(farm.farm, PrinterId("mk4"), True, "user:anna")
    after = await scraped(session)
    assert after["farmhand_printer_job_progress_ratio", frozenset({"mk4"})] == 0.25
    assert after["farmhand_printer_state", frozenset({"mk4", "in_service"})] == 1
    assert not [labels for _, labels in after if "xl" in labels]
    await farm.agent_leaves()
    assert (await scraped(session))["farmhand_agent_up", frozenset({"pi-1"})] == 0


async def test_who_looks_on_is_counted_while_they_do(session: aiohttp.ClientSession) -> None:
    looking = ("farmhand_live_connections", frozenset())
    async with session.ws_connect("/api/v1/live") as screen:
        await screen.receive_str()
        assert (await scraped(session))[looking] == 1


async def test_prints_are_counted_as_they_end(
    session: aiohttp.ClientSession, farm: ServedFarm
) -> None:
    await prints(farm)
    ended = ("farmhand_prints_total", frozenset({"mk4", "finished"}))
    assert ended not in await scraped(session)
    await finishes(farm)
    assert (await scraped(session))[ended] == 1


async def test_a_scrape_comes_compressed_to_who_asks_so(session: aiohttp.ClientSession) -> None:
    session.headers.update({"Accept-Encoding": "identity"})
    async with session.get("/metrics") as response:
        assert "Content-Encoding" not in response.headers
        whole = await response.text()
    session.headers.update({"Accept-Encoding": "gzip"})
    async with session.get("/metrics") as response:
        assert response.headers["Content-Encoding"] == "gzip"
        assert int(response.headers["Content-Length"]) < len(whole) / 2
        assert "farmhand_build_info" in await response.text()


async def test_answers_are_counted_by_route_and_never_by_what_stands_in_an_address(
    session: aiohttp.ClientSession,
) -> None:
    for job in ("job-1", "job-2"):
        async with session.get(f"/api/v1/jobs/{job}") as response:
            assert response.status == 404
    async with session.get("/metrics") as response:
        text = await response.text()
    told = [line for line in text.splitlines() if "duration_seconds_count" in line]
    assert any(
        re.search(r'method="GET",route="/api/v1/jobs/\{\w+\}",status="404"\} 2$', line)
        for line in told
    )
    assert "job-1" not in text


async def test_strangers_are_told_nothing(session: aiohttp.ClientSession) -> None:
    async with session.get("/metrics", headers={"Authorization": ""}) as response:
        assert response.status == 401


def test_what_a_label_holds_can_not_break_a_line() -> None:
    page = Exposition()
    page.gauge("odd", "Odd.", [(labels(name='a"b\\c\nd'), 1.5)])
    [family] = text_string_to_metric_families(page.text())
    assert [(each.labels, each.value) for each in family.samples] == [({"name": 'a"b\\c\nd'}, 1.5)]


def test_buckets_count_what_took_no_longer() -> None:
    buckets, page = Buckets((0.1, 1.0)), Exposition()
    for took_s in (0.05, 0.1, 0.5, 7.0):
        buckets.add(took_s)
    page.histogram("took_seconds", "Took.", {(("route", "/"),): buckets})
    [family] = text_string_to_metric_families(page.text())
    found = {each.labels.get("le", each.name): each.value for each in family.samples}
    assert found == {
        "0.1": 2, "1": 3, "+Inf": 4, "took_seconds_sum": 7.65, "took_seconds_count": 4,
    }  # fmt: skip


async def test_others_have_their_turn_while_a_large_farm_is_told() -> None:
    live = Live()
    views = []
    for number in range(5 * AT_ONCE):
        printer = replace(PRINTER, printer_id=PrinterId(f"p{number:03}"))
        status = PrinterStatus.IDLE
        views.append(PrinterView(printer=printer, status=status, run=None, job=None, sample=None))
    page, turns = Exposition(), 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    counting = asyncio.create_task(count())
    await PrinterMetrics().tell(page, views, live, 0.0)
    counting.cancel()
    assert turns >= 5
    assert page.text().count("farmhand_printer_up{") == len(views)
