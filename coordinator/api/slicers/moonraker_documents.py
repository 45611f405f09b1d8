"""What Moonraker's clients read: pure functions to Moonraker's documents."""

from coordinator.api.slicers.octoprint_documents import path_of
from coordinator.api.slicers.taking import SentFile

Document = dict[str, object]


def server_document(version: str) -> Document:
    """Return what the server is. PrusaSlicer wants `result` first, and its version in there."""
    return {
        "result": {
            "klippy_connected": True,
            "klippy_state": "ready",
            "components": ["file_manager", "job_queue"],
            "failed_components": [],
            "registered_directories": ["gcodes"],
            "warnings": [],
            "moonraker_version": f"farmhand-{version}",
            "api_version": [1, 5, 0],
            "api_version_string": "1.5.0",
        }
    }


def upload_document(file: SentFile, *, prints: bool) -> Document:
    """Return the answer to an upload: what is printed is queued, whatever stands free."""
    return {
        "item": {"path": path_of(file), "root": "gcodes"},
        "print_started": False,
        "print_queued": prints,
        "action": "create_file",
    }
