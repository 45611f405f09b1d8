"""What every driver of a print host owes, also when the host misbehaves.

A new host is a fake that keeps `HostStage`, and a row in `STAGES`.
"""

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, Protocol

import pytest
from structlog.testing import capture_logs

from agent.errors import AnswerLost, DriverUnavailable, NotPossible, PlateRefused, StartUnknown
from agent.printers.driver import Driver, Observation, PlateFile, RunState
from agent.printers.host_driver import HostDriver
from agent.printers.moonraker import Moonraker
from agent.printers.octoprint import OctoPrint
from agent.printers.prusalink import PrusaLink
from agent.printers.registry import driver_kinds
from protocols.wire.vocabulary import PrinterId, PrinterState, RunId
from tests.fakes.fake_moonraker import FakeMoonraker
from tests.fakes.fake_octoprint import KEY, FakeOctoPrint
from tests.fakes.fake_prusalink import FakePrusaLink

PATIENCE_S = 15.0
RUN = RunId("run-1")


class HostStage(Protocol):
    """A fake host that misbehaves as it is told; see `FakeOctoPrint`."""

    begun: list[str]
    files: dict[str, Any]
    lose: set[str]
    swallow: set[str]
    refuse: dict[str, int]
    stays: bool
    edits: bool
    targets: dict[str, float]
    key: str

    async def start(self) -> str: ...
    async def stop(self) -> None: ...
    async def restart(self) -> None: ...
    async def drop(self) -> None: ...
    async def finish(self) -> None: ...
    async def cancel(self) -> None: ...
    async def print_foreign(self, path: str = "vase.gcode") -> None: ...
    def put(self, path: str) -> None: ...
    def has_history(self) -> None: ...


BARE = ["cold", "unhomed"]  # the plates here are short

# Kind of driver -> it, its fake, its settings beside the url, and how the fake calls the start.
STAGES: dict[str, tuple[type[HostDriver], Callable[[], HostStage], dict[str, Any], str]] = {
    "moonraker": (
        Moonraker,
        FakeMoonraker,
        {"api_key": KEY, "allow": BARE},
        "start",
    ),
    "octoprint": (
        OctoPrint,
        FakeOctoPrint,
        {"api_key": KEY, "allow": BARE},
        "select",
    ),
    "prusalink": (
        PrusaLink,
        FakePrusaLink,
        {
            "api_key": KEY,
            "allow": BARE,
            "height_mm": 180,
            "poll_moving_s": 0.05,
            "poll_resting_s": 0.05,
        },
        "start",
    ),
}
REMEMBERING = ["moonraker", "octoprint"]  # PrusaLink keeps no history
HOSTLESS = {"marlin_serial"}  # the printer itself is all there is; proven in edges/


