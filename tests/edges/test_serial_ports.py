"""Ports of every kind, with the real libraries and the real kernel."""

import fcntl
import os
import pty
import select
import socket
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator
from pathlib import Path

import pytest
import serial

from agent.errors import DriverUnavailable
from agent.printers.serial_port import find_ports, open_port
from tests.fakes.serial_server import SerialServer

PATIENCE_S = 10.0
TCGETS2 = 0x802C542A  # of <asm-generic/ioctls.h>


def read(descriptor: int, wanted: bytes) -> bytes:
    """Return what comes until the wanted is in it."""
    data = b""
    while wanted not in data:
        assert select.select([descriptor], [], [], PATIENCE_S)[0], f"silence after {data!r}"
        data += os.read(descriptor, 4096)
    return data


@pytest.fixture
def pseudo_terminal() -> Iterator[tuple[int, str]]:
    master, slave = pty.openpty()
    yield master, os.ttyname(slave)
    os.close(master)
    os.close(slave)


def test_a_busy_port_is_refused_with_the_name_of_its_holder(
    pseudo_terminal: tuple[int, str],
) -> None:
    _, name = pseudo_terminal
    program = f"""
import serial, sys
port = serial.Serial({name!r}, exclusive=True)
print("open", flush=True)
sys.stdin.read()
"""
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        other.stdout.readline()
        with pytest.raises(DriverUnavailable, match=rf"\(process {other.pid}\) holds it"):
            open_port(name, 115200)
        other.communicate()
    open_port(name, 115200).close()


def test_a_port_stays_here_when_this_process_starts_another(
    pseudo_terminal: tuple[int, str],
) -> None:
    port = open_port(pseudo_terminal[1], 115200)
    assert not os.get_inheritable(port.fileno())
    port.close()


def test_a_printer_may_hang_on_a_network(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        number = free.getsockname()[1]
    command = [sys.executable, "-m", "agent.simulator", "--tcp", str(number)]
    with subprocess.Popen([*command, "--log-format", "json"], stderr=subprocess.PIPE) as printer:
        assert printer.stderr is not None
        assert b"printer.started" in printer.stderr.readline()
        try:
            port = open_port(f"socket://127.0.0.1:{number}", 115200)
            data = b""
            while b"T:" not in data:  # a boot loader eats what comes too early
                os.write(port.fileno(), b"M105\n")
                data += read(port.fileno(), b"\n")
            port.close()
        finally:
            printer.terminate()


def test_a_port_behind_a_serial_server_carries_bytes_both_ways(
    pseudo_terminal: tuple[int, str],
) -> None:
    master, name = pseudo_terminal
    server = SerialServer(name)
    port = open_port(f"rfc2217://127.0.0.1:{server.port}", 115200)
    os.write(port.fileno(), b"N1 M105*38\n")
    assert read(master, b"*38\n") == b"N1 M105*38\n"
    os.write(master, b"ok T:20.0\n")
    assert read(port.fileno(), b"\n") == b"ok T:20.0\n"
    port.close()
    again = open_port(f"rfc2217://127.0.0.1:{server.port}", 115200)  # it saw the port closed
    again.close()
    server.close()


@pytest.mark.parametrize("address", ["socket://127.0.0.1:1", "rfc2217://127.0.0.1:1", "/dev/none"])
def test_what_is_not_there_is_unavailable(address: str) -> None:
    with pytest.raises(DriverUnavailable, match=address):
        open_port(address, 115200)


def test_ports_that_are_found_exist() -> None:
    for device, names in find_ports():
        assert Path(device).exists()
        assert all(os.path.realpath(name) == device for name in names)


def test_a_port_is_opened_so_that_the_next_opening_resets_no_board(
    pseudo_terminal: tuple[int, str],
) -> None:
    _, name = pseudo_terminal
    with open(name, "rb+", buffering=0) as before:
        attributes = termios.tcgetattr(before)
        attributes[2] |= termios.HUPCL
        termios.tcsetattr(before, termios.TCSANOW, attributes)
        port = open_port(name, 115200)
        assert not termios.tcgetattr(before)[2] & termios.HUPCL
        port.close()
        assert not termios.tcgetattr(before)[2] & termios.HUPCL


def test_a_parity_that_was_left_from_booting_is_gone_once_a_port_is_open(
    pseudo_terminal: tuple[int, str],
) -> None:
    _, name = pseudo_terminal
    with open(name, "rb+", buffering=0) as before:
        attributes = termios.tcgetattr(before)
        attributes[2] |= termios.PARENB | termios.PARODD
        termios.tcsetattr(before, termios.TCSANOW, attributes)
        assert termios.tcgetattr(before)[2] & termios.PARODD
        port = open_port(name, 115200)
        assert not termios.tcgetattr(before)[2] & (termios.PARENB | termios.PARODD)
        port.close()


def test_a_baud_rate_that_posix_does_not_know_is_set(pseudo_terminal: tuple[int, str]) -> None:
    port = open_port(pseudo_terminal[1], 250000)
    told = struct.unpack("4I20B2I", fcntl.ioctl(port.fileno(), TCGETS2, bytes(44)))
    assert told[-2:] == (250000, 250000)
    port.close()


def test_a_port_is_asked_for_low_latency_and_opens_where_it_has_none(
    pseudo_terminal: tuple[int, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[bool] = []

    def refuse(_: serial.Serial, wanted: bool) -> None:
        asked.append(wanted)
        raise ValueError("no such mode here")

    monkeypatch.setattr(serial.Serial, "set_low_latency_mode", refuse)
    open_port(pseudo_terminal[1], 115200).close()
    assert asked == [True]
