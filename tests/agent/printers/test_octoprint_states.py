"""OctoPrint's words and flags, as a printer's states."""

import pytest

from agent.printers.octoprint_states import job_path, state_of, view_after, view_of
from agent.printers.print_host import HostView
from protocols.wire.vocabulary import PrinterState, Temperature

OFFLINE, IDLE, PRINTING, PAUSED, ATTENTION, HALTED = (
    PrinterState.OFFLINE,
    PrinterState.IDLE,
    PrinterState.PRINTING,
    PrinterState.PAUSED,
    PrinterState.ATTENTION,
    PrinterState.HALTED,
)


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("Offline", OFFLINE),
        ("Opening serial connection", OFFLINE),
        ("Detecting serial connection", OFFLINE),
        ("Connecting", OFFLINE),
        ("Operational", IDLE),
        ("Starting", PRINTING),
        ("Starting print from SD", PRINTING),
        ("Printing", PRINTING),
        ("Printing from SD", PRINTING),
        ("Pausing", PRINTING),
        ("Paused", PAUSED),
        ("Resuming", PRINTING),
        ("Finishing", PRINTING),
        ("Cancelling", PRINTING),
        ("Sending file to SD", ATTENTION),
        ("Transferring file to SD", ATTENTION),
        ("Error", HALTED),
        ("Error: Heating failed", HALTED),
        ("Offline after error", HALTED),
        ("Offline (Error: Heating failed)", HALTED),
        ("Unknown State (17)", OFFLINE),
    ],
)
def test_each_of_octoprints_states_has_one_meaning(text: str, state: PrinterState) -> None:
    assert state_of(text, {})[0] is state


@pytest.mark.parametrize(
    ("flags", "state"),
    [
        ({"error", "closedOrError"}, HALTED),
        ({"closedOrError"}, OFFLINE),
        ({"operational", "printing", "cancelling"}, PRINTING),
        ({"operational", "paused", "resuming"}, PAUSED),
        ({"operational", "ready", "sdReady"}, IDLE),
        ({"operational"}, ATTENTION),
        ({"sdReady"}, OFFLINE),
        (set(), OFFLINE),
    ],
)
def test_flags_count_where_the_words_are_unknown(flags: set[str], state: PrinterState) -> None:
    assert state_of("Imprimiendo", dict.fromkeys(flags, True))[0] is state


@pytest.mark.parametrize("text", ["Error: MINTEMP", "Offline (Error: MINTEMP)"])
def test_the_error_is_told_wherever_octoprint_puts_it(text: str) -> None:
    assert "MINTEMP" in state_of(text, {})[1]
    assert "MINTEMP" in state_of("Offline after error", {}, "MINTEMP")[1]


def test_a_file_on_the_printers_card_is_never_taken_for_ours() -> None:
    assert job_path({"path": "farmhand/a.gcode", "origin": "local"}) == "farmhand/a.gcode"
    assert job_path({"path": "farmhand/a.gcode", "origin": "sdcard"}) != "farmhand/a.gcode"
    assert job_path({"path": None, "origin": None}) == ""


def test_a_message_without_readings_keeps_the_last_ones() -> None:
    warm = {"bed": Temperature(60.0, 60.0)}
    before = HostView(state=IDLE, temperatures=warm)
    told = {
        "state": {"text": "Printing"},
        "job": {"file": {"path": "a.gcode", "origin": "local"}},
        "progress": {"completion": 25.0, "filepos": 100, "printTimeLeft": 60},
        "temps": [],
    }
    view = view_of(told, before)
    assert view.temperatures == warm
    assert (view.state, view.job, view.completion) == (PRINTING, "a.gcode", 0.25)
    assert (view.file_bytes, view.remaining_s) == (100, 60)


def test_an_offline_event_waits_for_the_message_that_tells_why() -> None:
    before = HostView(state=HALTED, words="it halted")
    assert view_after("PrinterStateChanged", {"state_string": "Offline"}, before) is before
    after = view_after("PrinterStateChanged", {"state_string": "Paused"}, before)
    assert after.state is PAUSED
