"""What the agent and the coordinator tell whoever supervises them, on a real socket."""

import asyncio
import os
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

import agent.supervisor
import coordinator.supervisor

PATIENCE_S = 20.0
BOTH = (agent.supervisor.Supervisor, coordinator.supervisor.Supervisor)
Supervisor = type[agent.supervisor.Supervisor] | type[coordinator.supervisor.Supervisor]


class Systemd:
    """The other end of the socket."""

    def __init__(self, address: str) -> None:
        self.ear = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.ear.bind(address)
        self.ear.settimeout(PATIENCE_S)
        self.environment = {"NOTIFY_SOCKET": address.replace("\0", "@")}

    def heard(self) -> list[str]:
        return self.ear.recv(4096).decode().splitlines()

    def silent(self) -> bool:
        self.ear.setblocking(False)
        try:
            return not self.ear.recv(4096)
        except BlockingIOError:
            return True
        finally:
            self.ear.settimeout(PATIENCE_S)


@pytest.fixture(params=["a path", "an abstract name"])
def systemd(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Systemd]:
    path = str(tmp_path / "notify")
    other = Systemd(path if request.param == "a path" else f"\0farmhand{os.getpid()}")
    with closing(other.ear):
        yield other


@pytest.mark.parametrize("kind", BOTH)
def test_it_is_told_that_we_are_up_how_we_are_and_that_the_end_begins(
    kind: Supervisor, systemd: Systemd
) -> None:
    supervisor = kind(systemd.environment)
    supervisor.ready("printers: 3")
    assert systemd.heard() == ["READY=1", "STATUS=printers: 3"]
    supervisor.ready()
    assert systemd.heard() == ["READY=1"]
    supervisor.stopping()
    assert systemd.heard() == ["STOPPING=1"]


@pytest.mark.parametrize("kind", BOTH)
def test_children_are_not_asked_whether_they_are_up(kind: Supervisor, systemd: Systemd) -> None:
    given = {**systemd.environment, "WATCHDOG_USEC": "60000000", "WATCHDOG_PID": "1", "A": "b"}
    kind(given)
    assert given == {"A": "b"}


@pytest.mark.parametrize("kind", BOTH)
async def test_it_hears_a_beat_after_each_turn_and_none_while_something_hangs(
    kind: Supervisor, systemd: Systemd
) -> None:
    given = {**systemd.environment, "WATCHDOG_USEC": "30000", "WATCHDOG_PID": str(os.getpid())}
    supervisor = kind(given)
    assert supervisor.beat_s == pytest.approx(0.01)
    turning, turns = asyncio.Event(), 0

    async def turn() -> None:
        nonlocal turns
        turns += 1
        if turns > 3:
            turning.set()
            await asyncio.get_running_loop().create_future()

    watching = asyncio.create_task(supervisor.watch(turn, lambda: f"turn {turns}"))
    await asyncio.wait_for(turning.wait(), PATIENCE_S)
    assert [systemd.heard() for _ in range(3)] == [
        ["WATCHDOG=1", f"STATUS=turn {number}"] for number in (1, 2, 3)
    ]
    assert systemd.silent()
    watching.cancel()


@pytest.mark.parametrize("kind", BOTH)
@pytest.mark.parametrize(
    "environment",
    [{}, {"WATCHDOG_USEC": "1000"}, {"NOTIFY_SOCKET": "/nowhere/at/all"}],
    ids=["nobody", "a watchdog alone", "nobody there"],
)
async def test_nobody_to_tell_is_no_fault(kind: Supervisor, environment: dict[str, str]) -> None:
    supervisor = kind(environment)
    supervisor.ready("up")
    supervisor.beat()
    await asyncio.wait_for(supervisor.watch(), PATIENCE_S)


@pytest.mark.parametrize("kind", BOTH)
async def test_a_watchdog_of_another_process_is_not_fed(kind: Supervisor, systemd: Systemd) -> None:
    environment = {**systemd.environment, "WATCHDOG_USEC": "3000", "WATCHDOG_PID": "1"}
    await asyncio.wait_for(kind(environment).watch(), PATIENCE_S)
    assert systemd.silent()
