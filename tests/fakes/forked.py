"""Starts of our programs that find their modules loaded: see `fork_server.py`."""

import atexit
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import IO

ROOT = Path(__file__).parents[2]
TOLD_BYTES_MAX = 64


class Forked:
    """A process that runs; as much of `subprocess.Popen` as tests want of it."""

    def __init__(self, command: Sequence[str], told: socket.socket) -> None:
        self.args = command
        self.returncode: int | None = None
        self._told = told
        said, [self._self], _, _ = socket.recv_fds(told, TOLD_BYTES_MAX, 1)
        self.pid = self._number("began", said)

    def poll(self) -> int | None:
        """Return the exit code, the signal's number below 0, or None while it runs."""
        try:
            return self.wait(0)
        except subprocess.TimeoutExpired:
            return None

    def wait(self, timeout: float | None = None) -> int:
        """Return the exit code.

        Raises:
            subprocess.TimeoutExpired: it still runs after so many seconds.
        """
        if self.returncode is None:
            self._told.settimeout(timeout)
            try:
                self.returncode = self._number("ended", self._told.recv(TOLD_BYTES_MAX))
            except (TimeoutError, BlockingIOError):
                raise subprocess.TimeoutExpired(self.args, timeout or 0.0) from None
            self._told.close()
            os.close(self._self)
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send a signal, unless it ended: its id may be another's by then."""
        if self.poll() is None:
            signal.pidfd_send_signal(self._self, number)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        self.send_signal(signal.SIGKILL)

    def _number(self, what: str, said: bytes) -> int:
        word, _, number = said.decode().partition(" ")
        assert word == what, f"{self.args}: {said!r} instead of how it {what}"
        return int(number)


@dataclass(frozen=True)
class _Server:
    """A process that forks, and how it is asked."""

    process: subprocess.Popen[bytes]
    asking: socket.socket


_servers: dict[str, _Server] = {}
_one_asks = Lock()


def fork(
    module: str,
    arguments: Sequence[str],
    *,
    environment: Mapping[str, str],
    cwd: Path | None,
    output: IO[bytes],
    errors: IO[bytes],
) -> Forked:
    """Start `python -m module`, one of `PROGRAMS`, in a session of its own and without input."""
    told, tells = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    wanted = {
        "module": module,
        "arguments": list(arguments),
        "environment": dict(environment),
        "cwd": str(cwd or Path.cwd()),
    }
    with tells, open(os.devnull, "rb") as nothing, _one_asks:
        server = _servers.get(module) or _start(module, environment)
        files = [each.fileno() for each in (nothing, output, errors, tells)]
        socket.send_fds(server.asking, [json.dumps(wanted).encode()], files)
    return Forked([module, *arguments], told)


def _start(module: str, environment: Mapping[str, str]) -> _Server:
    """Start who forks; it ends when this process does."""
    asking, asked = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    # What modules read of the environment while they are imported is everybody's.
    plain = {name: word for name, word in environment.items() if not name.startswith("FARMHAND_")}
    with asked:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.fakes.fork_server", str(asked.fileno()), module],
            pass_fds=(asked.fileno(),),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            env=plain,
            cwd=ROOT,
        )
    atexit.register(_end, process, asking)
    return _servers.setdefault(module, _Server(process, asking))


def _end(process: subprocess.Popen[bytes], asking: socket.socket) -> None:
    asking.close()
    process.wait()
