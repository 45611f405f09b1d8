"""The real driver on a real pseudo-terminal whose firmware understands one baud rate only."""

import asyncio
import contextlib
import os
import termios
import tty
from pathlib import Path

import pytest

from agent.printers import marlin_serial
from agent.printers.registry import open_driver
from protocols.wire.vocabulary import PrinterId, PrinterState
from tests.fakes.ideal_firmware import IdealFirmware


@pytest.mark.parametrize("remembered", [False, True])
async def test_the_rate_that_a_board_speaks_is_found_and_remembered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, remembered: bool
) -> None:
    monkeypatch.setattr(marlin_serial, "TRIAL_S", 0.5)
    monkeypatch.setattr(marlin_serial, "RECONNECT_S_MIN", 0.01)
    monkeypatch.setattr(marlin_serial, "RECONNECT_S_MAX", 0.02)
    if remembered:
        (tmp_path / "baud_rate").write_text("57600\n")
    firmware = IdealFirmware()
    master, slave = os.openpty()
    tty.setraw(slave)
    os.set_blocking(master, False)
    wrong_speeds = set()

    def readable() -> None:
        with contextlib.suppress(OSError):
            data = os.read(master, 4096)
            speed = termios.tcgetattr(master)[5]
            if speed == termios.B57600:
                os.write(master, firmware.receive(data))
            else:
                wrong_speeds.add(speed)

    asyncio.get_running_loop().add_reader(master, readable)
    settings = {"port": os.ttyname(slave)}
    driver = open_driver("marlin_serial", PrinterId("one"), settings, state_dir=tmp_path)
    task = asyncio.create_task(driver.run(), name="driver")
    async with asyncio.timeout(20):
        while driver.observation.state is not PrinterState.IDLE:
            await driver.changed()
    assert (tmp_path / "baud_rate").read_text() == "57600\n"
    assert bool(wrong_speeds) is not remembered
    task.cancel()
    await asyncio.wait((task,))
    asyncio.get_running_loop().remove_reader(master)
    os.close(master)
    os.close(slave)
