"""Klipper's states, objects and sizes, as a printer's."""

from typing import Any

import pytest

from agent.errors import AnswerLost, DriverUnavailable, NotPossible
from agent.printers.moonraker_socket import error_of
from agent.printers.moonraker_states import (
    heater_name,
    limits_of,
    objects_to_watch,
    state_of,
    view_of,
)
from agent.printers.print_host import HostView
from protocols.wire.vocabulary import PrinterState, Temperature, Tuning

OFFLINE, IDLE, PRINTING, PAUSED, ATTENTION, HALTED = (
    PrinterState.OFFLINE,
    PrinterState.IDLE,
    PrinterState.PRINTING,
    PrinterState.PAUSED,
    PrinterState.ATTENTION,
    PrinterState.HALTED,
)
BEFORE = HostView(state=IDLE)


def status(state: str, *, moves: bool = False, **more: Any) -> dict[str, Any]:
    return {
        "print_stats": {"state": state, "filename": "farmhand/a.gcode"},
        "idle_timeout": {"state": "Printing" if moves else "Ready"},
        **more,
    }


@pytest.mark.parametrize(
    ("klippy", "print_state", "state"),
    [
        ("disconnected", "printing", OFFLINE),
        ("startup", "printing", OFFLINE),
        ("error", "standby", HALTED),
        ("shutdown", "printing", HALTED),
        ("ready", "standby", IDLE),
        ("ready", "printing", PRINTING),
        ("ready", "paused", PAUSED),
        ("ready", "complete", IDLE),
        ("ready", "cancelled", IDLE),
        ("ready", "error", IDLE),
        ("ready", "dreaming", OFFLINE),
        ("", "standby", OFFLINE),
    ],
)
def test_each_of_klippers_states_has_one_meaning(
    klippy: str, print_state: str, state: PrinterState
) -> None:
    assert state_of(klippy, status(print_state))[0] is state


def test_a_shutdown_is_told_with_klippers_first_line() -> None:
    said = {"state_message": "MCU 'mcu' shutdown: Timer too close\nOnce the ...\n"}
    state, words = state_of("shutdown", status("error", webhooks=said))
    assert state is HALTED
    assert words == "Klipper shut down: MCU 'mcu' shutdown: Timer too close"


def test_a_head_that_moves_without_a_file_lets_nothing_begin_and_is_no_print() -> None:
    assert view_of("ready", status("complete", moves=True), BEFORE).state is ATTENTION
    assert view_of("ready", status("standby", moves=True), BEFORE).state is ATTENTION


@pytest.mark.parametrize("end", ["complete", "cancelled", "error"])
def test_a_print_ends_when_its_motion_has_ended(end: str) -> None:
    printing = view_of("ready", status("printing", moves=True), BEFORE)
    parking = view_of("ready", status(end, moves=True), printing)
    assert parking.state is PRINTING
    assert view_of("ready", status(end, moves=True), parking).state is PRINTING
    rested = view_of("ready", status(end), parking)
    assert rested.state is IDLE
    assert view_of("ready", status(end, moves=True), rested).state is ATTENTION


def test_readings_are_told_under_our_names_and_stay_while_klipper_is_gone() -> None:
    heaters = {
        "extruder": {"temperature": 201.5, "target": 200},
        "extruder1": {"temperature": 25, "target": 0},
        "heater_bed": {"temperature": 60.0, "target": 60.0},
        "temperature_sensor chamber": {"temperature": 31.0},
        "heater_generic dryer": {"temperature": None},
    }
    card = {"progress": 0.25, "file_position": 1000}
    view = view_of("ready", status("printing", virtual_sdcard=card, **heaters), BEFORE)
    assert view.temperatures == {
        "tool0": Temperature(201.5, 200.0),
        "tool1": Temperature(25.0, 0.0),
        "bed": Temperature(60.0, 60.0),
        "chamber": Temperature(31.0, None),
    }
    assert (view.completion, view.file_bytes) == (0.25, 1000)
    gone = view_of("disconnected", {}, view)
    assert gone.temperatures == view.temperatures
    assert gone.job == ""


def test_only_what_is_read_is_asked_for() -> None:
    known = ["gcode", "toolhead", "print_stats", "extruder", "extruder_stepper belted", "heaters"]
    assert set(objects_to_watch(known)) == {"print_stats", "extruder"}
    assert heater_name("extruder_stepper belted") == ""


def test_the_bed_is_as_large_as_the_head_goes_and_its_origin_may_be_its_middle() -> None:
    delta = limits_of({"axis_minimum": [-150, -150, 0, 0], "axis_maximum": [150, 150, 400, 0]})
    assert delta is not None
    assert (delta.bed_x_mm, delta.bed_y_mm, delta.height_mm) == (300.0, 300.0, 400.0)
    assert (delta.origin_x_mm, delta.origin_y_mm) == (-150.0, -150.0)
    corner = limits_of({"axis_minimum": [-5, -10, -2, 0], "axis_maximum": [250, 210, 220, 0]})
    assert corner is not None
    assert (corner.bed_x_mm, corner.bed_y_mm, corner.origin_x_mm) == (250.0, 210.0, 0.0)
    assert limits_of({}) is None


@pytest.mark.parametrize(
    ("code", "words", "kind"),
    [
        (400, "SD busy", NotPossible),
        (403, "File currently in use", NotPossible),
        (-32601, "Method not found", NotPossible),
        (-32602, "Unauthorized", DriverUnavailable),
        (503, "Klippy Host not connected", DriverUnavailable),
        (503, "Klippy Disconnected", AnswerLost),  # in the middle of it
        (500, "Klippy request timed out", AnswerLost),
    ],
)
def test_an_error_tells_whether_it_may_have_been_obeyed(
    code: int, words: str, kind: type[Exception]
) -> None:
    assert type(error_of({"code": code, "message": words})) is kind


def test_fan_and_factors_are_told_as_klipper_has_them_and_stay_while_it_is_gone() -> None:
    told = {"fan": {"speed": 0.5, "rpm": None}, "gcode_move": {"speed_factor": 1.1}}
    seen = view_of("ready", status("printing", **told), BEFORE)
    assert seen.tuning == Tuning(fan_ratio=0.5, speed_ratio=1.1)
    assert view_of("disconnected", {}, seen).tuning == seen.tuning
    assert view_of("ready", status("standby"), BEFORE).tuning == Tuning()
    watched = objects_to_watch(["fan", "gcode_move", "heater_fan hotend"])
    assert watched == {"fan": ["speed", "rpm"], "gcode_move": ["speed_factor", "extrude_factor"]}
