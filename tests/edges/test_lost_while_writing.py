"""A connection that is lost in the very turn of the loop in which something is written to it.

The coordinator's two sessions and the agent's, on a real broker.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import aiomqtt
import pytest

from agent.writing import write_while_open as agent_writes
from coordinator.adapters.mqtt_link.writing import write_while_open as coordinator_writes
from tests.fakes.mosquitto import start_mosquitto


@pytest.fixture
async def complaints() -> AsyncIterator[list[str]]:
    """What the loop complains of, which else stands in the log with a traceback."""
    said: list[str] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: said.append(str(context["message"])))
    yield said
    loop.set_exception_handler(None)


async def some_turns() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def sockets_until(number: int) -> list[socket.socket]:
    """Return new sockets, of which the last is the system's file of this number."""
    opened = [socket.socket()]
    while opened[-1].fileno() < number:
        opened.append(socket.socket())
    assert opened[-1].fileno() == number
    return opened


@pytest.mark.parametrize("writes", [coordinator_writes, agent_writes])
async def test_nothing_watches_a_socket_that_is_closed_nor_who_has_its_number_next(
    tmp_path: Path, complaints: list[str], writes: Callable[[aiomqtt.Client], None]
) -> None:
    loop = asyncio.get_running_loop()
    with start_mosquitto(tmp_path) as port:
        for others in (False, True):
            client = aiomqtt.Client("127.0.0.1", port)
            writes(client)
            await client.__aenter__()
            paho: Any = client._client
            number = paho.socket().fileno()
            paho.publish("a", b"x", 1)
            paho._sock_close()  # as when the same turn reads that the broker is gone
            opened = sockets_until(number) if others else []
            await some_turns()
            assert not loop.remove_writer(number)
            for each in opened:
                each.close()
            client._disconnected.set_result(None)
            await client.__aexit__(None, None, None)
    assert complaints == []


@pytest.mark.parametrize("writes", [coordinator_writes, agent_writes])
async def test_what_is_written_arrives(
    tmp_path: Path, complaints: list[str], writes: Callable[[aiomqtt.Client], None]
) -> None:
    with start_mosquitto(tmp_path) as port:
        ear, mouth = aiomqtt.Client("127.0.0.1", port), aiomqtt.Client("127.0.0.1", port)
        for each in (ear, mouth):
            writes(each)
        async with ear, mouth, asyncio.timeout(20):
            await ear.subscribe("a", qos=1)
            large = b"x" * 3_000_000  # more than a socket takes at once
            for payload in (b"1", large, b"2"):
                await mouth.publish("a", payload, qos=1)
            heard = []
            async for message in ear.messages:
                heard.append(message.payload)
                if len(heard) == 3:
                    break
    assert heard == [b"1", large, b"2"]
    assert complaints == []
