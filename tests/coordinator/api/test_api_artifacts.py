"""Artifacts over HTTP: whole, in part, not again, and never something else."""

from hashlib import sha256

import aiohttp
import pytest

from coordinator.domain.plates import Artifact, ArtifactKind
from tests.fakes.served_farm import ServedFarm

CONTENT = bytes(range(256)) * 4
HASH = sha256(CONTENT).hexdigest()
URL = f"/api/v1/artifacts/{HASH}"


@pytest.fixture(autouse=True)
def artifact(farm: ServedFarm) -> None:
    farm.artifacts.kept[HASH] = CONTENT


async def test_an_artifact_is_served_whole_with_its_hash_as_etag(
    session: aiohttp.ClientSession,
) -> None:
    async with session.get(URL) as response:
        assert response.status == 200
        assert await response.read() == CONTENT
        assert response.headers["ETag"] == f'"{HASH}"'
        assert response.headers["Accept-Ranges"] == "bytes"
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.content_type == "application/octet-stream"


async def test_head_tells_the_same_without_the_bytes(session: aiohttp.ClientSession) -> None:
    async with session.head(URL, headers={"Range": "bytes=0-9"}) as response:
        assert response.status == 200
        assert response.headers["Content-Length"] == str(len(CONTENT))
        assert await response.read() == b""


@pytest.mark.parametrize(
    ("asked", "start", "stop"),
    [("bytes=0-9", 0, 10), ("bytes=1000-", 1000, 1024), ("bytes=-7", 1017, 1024),
     ("bytes=1020-5000", 1020, 1024), ("bytes=-5000", 0, 1024)],
)  # fmt: skip
async def test_a_part_is_served_with_where_it_lies(
    session: aiohttp.ClientSession, asked: str, start: int, stop: int
) -> None:
    async with session.get(URL, headers={"Range": asked}) as response:
        assert response.status == 206
        assert response.headers["Content-Range"] == f"bytes {start}-{stop - 1}/1024"
        assert await response.read() == CONTENT[start:stop]


async def test_a_download_that_broke_off_is_continued(session: aiohttp.ClientSession) -> None:
    headers = {"Range": "bytes=500-", "If-Range": f'"{HASH}"'}
    async with session.get(URL, headers=headers) as response:
        assert CONTENT[:500] + await response.read() == CONTENT
    headers["If-Range"] = '"another"'
    async with session.get(URL, headers=headers) as response:
        assert response.status == 200
        assert await response.read() == CONTENT


@pytest.mark.parametrize("asked", ["bytes=1024-", "bytes=9999-10000", "bytes=-0"])
async def test_a_part_outside_is_refused_with_the_length(
    session: aiohttp.ClientSession, asked: str
) -> None:
    async with session.get(URL, headers={"Range": asked}) as response:
        assert response.status == 416
        assert response.headers["Content-Range"] == "bytes */1024"
        assert (await response.json())["code"] == "range_outside"


async def test_what_the_caller_has_is_not_sent_again(session: aiohttp.ClientSession) -> None:
    async with session.get(URL, headers={"If-None-Match": f'"{HASH}"'}) as response:
        assert response.status == 304
        assert await response.read() == b""


@pytest.mark.parametrize("name", ["0" * 64, "x", HASH.upper(), "..%2F..%2Ftoken", HASH + "0"])
async def test_what_is_no_known_hash_is_not_there(
    session: aiohttp.ClientSession, name: str
) -> None:
    async with session.get(f"/api/v1/artifacts/{name}") as response:
        assert response.status == 404
        assert (await response.json())["code"] == "unknown_artifact"


async def test_a_picture_says_what_it_is_and_nothing_else_is_shown(
    farm: ServedFarm, session: aiohttp.ClientSession
) -> None:
    fields = {"sha256": HASH, "name": "x.png", "size_bytes": len(CONTENT)}
    for kind, said in ((ArtifactKind.PICTURE, "image/png"), (ArtifactKind.MODEL, "application")):
        artifact = Artifact(kind=kind, created_at=farm.clock.now(), **fields)  # type: ignore[arg-type]
        farm.store.tables.artifacts[HASH] = artifact
        async with session.get(URL) as response:
            assert response.content_type.startswith(said)
