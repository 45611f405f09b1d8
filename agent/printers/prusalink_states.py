"""What PrusaLink's words mean: one table, and the views made with it.

States: `printer.state` of `/api/v1/status`, as in Prusa's OpenAPI description of PrusaLink
(github.com/prusa3d/Prusa-Link-Web, spec/openapi.yaml).
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from agent.printers import host_folder
from agent.printers.print_host import HostView, number, ratio
from protocols.wire.vocabulary import PrinterState, Temperature, Tuning

_S = PrinterState

# PrusaLink's state -> (our state without a job, with one, what a person should know).
STATES: Mapping[str, tuple[PrinterState, PrinterState, str]] = MappingProxyType(
    {
        "IDLE": (_S.IDLE, _S.IDLE, ""),
        "READY": (_S.IDLE, _S.IDLE, ""),
        "BUSY": (_S.ATTENTION, _S.PRINTING, "it is busy"),
        "PRINTING": (_S.PRINTING, _S.PRINTING, ""),
        "PAUSED": (_S.PAUSED, _S.PAUSED, ""),
        # Their pages stay until somebody looks; another print may begin.
        "FINISHED": (_S.IDLE, _S.IDLE, ""),
        "STOPPED": (_S.IDLE, _S.IDLE, ""),
        "ATTENTION": (_S.ATTENTION, _S.PAUSED, "it waits for a person"),
        "ERROR": (_S.HALTED, _S.HALTED, "it stopped with an error"),
    }
)
WORDS_MAX = 200
_HEATERS = (("tool0", "temp_nozzle", "target_nozzle"), ("bed", "temp_bed", "target_bed"))


def job_name(file: Mapping[str, Any]) -> str:
    """Return what a job's file is called: ours as in our folder, others by their name alone.

    A printer may tell paths in the short form of its card, where only `display_name` is whole;
    our folder's name is short enough to stay.
    """
    name = str(file.get("display_name") or file.get("name") or "")
    folders = str(file.get("path") or "").lower().split("/")
    return f"{host_folder.FOLDER}/{name}" if name and host_folder.FOLDER in folders else name


def view_of(status: Mapping[str, Any], job: str, before: HostView) -> HostView:
    """Return what is to be seen.

    Args:
        status: the answer of `/api/v1/status`.
        job: name of the file of its job, empty where it has none.
        before: the last view; readings that the answer lacks are kept.
    """
    printer = status.get("printer") or {}
    word = str(printer.get("state") or "")
    words = f"PrusaLink calls its state {word!r}"
    alone, at_job, known = STATES.get(word, (_S.OFFLINE, _S.OFFLINE, words))
    told = status.get("job") or {}
    state = at_job if told else alone
    if state is _S.PRINTING:
        known = ""
    health = printer.get("status_printer") or {}
    if state is _S.HALTED and health.get("message") and not health.get("ok", True):
        known = f"{known}: {str(health['message'])[:WORDS_MAX]}"
    transfer = status.get("transfer") or {}
    if not known and transfer:
        known = f"a file is on its way to it: {number(transfer.get('progress')) or 0.0:.0f} %"
    progress = number(told.get("progress"))
    return HostView(
        state=state,
        job=job,
        words=known,
        temperatures=temperatures_of(printer) or before.temperatures,
        tuning=tuning_of(printer) if printer else before.tuning,
        completion=None if progress is None else progress / 100,
        remaining_s=number(told.get("time_remaining")),
    )


def temperatures_of(printer: Mapping[str, Any]) -> dict[str, Temperature]:
    """Return the readings that there are."""
    return {
        name: Temperature(float(printer[actual]), number(printer.get(target)))
        for name, actual, target in _HEATERS
        if isinstance(printer.get(actual), int | float)
    }


def tuning_of(printer: Mapping[str, Any]) -> Tuning:
    """Return speed and flow, and how fast fans turn; how far they are open PrusaLink tells not."""
    return Tuning(
        speed_ratio=ratio(printer.get("speed"), of=100),
        flow_ratio=ratio(printer.get("flow"), of=100),
        fan_rpm=number(printer.get("fan_print")),
        hotend_fan_rpm=number(printer.get("fan_hotend")),
    )
