"""Who sends slowly, or without end, is told so and leaves nothing behind."""

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import pytest

from coordinator.api import incoming
from tests.fakes.served_farm import TOKEN, ServedFarm

_FORM = "POST /api/v1/jobs HTTP/1.1\r\nContent-Type: multipart/form-data; boundary=x"
_FILE = b"--x\r\nContent-Disposition: form-data; name=file; filename=a.gcode\r\n\r\n"
_ORDER = b"--x\r\nContent-Disposition: form-data; name=copies\r\n\r\n2"
_PUT = "PUT /prusalink/api/v1/files/local/a.gcode HTTP/1.1"
_JSON = "POST /api/v1/printers/p1/service HTTP/1.1"

# What comes before the silence.
BEGINNINGS = {
    "a form without a line": (_FORM, b""),
    "a form in a part's head": (_FORM, b"--x\r\nContent-Dispo"),
    "a form in a field": (_FORM, _ORDER),
    "a form in its file": (_FORM, _FILE + b"G28\nG1 X1\n"),
    "a file": (_PUT, b"G28\nG1 X1\n"),
    "a document": (_JSON, b'{"in_service":'),
}


class Sender:
    """A client that sends a body of a length as it likes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self.writer = reader, writer

    async def answer(self) -> tuple[int, bytes]:
        """Return status and body of what is answered."""
        async with asyncio.timeout(20):
            head = await self._reader.readuntil(b"\r\n\r\n")
            length = next(line for line in head.lower().splitlines() if b"content-length" in line)
            return int(head.split()[1]), await self._reader.readexactly(int(length.split()[1]))


async def sending(session: aiohttp.ClientSession, first: str) -> Sender:
    """Begin a request of a megabyte; `first` are its first lines."""
    url = session._build_url("/")
    sender = Sender(*await asyncio.open_connection(url.host, url.port))
    lines = [first, "Host: x", f"Authorization: Bearer {TOKEN}", "Content-Length: 900000", "", ""]
    sender.writer.write("\r\n".join(lines).encode())
    return sender


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(incoming, "STALL_S", 0.1)
    monkeypatch.setattr(incoming, "DOCUMENT_S", 0.1)


@pytest.mark.usefixtures("hurried")
@pytest.mark.parametrize(("first", "begun"), BEGINNINGS.values(), ids=BEGINNINGS)
async def test_who_falls_silent_in_the_middle_is_told_and_leaves_nothing(
    farm: ServedFarm, session: aiohttp.ClientSession, first: str, begun: bytes
) -> None:
    sender = await sending(session, first)
    sender.writer.write(begun)
    status, body = await sender.answer()
    assert status == 408
    assert b"too_slow" in body or b"did not come" in body
    assert not farm.artifacts.left_behind
    assert not farm.store.tables.jobs


async def test_who_sends_byte_by_byte_is_told_once_it_took_too_long(
    farm: ServedFarm, session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(incoming, "GRACE_S", 0.1)
    monkeypatch.setattr(incoming, "BYTES_PER_S_MIN", 1_000_000_000)
    sender = await sending(session, _FORM)
    sender.writer.write(_FILE)
    answer = asyncio.create_task(sender.answer())
    while not answer.done():
        sender.writer.write(b";")
        await asyncio.sleep(0)
    status, body = await answer
    assert (status, b"too_slow" in body) == (408, True)
    assert not farm.artifacts.left_behind


async def test_a_form_that_never_begins_is_too_large_in_the_end(
    farm: ServedFarm, session: aiohttp.ClientSession
) -> None:
    async def lines() -> AsyncIterator[bytes]:
        while True:
            yield b"not yet\r\n" * 10_000

    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    async with session.post("/api/v1/jobs", data=lines(), headers=headers) as response:
        assert response.status == 413
        assert (await response.json())["code"] == "too_large"
    assert not farm.artifacts.left_behind
