"""The PrusaLink driver before a stateful server written from the description of its API.

On Prusa's own: test_real_prusalink.py.
"""

import asyncio

import pytest
from structlog.testing import capture_logs

from agent.errors import DriverUnavailable, NotPossible, SettingsInvalid
from agent.printers.driver import RunState
from agent.printers.print_host import HostView
from agent.printers.prusalink import PrusaLink
from agent.printers.prusalink_states import STATES, job_name, view_of
from protocols.wire.vocabulary import PrinterId, PrinterState, RunId, Tuning
from tests.edges.prusalink.conftest import LinkBench
from tests.fakes.pictures import JPEG

IDLE = PrinterState.IDLE


async def test_a_run_is_printed_paused_and_gone_on_with_under_its_own_name(
    bench: LinkBench,
) -> None:
    await bench.open()
    await bench.until(lambda seen: seen.state is IDLE)
    bench.printer.lags = 2
    await bench.start("run-1")
    assert bench.printer.begun == ["farmhand/run-1.gcode"]
    seen = bench.driver.observation
    assert seen.run is not None
    assert (seen.run.progress, seen.run.remaining_s) == (0.5, 600)
    await bench.driver.pause()
    await bench.until_run(RunState.PAUSED)
    await bench.driver.resume()
    await bench.until_run(RunState.PRINTING)
    await bench.printer.finish()
    await bench.until_run(RunState.FINISHED)
    await bench.start("run-2")
    await bench.driver.stop()
    await bench.until_run(RunState.STOPPED)
    assert set(bench.printer.files) == {"farmhand/run-1.gcode", "farmhand/run-2.gcode"}
    await bench.driver.check(bench.plate)
    assert set(bench.printer.files) == {"farmhand/run-2.gcode"}


