"""One picture of a webcam that answers HTTP: a JPEG, a PNG, or one frame of an MJPEG stream.

ustreamer, mjpg-streamer, go2rtc, and what print hosts name as their webcam.
"""

import asyncio
import re
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urljoin, urlsplit

from agent.errors import DriverUnavailable, NotPossible
from protocols.pictures import PICTURE_BYTES_MAX, picture_type

if TYPE_CHECKING:
    import aiohttp

PICTURE_S_MAX = 10.0  # for all of it: a camera that wakes up takes a few seconds
_CHUNK_BYTES = 64 * 1024
_WORDS_MAX = 200
_PART_HEAD_BYTES_MAX = 4096
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


async def fetch_picture(url: str) -> bytes:
    """Return a picture's bytes, at most `PICTURE_BYTES_MAX`; a name and password may be in the URL.

    Raises:
        DriverUnavailable: nobody answers, or not in time.
        NotPossible: what is answered is no picture, or too large.
    """
    import aiohttp  # here, because most agents never take a picture

    where = _named(url)
    try:
        async with (
            asyncio.timeout(PICTURE_S_MAX),
            aiohttp.ClientSession() as session,
            session.get(url) as answer,
        ):
            if answer.status != 200:
                raise NotPossible(f"the camera at {where} answers {answer.status}")
            picture = await _picture_in(answer, where)
    except TimeoutError:
        raise DriverUnavailable(
            f"the camera at {where} shows nothing within {PICTURE_S_MAX:.0f} s"
        ) from None
    except (aiohttp.ClientError, OSError, ValueError) as error:
        told = getattr(error, "strerror", "") or getattr(error, "message", "")
        reason = str(told)[:_WORDS_MAX] or type(error).__name__
        raise DriverUnavailable(f"the camera at {where} does not answer: {reason}") from error
    return checked_picture(picture, f"the camera at {where}")


def checked_picture(picture: bytes, camera: str) -> bytes:
    """Return a picture that may be sent.

    Raises:
        NotPossible: it is too large, or none.
    """
    if len(picture) > PICTURE_BYTES_MAX:
        limit = f"{PICTURE_BYTES_MAX // 1024} KiB"
        raise NotPossible(f"{camera} makes pictures of more than {limit}: set a lower resolution")
    if not picture_type(picture):
        raise NotPossible(f"{camera} gives neither JPEG nor PNG")
    return picture


async def _picture_in(answer: "aiohttp.ClientResponse", where: str) -> bytes:
    if answer.content_type == "multipart/x-mixed-replace":
        return await _first_frame(answer.content.iter_chunked(_CHUNK_BYTES), where)
    return await body_of(answer)


async def body_of(answer: "aiohttp.ClientResponse") -> bytes:
    """Return an answer's bytes, or of one that is too large a little more than may be."""
    body = bytearray()
    async for chunk in answer.content.iter_chunked(_CHUNK_BYTES):
        body += chunk
        if len(body) > PICTURE_BYTES_MAX:
            break
    return bytes(body)


async def _first_frame(chunks: AsyncIterator[bytes], where: str) -> bytes:
    """Return the first part of an endless stream of pictures."""
    seen = bytearray()
    async for chunk in chunks:
        seen += chunk
        if (frame := frame_in(bytes(seen))) is not None:
            return frame
        if len(seen) > PICTURE_BYTES_MAX + _PART_HEAD_BYTES_MAX:
            return bytes(seen)  # refused for its length
    raise NotPossible(f"the camera at {where} ends its stream before the first picture")


def frame_in(stream: bytes) -> bytes | None:
    """Return the first whole part in the beginning of a `multipart/x-mixed-replace` body.

    Its length counts where it tells one, else it ends where its own boundary comes again; servers
    name another one in their header now and then. None: more has to be read.
    """
    begin = re.match(rb"\s*(--[^\r\n]+)\r?\n", stream)
    if begin is None:
        return None
    head = re.compile(rb"\r?\n\r?\n").search(stream, begin.end() - 1)
    if head is None:
        return None
    told = re.search(rb"(?i)\ncontent-length:\s*(\d{1,9})", stream[: head.start() + 1])
    if told is not None:
        end = head.end() + int(told[1])
        return stream[head.end() : end] if len(stream) >= end else None
    end = stream.find(b"\n" + begin[1], head.end())
    return None if end < 0 else stream[head.end() : end].removesuffix(b"\r")


def beside(host: str, address: str, *, own_port: int | None = None) -> str:
    """Return where a webcam is that a print host names by an address of its own.

    Args:
        host: the print host's own URL.
        address: as it says it: relative to its page, or as it reaches the camera itself.
        own_port: where `host` may be asked past the web server that its page, and with it a
            relative address, belongs to.
    """
    here, there = urlsplit(host), urlsplit(address)
    if not there.hostname:
        page = here._replace(netloc=_netloc(here, None)) if here.port == own_port else here
        return urljoin(f"{page.geturl().rstrip('/')}/", address)
    if there.hostname in _LOOPBACK and here.hostname not in _LOOPBACK:
        return there._replace(netloc=_netloc(here, there.port)).geturl()
    return address


def _netloc(parts: SplitResult, port: int | None) -> str:
    host = parts.hostname or ""
    host = f"[{host}]" if ":" in host else host
    return host if port is None else f"{host}:{port}"


def _named(url: str) -> str:
    """Return an address as it may be told: without the password in it."""
    parts = urlsplit(url)
    return _netloc(parts, parts.port) + parts.path
