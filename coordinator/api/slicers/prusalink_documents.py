"""What PrusaLink's clients read: pure functions to PrusaLink's documents."""

from urllib.parse import quote

from coordinator.api.slicers.octoprint_documents import path_of
from coordinator.api.slicers.taking import SentFile
from coordinator.api.slicers.targets import Target

Document = dict[str, object]


def version_document(target: Target, version: str, *, by_put: bool) -> Document:
    """Return the versions; PrusaSlicer wants `text` to begin with PrusaLink or OctoPrint."""
    return {
        "api": "2.0.0",
        "version": "0.8.1",
        "printer": "1.3.1",
        "text": f"PrusaLink 0.8.1 (Farmhand {version}, {target.name})",
        "firmware": version,
        "capabilities": {"upload-by-put": by_put},
    }


def storage_document(target: Target, storage: str) -> Document:
    """Return the storages. PrusaSlicer reads the first key only, so there is no other.

    It counts a storage of which no free space is told as one with room; the farm says so by itself
    where it has none.
    """
    facts = {"name": f"Farmhand {target.name}", "path": f"/{storage}", "type": "LOCAL"}
    return {"storage_list": [{**facts, "read_only": False, "ro": False, "available": True}]}


def file_document(file: SentFile, address: str, storage: str) -> Document:
    """Return a file that was put."""
    plate = file.plate
    return {
        "name": file.name,
        "display_name": file.name,
        "path": f"/{storage}/{path_of(file)}",
        "type": "PRINT_FILE",
        "size": plate.size_bytes if plate is not None else None,
        "m_timestamp": int(file.job.created_at.timestamp()),
        "refs": {"resource": f"{address}/api/v1/files/{storage}/{quote(path_of(file))}"},
    }
