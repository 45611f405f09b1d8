"""What OctoPrint's words for its printer mean: one table, and the views made with it.

Words: `MachineCom.getStateString` of OctoPrint 1.3 to 1.11, without what stands behind a colon.
Flags: `state.flags` of its API; they count where the words are unknown, the first of them that is
set. Both are in docs.octoprint.org, "Common data model", printer state.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from agent.printers.print_host import HostView, number
from protocols.wire.vocabulary import PrinterState, Temperature

_S = PrinterState
LOCAL = "local"

STATED = "PrinterStateChanged"  # the event that tells a state at once

# Word or flag -> (our state, what a person should know).
STATES: Mapping[str, tuple[PrinterState, str]] = MappingProxyType(
    {
        "offline": (_S.OFFLINE, "OctoPrint is not connected to its printer"),
        "closed": (_S.OFFLINE, "OctoPrint is not connected to its printer"),
        "opening serial port": (_S.OFFLINE, "OctoPrint is connecting to its printer"),
        "opening serial connection": (_S.OFFLINE, "OctoPrint is connecting to its printer"),
        "detecting serial port": (_S.OFFLINE, "OctoPrint is looking for its printer"),
        "detecting serial connection": (_S.OFFLINE, "OctoPrint is looking for its printer"),
        "detecting baudrate": (_S.OFFLINE, "OctoPrint is looking for its printer"),
        "connecting": (_S.OFFLINE, "OctoPrint is connecting to its printer"),
        "operational": (_S.IDLE, ""),
        "starting": (_S.PRINTING, ""),
        "starting print from sd": (_S.PRINTING, ""),
        "printing": (_S.PRINTING, ""),
        "printing from sd": (_S.PRINTING, ""),
        "pausing": (_S.PRINTING, ""),
        "paused": (_S.PAUSED, ""),
        "resuming": (_S.PRINTING, ""),
        "finishing": (_S.PRINTING, ""),
        "cancelling": (_S.PRINTING, ""),
        # Nothing moves, nothing comes onto the bed, and nothing can be begun.
        "starting to send file to sd": (_S.ATTENTION, "a file is being sent to the printer's card"),
        "sending file to sd": (_S.ATTENTION, "a file is being sent to the printer's card"),
        "transferring": (_S.ATTENTION, "a file is being sent to the printer's card"),
        "transferring file to sd": (_S.ATTENTION, "a file is being sent to the printer's card"),
        "error": (_S.HALTED, "OctoPrint stopped with an error"),
        "offline after error": (_S.HALTED, "OctoPrint stopped with an error"),
        # ---- flags, in the order in which they count
        "flag error": (_S.HALTED, "OctoPrint stopped with an error"),
        "flag closedOrError": (_S.OFFLINE, "OctoPrint is not connected to its printer"),
        "flag closedOnError": (_S.OFFLINE, "OctoPrint is not connected to its printer"),
        "flag paused": (_S.PAUSED, ""),
        "flag cancelling": (_S.PRINTING, ""),
        "flag pausing": (_S.PRINTING, ""),
        "flag resuming": (_S.PRINTING, ""),
        "flag finishing": (_S.PRINTING, ""),
        "flag printing": (_S.PRINTING, ""),
        "flag ready": (_S.IDLE, ""),
        "flag operational": (_S.ATTENTION, "it is busy"),
        # Whether it has a card says nothing.
        "flag sdReady": (_S.OFFLINE, "OctoPrint is not connected to its printer"),
    }
)


def state_of(text: str, flags: Mapping[str, Any], error: str = "") -> tuple[PrinterState, str]:
    """Return our state, and words where a person should know more.

    Args:
        text: as OctoPrint shows it; older ones put the error behind a colon or in brackets.
        flags: of the same moment, may be empty.
        error: the error that OctoPrint names beside it.
    """
    words, _, behind = text.partition(":")
    if words == "Offline (Error":  # before 1.5
        words = "offline after error"
    row = STATES.get(words.strip().lower())
    if row is None:
        named = (name for name in STATES if name.startswith("flag "))
        first = next((name for name in named if flags.get(name.removeprefix("flag "))), None)
        row = STATES[first] if first else (_S.OFFLINE, f"OctoPrint calls its state {text!r}")
    state, known = row
    detail = error or behind.strip(" )")
    return (state, f"{known}: {detail}") if state is _S.HALTED and detail else row


def job_path(file: Mapping[str, Any]) -> str:
    """Return what a file is called as a job: its path, marked where it is not OctoPrint's own."""
    path = file.get("path") or file.get("name") or ""
    origin = file.get("origin") or LOCAL
    return str(path) if origin == LOCAL or not path else f"{origin}:{path}"


def temperatures_of(reading: Mapping[str, Any]) -> dict[str, Temperature]:
    """Return the heaters of one reading; those without a number are left out."""
    return {
        name: Temperature(float(value["actual"]), number(value.get("target")))
        for name, value in reading.items()
        if isinstance(value, Mapping) and isinstance(value.get("actual"), int | float)
    }


def view_of(data: Mapping[str, Any], before: HostView) -> HostView:
    """Return what a `current` or `history` message shows; readings that it lacks are kept.

    Args:
        data: the message's payload: `state`, `job`, `progress`, `temps`.
        before: the last view.
    """
    told = data.get("state") or {}
    state, words = state_of(
        str(told.get("text", "")), told.get("flags") or {}, str(told.get("error") or "")
    )
    file = (data.get("job") or {}).get("file") or {}
    progress = data.get("progress") or {}
    completion = number(progress.get("completion"))
    temps: Sequence[Mapping[str, Any]] = data.get("temps") or ()
    temperatures = temperatures_of(temps[-1]) if temps else {}
    filepos = number(progress.get("filepos"))
    return HostView(
        state=state,
        job=job_path(file),
        words=words,
        temperatures=temperatures or before.temperatures,
        completion=None if completion is None else completion / 100,
        file_bytes=None if filepos is None else int(filepos),
        remaining_s=number(progress.get("printTimeLeft")),
    )


def view_after(event: str, payload: Mapping[str, Any], before: HostView) -> HostView:
    """Return the view after an event: the state at once, the rest with the next message."""
    if event == STATED:
        state, words = state_of(str(payload.get("state_string", "")), {})
        if state is PrinterState.OFFLINE:
            return before  # said after an error too; the next message tells them apart
        return replace(before, state=state, words=words)
    if event == "FileSelected":
        return replace(before, job=job_path(payload), completion=None, file_bytes=None)
    return before