class Stage:
    """A driver before a fake host."""

    def __init__(self, kind: str, folder: Path) -> None:
        self._driver_class, make, self._settings, self.begin = STAGES[kind]
        self.host, self.folder = make(), folder
        self.plate = self.plate_of("cube", "G28\nG1 X10 Y10 Z0.2 E1\n")
        self._task: asyncio.Task[None] | None = None

    def plate_of(self, name: str, content: str) -> PlateFile:
        path = self.folder / f"{name}.gcode"
        path.write_text(content)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        return PlateFile(path=path, sha256=digest, name=name)

    async def open(self) -> None:
        self.url = await self.host.start()
        await self.begin_anew()

    async def begin_anew(self) -> None:
        """Have another process of the agent look at the same host."""
        await self.die()
        driver: Any = self._driver_class
        self.driver: Driver = driver(
            PrinterId("p1"),
            {"url": self.url, **self._settings},
            state_dir=self.folder / "state",
            start_seen_s=1.5,
            settle_s=0.5,
        )
        self._task = asyncio.create_task(self.driver.run(), name="driver")
        await self.until(lambda seen: seen.state is not PrinterState.OFFLINE)

    async def die(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def until(self, holds: Callable[[Observation], Any]) -> Observation:
        async with asyncio.timeout(PATIENCE_S):
            while not holds(self.driver.observation):
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(0.05):
                        await self.driver.changed()
        return self.driver.observation

    async def until_run(self, state: RunState) -> None:
        await self.until(lambda seen: seen.run is not None and seen.run.state is state)

    async def start(self, run_id: RunId = RUN) -> None:
        await self.driver.check(self.plate)
        await self.driver.start(self.plate, run_id)


@pytest.fixture(params=sorted(STAGES))
async def stage(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Stage]:
    stage = Stage(request.param, tmp_path)
    await stage.open()
    yield stage
    await stage.die()
    await stage.host.stop()


def test_every_driver_of_a_host_is_judged_here() -> None:
    assert set(driver_kinds()) == set(STAGES) | HOSTLESS


async def test_a_start_whose_answer_is_lost_counts_when_it_is_seen(stage: Stage) -> None:
    stage.host.lose.add(stage.begin)
    await stage.start()
    assert stage.driver.observation.run.state is RunState.PRINTING  # type: ignore[union-attr]
    assert len(stage.host.begun) == 1
    await stage.host.finish()
    await stage.until_run(RunState.FINISHED)


async def test_a_start_that_was_cut_off_is_unknown_and_recovery_takes_its_file_away(
    stage: Stage,
) -> None:
    stage.host.swallow.add(stage.begin)
    with pytest.raises(StartUnknown):
        await stage.start()
    assert stage.driver.observation.run is None
    seen = await stage.driver.recover(RUN, stage.plate)
    assert seen.state is RunState.UNKNOWN
    assert not [path for path in stage.host.files if RUN in path]
    assert stage.host.begun == []


async def test_accepted_is_not_started(stage: Stage) -> None:
    stage.host.stays = True
    with pytest.raises(StartUnknown, match="did not begin"):
        await stage.start()
    assert stage.driver.observation.run is None


@pytest.mark.parametrize("status", [403, 409, 415])
async def test_a_refused_start_is_surely_none_and_may_be_tried_again(
    stage: Stage, status: int
) -> None:
    stage.host.refuse[stage.begin] = status
    with pytest.raises(NotPossible):
        await stage.start()
    assert stage.driver.observation.run is None
    stage.host.refuse.clear()
    await stage.start()
    assert len(stage.host.begun) == 1


async def test_a_proxy_that_says_the_host_is_down_surely_started_nothing(stage: Stage) -> None:
    stage.host.refuse[stage.begin] = 503
    with pytest.raises(DriverUnavailable):
        await stage.start()


async def test_a_start_that_the_host_failed_at_is_unknown(stage: Stage) -> None:
    stage.host.refuse[stage.begin] = 500
    with pytest.raises(StartUnknown):
        await stage.start()


async def test_a_host_that_is_not_there_surely_starts_nothing(stage: Stage) -> None:
    await stage.host.stop()
    await stage.until(lambda seen: seen.state is PrinterState.OFFLINE)
    with pytest.raises(DriverUnavailable):
        await stage.driver.start(stage.plate, RUN)
    assert stage.host.begun == []


async def test_a_plate_that_the_host_does_not_keep_as_it_is_is_refused(stage: Stage) -> None:
    stage.host.edits = True
    with pytest.raises(PlateRefused):
        await stage.start()
    assert stage.host.begun == []


@pytest.mark.parametrize("stage", ["moonraker"], indirect=True)
async def test_a_plate_that_was_damaged_on_its_way_is_sent_again(stage: Stage) -> None:
    assert isinstance(stage.host, FakeMoonraker)
    stage.host.damages = True
    with pytest.raises(DriverUnavailable, match="damaged"):
        await stage.driver.check(stage.plate)
    stage.host.damages = False
    await stage.start()
    assert len(stage.host.begun) == 1


async def test_a_plate_that_is_too_large_for_the_hosts_printer_is_refused(stage: Stage) -> None:
    tall = stage.plate_of("tall", "G1 X10 Y10 Z190 E1\nG1 X20 E2\n")
    with pytest.raises(PlateRefused, match="180"):
        await stage.driver.check(tall)


async def test_a_host_that_drops_us_is_told_once_and_the_run_is_followed_on(stage: Stage) -> None:
    await stage.start()
    with capture_logs() as logs:
        await stage.host.drop()
        lost = await stage.until(lambda seen: seen.state is PrinterState.OFFLINE)
        assert lost.run is not None
        assert lost.run.state is RunState.PRINTING
        assert lost.temperatures["bed"].actual_celsius == 20
        assert lost.findings[0].rule == "stale"
        await stage.host.cancel()
        await stage.until_run(RunState.STOPPED)
    told = [entry["event"] for entry in logs]
    assert told == ["host.lost", "host.back"]
    assert stage.driver.observation.findings == ()


@pytest.mark.parametrize("stage", REMEMBERING, indirect=True)
async def test_a_host_that_forgot_the_run_failed_it(stage: Stage) -> None:
    await stage.start()
    await stage.host.stop()
    await stage.until(lambda seen: seen.state is PrinterState.OFFLINE)
    stage.host.targets["tool0"] = 200.0
    await stage.host.restart()
    await stage.until_run(RunState.FAILED)
    assert "no longer prints it" in stage.driver.observation.run.reason  # type: ignore[union-attr]
    await stage.until(lambda _: not stage.host.targets["tool0"])


async def test_an_order_never_reaches_what_a_person_prints(stage: Stage) -> None:
    await stage.start()
    await stage.host.finish()
    await stage.until_run(RunState.FINISHED)
    await stage.host.print_foreign()
    await stage.until(lambda seen: seen.foreign)
    for order in (stage.driver.pause, stage.driver.resume, stage.driver.stop):
        with pytest.raises(NotPossible):
            await order()
    assert stage.driver.observation.run.state is RunState.FINISHED  # type: ignore[union-attr]


async def test_a_stop_asked_for_before_the_agent_died_has_stopped_not_failed(
    stage: Stage,
) -> None:
    await stage.start()
    stage.host.lose.add("cancel")
    with contextlib.suppress(Exception):
        await stage.driver.stop()
    await stage.begin_anew()
    assert (await stage.driver.recover(RUN, None)).state is RunState.STOPPED


@pytest.mark.parametrize("stage", REMEMBERING, indirect=True)
async def test_a_finished_file_that_a_person_prints_again_is_finished_and_foreign(
    stage: Stage,
) -> None:
    await stage.start()
    await stage.die()
    await stage.host.finish()
    [job] = stage.host.begun
    await stage.host.print_foreign(job)
    await stage.begin_anew()
    assert (await stage.driver.recover(RUN, None)).state is RunState.FINISHED
    await stage.until(lambda seen: seen.foreign)


async def test_files_of_earlier_runs_are_cleaned_and_others_are_not_touched(stage: Stage) -> None:
    stage.host.put("vase.gcode")
    await stage.start()
    await stage.host.finish()
    await stage.until_run(RunState.FINISHED)
    await stage.start(RunId("run-2"))
    await stage.host.finish()
    await stage.until_run(RunState.FINISHED)
    await stage.driver.check(stage.plate)
    mine = [path for path in stage.host.files if "run-1" in path]
    assert mine == []
    assert [path for path in stage.host.files if "run-2" in path]
    assert "vase.gcode" in stage.host.files


async def test_a_wrong_key_starts_nothing_and_is_said(stage: Stage) -> None:
    stage.host.key = "another"
    await stage.host.drop()
    await stage.until(lambda seen: "refuses the API key" in seen.message)
    with pytest.raises(DriverUnavailable):
        await stage.driver.start(stage.plate, RUN)


@pytest.mark.parametrize("stage", ["octoprint"], indirect=True)
async def test_without_a_push_socket_the_host_is_asked_again_and_again(stage: Stage) -> None:
    assert isinstance(stage.host, FakeOctoPrint)
    stage.host.socket = False
    with capture_logs() as logs:
        await stage.begin_anew()
    assert [entry["event"] for entry in logs] == ["host.polled"]
    await stage.start()
    await stage.host.finish()
    await stage.until_run(RunState.FINISHED)


async def test_a_handle_that_can_not_be_written_starts_nothing(stage: Stage) -> None:
    (stage.folder / "state").write_text("in the way")
    with pytest.raises(NotPossible, match="written down"):
        await stage.start()
    assert stage.host.begun == []


async def test_a_run_whose_handle_was_lost_is_taken_over_where_the_host_is_at_it(
    stage: Stage,
) -> None:
    await stage.start()
    handle = stage.folder / "state" / "host_run.json"
    # A thread writes it, and would do so again after its process died.
    await stage.until(lambda _: '"began": true' in handle.read_text())
    await stage.die()
    handle.unlink()
    stage.host.has_history()
    await stage.begin_anew()
    assert stage.driver.observation.foreign, "nobody knows better yet"
    assert (await stage.driver.recover(RUN, None)).state is RunState.PRINTING
    assert not stage.driver.observation.foreign


async def test_a_run_that_was_to_stop_has_stopped_however_the_host_lost_it(stage: Stage) -> None:
    await stage.start()
    stage.host.swallow.add("cancel")
    with pytest.raises(AnswerLost):
        await stage.driver.stop()
    await stage.host.stop()
    await stage.until(lambda seen: seen.state is PrinterState.OFFLINE)
    await stage.host.restart()
    await stage.until_run(RunState.STOPPED)
