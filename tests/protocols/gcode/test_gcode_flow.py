"""Handshake, flow control and silence, as firmwares are found to behave."""

import pytest

from protocols.gcode import events
from protocols.gcode.connection import Connection
from protocols.gcode.states import State
from tests.fakes.ready_host import MARLIN, ReadyHost

AUTOREPORT = MARLIN + b"Cap:AUTOREPORT_TEMP:1\nCap:BUSY_PROTOCOL:1\n"


def accepted(told: list[events.Event]) -> list[object]:
    return [event.tag for event in told if isinstance(event, events.Accepted)]


# ---------------------------------------------------------------------- handshake


def test_the_greeting_is_repeated_while_a_boot_loader_eats_it() -> None:
    host = Connection()
    host.open(0)
    greeting = host.outbound()
    assert greeting == b"\nN0 M110 N0*125\n"
    host.expire(2)
    assert host.outbound() == greeting


@pytest.mark.parametrize(
    "sign", [b"ok", b"start", b"wait", b"echo:busy: processing", b" T:20.0 /0.0", b"ok T:20 /0"]
)
def test_any_life_sign_ends_the_greeting(sign: bytes) -> None:
    host = Connection()
    host.open(0)
    host.receive(sign + b"\n", 0)
    assert host.state is State.SETTLING


def test_garbage_before_the_first_answer_is_no_life_sign_and_no_event() -> None:
    host = Connection()
    host.open(0)
    assert host.receive(b"\xff\x00\xfe9k\nMarlin 1.1\n\xc0ok\n", 0) == []
    assert host.state is State.GREETING


def test_a_printer_that_never_answers_is_given_up() -> None:
    host, told = Connection(), []
    host.open(0)
    while host.deadline is not None:
        told += host.expire(host.deadline)
    assert told == [events.ConnectionFailed("the printer does not answer")]


@pytest.mark.parametrize(
    ("complaint", "known"), [(b"Resend: 3\nok\n", True), (b"Resend: 3\n", False)]
)
def test_the_handshake_learns_whether_an_ok_follows_a_complaint(
    complaint: bytes, known: bool
) -> None:
    host = ReadyHost(complaint=complaint)
    host.submit("G1 X5")
    host.hear(b"Error:checksum mismatch, Last Line: 2\nResend: 3\n")
    assert accepted(host.hear(b"ok\n")) == ([] if known else ["G1 X5"])


def test_a_firmware_that_does_not_count_lines_gets_through_the_handshake() -> None:
    host = ReadyHost(complaint=b"ok T:20 /0\n")
    host.submit("G1 X5")
    assert accepted(host.hear(b"ok\n")) == ["G1 X5"]


def test_start_while_idle_is_a_restart_and_within_other_text_it_is_none() -> None:
    host = ReadyHost()
    assert host.hear(b"echo:start of something\n") == [events.Said("start of something")]
    assert host.hear(b"start\n") == [events.BoardReset(2)]


def test_no_line_of_before_a_restart_is_ever_said_again() -> None:
    host = ReadyHost(window_lines_max=2)
    host.submit("G1 X5", "G1 X6")
    host.hear(b"ok\nstart\n")
    host.wait(1)
    for answer in (b"ok\n", MARLIN + b"ok\n", b"ok T:20 /0\n", b"Resend: 3\nok\n"):
        host.hear(answer)
    assert host.connection.state is State.READY
    host.submit("G1 X7")
    host.said()
    for number in (1, 2, 3, 4):
        host.hear(b"Error:checksum mismatch\nResend: %d\nok\n" % number)
        host.wait(1)
    assert {command for command in host.said_commands() if command} <= {"G1 X7", "M105"}


# ---------------------------------------------------------------------- oks and the window


def test_one_ok_accepts_one_line_whatever_follows_it() -> None:
    for ok in (b"ok", b"ok 3", b"ok N3 P15 B3", b"ok N3"):
        host = ReadyHost(window_lines_max=2)
        host.submit("G1 X1", "G1 X2")
        assert accepted(host.hear(ok + b"\n")) == ["G1 X1"], ok


