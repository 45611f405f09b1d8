"""What operators say and see, on a real pseudo-terminal with a firmware that remembers."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from agent.errors import DriverUnavailable, NotPossible
from agent.printers.driver import RunState
from protocols.wire.vocabulary import PrinterState
from tests.fakes.firmware_bench import BODY, RUN, FirmwareBench, firmware_bench


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[FirmwareBench]:
    async with firmware_bench(tmp_path) as bench:
        yield bench


async def said(bench: FirmwareBench, line: str, **more: object) -> str:
    return await bench.driver.command("send", {"line": line, **more})


async def refused(bench: FirmwareBench, line: str, **more: object) -> str:
    with pytest.raises(NotPossible) as refusal:
        await said(bench, line, **more)
    return str(refusal.value)


async def test_a_line_that_is_said_in_mid_print_stands_between_two_lines_of_the_plate(
    bench: FirmwareBench,
) -> None:
    await bench.driver.start(bench.plate(BODY), RUN)
    assert await said(bench, "M114") == "X1 Y2 Z3 E4"
    assert await said(bench, "M220 S90 ; slower") == ""
    assert await said(bench, "M105") == "bed 21/0 tool0 20/0"
    await bench.until(lambda: bench.run_state() is RunState.FINISHED)
    executed = bench.firmware.executed
    assert 0 < executed.index("M220 S90") < executed.index(BODY.splitlines()[-1])
    assert [line for line in executed if line.startswith("G1")] == BODY.splitlines()


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("G1 X0", "it moves the head"),
        ("g28", "it moves the head over what is printed"),
        ("M104 S0", "it turns off what the plate is printed with"),
        ("M104", "it turns off"),
        ("M190 S60", "the printer would wait"),
        ("T1", "it changes the tool"),
        ("M999", "it restarts the firmware"),
        ("M110 N5", "it breaks the numbering"),
        ("M12345", "nobody here knows"),
        ("M117 " + "x" * 100, "96 at most"),
        ("hello", "no G-code"),
    ],
)
async def test_what_would_ruin_the_print_is_refused_with_the_reason(
    bench: FirmwareBench, line: str, why: str
) -> None:
    await bench.driver.start(bench.plate(BODY * 100), RUN)
    assert why in await refused(bench, line)
    assert why in await refused(bench, line, force=True), "force is for pauses only"
    assert bench.run_state() is RunState.PRINTING


async def test_a_pause_bears_more_if_it_is_forced_and_restores_what_the_plate_had(
    bench: FirmwareBench,
) -> None:
    await bench.driver.start(bench.plate("G28\nM104 S200\n" + BODY * 60), RUN)
    await bench.driver.pause()
    await bench.until(lambda: bench.run_state() is RunState.PAUSED)
    assert "while it is paused it can be forced" in await refused(bench, "M104 S0")
    await said(bench, "M104 S0", force=True)
    assert "numbering" in await refused(bench, "M110 N0", force=True)
    await bench.driver.resume()
    await bench.until(lambda: bench.run_state() is RunState.FINISHED)
    cold = bench.firmware.executed.index("M104 S0")
    assert "M104 S200" in bench.firmware.executed[cold:]


async def test_an_idle_printer_takes_everything_but_what_would_confuse_its_host(
    bench: FirmwareBench,
) -> None:
    for line in ("G28", "M104 S0", "M500"):
        assert await said(bench, line) == ""
    assert "card" in await refused(bench, "M28 a.gco")
    assert "card" in await refused(bench, "M29")


async def test_a_line_without_an_answer_is_told_and_the_next_one_gets_its_own(
    bench: FirmwareBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent.printers.terminal.SEND_TIMEOUT_S", 0.05)
    answer, bench.reply = bench.reply, lambda data: b""
    assert "may still be carried out" in await refused(bench, "M119")
    bench.reply = answer
    monkeypatch.setattr("agent.printers.terminal.SEND_TIMEOUT_S", 10)
    bench.say(b"x_min: open\nok\n")
    assert "X1 Y2 Z3 E4" in await said(bench, "M114")


async def test_the_dialogue_shows_what_people_say_and_on_demand_everything(
    bench: FirmwareBench,
) -> None:
    await bench.driver.start(bench.plate(BODY), RUN)
    await said(bench, "M117 half way")
    bench.say(b"echo:a word of the printer\n T:200.0 /200.0 B:60.0 /60.0\necho:busy: processing\n")
    await said(bench, "M105")
    await bench.until(lambda: bench.run_state() is RunState.FINISHED)
    talk = await bench.driver.command("dialogue", {})
    texts = [line.split(maxsplit=2)[2] for line in talk.splitlines()]
    assert [text for text in texts if "M117 half way" in text]
    assert "echo:a word of the printer" in texts
    assert not [text for text in texts if text.startswith(("ok", "T:", "echo:busy"))]
    assert not [text for text in texts if "G1 X" in text or "M105" in text]
    everything = await bench.driver.command("dialogue", {"show": "all", "lines": 500})
    assert "G1 X" in everything
    assert "ok T:" in everything
    assert len(everything.splitlines()) <= 500
    three = await bench.driver.command("dialogue", {"show": "all", "lines": 3})
    assert three.splitlines()[-1].split()[1:] == everything.splitlines()[-1].split()[1:]
    assert len(three.splitlines()) == 3


@pytest.mark.parametrize("arguments", [{"show": "some"}, {"lines": 0}, {"lines": "many"}])
async def test_a_dialogue_that_is_asked_for_wrongly_is_refused(
    bench: FirmwareBench, arguments: dict[str, object]
) -> None:
    with pytest.raises(NotPossible):
        await bench.driver.command("dialogue", arguments)


async def test_an_emergency_stop_overtakes_everything_and_fails_the_run_with_its_dialogue(
    bench: FirmwareBench,
) -> None:
    heard, stopped, executes = bytearray(), asyncio.Event(), bench.reply

    def heating(data: bytes) -> bytes:
        heard.extend(data)
        if heard.count(b"M112") > 1 and heard.endswith(b"\n"):
            stopped.set()
        return b"" if b"M109" in heard else executes(data)

    bench.reply = heating
    await bench.driver.start(bench.plate("G28\nM109 S200\n" + BODY), RUN)
    await said(bench, "M112")
    await bench.until(lambda: bench.run_state() is RunState.FAILED)
    await stopped.wait()
    raw, numbered = [line for line in bytes(heard).splitlines() if b"M112" in line]
    assert raw == b"M112"
    assert numbered.startswith(b"N")
    assert bench.driver.observation.state is PrinterState.HALTED
    run = bench.driver.observation.run
    assert run is not None
    assert "somebody stopped the machine" in run.reason
    assert any("M109 S200" in line for line in run.evidence)
    with pytest.raises(DriverUnavailable):
        await said(bench, "M105")
