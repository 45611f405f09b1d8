"""What the driver does about habits of firmwares that are no matter of the line protocol alone."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from agent.errors import PlateRefused, SettingsInvalid
from agent.printers.driver import RunState
from agent.printers.marlin_settings import MarlinSerialSettings
from tests.fakes.firmware_bench import BODY, RUN, FirmwareBench, firmware_bench


@pytest.fixture
async def bench(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[FirmwareBench]:
    async with firmware_bench(tmp_path, **getattr(request, "param", {})) as bench:
        yield bench


def settings(**each: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("bench", [each], indirect=True)


async def start(bench: FirmwareBench) -> None:
    await bench.driver.start(bench.plate(BODY * 500), RUN)


def reason(bench: FirmwareBench) -> str:
    run = bench.driver.observation.run
    return run.reason if run is not None else ""


async def test_an_error_that_nobody_knows_holds_the_run_for_a_person(bench: FirmwareBench) -> None:
    await start(bench)
    bench.say(b"Error:Something odd\n")
    await bench.until(lambda: bench.run_state() is RunState.PAUSED)
    assert "Something odd" in reason(bench)


@settings(on_error="stop")
async def test_an_error_that_nobody_knows_ends_the_run_where_the_settings_say_so(
    bench: FirmwareBench,
) -> None:
    await start(bench)
    bench.say(b"Error:Something odd\n")
    await bench.until(lambda: bench.run_state() is RunState.STOPPED)
    assert "Something odd" in reason(bench)


@settings(on_error="ignore")
async def test_an_error_that_nobody_knows_is_only_told_where_the_settings_say_so(
    bench: FirmwareBench,
) -> None:
    await start(bench)
    bench.say(b"Error:Something odd\n")
    await bench.until(lambda: "Something odd" in bench.driver.observation.message)
    assert bench.run_state() is RunState.PRINTING


def test_what_an_error_ends_is_one_of_three_things() -> None:
    with pytest.raises(SettingsInvalid, match="on_error"):
        MarlinSerialSettings.parse({"port": "/dev/x", "on_error": "panic"})


async def test_a_tool_that_the_printer_lacks_holds_the_run(bench: FirmwareBench) -> None:
    await start(bench)
    bench.say(b"echo:T3 Invalid extruder\n")
    await bench.until(lambda: bench.run_state() is RunState.PAUSED)
    assert "T3" in reason(bench)


@pytest.mark.parametrize("action", [b"paused", b"out_of_filament", b"paused filament_runout 0"])
async def test_what_paused_the_printer_itself_pauses_the_run(
    bench: FirmwareBench, action: bytes
) -> None:
    await start(bench)
    bench.say(b"//action:%b\n" % action)
    await bench.until(lambda: bench.run_state() is RunState.PAUSED)


async def test_power_off_and_actions_that_nobody_knows_are_noted_and_never_done(
    bench: FirmwareBench,
) -> None:
    await start(bench)
    for action in (b"poweroff", b"shutdown", b"disconnect", b"start", b"dance now"):
        bench.say(b"//action:%b\n" % action)
    bench.say(b"//action:prompt_begin Filament change\n")
    await bench.until(lambda: bench.driver.observation.message == "Filament change")
    assert bench.run_state() is RunState.PRINTING
    shown = await bench.driver.command("dialogue", {})
    assert "//action:poweroff" in shown
    assert "//action:dance now" in shown
    bench.say(b"//action:prompt_end\n")
    await bench.until(lambda: bench.driver.observation.message == "")


@pytest.mark.parametrize(
    ("bench", "first"),
    [({}, ["M108"]), ({"quick_stop": True}, ["M108", "M410"])],
    indirect=["bench"],
)
async def test_a_stop_first_ends_a_wait_for_heat_and_drops_moves_only_if_it_may(
    bench: FirmwareBench, first: list[str]
) -> None:
    await start(bench)
    await bench.driver.stop()
    await bench.until(lambda: bench.run_state() is RunState.STOPPED)
    executed = bench.firmware.executed
    at = executed.index("M108")
    assert executed[at : at + len(first) + 1] == [*first, "M104 S0"]


async def test_a_line_that_is_no_command_is_refused_before_anything_starts(
    bench: FirmwareBench,
) -> None:
    with pytest.raises(PlateRefused) as refused:
        await bench.driver.start(bench.plate("G28\nhello printer\nG1 X1\n"), RUN)
    assert refused.value.line == 2
    assert bench.run_state() is None


async def test_a_port_that_takes_no_bytes_for_a_while_loses_none(bench: FirmwareBench) -> None:
    written = os.write
    stalled = iter([True] * 5)

    def write(descriptor: int, data: bytes) -> int:
        if descriptor != bench.master and next(stalled, False):
            raise BlockingIOError
        return written(descriptor, data[:3] if descriptor != bench.master else data)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(os, "write", write)
        await bench.driver.start(bench.plate(BODY), RUN)
        await bench.until(lambda: bench.run_state() is RunState.FINISHED)
    moves = [line for line in bench.firmware.executed if line.startswith("G1")]
    assert moves == BODY.splitlines()
    assert next(stalled, None) is None, "it was stalled in the meantime"
