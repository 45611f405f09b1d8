"""Every way to a printer, as a place that an agent's settings name; real where there is such.

Each opens below a folder, lends the place, and closes it.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.hosts.octoprint import free_port
from tests.fakes.moonraker_server import MoonrakerServer
from tests.fakes.octoprint_server import OctoPrintServer
from tests.fakes.processes import started, until
from tests.fakes.prusalink_server import PrusaLinkServer
from tests.fakes.serial_server import SerialServer
from tests.proofs.crash import is_own

LOOK_S = 0.01
SAID_S_MAX = 30.0


@dataclass(frozen=True)
class Place:
    """One printer.

    Attributes:
        driver: which of the agent's drives it.
        settings: of that driver, as a table of TOML.
        begun: how many prints began there so far.
        hurry: have it print faster than any printer; `dawdle` ends that.
        moves: whether it does, where `begun` counts what lies there before.
        steer: pause there as a person does, or go on; returns when the host said that it did, in
            seconds of the wall clock. Only hosts can.
    """

    driver: str
    settings: str
    begun: Callable[[], int]
    hurry: Callable[[], None] = lambda: None
    dawdle: Callable[[], None] = lambda: None
    steer: Callable[[bool], float] = lambda _: 0.0
    moves: Callable[[], bool] | None = None


def executed(log: Path) -> list[str]:
    """Return the commands of plates that a simulated firmware executed."""
    lines = log.read_text().splitlines() if log.exists() else []
    commands = [line.partition("\t")[2] for line in lines]
    return [command for command in commands if command and not is_own(command)]


def _homed(log: Path) -> int:
    """Return how many plates began: each homes once."""
    return sum(command.split()[0] == "G28" for command in executed(log))


@contextmanager
def _on_a_port(folder: Path) -> Iterator[Place]:
    port, log = folder / "port", folder / "executed.log"
    flags = ("--pty", port, "--log", log, "--speed", "1000")
    with started("agent.simulator", *flags, log=folder / "printer.log"):
        until(port.exists, "the printer")
        yield Place("marlin_serial", f'port = "{port}"', lambda: _homed(log))


@contextmanager
def _over_tcp(folder: Path) -> Iterator[Place]:
    number, log = free_port(), folder / "executed.log"
    flags = ("--tcp", str(number), "--log", log, "--speed", "1000")
    with started("agent.simulator", *flags, log=folder / "printer.log"):
        settings = f'port = "socket://127.0.0.1:{number}"'
        yield Place("marlin_serial", settings, lambda: _homed(log))


@contextmanager
def _over_rfc2217(folder: Path) -> Iterator[Place]:
    with _on_a_port(folder) as place:
        server = SerialServer(str(folder / "port"))
        try:
            settings = f'port = "rfc2217://127.0.0.1:{server.port}"'
            yield Place(place.driver, settings, place.begun)
        finally:
            server.close()


def _host(url: str, key: str, more: str = "") -> str:
    return f'url = "{url}", api_key = "{key}"{more}'


def _said(state: Callable[[], str], wanted: str) -> float:
    """Return when a host says that it is in a state."""
    ends_s = time.monotonic() + SAID_S_MAX
    while state() != wanted:
        assert time.monotonic() < ends_s, f"it is never {wanted}"
        time.sleep(LOOK_S)
    return time.time()


@contextmanager
def _octoprint(folder: Path) -> Iterator[Place]:
    server = OctoPrintServer(folder)
    with ExitStack() as stack:
        stack.callback(server.kill)
        server.start()

        def begun() -> int:
            return sum("plates/" not in path for path in server.runs())

        def moves() -> bool:
            return server.state == "Printing"

        def steer(paused: bool) -> float:
            action = "pause" if paused else "resume"
            server.ask("api/job", {"command": "pause", "action": action})
            return _said(lambda: server.state, "Paused" if paused else "Printing")

        yield Place("octoprint", _host(server.url, server.key), begun, steer=steer, moves=moves)


@contextmanager
def _moonraker(folder: Path) -> Iterator[Place]:
    server = MoonrakerServer(folder)
    with ExitStack() as stack:
        stack.callback(server.close)
        server.klippy.boot()
        server.start()
        klippy = server.klippy

        def steer(paused: bool) -> float:
            klippy.script("PAUSE" if paused else "RESUME")
            return time.time()

        yield Place(
            "moonraker",
            _host(server.url, server.key),
            lambda: len(klippy.begun),
            klippy.hurry,
            klippy.dawdle,
            steer,
        )


@contextmanager
def _prusalink(folder: Path) -> Iterator[Place]:
    server = PrusaLinkServer(folder)
    with ExitStack() as stack:
        stack.callback(server.close)
        server.start()
        board = server.board

        def steer(paused: bool) -> float:
            number = server.ask("api/v1/job")["id"]
            verb = "pause" if paused else "resume"
            server.ask(f"api/v1/job/{number}/{verb}", verb="PUT")
            return _said(lambda: server.state, "PAUSED" if paused else "PRINTING")

        yield Place(
            "prusalink",
            _host(server.url, server.key, ", height_mm = 210"),
            lambda: board.moved.count("G28"),
            board.hurry,
            board.dawdle,
            steer,
        )


PLACES: dict[str, Callable[[Path], AbstractContextManager[Place]]] = {
    "pty": _on_a_port,
    "tcp": _over_tcp,
    "rfc2217": _over_rfc2217,
    "octoprint": _octoprint,
    "moonraker": _moonraker,
    "prusalink": _prusalink,
}
