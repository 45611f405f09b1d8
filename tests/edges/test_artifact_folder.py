"""Artifacts in a real folder."""

import hashlib
import os
import resource
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import pytest

from coordinator.adapters.storage.obstore_artifacts import FolderArtifacts, open_artifacts
from coordinator.errors import NotFound, Unavailable

BODY = os.urandom(700_001)
SHA256 = hashlib.sha256(BODY).hexdigest()


@pytest.fixture
async def artifacts(tmp_path: Path) -> AsyncIterator[FolderArtifacts]:
    async with open_artifacts(tmp_path / "artifacts") as opened:
        yield opened


async def keep(artifacts: FolderArtifacts, body: bytes = BODY) -> str:
    async with artifacts.stage(".bin") as staged:
        for start in range(0, len(body), 65_536):
            await staged.write(body[start : start + 65_536])
        await staged.keep()
        return staged.sha256


async def whole(artifacts: FolderArtifacts, start: int, stop: int) -> bytes:
    async with aclosing(artifacts.read(SHA256, start=start, stop=stop)) as chunks:
        return b"".join([chunk async for chunk in chunks])


async def test_what_is_kept_comes_back(artifacts: FolderArtifacts) -> None:
    assert await keep(artifacts) == SHA256
    assert await artifacts.size(SHA256) == len(BODY)
    assert await whole(artifacts, 0, len(BODY)) == BODY


@pytest.mark.parametrize(
    ("start", "stop"), [(0, 1), (5, 5), (700_000, 700_001), (262_143, 600_000), (1, 9_999_999)]
)
async def test_any_part_comes_back(artifacts: FolderArtifacts, start: int, stop: int) -> None:
    await keep(artifacts)
    assert await whole(artifacts, start, stop) == BODY[start:stop]


async def test_what_is_not_kept_is_gone(artifacts: FolderArtifacts) -> None:
    async with artifacts.stage(".stl") as staged:
        await staged.write(BODY)
        assert staged.path.read_bytes() == BODY
        assert (staged.sha256, staged.size_bytes) == (SHA256, len(BODY))
        assert staged.path.suffix == ".stl"
    assert not staged.path.exists()
    assert await artifacts.size(SHA256) is None


async def test_keeping_the_same_bytes_twice_is_fine(artifacts: FolderArtifacts) -> None:
    await keep(artifacts)
    await keep(artifacts)
    assert await whole(artifacts, 0, len(BODY)) == BODY


async def test_a_kept_file_can_still_be_read_where_it_was_staged(
    artifacts: FolderArtifacts,
) -> None:
    async with artifacts.stage() as staged:
        await staged.write(BODY)
        await staged.keep()
        assert staged.path.read_bytes() == BODY


async def test_it_is_lent_as_a_file_with_a_suffix_and_stays_when_that_is_gone(
    artifacts: FolderArtifacts,
) -> None:
    await keep(artifacts)
    async with artifacts.as_file(SHA256, ".stl") as path:
        assert path.suffix == ".stl"
        assert path.read_bytes() == BODY
    assert not path.exists()
    assert await artifacts.size(SHA256) == len(BODY)


async def test_deleting_takes_it_away_and_twice_is_fine(artifacts: FolderArtifacts) -> None:
    await keep(artifacts)
    await artifacts.delete(SHA256)
    await artifacts.delete(SHA256)
    assert await artifacts.size(SHA256) is None
    with pytest.raises(NotFound):
        await whole(artifacts, 0, 10)


@pytest.mark.parametrize("name", ["../../etc/passwd", "", "a" * 63, "A" * 64, "/" * 64])
async def test_a_name_that_is_no_hash_leads_nowhere(artifacts: FolderArtifacts, name: str) -> None:
    assert await artifacts.size(name) is None
    await artifacts.delete(name)
    with pytest.raises(NotFound):
        async with artifacts.as_file(name):
            pass


async def test_a_full_disk_is_told_and_leaves_nothing(artifacts: FolderArtifacts) -> None:
    # The kernel's limit on one file's length fails a write as a full disk does.
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    async with artifacts.stage() as staged:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
        try:
            with pytest.raises(Unavailable, match="is full: make room"):
                await staged.write(BODY)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert not staged.path.exists()


async def test_what_an_earlier_process_left_half_done_is_removed(tmp_path: Path) -> None:
    folder = tmp_path / "artifacts"
    async with open_artifacts(folder) as artifacts:
        await keep(artifacts)
        (folder / ".staging" / "leftover").write_bytes(b"half")
    async with open_artifacts(folder) as artifacts:
        assert list((folder / ".staging").iterdir()) == []
        assert await artifacts.size(SHA256) == len(BODY)


async def test_a_scratch_folder_is_gone_with_all_in_it(artifacts: FolderArtifacts) -> None:
    async with artifacts.scratch() as folder:
        (folder / "plate.gcode").write_bytes(BODY)
    assert not folder.exists()


async def test_all_that_is_kept_is_listed_and_nothing_else(
    artifacts: FolderArtifacts, tmp_path: Path
) -> None:
    assert await artifacts.stored() == []
    kept = {await keep(artifacts), await keep(artifacts, b"another")}
    (tmp_path / "artifacts" / "notes.txt").touch()
    async with artifacts.stage() as staged:
        await staged.write(b"not yet")
        assert dict(await artifacts.stored()).keys() == kept
    assert dict(await artifacts.stored())[SHA256] == len(BODY)
