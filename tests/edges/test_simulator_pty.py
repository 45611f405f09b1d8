"""The real command on a real pseudo-terminal, with a small host."""

import json
import os
import select
import signal
import socket
import subprocess
import sys
import termios
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from protocols.gcode.lines import encode

PATIENCE_S = 20.0
SILENCE_S = 1.0


class Host:
    """Sends one line, waits for its ok, and repeats what is asked for."""

    def __init__(self, link: Path) -> None:
        self.port = os.open(link, os.O_RDWR | os.O_NOCTTY)
        tty.setraw(self.port)
        self.buffer = b""
        self.number = 0
        self.seen: list[str] = []

    def line(self) -> str:
        while b"\n" not in self.buffer:
            assert select.select([self.port], [], [], PATIENCE_S)[0], f"silence after {self.seen}"
            data = os.read(self.port, 4096)
            if not data:
                raise ConnectionError("the port hung up")
            self.buffer += data
        line, _, self.buffer = self.buffer.partition(b"\n")
        self.seen.append(line.decode())
        return self.seen[-1]

    def ok(self) -> None:
        while not self.line().startswith("ok"):
            pass

    def send(self, *commands: str) -> None:
        sent: dict[int, bytes] = {}
        for command in commands:
            self.number += 1
            sent[self.number] = encode(self.number, command)
        wanted = min(sent, default=0)
        while wanted in sent:
            os.write(self.port, sent[wanted])
            resend = None
            # A damaged number can make a line look like a repeated one, which gets no answer.
            while self.buffer or select.select([self.port], [], [], SILENCE_S)[0]:
                line = self.line()
                if line.startswith("ok"):
                    break
                if line.startswith("Resend:"):
                    resend = int(line.split(":")[1])
            else:
                continue
            wanted = wanted + 1 if resend is None else resend

    def close(self) -> None:
        os.close(self.port)


@contextmanager
def printer(folder: Path, *flags: str) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "agent.simulator", "--pty", str(folder / "tty")),
            *("--log", str(folder / "log"), "--control", str(folder / "control")),
            *("--boot-s", "0", "--speed", "1000", *flags),
        ],
        stderr=subprocess.PIPE,
    )
    try:
        assert process.stderr is not None
        first = process.stderr.readline()
        assert b"printer.started" in first, first + process.stderr.read()
        yield process
    finally:
        process.kill()
        process.communicate()


def ask(folder: Path, line: str) -> str:
    with socket.socket(socket.AF_UNIX) as control:
        control.connect(str(folder / "control"))
        control.sendall(line.encode() + b"\n")
        return control.makefile().readline().strip()


def executed(folder: Path) -> list[str]:
    ask(folder, "status")  # which also flushes the log
    lines = (folder / "log").read_text().splitlines()
    return [line.partition("\t")[2] for line in lines if not line.startswith("#")]


PLATE = ["G28", "M109 S205", *(f"G1 X{10 + n % 90} Y{n % 70} E{n / 50} F6000" for n in range(300))]


def test_a_host_prints_a_plate_and_the_log_is_the_plate(tmp_path: Path) -> None:
    with printer(tmp_path):
        host = Host(tmp_path / "tty")
        host.send(*PLATE, "M400")
        assert executed(tmp_path) == [*PLATE, "M400"]
        status = json.loads(ask(tmp_path, "status"))
        assert status["moves_finished"] == 300
        assert status["temperatures"]["tool0"] == [205.0, 205.0]
        assert status["state"] == "idle"


def test_corruption_provokes_resends_and_nothing_is_executed_twice(tmp_path: Path) -> None:
    with printer(tmp_path, "--fault", "corrupt:every=7"):
        host = Host(tmp_path / "tty")
        host.send(*PLATE)
        numbered = [
            line.split("\t")
            for line in (ask(tmp_path, "status"), (tmp_path / "log").read_text())[1].splitlines()
            if line[0].isdigit()
        ]
        assert [text for _, text in numbered] == PLATE
        assert any(line.startswith("Resend:") for line in host.seen)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly_and_takes_link_and_socket_away(
    tmp_path: Path, number: signal.Signals
) -> None:
    with printer(tmp_path) as process:
        process.send_signal(number)
        assert process.wait(PATIENCE_S) == 0
        assert sorted(path.name for path in tmp_path.iterdir()) == ["log"]


def test_a_host_that_returns_finds_the_counter_where_it_was(tmp_path: Path) -> None:
    with printer(tmp_path):
        host = Host(tmp_path / "tty")
        host.send("G28", "G1 X1 F600")
        host.close()
        host = Host(tmp_path / "tty")
        os.write(host.port, encode(77, "M105"))
        assert host.line() == "Error:Line Number is not Last Line Number+1, Last Line: 2"
        assert [host.line(), host.line()] == ["Resend: 3", "ok"]


def test_opening_resets_the_board_unless_the_host_before_cleared_hupcl(tmp_path: Path) -> None:
    with printer(tmp_path, "--reset-on-open"):
        host = Host(tmp_path / "tty")
        assert host.line() == "start"
        attributes = termios.tcgetattr(host.port)
        attributes[2] &= ~termios.HUPCL
        termios.tcsetattr(host.port, termios.TCSANOW, attributes)
        host.send("G28")
        host.close()
        host = Host(tmp_path / "tty")
        host.number = 1
        host.send("M114")
        assert "start" not in host.seen


def test_a_dropped_cable_hangs_up_and_the_board_lives_on(tmp_path: Path) -> None:
    with printer(tmp_path, "--fault", "usb_drop:line=2:seconds=300"):
        host = Host(tmp_path / "tty")
        host.send("G28")
        os.write(host.port, encode(2, "G1 X5 F600"))
        with pytest.raises(ConnectionError):
            host.ok()
        assert ask(tmp_path, "fault corrupt:line=9999") == "ok"
        while not (tmp_path / "tty").exists():
            ask(tmp_path, "status")
        host = Host(tmp_path / "tty")
        host.number = 2
        host.send("M400")
        assert executed(tmp_path) == ["G28", "G1 X5 F600", "M400"]


def test_it_serves_a_tcp_port(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "agent.simulator", "--tcp", str(port), "--boot-s", "0"],
        stderr=subprocess.PIPE,
    )
    try:
        assert process.stderr is not None
        assert b"printer.started" in process.stderr.readline()
        with socket.create_connection(("127.0.0.1", port), PATIENCE_S) as host:
            host.sendall(b"M114\n")
            assert host.makefile().readline().startswith(("X:", "start"))
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize(
    ("flags", "word"),
    [
        ([], "--pty"),
        (["--tcp", "1", "--fault", "nonsense"], "nonsense"),
        (["--tcp", "1", "--bed", "1,2"], "bed"),
        (["--tcp", "1", "--config", "nowhere.toml"], "nowhere.toml"),
        (["--tcp", "1", "--unheard", "1"], "unheard"),
    ],
)
def test_a_wrong_setting_is_named(flags: list[str], word: str) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "agent.simulator", *flags], capture_output=True, text=True
    )
    assert result.returncode != 0
    assert word in result.stderr
    assert "Traceback" not in result.stderr