def test_a_numbered_ok_accepts_all_up_to_its_line() -> None:
    host = ReadyHost(window_lines_max=4)
    host.submit("G1 X1", "G1 X2", "G1 X3")
    assert accepted(host.hear(b"ok N5 P15 B3\n")) == ["G1 X1", "G1 X2", "G1 X3"]


def test_a_doubled_ok_is_no_credit_for_later() -> None:
    host = ReadyHost()
    host.hear(b"ok\nok\nok\n")
    host.submit("G1 X1", "G1 X2")
    assert host.said_commands() == ["G1 X1"]


def test_a_doubled_ok_without_number_is_ignored_where_oks_have_numbers() -> None:
    host = ReadyHost(window_lines_max=2)
    host.submit("G1 X1")
    host.hear(b"ok N3 P15 B3\n")
    host.submit("G1 X2")
    assert accepted(host.hear(b"ok\n")) == []


def test_an_unknown_board_gets_one_line_at_a_time() -> None:
    host = ReadyHost(info=b"FIRMWARE_NAME:Homebrew\n", window_lines_max=4)
    host.submit("G1 X1", "G1 X2")
    assert host.said_commands() == ["G1 X1"]


def test_the_free_slots_that_a_board_tells_widen_the_window() -> None:
    host = ReadyHost(info=b"FIRMWARE_NAME:Homebrew\n", window_lines_max=8)
    host.submit("G1 X1")
    host.hear(b"ok N3 P15 B3\n")
    assert host.connection.window_lines == 1
    for number in range(4, 7):
        host.submit("G1 X1")
        host.hear(b"ok N%d P15 B3\n" % number)
    assert host.connection.window_lines == 4
    assert host.connection.planner_free == 15


def test_a_board_with_less_room_than_thought_narrows_the_window() -> None:
    host = ReadyHost(window_lines_max=4)
    host.submit("G1 X1")
    host.hear(b"ok N3 P15 B1\n")
    assert host.connection.window_lines == 2


def test_the_window_is_bounded_in_bytes() -> None:
    host = ReadyHost(window_lines_max=4, window_bytes_max=40)
    host.submit("G1 X100.123 Y1", "G1 X100.123 Y2")
    assert len(host.said()) == 1
    host.hear(b"ok\n")
    assert len(host.said()) == 1


def test_a_line_longer_than_the_bound_goes_alone() -> None:
    host = ReadyHost(window_lines_max=4, window_bytes_max=20)
    host.submit("G1 X100.123 Y100.456 E12.345")
    assert len(host.said()) == 1


def test_the_window_is_one_after_a_resend_and_grows_with_success() -> None:
    host = ReadyHost(window_lines_max=4)
    host.submit(*(f"G1 X{n}" for n in range(20)))
    assert len(host.said()) == 4
    host.hear(b"Resend: 3\nok\n")
    sizes = [len(host.said())]
    while len(sizes) < 7:
        host.hear(b"ok\n")
        sizes.append(len(host.said()))
    assert sizes == [1, 2, 2, 2, 1, 1, 1]
    assert host.connection.window_lines == 4


def test_a_window_that_keeps_losing_lines_grows_ever_more_slowly() -> None:
    host = ReadyHost(window_lines_max=4)
    host.submit(*(f"G1 X{n}" for n in range(200)))
    grown_after, number = [], 3
    for _ in range(3):
        host.hear(b"Resend: %d\nok\n" % number)
        first = number
        while host.connection.window_lines < 2:
            host.hear(b"ok\n")
            number += 1
        grown_after.append(number - first)
    assert grown_after == [1, 2, 4]


# ---------------------------------------------------------------------- silence


def test_busy_resets_the_clock_and_grants_nothing() -> None:
    host = ReadyHost()
    host.submit("G1 X5")
    host.said()
    for _ in range(50):
        host.wait(2)
        assert host.hear(b"echo:busy: processing\n") == []
    assert host.said() == []


