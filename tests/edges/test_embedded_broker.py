"""The broker that the coordinator starts: safe, supervised, and gone with it."""

import asyncio
import os
import signal
import socket
import sys
from pathlib import Path

import aiomqtt
import pytest

from coordinator.adapters.embedded_broker.broker import BrokerWish, Kind, embedded_broker
from coordinator.errors import SettingsInvalid, Unavailable

PATIENCE_S = 20.0


@pytest.fixture(params=["mosquitto", "amqtt"])
def wish(request: pytest.FixtureRequest, tmp_path: Path) -> BrokerWish:
    return BrokerWish(kind=request.param, folder=tmp_path / "broker")


def port_of(url: str) -> int:
    return int(url.rpartition(":")[2])


async def test_a_taken_port_is_told_in_one_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        wish = BrokerWish(kind="auto", folder=tmp_path, port=port)
        with pytest.raises(Unavailable, match=f"port {port} for the MQTT broker is taken"):
            async with embedded_broker(wish):
                pass


async def test_nobody_is_let_in_from_outside_without_a_password(tmp_path: Path) -> None:
    wish = BrokerWish(kind="auto", folder=tmp_path, host="0.0.0.0")
    with pytest.raises(SettingsInvalid, match="would let everybody in: set agents"):
        async with embedded_broker(wish):
            pass


@pytest.mark.parametrize("kind", ["mosquitto", "amqtt"])
async def test_with_a_password_only_those_who_know_it_get_in(tmp_path: Path, kind: Kind) -> None:
    password = "correct horse battery staple"
    wish = BrokerWish(
        kind=kind, folder=tmp_path, host="0.0.0.0", username="farm", password=password
    )
    async with embedded_broker(wish) as broker:
        port = port_of(broker.url)
        async with aiomqtt.Client("127.0.0.1", port, username="farm", password=password):
            pass
        for guess in ("wrong", None):
            with pytest.raises(aiomqtt.MqttError):
                async with aiomqtt.Client("127.0.0.1", port, username="farm", password=guess):
                    pass
    assert password not in (tmp_path / "passwords").read_text()


async def test_it_listens_on_loopback_only(wish: BrokerWish) -> None:
    async with embedded_broker(wish) as broker:
        port = port_of(broker.url)
        listening = []
        for table in (Path("/proc/net/tcp"), Path("/proc/net/tcp6")):
            for line in (await asyncio.to_thread(table.read_text)).splitlines()[1:]:
                local, state = line.split()[1], line.split()[3]
                if state == "0A" and int(local.rpartition(":")[2], 16) == port:
                    listening.append(local.rpartition(":")[0])
    assert listening == ["0100007F"]


async def test_it_is_started_again_on_the_same_port_when_it_dies(wish: BrokerWish) -> None:
    async with (
        asyncio.timeout(PATIENCE_S),
        embedded_broker(wish) as broker,
        asyncio.TaskGroup() as tasks,
    ):
        supervisor = tasks.create_task(broker.supervise())
        first, url = broker.pid, broker.url
        ended = os.pidfd_open(first)
        os.kill(first, signal.SIGKILL)
        await readable(ended)
        os.close(ended)
        await accepts(port_of(url))
        assert broker.url == url
        assert broker.pid != first
        supervisor.cancel()


async def test_it_is_gone_after_the_block(wish: BrokerWish) -> None:
    async with embedded_broker(wish) as broker:
        port = port_of(broker.url)
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", port)


OWNER = """
import asyncio, sys
from pathlib import Path
from coordinator.adapters.embedded_broker.broker import BrokerWish, embedded_broker

async def main():
    async with embedded_broker(BrokerWish(kind=sys.argv[1], folder=Path(sys.argv[2]))) as broker:
        print(broker.pid, flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


async def test_it_dies_with_a_coordinator_that_is_killed(wish: BrokerWish) -> None:
    owner = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        OWNER,
        wish.kind,
        str(wish.folder),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert owner.stdout is not None
    while not (line := (await owner.stdout.readline()).strip()).isdigit():
        assert line, "the owner ended early"
    ended = os.pidfd_open(int(line))
    try:
        owner.kill()
        await owner.wait()
        async with asyncio.timeout(PATIENCE_S):
            await readable(ended)
    finally:
        os.close(ended)


async def readable(handle: int) -> None:
    loop, seen = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(handle, seen.set)
    try:
        await seen.wait()
    finally:
        loop.remove_reader(handle)


async def accepts(port: int) -> None:
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.01)  # it is another process
        else:
            writer.close()
            return
