"""What takes room on the coordinator's disk, and whether there is enough left."""

from collections.abc import Mapping
from dataclasses import dataclass

from coordinator.domain.plates import ArtifactKind
from coordinator.errors import Unavailable
from coordinator.ports_disk import Room
from coordinator.usecases.farm import Farm

# A large upload, its slicing and the history of some days.
FREE_BYTES_MIN = 1024**3
# Files without a row: on their way in, or left behind by a crash.
UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Share:
    """What files of one kind take."""

    files: int
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskUse:
    """What takes room.

    Attributes:
        artifacts: by kind, and `unknown`.
        removed: how many artifacts are known whose files were removed.
    """

    room: Room
    artifacts: Mapping[str, Share]
    removed: int


async def disk_use(farm: Farm) -> DiskUse:
    """Return what takes room.

    Raises:
        Unavailable: the disk can't be looked at.
    """
    room = await farm.disk.room()
    async with farm.store.read() as unit:
        kinds = {each.sha256: each.kind.value for each in await unit.artifacts()}
    shares = dict.fromkeys((*(kind.value for kind in ArtifactKind), UNKNOWN), Share(0, 0))
    stored = dict(await farm.artifacts.stored())
    for sha256, size_bytes in stored.items():
        kind = kinds.get(sha256, UNKNOWN)
        share = shares[kind]
        shares[kind] = Share(share.files + 1, share.size_bytes + size_bytes)
    return DiskUse(room=room, artifacts=shares, removed=len(kinds.keys() - stored.keys()))


async def disk_trouble(farm: Farm) -> tuple[str, int | None]:
    """Return what is wrong with the disk, in words, and how many bytes are free.

    The words are empty where all is well; the bytes are None where nobody knows.
    """
    try:
        free_bytes = await farm.disk.free_bytes()
    except Unavailable as error:
        return error.message, None
    if free_bytes >= FREE_BYTES_MIN:
        return "", free_bytes
    words = (
        f"only {free_bytes // 1024**2} MiB are free: "
        "`farmhand disk cleanup --older-than 30d` removes old files"
    )
    return words, free_bytes