def test_a_firmware_that_says_when_it_works_is_asked_sooner_when_it_is_silent() -> None:
    for said, patience_s in ((b"", 30), (b"echo:busy: processing\n", 5)):
        host = ReadyHost()
        host.submit("G1 X5")
        host.said()
        host.hear(said)
        host.wait(patience_s - 0.5)
        assert host.said() == [], said
        host.wait(1)
        assert host.said_commands() == ["M105"], said


def test_temperatures_that_flow_do_not_hide_a_lost_ok() -> None:
    host = ReadyHost(info=AUTOREPORT)
    host.hear(b"ok\n")
    host.submit("G1 X5")
    host.said()
    for _ in range(4):
        host.wait(2)
        host.hear(b" T:20.0 /0.0 B:20.0 /0.0\n")
    assert host.said_commands() == ["M105"]


def test_a_firmware_that_never_answers_again_is_given_up() -> None:
    host = ReadyHost()
    host.submit("G1 X5")
    told = host.wait(3600)
    assert told[-1] == events.ConnectionFailed("the printer has stopped answering")
    assert host.connection.deadline is None


@pytest.mark.parametrize("kind", [b"paused for user", b"paused for input"])
def test_waiting_for_a_person_is_told_and_is_no_silence(kind: bytes) -> None:
    host = ReadyHost()
    host.submit("M600")
    assert host.hear(b"echo:busy: " + kind + b"\n") == [events.AttentionChanged(True)]
    host.wait(20)
    host.said()
    assert events.AttentionChanged(False) in host.hear(b"ok\n")


@pytest.mark.parametrize("command", ["G28", "G29", "M109 S200", "M190 S60", "M400", "M600"])
def test_a_long_command_may_be_silent_for_minutes(command: str) -> None:
    host = ReadyHost()
    host.submit(command)
    host.said()
    host.wait(170)
    assert host.said() == []


@pytest.mark.parametrize("command", ["G4 S100", "G4 P100000"])
def test_a_dwell_may_be_silent_for_as_long_as_it_says(command: str) -> None:
    host = ReadyHost()
    host.submit(command)
    host.said()
    host.wait(125)
    assert host.said() == []
    host.wait(10)
    assert host.said_commands() == ["M105"]


def test_heating_lines_keep_a_wait_for_heat_alive() -> None:
    host = ReadyHost()
    host.submit("M109 S200")
    host.said()
    for _ in range(400):
        host.wait(1)
        told = host.hear(b" T:28.47 /200.00 B:25.0 /0.00 @:127 W:?\n")
        assert accepted(told) == []
    assert host.said() == []


def test_somebody_heating_at_the_panel_is_no_silence() -> None:
    host = ReadyHost()
    host.submit("G1 X5")
    host.said()
    for _ in range(100):
        host.wait(1)
        host.hear(b"T:28.47 E:0 W:?\n")
    assert host.said() == []


def test_wait_means_a_lost_ok_only_while_something_is_outstanding_for_a_while() -> None:
    host = ReadyHost()
    host.hear(b"wait\n")
    host.submit("G1 X5")
    host.said()
    host.hear(b"wait\n")
    assert host.said() == []
    host.wait(1.5)
    host.hear(b"wait\n")
    assert host.said_commands() == ["M105"]
    assert accepted(host.hear(b"ok T:20 /0\n")) == ["G1 X5"]


# ---------------------------------------------------------------------- own lines


def test_an_own_line_is_told_before_it_can_be_fetched() -> None:
    host = ReadyHost()
    host.submit("G1 X5")
    host.said()
    assert host.wait(31) == [events.OwnLine(4, "M105")]
    assert host.said_commands() == ["M105"]


def test_an_urgent_line_overtakes_queue_and_window() -> None:
    host = ReadyHost()
    host.submit("M109 S200", "G1 X5")
    host.said()
    host.connection.submit("M108", host.now, urgent=True)
    assert host.said_commands() == ["M108"]


def test_what_was_queued_can_be_dropped() -> None:
    host = ReadyHost()
    host.submit("G1 X1", "G1 X2")
    host.connection.drop_queued()
    host.said()
    host.hear(b"ok\n")
    assert host.said() == []