async def test_a_start_that_is_refused_while_the_last_end_is_shown_is_given_again_for_a_while(
    bench: LinkBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    await bench.open()
    await bench.until(lambda seen: seen.state is IDLE)
    await bench.start("run-1")
    await bench.printer.finish()
    await bench.until_run(RunState.FINISHED)
    bench.printer.lingers = 2
    await bench.start("run-2")
    assert bench.printer.begun == ["farmhand/run-1.gcode", "farmhand/run-2.gcode"]
    await bench.printer.finish()
    await bench.until_run(RunState.FINISHED)
    monkeypatch.setattr("agent.printers.prusalink.REFUSED_S_MAX", 0.0)
    bench.printer.lingers = 9
    with pytest.raises(NotPossible, match="409"):
        await bench.start("run-3")
    assert bench.printer.begun == ["farmhand/run-1.gcode", "farmhand/run-2.gcode"]


async def test_a_slow_upload_goes_on_beside_and_is_not_begun_again(
    bench: LinkBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent.printers.prusalink.UPLOAD_WAIT_S", 0.2)
    bench.printer.gate.clear()
    await bench.open()
    await bench.until(lambda seen: seen.state is IDLE)
    for _ in range(2):
        with pytest.raises(NotPossible, match="still on its way"):
            await bench.start("run-slow")
    seen = await bench.until(lambda seen: seen.message)
    assert seen.message == "a file is on its way to it: 40 %"
    assert (bench.printer.begun, bench.printer.uploads) == ([], 1)
    bench.printer.gate.set()
    await bench.until(lambda seen: not seen.message)
    monkeypatch.undo()
    await bench.start("run-slow")
    assert (bench.printer.begun, bench.printer.uploads) == (["farmhand/run-slow.gcode"], 1)


async def test_an_upload_that_breaks_off_starts_nothing_and_is_tried_again(
    bench: LinkBench,
) -> None:
    bench.printer.gate.clear()
    await bench.open()
    await bench.until(lambda seen: seen.state is IDLE)
    starting = asyncio.create_task(bench.start("run-cut"))
    await bench.until(lambda _: bench.printer.uploads)
    await bench.printer.drop()
    with pytest.raises(DriverUnavailable):
        await starting
    bench.printer.gate.set()
    await bench.until(lambda seen: seen.state is IDLE)
    await bench.start("run-cut")
    assert bench.printer.begun == ["farmhand/run-cut.gcode"]


async def test_a_users_password_admits_and_a_wrong_one_is_said_once(bench: LinkBench) -> None:
    bench.printer.username, bench.printer.key = "maker", "secret"
    await bench.open(username="maker", api_key="secret")
    await bench.until(lambda seen: seen.state is IDLE)
    await bench.start("run-maker")
    with capture_logs() as logs:
        await bench.open(username="maker", api_key="guess")
        await bench.until(lambda seen: "refuses the API key or password" in seen.message)
    assert [entry["event"] for entry in logs] == ["host.lost"]


async def test_plates_go_to_a_storage_that_can_be_written_to(bench: LinkBench) -> None:
    bench.printer.storages = {"sdcard": True}
    await bench.open()
    await bench.until(lambda seen: seen.state is IDLE)
    with pytest.raises(NotPossible, match="USB"):
        await bench.start("run-nowhere")
    bench.printer.storages = {"sdcard": True, "usb": False}
    await bench.start("run-usb")
    await bench.printer.finish()
    await bench.open(storage="local")
    await bench.until(lambda seen: seen.state is IDLE)
    with pytest.raises(NotPossible, match="/local/"):
        await bench.start("run-local")


async def test_a_run_that_ended_while_no_agent_was_there_is_told_until_somebody_confirms_it(
    bench: LinkBench,
) -> None:
    await bench.open()
    await bench.until(lambda seen: seen.state is IDLE)
    run_id = await bench.start("run-told")
    await bench.die()
    await bench.printer.finish()
    await bench.open()
    await bench.until(lambda seen: seen.state is IDLE)
    assert (await bench.driver.recover(run_id, bench.plate)).state is RunState.FINISHED
    run_id = await bench.start("run-untold")
    await bench.until(lambda _: "true" in (bench.folder / "state/host_run.json").read_text())
    await bench.die()
    await bench.printer.look_away()
    await bench.open()
    await bench.until(lambda seen: seen.state is IDLE)
    seen = await bench.driver.recover(run_id, bench.plate)
    assert seen.state is RunState.UNKNOWN
    assert "keeps no history" in seen.reason


async def test_an_error_fails_the_run_and_halts_the_printer(bench: LinkBench) -> None:
    await bench.open()
    await bench.until(lambda seen: seen.state is IDLE)
    await bench.start("run-erring")
    bench.printer.state = "ERROR"
    await bench.until_run(RunState.FAILED)
    assert bench.driver.observation.state is PrinterState.HALTED
    assert "error" in bench.driver.observation.message


async def test_a_foreign_print_is_seen_and_neither_claimed_nor_stopped(bench: LinkBench) -> None:
    await bench.open()
    await bench.printer.print_foreign()
    seen = await bench.until(lambda seen: seen.state is PrinterState.PRINTING)
    assert seen.foreign
    for order in (bench.driver.pause, bench.driver.stop):
        with pytest.raises(NotPossible):
            await order()
    with pytest.raises(NotPossible):
        await bench.driver.start(bench.plate, RunId("run-refused"))
    assert bench.printer.state == "PRINTING"


@pytest.mark.parametrize("word", sorted(STATES))
def test_a_printer_that_waits_for_a_person_in_mid_print_is_paused_not_gone(word: str) -> None:
    before = HostView(state=IDLE)
    status = {"printer": {"state": word}, "job": {"id": 7}}
    view = view_of(status, "farmhand/a.gcode", before)
    ended = word in ("IDLE", "READY", "FINISHED", "STOPPED", "ERROR")
    assert (view.state in (PrinterState.PRINTING, PrinterState.PAUSED)) is not ended
    assert view_of({"printer": {"state": "DREAMING"}}, "", before).state is PrinterState.OFFLINE


def test_speed_flow_and_turns_are_told_and_how_far_fans_are_open_is_not_known() -> None:
    printer = {"state": "IDLE", "speed": 110, "flow": 95, "fan_print": 4980, "fan_hotend": 0}
    seen = view_of({"printer": printer}, "", HostView(state=IDLE))
    assert seen.tuning == Tuning(
        speed_ratio=1.1, flow_ratio=0.95, fan_rpm=4980.0, hotend_fan_rpm=0.0
    )
    assert view_of({}, "", seen).tuning == seen.tuning


def test_a_file_outside_of_our_folder_is_never_taken_for_ours() -> None:
    ours = {
        "name": "RUN-1~1.GCO",
        "display_name": "run-1.gcode",
        "path": "/usb/FARMHAND/RUN-1~1.GCO",
    }
    assert job_name(ours) == "farmhand/run-1.gcode"
    assert job_name({**ours, "path": "/usb/RUN-1~1.GCO"}) == "run-1.gcode"
    assert job_name({}) == ""


def test_a_setting_that_is_unknown_is_named() -> None:
    table = {"url": "http://mk4.local", "api_key": "k", "drive": "usb"}
    with pytest.raises(SettingsInvalid, match="'drive'"):
        PrusaLink(PrinterId("one"), table)


async def test_its_camera_is_shown_where_it_has_one(bench: LinkBench) -> None:
    await bench.open()
    await bench.until(lambda seen: seen.state is IDLE)
    with pytest.raises(NotPossible, match="has no camera"):
        await bench.driver.picture()
    bench.printer.picture = JPEG
    assert await bench.driver.picture() == JPEG
    bench.printer.picture = b"<svg>"
    with pytest.raises(NotPossible, match="neither JPEG nor PNG"):
        await bench.driver.picture()
