"""Real processes tell who supervises them that they are up, and that their loops turn."""

import asyncio
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from agent.line_thread import LineThread
from tests.fakes.processes import coordinator, started

PATIENCE_S = 30.0


@pytest.fixture
def ear(tmp_path: Path) -> Iterator[socket.socket]:
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as opened:
        opened.bind(str(tmp_path / "notify"))
        opened.settimeout(PATIENCE_S)
        yield opened


def hear(ear: socket.socket, word: str) -> str:
    """Return the first thing said that has a word in it."""
    while word not in (said := ear.recv(4096).decode()):
        pass
    return said


def supervised(ear: socket.socket, watchdog_s: float) -> dict[str, str]:
    return {
        "NOTIFY_SOCKET": ear.getsockname(),
        "WATCHDOG_USEC": str(int(watchdog_s * 1e6)),
        "PYTHONFAULTHANDLER": "1",
    }


def test_a_coordinator_is_up_turns_and_ends_in_so_many_words(
    tmp_path: Path, ear: socket.socket
) -> None:
    with coordinator(tmp_path / "farm", **supervised(ear, 0.3)) as farm:
        assert f"STATUS=serves {farm.url}" in hear(ear, "READY=1")
        hear(ear, "WATCHDOG=1")
        farm.process.send_signal(signal.SIGTERM)
        hear(ear, "STOPPING=1")
        assert farm.process.wait(PATIENCE_S) == 0


def test_an_agent_is_up_without_a_broker_and_tells_where_it_was_when_it_is_ended_for_hanging(
    tmp_path: Path, ear: socket.socket
) -> None:
    port, log = tmp_path / "port", tmp_path / "agent.log"
    config = tmp_path / "agent.toml"
    config.write_text(
        f'state_dir = "{tmp_path}/state"\nmqtt_url = "mqtt://127.0.0.1:1"\n[[printers]]\n'
        f'id = "mk3"\nprinter_class = "farmhand-220"\nsettings = {{ port = "{port}" }}\n'
    )
    with (
        started("agent.simulator", "--pty", port, log=tmp_path / "printer.log"),
        started("agent", "--config", config, log=log, **supervised(ear, 0.3)) as process,
    ):
        assert "STATUS=printers: 1, printing: 0" in hear(ear, "READY=1")
        hear(ear, "WATCHDOG=1")
        process.send_signal(signal.SIGABRT)  # as systemd does with one that says nothing
        process.wait(PATIENCE_S)
    assert log.read_text().count("most recent call first") >= 2, "its threads"


def test_a_loop_of_lines_that_hangs_is_noticed_and_one_that_waits_for_a_printer_is_not() -> None:
    free, blocked = threading.Event(), threading.Event()

    async def stuck() -> None:
        blocked.set()
        free.wait(PATIENCE_S)

    async def story() -> None:
        lines = LineThread()
        await lines.turn()  # there is none yet
        await lines.do(asyncio.sleep(0))
        await asyncio.wait_for(lines.turn(), PATIENCE_S)
        waiting = asyncio.create_task(lines.do(asyncio.sleep(3600)))
        await asyncio.wait_for(lines.turn(), PATIENCE_S)
        hanging = asyncio.create_task(lines.do(stuck()))
        await asyncio.to_thread(blocked.wait, PATIENCE_S)
        turn = asyncio.create_task(lines.turn())
        done, _ = await asyncio.wait((turn,), timeout=0.1)
        assert not done
        free.set()
        await asyncio.wait_for(turn, PATIENCE_S)
        await hanging
        waiting.cancel()
        lines.close()

    asyncio.run(story())
