"""What slicers send, byte by byte: as libcurl (PrusaSlicer, OrcaSlicer) and Qt (Cura) write it."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from tests.fakes.served_farm import TOKEN

CURL_BOUNDARY = "------------------------d74496d66958873e"
QT_BOUNDARY = "boundary_.oOo._MTQ5MzYxNTI0MQ=="


@dataclass(frozen=True)
class Heard:
    """An answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()


async def send(port: int, data: bytes) -> Heard:
    """Send these bytes on a connection of their own; return what is answered in the end."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(data)
        async with asyncio.timeout(10):
            while (heard := await _heard(reader)).status == 100:
                pass
            return heard
    finally:
        writer.close()


async def _heard(reader: asyncio.StreamReader) -> Heard:
    head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    headers = dict(line.split(": ", 1) for line in head[1:] if line)
    body = await reader.readexactly(int(headers.get("Content-Length", "0")))
    return Heard(int(head[0].split()[1]), headers, body)


def curl_get(path: str, *, key: str = TOKEN, agent: str = "PrusaSlicer/2.9.4") -> bytes:
    """A GET by PrusaSlicer or OrcaSlicer."""
    return (
        f"GET {path} HTTP/1.1\r\nHost: farm.local:8150\r\nUser-Agent: {agent}\r\n"
        f"Accept: */*\r\nX-Api-Key: {key}\r\n\r\n"
    ).encode()


def curl_post(
    path: str,
    fields: Mapping[str, str],
    content: bytes,
    *,
    name: str = "Shape-Box_0.2mm_PLA_MK4_1h2m.gcode",
    key: str = TOKEN,
    extra: str = "",
) -> bytes:
    """An upload by PrusaSlicer or OrcaSlicer: the fields, then the file."""
    body = b""
    for field, value in fields.items():
        body += (
            f"--{CURL_BOUNDARY}\r\n"
            f'Content-Disposition: form-data; name="{field}"\r\n\r\n{value}\r\n'
        ).encode()
    body += (
        f"--{CURL_BOUNDARY}\r\n"
        f'Content-Disposition: form-data; name="file"; filename="{name}"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n"
    ).encode()
    body += content + f"\r\n--{CURL_BOUNDARY}--\r\n".encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: farm.local:8150\r\nUser-Agent: PrusaSlicer/2.9.4\r\n"
        f"Accept: */*\r\nX-Api-Key: {key}\r\n{extra}Content-Length: {len(body)}\r\n"
        f"Content-Type: multipart/form-data; boundary={CURL_BOUNDARY}\r\n"
        "Expect: 100-continue\r\n\r\n"
    )
    return head.encode() + body


def cura_request(
    method: str,
    path: str,
    body: bytes = b"",
    content_type: str = "application/json",
    *,
    key: str = TOKEN,
) -> bytes:
    """A request by Cura's plugin, which sets a content type on each."""
    length = f"Content-Length: {len(body)}\r\n" if method == "POST" else ""
    return (
        f"{method} {path} HTTP/1.1\r\nHost: farm.local:8150\r\nX-Api-Key: {key}\r\n"
        f"User-Agent: Cura/5.8.0 OctoPrintPlugin/3.7.3\r\nContent-Type: {content_type}\r\n"
        f"{length}Connection: Keep-Alive\r\nAccept-Encoding: gzip, deflate\r\n"
        "Accept-Language: en-US,*\r\n\r\n"
    ).encode() + body


def cura_upload(
    path: str, content: bytes, *, name: str = "part.gcode", key: str = TOKEN, prints: bool = True
) -> bytes:
    """An upload by Cura's plugin: folder, file, and then what to do with it."""
    parts = [
        ('name="path"', b"", "text/plain"),
        (f'name="file"; filename="{name}"', content, "application/octet-stream"),
    ]
    if prints:
        parts += [('name="select"', b"true", "text/plain"), ('name="print"', b"true", "text/plain")]
    body = b""
    for disposition, data, content_type in parts:
        body += (
            f"--{QT_BOUNDARY}\r\nContent-Type: {content_type}\r\n"
            f"Content-Disposition: form-data; {disposition}\r\n\r\n"
        ).encode()
        body += data + b"\r\n"
    body += f"--{QT_BOUNDARY}--\r\n".encode()
    return cura_request(
        "POST", path, body, f'multipart/form-data; boundary="{QT_BOUNDARY}"', key=key
    )
