"""Who has a line rest: the pump where there is one, and nobody while a poll is under way."""

import asyncio
import socket
from collections.abc import Callable

import pytest

from agent.printers.build_pump import build
from agent.printers.line_loop import LineLoop, Serve
from agent.printers.serial_link import SerialLink
from agent.printers.transcript import Transcript
from protocols.gcode.supply import Supply
from tests.fakes.ready_host import ReadyHost

REST_S_MAX = 0.03


@pytest.mark.skipif(not build(), reason="there is no C compiler")
async def test_while_a_poll_is_under_way_every_ok_is_answered_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    host = ReadyHost(window_lines_max=4)
    connection = host.connection
    connection.take_from(Supply(f"G1 X{n}" for n in range(300)), host.now)
    host.said()
    monkeypatch.setattr(connection, "open", lambda *_, **__: None)
    loop = asyncio.get_running_loop()
    assert isinstance(loop, LineLoop)
    looks: list[Serve] = []
    add: Callable[..., None] = loop.lines.add_line
    monkeypatch.setattr(loop.lines, "add_line", lambda *it: (looks.append(it[1]), add(*it)))
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        link = SerialLink(
            ours.fileno(),
            connection,
            lambda told, _: 0.0 if told else REST_S_MAX,
            Transcript(),
            rest_s_max=lambda: REST_S_MAX,
        )
        serving = asyncio.create_task(link.serve(adopt=False))
        await asyncio.sleep(0)

        def hear(data: bytes, now: float) -> float:
            theirs.send(data)
            return looks[0](True, now)

        now = host.now
        for _ in range(8):
            now += 0.001
            hear(b"ok\n", now)
        now += 10.0  # the pump's work, of which nobody else knows
        hear(b"ok\n", now)
        connection.expire(now)  # asks for temperatures
        for _ in range(3):
            now += 0.001
            assert hear(b"ok\n", now) == 0.0
        assert connection.lines_under_way == 4
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)
