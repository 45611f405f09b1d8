"""The PrusaLink driver on Prusa's own PrusaLink 0.8.1, before a stand-in for an MK3S's board."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from agent.announced import on_network
from agent.errors import NotPossible
from agent.found import Found
from agent.printers.driver import PlateFile, RunState
from protocols.wire.vocabulary import PrinterState, RunId
from tests.edges.prusalink.bench import PrusaBench
from tests.fakes.processes import until
from tests.fakes.prusalink_server import PASSWORD, USER, PrusaLinkServer

# It gives its board eight seconds to boot: with `./farmhand prove prusalink`.
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrusaLinkServer]:
    server = PrusaLinkServer(tmp_path_factory.mktemp("server"))
    try:
        server.start()
        yield server
    finally:
        server.close()


@pytest.fixture
async def real(server: PrusaLinkServer, tmp_path: Path) -> AsyncIterator[PrusaBench]:
    bench = PrusaBench(server, tmp_path)
    yield bench
    await bench.die()
    await asyncio.to_thread(bench.tidy)


def moves(plate: PlateFile) -> list[str]:
    lines = plate.path.read_text().splitlines()
    return [line for line in lines if line.split()[:1] in (["G1"], ["G28"])]


async def test_a_run_is_printed_line_by_line_under_its_own_name(real: PrusaBench) -> None:
    await real.connect()
    before = len(real.board.moved)
    await real.start(real.short, "run-short")
    await real.until_run(RunState.FINISHED)
    assert real.board.moved[before:] == moves(real.short)
    assert (real.server.plates / "farmhand" / "run-short.gcode").exists()
    await real.until(lambda seen: seen.temperatures["tool0"].target_celsius == 50.0)
    assert real.driver.observation.state is PrinterState.IDLE


async def test_the_next_run_begins_though_the_end_of_the_last_is_still_shown(
    real: PrusaBench,
) -> None:
    await real.connect()
    await real.start(real.short, "run-first")
    await real.until_run(RunState.FINISHED)
    await real.start(real.short, "run-next")
    await real.until_run(RunState.FINISHED)


async def test_a_users_password_admits_as_its_key_does(real: PrusaBench) -> None:
    real.settings |= {"username": USER, "api_key": PASSWORD}
    real.driver = real.fresh()
    await real.connect()
    await real.start(real.short, "run-maker")
    await real.until_run(RunState.FINISHED)


async def test_a_run_is_paused_gone_on_with_and_stopped(real: PrusaBench) -> None:
    await real.connect()
    await real.start(real.endless, "run-steered")
    await real.driver.pause()
    await real.until_run(RunState.PAUSED)
    await real.driver.resume()
    await real.until_run(RunState.PRINTING)
    await real.driver.stop()
    await real.until_run(RunState.STOPPED)
    await real.until(lambda seen: seen.state is PrinterState.IDLE)


async def test_a_run_goes_on_under_the_eyes_of_another_agent_process(real: PrusaBench) -> None:
    await real.connect()
    before = len(real.board.moved)
    run_id = await real.start(real.long, "run-watched")
    await real.reconnect()
    assert real.driver.observation.run is None
    assert (await real.driver.recover(run_id, real.long)).state is RunState.PRINTING
    real.board.hurry()
    await real.until_run(RunState.FINISHED)
    assert real.board.moved[before:] == moves(real.long), "none lost, none twice"


async def test_what_a_person_stops_at_the_printer_has_stopped(real: PrusaBench) -> None:
    await real.connect()
    await real.start(real.endless, "run-stopped")
    job = await asyncio.to_thread(real.server.ask, "api/v1/job")
    await asyncio.to_thread(real.server.ask, f"api/v1/job/{job['id']}", verb="DELETE")
    await real.until_run(RunState.STOPPED)


async def test_what_a_person_prints_is_neither_claimed_nor_stopped(real: PrusaBench) -> None:
    await real.connect()
    (real.server.plates / "vase.gcode").write_bytes(real.endless.path.read_bytes())
    vase = "api/v1/files/local/vase.gcode"
    await asyncio.to_thread(real.until_listed, vase)
    await asyncio.to_thread(real.until_server, "IDLE")
    await asyncio.to_thread(real.server.ask, vase, verb="POST")
    await real.until(lambda seen: seen.foreign)
    with pytest.raises(NotPossible):
        await real.driver.stop()
    with pytest.raises(NotPossible):
        await real.driver.start(real.short, RunId("run-refused"))
    assert real.server.state == "PRINTING"


async def test_a_wrong_key_is_said_once(real: PrusaBench) -> None:
    real.settings["api_key"] = "guess"
    real.driver = real.fresh()
    with capture_logs() as logs:
        real.task = asyncio.create_task(real.driver.run(), name="driver")
        await real.until(lambda seen: "refuses the API key" in seen.message)
    assert [entry["event"] for entry in logs] == ["host.lost"]


def test_it_is_found_on_the_network_once_as_what_it_is(server: PrusaLinkServer) -> None:
    found: list[Found] = []

    def announced() -> bool:  # it first looks whether its own page answers
        here = on_network(interfaces=["127.0.0.1"], leads_to=lambda *_: False)
        found[:] = [each for each in here if str(server.port) in each.address]
        return bool(found)

    until(announced, "its announcement")
    [only] = found
    assert only.driver == "prusalink"


async def test_a_prusalink_that_was_killed_in_mid_print_leaves_the_run_lost_not_repeated(
    real: PrusaBench,
) -> None:
    await real.connect()
    before = len(real.board.moved)
    await real.start(real.endless, "run-killed")
    real.server.kill()
    await real.until(lambda seen: seen.state is PrinterState.OFFLINE)
    await asyncio.to_thread(real.server.start)
    await real.until_run(RunState.UNKNOWN)
    printed = real.board.moved[before:]
    assert printed == moves(real.endless)[: len(printed)], "it began once"


async def test_without_a_camera_it_says_so(real: PrusaBench) -> None:
    await real.connect()
    with pytest.raises(NotPossible, match="has no camera"):
        await real.driver.picture()
