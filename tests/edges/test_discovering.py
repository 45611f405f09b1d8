"""Looking for printers, with real ports and real processes."""

import os
import select
import termios
import threading
import tomllib
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import serial

from agent.discover import ask, on_serial_ports
from agent.found import Found, written
from agent.settings import AgentSettings
from tests.fakes.ideal_firmware import IdealFirmware
from tests.fakes.processes import Ended, run, started, until


@contextmanager
def board(speed: int) -> Iterator[tuple[str, IdealFirmware]]:
    """A firmware on a pseudo-terminal that understands one speed only."""
    master, slave = os.openpty()
    tty.setraw(slave)
    firmware, ended = IdealFirmware(), threading.Event()

    def serve() -> None:
        while not ended.is_set():
            if select.select([master], [], [], 0.05)[0]:
                data = os.read(master, 4096)
                if termios.tcgetattr(master)[5] == speed:
                    os.write(master, firmware.receive(data))

    thread = threading.Thread(target=serve)
    thread.start()
    yield os.ttyname(slave), firmware
    ended.set()
    thread.join()
    os.close(master)
    os.close(slave)


def test_a_board_is_found_at_its_baud_rate_by_its_name_and_nothing_is_reset() -> None:
    with board(termios.B57600) as (port, firmware):
        firmware.last_line = 4711
        rates = (115200, 57600)
        found = ask(port, ("/dev/serial/by-id/x",), boot_s=0.3, baud_rates=rates)
        assert (found.baud_rate, found.firmware) == (57600, "Marlin 2.1.2")
        assert (found.address, found.names) == ("/dev/serial/by-id/x", (port,))
        assert firmware.last_line == 4711
        assert set(firmware.executed) == {"M115"}


def test_where_nobody_answers_it_is_told() -> None:
    with board(termios.B9600) as (port, _):
        found = ask(port, (), boot_s=0.05, baud_rates=(115200, 250000))
        assert found == Found(address=port, names=(port,), trouble=found.trouble)
        assert "nobody answers" in found.trouble


def test_a_port_in_use_is_left_alone_and_says_so() -> None:
    with board(termios.B115200) as (port, firmware):
        with serial.Serial(port, exclusive=True):
            [found] = on_serial_ports([port], 0.3)
        assert "lock" in found.trouble
        assert firmware.executed == []


def test_what_was_found_can_be_pasted_into_the_configuration() -> None:
    well = Found(
        address="/dev/serial/by-id/usb-1",
        names=("/dev/serial/by-path/pci-1", "/dev/ttyUSB0"),
        firmware="Marlin 2.1.2",
        machine="Ender 3 (Pro)",
        baud_rate=250000,
    )
    text = "\n".join([*written(well, 1), *written(Found(address="/dev/x", trouble="no"), 2)])
    [printer] = AgentSettings.model_validate(tomllib.loads(text)).printers
    assert (printer.id, printer.driver) == ("ender-3-pro-1", "marlin_serial")
    assert printer.settings == {"port": "/dev/serial/by-id/usb-1", "baud_rate": 250000}
    assert "#   also /dev/serial/by-path/pci-1" in text
    assert "# /dev/x: no" in text


def check(folder: Path) -> Ended:
    return run("agent", "check", "--config", folder / "agent.toml", "--timeout", "6")


def test_the_commands_find_a_printer_and_try_what_is_configured(tmp_path: Path) -> None:
    port = tmp_path / "port"
    with started("agent.simulator", "--pty", port, log=tmp_path / "printer.log"):
        until(port.exists, "the printer")
        discovered = run("agent", "discover", str(port))
        assert discovered.code == 0, discovered
        assert f'port = "{port}"' in discovered.out
        config = discovered.out.replace('"?"', '"farmhand-220"')
        state = f'state_dir = "{tmp_path}/state"\n'
        (tmp_path / "agent.toml").write_text(state + config)
        tried = check(tmp_path)
        assert (tried.code, tried.out.split()[0]) == (0, "ok"), tried
        broken = config.replace("simulator-1", "simulator-2").replace(
            str(port), str(tmp_path / "none")
        )
        (tmp_path / "agent.toml").write_text(state + config + broken)
        tried = check(tmp_path)
        assert tried.code == 1
        assert [line.split()[0] for line in tried.out.splitlines()] == ["ok", "WRONG", "plug"]
        assert str(tmp_path / "none") in tried.out
    assert run("agent", "discover", str(tmp_path / "none")).code == 1


@pytest.mark.parametrize("verb", ["check", "discover"])
def test_a_word_that_no_command_knows_is_refused(tmp_path: Path, verb: str) -> None:
    ended = run("agent", verb, "--colour", "red", cwd=tmp_path)
    assert ended.code == 2
    assert "Traceback" not in ended.err
