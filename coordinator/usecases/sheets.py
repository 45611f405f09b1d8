"""Pictures that people bring for providers: looked at, kept, and found again by their hashes."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from coordinator.domain.effects import Save
from coordinator.domain.file_kinds import HEAD_BYTES, kind_of
from coordinator.domain.generations import Sheet
from coordinator.domain.plates import Artifact, ArtifactKind
from coordinator.domain.providing import WEBP
from coordinator.errors import Refused
from coordinator.ports import StagedFile
from coordinator.usecases.farm import Farm
from coordinator.usecases.performing import writing
from coordinator.usecases.storing import keep, let_go

_MEDIA_TYPES = {".png": "image/png", ".jpg": "image/jpeg", ".webp": WEBP}


async def sheets_of(farm: Farm, hashes: Sequence[str]) -> tuple[Sheet, ...]:
    """Return pictures that were brought before.

    Raises:
        Refused: one of them is not there, or no picture.
    """
    sheets = []
    for sha256 in hashes:
        size = await farm.artifacts.size(sha256)
        if size is None:
            raise Refused("not_a_picture", f"there is no picture {sha256[:12]}: bring it first")
        head = b""
        async for chunk in farm.artifacts.read(sha256, start=0, stop=min(size, HEAD_BYTES)):
            head += chunk
        sheets.append(Sheet(sha256=sha256, media_type=_media_type_of(head, size)))
    return tuple(sheets)


async def keep_picture(
    farm: Farm, staged: StagedFile, name: str, actor: str, origin: str = ""
) -> Sheet:
    """Keep a picture that somebody brings.

    Raises:
        Refused: it is no JPEG, no PNG and no WebP.
    """
    head = await asyncio.to_thread(_head, staged.path)
    media_type = _media_type_of(head, staged.size_bytes)
    await keep(farm, staged)
    try:
        artifact = Artifact(
            sha256=staged.sha256,
            kind=ArtifactKind.PICTURE,
            name=name,
            size_bytes=staged.size_bytes,
            created_at=farm.clock.now(),
        )
        async with writing(farm, actor, origin) as transaction:
            await transaction.perform((Save(artifact),))
    finally:
        await let_go(farm, staged.sha256)
    return Sheet(sha256=staged.sha256, media_type=media_type)


def _media_type_of(head: bytes, size_bytes: int) -> str:
    """Return what a picture is, by its first bytes.

    Raises:
        Refused: it is none.
    """
    found = _MEDIA_TYPES.get(kind_of(head, size_bytes))
    if found is None:
        raise Refused("not_a_picture", "a JPEG, PNG or WebP is wanted")
    return found


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(HEAD_BYTES)
