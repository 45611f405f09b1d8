"""Plates over HTTP, from a real server on the loopback."""

import asyncio
import errno
import hashlib
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from agent import files
from agent.errors import FileUnavailable
from agent.files import FileStore
from protocols.wire.to_agent import PlateReference

CONTENT = b"G1 X1\n" * 100_000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@dataclass
class Shelf:
    """A server with one file, and knobs for failing."""

    url: str = ""
    requests: list[web.Request] = field(default_factory=list)
    content: bytes = CONTENT
    break_after: int | None = None
    ranges: bool = True
    part: Path | None = None

    @staticmethod
    def _has_begun(part: Path) -> bool:
        return part.exists() and part.stat().st_size > 0

    async def give(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(request)
        begin = 0
        response = web.StreamResponse()
        if self.ranges and "Range" in request.headers:
            begin = request.http_range.start or 0
            response.set_status(206)
            last = len(self.content) - 1
            response.headers["Content-Range"] = f"bytes {begin}-{last}/{len(self.content)}"
        response.content_length = len(self.content) - begin
        await response.prepare(request)
        if self.break_after is not None:
            await response.write(self.content[begin : begin + self.break_after])
            # What the client has not written yet is lost with the line.
            while self.part is not None and not self._has_begun(self.part):  # noqa: ASYNC110
                await asyncio.sleep(0)
            assert request.transport is not None
            request.transport.close()
            return response
        await response.write(self.content[begin:])
        return response


@pytest.fixture
async def shelf() -> AsyncIterator[Shelf]:
    shelf = Shelf()
    app = web.Application()
    app.router.add_get("/plate", shelf.give)
    async with TestServer(app, host="127.0.0.1") as server:
        shelf.url = str(server.make_url("/")).rstrip("/")
        yield shelf


def plate(url: str = "/plate", content: bytes = CONTENT) -> PlateReference:
    return PlateReference(
        sha256=hashlib.sha256(content).hexdigest(), size_bytes=len(content), url=url, name="cube"
    )


def store(tmp_path: Path, shelf: Shelf, **changes: object) -> FileStore:
    given: dict[str, object] = {"coordinator_url": shelf.url, "cache_bytes_max": 10**9} | changes
    return FileStore(tmp_path / "plates", **given)  # type: ignore[arg-type]


async def failure(store: FileStore, wanted: PlateReference) -> FileUnavailable:
    with pytest.raises(FileUnavailable) as caught:
        await store.fetch(wanted)
    return caught.value


async def test_a_plate_is_fetched_once_and_checked(tmp_path: Path, shelf: Shelf) -> None:
    cache = store(tmp_path, shelf)
    both = await asyncio.gather(cache.fetch(plate()), cache.fetch(plate()))
    assert both[0] == both[1]
    assert both[0].read_bytes() == CONTENT
    assert len(shelf.requests) == 1


async def test_a_broken_transfer_goes_on_where_it_broke(tmp_path: Path, shelf: Shelf) -> None:
    cache = store(tmp_path, shelf)
    shelf.break_after, shelf.part = 150_000, tmp_path / "plates" / f"{SHA256}.part"
    assert (await failure(cache, plate())).retry
    shelf.break_after = None
    assert (await cache.fetch(plate())).read_bytes() == CONTENT
    had = shelf.requests[1].http_range.start
    assert had is not None
    assert 0 < had <= 150_000


async def test_a_server_without_ranges_sends_it_all_again(tmp_path: Path, shelf: Shelf) -> None:
    cache = store(tmp_path, shelf)
    shelf.break_after, shelf.ranges = 150_000, False
    await failure(cache, plate())
    shelf.break_after = None
    assert (await cache.fetch(plate())).read_bytes() == CONTENT


async def test_a_wrong_hash_is_refused_and_leaves_nothing(tmp_path: Path, shelf: Shelf) -> None:
    shelf.content = CONTENT[:-1] + b"X"
    refusal = await failure(store(tmp_path, shelf), plate())
    assert not refusal.retry
    assert "another hash" in str(refusal)
    assert list((tmp_path / "plates").iterdir()) == []


async def test_a_rotten_piece_is_thrown_away_and_tried_again(tmp_path: Path, shelf: Shelf) -> None:
    cache = store(tmp_path, shelf)
    (tmp_path / "plates").mkdir()
    (tmp_path / "plates" / f"{SHA256}.part").write_bytes(b"rotten")
    assert (await failure(cache, plate())).retry
    assert (await cache.fetch(plate())).read_bytes() == CONTENT


async def test_a_rotten_file_in_the_cache_is_fetched_anew(tmp_path: Path, shelf: Shelf) -> None:
    cache = store(tmp_path, shelf)
    path = await cache.fetch(plate())
    path.write_bytes(CONTENT[:-1] + b"X")
    assert (await cache.fetch(plate())).read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("url", "retry"),
    [("/nothing", False), ("ftp://elsewhere/x", False), ("http://127.0.0.1:9/x", True)],
)
async def test_a_file_that_is_not_there_says_whether_to_try_again(
    tmp_path: Path, shelf: Shelf, url: str, retry: bool
) -> None:
    assert (await failure(store(tmp_path, shelf), plate(url))).retry is retry


async def test_the_token_goes_to_the_coordinator_and_to_nobody_else(
    tmp_path: Path, shelf: Shelf
) -> None:
    await store(tmp_path / "own", shelf, token="sesame").fetch(plate())
    elsewhere = store(tmp_path, shelf, token="sesame", coordinator_url="http://127.0.0.2:1")
    await elsewhere.fetch(plate(f"{shelf.url}/plate"))
    sent = [request.headers.get("Authorization") for request in shelf.requests]
    assert sent == ["Bearer sesame", None]


async def test_a_name_that_is_no_hash_never_becomes_a_path(tmp_path: Path, shelf: Shelf) -> None:
    evil = PlateReference(sha256="../../evil", size_bytes=1, url="/plate", name="x")
    assert not (await failure(store(tmp_path, shelf), evil)).retry
    assert shelf.requests == []


async def test_a_full_card_is_said_in_words_and_left_clean(
    tmp_path: Path, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(files, "_write", full)
    refusal = await failure(store(tmp_path, shelf), plate())
    assert refusal.retry
    assert "no room in" in str(refusal)
    assert list((tmp_path / "plates").iterdir()) == []


async def test_the_plate_used_longest_ago_goes_first_and_held_ones_stay(
    tmp_path: Path, shelf: Shelf
) -> None:
    cache = store(tmp_path, shelf, cache_bytes_max=2 * len(CONTENT) + 10)
    paths = []
    for number in range(3):
        shelf.content = CONTENT[:-1] + str(number).encode()
        paths.append(await cache.fetch(plate(content=shelf.content)))
        os.utime(paths[-1], (number, number))
        paths[-1].with_name(f"{paths[-1].name}.survey").write_bytes(b"")
        if number == 0:
            cache.hold("p1", paths[0].name)
    assert [path.exists() for path in paths] == [True, False, True]
    beside = [path.with_name(f"{path.name}.survey") for path in paths]
    assert [path.exists() for path in beside] == [True, False, True]
