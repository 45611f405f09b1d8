"""Clients of the front: a closed loop of GETs on plain sockets, and screens that look on.

A Python HTTP client costs more than the server that is measured; so the loop sends the same bytes
again and again and counts what comes, as `wrk` does.
"""

import asyncio
import json
import re
import selectors
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

import aiohttp

_LENGTH = re.compile(rb"(?i)content-length: (\d+)")
_BUFFER_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Loop:
    """What a closed loop found: answers a second, and how long they took."""

    per_s: float
    p50_ms: float
    p99_ms: float
    body_bytes: int


class _Connection:
    def __init__(self, address: tuple[str, int], question: bytes) -> None:
        self.socket = socket.create_connection(address)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._question = question
        self.ask()

    def ask(self) -> None:
        self.left: int | None = None
        self.head = b""
        self.asked_s = time.perf_counter()
        self.socket.sendall(self._question)

    def take(self, buffer: memoryview) -> bool:
        """Read what came; whether the answer is whole."""
        count = self.socket.recv_into(buffer)
        assert count, "the server hung up"
        if self.left is None:
            self.head += bytes(buffer[:count])
            head, end, body = self.head.partition(b"\r\n\r\n")
            if not end:
                return False
            length = _LENGTH.search(head)
            assert head[9:12] in (b"200", b"304"), head
            self.body_bytes = int(length[1]) if length and head[9:12] == b"200" else 0
            self.left = self.body_bytes - len(body)
        else:
            self.left -= count
        return self.left == 0


def closed_loop(
    url: str, path: str, headers: Sequence[str], *, clients: int, seconds: float
) -> Loop:
    """Ask again as soon as an answer is whole, on so many connections."""
    parts = urlsplit(url)
    assert parts.hostname is not None
    assert parts.port is not None
    lines = [f"GET {path} HTTP/1.1", f"Host: {parts.netloc}", *headers, "", ""]
    question = "\r\n".join(lines).encode()
    buffer, took = memoryview(bytearray(_BUFFER_BYTES)), []
    with selectors.DefaultSelector() as selector:
        connections = [_Connection((parts.hostname, parts.port), question) for _ in range(clients)]
        for connection in connections:
            selector.register(connection.socket, selectors.EVENT_READ, connection)
        begun_s = time.perf_counter()
        while time.perf_counter() < begun_s + seconds:
            for key, _ in selector.select():
                if key.data.take(buffer):
                    took.append(time.perf_counter() - key.data.asked_s)
                    key.data.ask()
        elapsed_s = time.perf_counter() - begun_s
        for connection in connections:
            connection.socket.close()
    took.sort()
    return Loop(
        per_s=len(took) / elapsed_s,
        p50_ms=took[len(took) // 2] * 1000,
        p99_ms=took[int(len(took) * 0.99)] * 1000,
        body_bytes=connections[0].body_bytes,
    )


async def seen_ms(url: str, token: str, *, screens: int, changes: int) -> list[float]:
    """Return how long each change took from the request to each screen, in milliseconds."""
    headers = {"Authorization": f"Bearer {token}"}
    found: list[float] = []
    async with aiohttp.ClientSession(base_url=url, headers=headers) as session:
        sockets = [await session.ws_connect("/api/v1/live", max_msg_size=0) for _ in range(screens)]
        for socket_ in sockets:
            await socket_.receive_str()
        for number in range(changes):
            wanted = number % 2 == 0
            status = "in_service" if wanted else ""
            looking = [asyncio.create_task(_until(each, status)) for each in sockets]
            await asyncio.sleep(0.05)
            asked_s = time.perf_counter()
            path = "/api/v1/printers/printer-00000/service"
            async with session.post(path, json={"in_service": wanted}) as answer:
                answer.raise_for_status()
            found += [(at_s - asked_s) * 1000 for at_s in await asyncio.gather(*looking)]
        for socket_ in sockets:
            await socket_.close()
    return sorted(found)


async def _until(socket_: aiohttp.ClientWebSocketResponse, status: str) -> float:
    """Return when a screen saw the printer in service, or out of it."""
    while True:
        text = await socket_.receive_str(timeout=10)
        at_s = time.perf_counter()
        if '"status"' not in text:
            continue
        told = json.loads(text).get("printers", {}).get("printer-00000", {}).get("status")
        if told is not None and (told == "in_service") == (status == "in_service"):
            return at_s
