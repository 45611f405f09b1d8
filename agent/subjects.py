"""Whom a line of the log is about: bound once where a printer's tasks begin, true when it is said.

A printer's run changes under its tasks, and its driver speaks of it on another thread. So what is
bound is not the ids but where they stand: they are read when a line is written, and cost nothing
before.
"""

from collections.abc import Callable, Mapping, MutableMapping
from contextvars import ContextVar
from typing import Any

from agent.core.run import Run
from protocols.wire.vocabulary import PrinterId

Ids = Mapping[str, str | int]

_IDS: ContextVar[Callable[[], Ids] | None] = ContextVar("farmhand_log_ids", default=None)


def speak_of(ids: Callable[[], Ids]) -> None:
    """Have all lines of this context, and of the tasks that it begins, carry these ids.

    Args:
        ids: told from whatever thread logs; does not raise.
    """
    _IDS.set(ids)


def ids_of(printer_id: PrinterId, run: Run | None) -> Ids:
    """Return the ids of a printer, and of its run while that may still move something."""
    if run is None or not run.is_active:
        return {"printer_id": printer_id}
    return {
        "printer_id": printer_id,
        "run_id": run.run_id,
        "job_id": run.job_id,
        "epoch": run.epoch,
    }


def add_ids(
    _logger: Any, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Return the line with the ids of whom it is about: a processor; what it says itself stays.

    A line about another run, one that is held in advance, say, gets nothing of this one's.
    """
    ids = _IDS.get()
    about = ids() if ids is not None else {}
    if event.get("run_id", about.get("run_id")) != about.get("run_id"):
        about = {"printer_id": about["printer_id"]}
    for name, value in about.items():
        event.setdefault(name, value)
    return event
