"""What OctoPrint's clients read: pure functions from what the farm knows to OctoPrint's documents.

Times are Unix seconds, completion is in percent, as OctoPrint has them.
"""

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from coordinator.api.render import artifact_url
from coordinator.api.slicers.taking import SentFile
from coordinator.api.slicers.targets import FARM_TARGET, Target
from coordinator.domain.printers import PrinterStatus
from coordinator.domain.runs import RunState
from coordinator.usecases.reading import PrinterView
from protocols.wire.vocabulary import Mode, PrinterState

Document = dict[str, object]

# Clients compare these; 1.11 knows no less than what is answered here.
API_VERSION, SERVER_VERSION = "0.1", "1.11.0"

_OFF = (PrinterStatus.OFFLINE, PrinterStatus.FAULTED, PrinterStatus.IN_SERVICE)
_FLAGS = (
    "operational",
    "printing",
    "pausing",
    "paused",
    "resuming",
    "cancelling",
    "finishing",
    "ready",
    "error",
    "closedOrError",
    "sdReady",
)


@dataclass(frozen=True, slots=True)
class Standing:
    """A state as OctoPrint has it: in words, and the flags that hold."""

    text: str
    flags: frozenset[str]


def title_of(target: Target, view: PrinterView | None) -> str:
    """Return what a person knows the target as."""
    if view is not None:
        return view.printer.name
    return "Farmhand" if target.name == FARM_TARGET else f"Farmhand {target.name}"


def version_document(target: Target, version: str) -> Document:
    """Return the versions; slicers want `text` to begin with OctoPrint."""
    told = f"Farmhand {version}, {target.name}"
    return {
        "api": API_VERSION,
        "server": SERVER_VERSION,
        "text": f"OctoPrint {SERVER_VERSION} ({told})",
    }


def standing_of(view: PrinterView | None) -> Standing | None:
    """Return the state of a printer; None where it is not operational.

    A queue (no printer) is operational at all times: it takes orders while nothing can print.
    """
    if view is None:
        return Standing("Operational", frozenset({"operational", "ready"}))
    if view.status in _OFF:
        return None
    if view.status is not PrinterStatus.BUSY:
        return Standing("Operational", frozenset({"operational", "ready"}))
    mode = view.run.mode if view.run is not None else Mode.RUN
    is_paused = view.printer.seen is PrinterState.PAUSED or (
        view.run is not None and view.run.state is RunState.PAUSED
    )
    if mode is Mode.STOP:
        return Standing("Cancelling", frozenset({"operational", "printing", "cancelling"}))
    if is_paused:
        return Standing("Paused", frozenset({"operational", "paused"}))
    if mode is Mode.PAUSE:
        return Standing("Pausing", frozenset({"operational", "printing", "pausing"}))
    return Standing("Printing", frozenset({"operational", "printing"}))


def printer_document(
    standing: Standing, view: PrinterView | None, exclude: Collection[str] = ()
) -> Document:
    """Return state and temperatures, without the parts that are excluded by name."""
    sample = view.sample.printer if view is not None and view.sample is not None else None
    temperatures = sample.temperatures if sample is not None else {}
    document: Document = {
        "temperature": {
            name: {"actual": each.actual_celsius, "target": each.target_celsius, "offset": 0}
            for name, each in temperatures.items()
        },
        "sd": {"ready": False},
        "state": {
            "text": standing.text,
            "flags": {flag: flag in standing.flags for flag in _FLAGS},
            "error": "",
        },
    }
    return {name: part for name, part in document.items() if name not in exclude}


def job_document(standing: Standing | None, view: PrinterView | None, now: datetime) -> Document:
    """Return what prints; null for all that nobody knows, or where nothing prints."""
    run = view.run if view is not None and view.run is not None and view.run.started else None
    job = view.job if view is not None and run is not None else None
    sample = view.sample.printer if view is not None and view.sample is not None else None
    progress: Document = dict.fromkeys(
        ("completion", "filepos", "printTime", "printTimeLeft", "printTimeLeftOrigin")
    )
    if run is not None and run.started_at is not None:
        progress["printTime"] = round((now - run.started_at).total_seconds())
        if sample is not None and sample.run_id == run.run_id:
            progress["completion"] = sample.progress * 100.0
            if sample.remaining_s is not None:
                progress["printTimeLeft"] = round(sample.remaining_s)
                progress["printTimeLeftOrigin"] = "estimate"
    name = job.name if job is not None else None
    file = {"name": name, "display": name, "path": name, "size": None, "date": None}
    return {
        "job": {
            "file": {**file, "origin": "local" if job is not None else None},
            "estimatedPrintTime": None,
            "averagePrintTime": None,
            "lastPrintTime": None,
            "filament": None,
            "user": None,
        },
        "progress": progress,
        "state": standing.text if standing is not None else "Offline",
    }


def path_of(file: SentFile) -> str:
    """Return where a file lies, as clients name it: below its job, so that none hides another."""
    return f"{file.job.job_id}/{file.name}"


def resource_of(file: SentFile, address: str) -> str:
    """Return the address of a file; clients cut it behind its first `api/`."""
    return f"{address}/api/files/local/{quote(path_of(file))}"


def file_document(file: SentFile, address: str, origin: str) -> Document:
    """Return a file; `userdata` is there only where some was sent with it."""
    plate = file.plate
    refs = {"resource": resource_of(file, address)}
    document: Document = {
        "name": file.name,
        "display": file.name,
        "path": path_of(file),
        "origin": "local",
        "type": "machinecode" if plate is not None else "model",
        "typePath": ["machinecode", "gcode"] if plate is not None else ["model"],
        "date": int(file.job.created_at.timestamp()),
        "refs": refs,
    }
    if plate is not None:
        document |= {"size": plate.size_bytes, "hash": plate.sha256}
        refs["download"] = f"{origin}{artifact_url(plate.sha256)}"
        if plate.time_s is not None:
            document["gcodeAnalysis"] = {"estimatedPrintTime": plate.time_s}
    if file.userdata:
        document["userdata"] = json.loads(file.userdata)
    return document


def upload_document(file: SentFile, address: str, origin: str, *, prints: bool) -> Document:
    """Return the answer to an upload."""
    return {
        "files": {"local": file_document(file, address, origin)},
        "done": True,
        "effectiveSelect": prints,
        "effectivePrint": prints,
    }


def settings_document(title: str) -> Document:
    """Return the settings that clients look at: no SD card, no camera, no plugins."""
    camera = {"webcamEnabled": False, "streamUrl": "", "snapshotUrl": "", "rotate90": False}
    return {
        "appearance": {"name": title},
        "feature": {"sdSupport": False},
        "webcam": {**camera, "flipH": False, "flipV": False},
        "plugins": {},
    }


def profiles_document(title: str, model: str) -> Document:
    """Return the one printer profile that there is."""
    profile = {"id": "_default", "name": title, "model": model, "default": True, "current": True}
    return {"profiles": {"_default": profile}}


def connection_document(standing: Standing | None, title: str) -> Document:
    """Return how the host is connected to its printer: the farm's affair."""
    port = "AUTO" if standing is not None else None
    state = standing.text if standing is not None else "Offline"
    current = {"state": state, "port": port, "baudrate": None, "printerProfile": "_default"}
    profiles = [{"id": "_default", "name": title}]
    choices: Document = {"ports": [], "baudrates": [], "printerProfiles": profiles}
    return {"current": current, "options": choices}


def login_document(actor: str) -> Document:
    """Return who shows the key."""
    return {"name": actor.partition(":")[2] or actor, "active": True, "user": True, "groups": []}
