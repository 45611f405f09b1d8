"""What happened, as programs beside the farm are told it: lines of history become events."""

import re
from collections.abc import Mapping
from types import MappingProxyType

from coordinator.domain.automation.documents import Document, short
from coordinator.domain.history import FarmEvent, Line, event_of
from coordinator.domain.messages import Things

# By the type that webhooks know (`messages.TABLE`), what the event of a printer is called.
OF_PRINTER: Mapping[str, str] = MappingProxyType(
    {
        "run.printing": "started",
        "run.paused": "paused",
        "run.finished": "finished",
        "run.stopped": "stopped",
        "run.failed": "failed",
        "run.lost": "lost",
        "printer.needs_clearing": "needs_clearing",
        "printer.cleared": "cleared",
        "printer.faulted": "faulted",
        "printer.quarantined": "quarantined",
        "printer.offline": "offline",
        "printer.online": "online",
    }
)

# How firmwares and hosts call it: "filament_runout", "Filament runout", "filament sensor".
_RUNOUT = re.compile(r"filament|runout|ran out", re.IGNORECASE)


def printer_event(line: Line, its_type: str, things: Things) -> tuple[str, Document] | None:
    """Return of which printer a line is news, and the news; None where it is of none.

    `event_type` is a word of `homeassistant.printer_entities.PRINTER_EVENTS`.
    """
    kind = OF_PRINTER.get(its_type)
    printer_id = things.printer.printer_id if things.printer is not None else ""
    if things.run is not None:
        printer_id = things.run.printer_id
    if kind is None or not printer_id:
        return None
    event = event_of(line)
    document: Document = {
        "event_type": _told_apart(kind, event),
        "at": line.at,
        "number": line.number,
        "actor": line.actor,
        "reason": short(line.cause),
        "job_id": things.job.job_id if things.job is not None else None,
        "job": short(things.job.name) if things.job is not None else None,
        "run_id": things.run.run_id if things.run is not None else None,
    }
    return printer_id, document


def _told_apart(kind: str, event: FarmEvent) -> str:
    if kind == "started" and "started_at" not in event.changes:
        return "resumed"
    said = f"{event.cause} {event.changes.get('reason', '')}"
    if kind == "paused" and _RUNOUT.search(said):
        return "runout"
    return kind
