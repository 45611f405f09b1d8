"""What is said of the machine that the coordinator runs on, and asked of it."""

from collections.abc import Mapping, Sequence
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypedDict

from coordinator.usecases.disk_use import DiskUse
from coordinator.usecases.retaining import Spare

# A hundred years: what is longer is a slip of the finger.
OLDER_S_MAX = 100 * 366 * 86400.0
JOBS_MAX = 100
# So many files are told one by one, the largest; a farm may remove thousands at once.
FILES_TOLD_MAX = 200


class CleanupForm(BaseModel):
    """Which files are to go: of jobs that ended so long ago, and of those that are named.

    Without either only what a crash left behind, and nobody knows.
    """

    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)

    older_than_s: Annotated[float, Field(ge=0, le=OLDER_S_MAX, allow_inf_nan=False)] | None = Field(
        default=None, examples=[30 * 86400.0]
    )
    job_ids: list[Annotated[str, Field(max_length=100)]] = Field(
        default_factory=list, max_length=JOBS_MAX
    )
    dry_run: bool = True


class ShareDocument(TypedDict):
    """What files of one kind take."""

    files: int
    size_bytes: int


class DiskDocument(TypedDict):
    """What takes room. Null: `database_bytes` where it is a server's."""

    free_bytes: int
    total_bytes: int
    database_bytes: int | None
    cache_bytes: int
    pictures_bytes: int
    artifacts: dict[str, ShareDocument]
    removed: int


class SpareDocument(TypedDict):
    """A file that goes. Null: `job_id` where no job ever referred to it."""

    sha256: str
    kind: str
    name: str
    size_bytes: int
    job_id: str | None


class CleanupDocument(TypedDict):
    """What went, or would; `items` are the largest."""

    dry_run: bool
    files: int
    size_bytes: int
    items: list[SpareDocument]


def disk_document(use: DiskUse) -> DiskDocument:
    """Return what takes room."""
    shares: Mapping[str, ShareDocument] = {
        kind: {"files": share.files, "size_bytes": share.size_bytes}
        for kind, share in use.artifacts.items()
    }
    return {
        "free_bytes": use.room.free_bytes,
        "total_bytes": use.room.total_bytes,
        "database_bytes": use.room.database_bytes,
        "cache_bytes": use.room.cache_bytes,
        "pictures_bytes": use.room.pictures_bytes,
        "artifacts": dict(shares),
        "removed": use.removed,
    }


def cleanup_document(spare: Sequence[Spare], *, dry_run: bool) -> CleanupDocument:
    """Return what went, or would."""
    return {
        "dry_run": dry_run,
        "files": len(spare),
        "size_bytes": sum(each.size_bytes for each in spare),
        "items": [
            {
                "sha256": each.sha256,
                "kind": each.kind,
                "name": each.name,
                "size_bytes": each.size_bytes,
                "job_id": each.job_id,
            }
            for each in spare[:FILES_TOLD_MAX]
        ],
    }
