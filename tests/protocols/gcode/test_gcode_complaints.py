"""Resend requests, errors, temperatures and identity, as firmwares are found to word them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.gcode import events, replies
from protocols.gcode.connection import Connection
from protocols.gcode.dialects import DIALECTS, UNKNOWN, dialect_of
from protocols.gcode.lines import checksum
from protocols.gcode.replies import ErrorKind, Reading
from protocols.gcode.reply_parser import parse_reply
from protocols.gcode.states import State
from tests.fakes.ready_host import ReadyHost

COMPLAINT = b"Error:checksum mismatch, Last Line: 2\nResend: 3\nok\n"
OUT_OF_ORDER = b"Error:Line Number is not Last Line Number+1, Last Line: 2\nResend: 3\nok\n"


def accepted(told: list[events.Event]) -> list[object]:
    return [event.tag for event in told if isinstance(event, events.Accepted)]


# ---------------------------------------------------------------------- resends


@pytest.mark.parametrize(
    "request_line", ["Resend: 3", "Resend:3", "resend 3", "rs N3", "rs 3", "Resend: N:3"]
)
def test_a_request_is_met_at_once_and_byte_for_byte(request_line: str) -> None:
    host = ReadyHost()
    host.submit("G1 X5")
    first = host.said()
    assert host.hear(request_line.encode() + b"\nok\n") == [events.LineRepeated(3)]
    assert host.said() == first
    assert accepted(host.hear(b"ok\n")) == ["G1 X5"]


def test_complaints_about_the_lines_behind_a_refused_one_cause_no_repetition() -> None:
    host = ReadyHost(window_lines_max=4)
    host.submit("G1 X1", "G1 X2", "G1 X3", "G1 X4")
    first = host.said()
    host.hear(COMPLAINT)
    assert host.said() == first[:1]
    for _ in range(3):
        assert host.hear(OUT_OF_ORDER) == []
    assert host.said() == []
    assert accepted(host.hear(b"ok\n")) == ["G1 X1"]
    assert host.said() == first[1:3]


def test_a_repetition_that_is_refused_again_is_repeated_again() -> None:
    host = ReadyHost(window_lines_max=2)
    host.submit("G1 X1", "G1 X2")
    first = host.said()
    host.hear(COMPLAINT + OUT_OF_ORDER)
    assert host.said() == first[:1]
    host.hear(COMPLAINT)
    assert host.said() == first[:1]
    assert host.connection.resends == 2


def test_a_refusal_mistaken_for_an_old_one_is_found_out_soon() -> None:
    # The complaint about the second line never comes: the firmware threw it away unread.
    host = ReadyHost(window_lines_max=2)
    host.submit("G1 X1", "G1 X2")
    first = host.said()
    host.hear(COMPLAINT)
    host.said()
    host.hear(COMPLAINT)
    assert host.said() == []
    host.wait(0.1)
    assert host.said() == first[1:]
    host.hear(OUT_OF_ORDER)
    assert host.said() == first[:1]


def test_a_complaint_overtakes_the_oks_of_earlier_lines() -> None:
    host = ReadyHost(window_lines_max=4)
    host.submit("G1 X1", "G1 X2", "G1 X3")
    first = host.said()
    host.hear(b"Error:checksum mismatch, Last Line: 4\nResend: 5\nok\n")
    assert accepted(host.hear(b"ok\n")) == ["G1 X1"]
    assert accepted(host.hear(b"ok\n")) == ["G1 X2"]
    assert host.said() == first[2:]
    assert accepted(host.hear(b"ok\n")) == ["G1 X3"]


def test_a_request_without_number_takes_it_from_the_error_before() -> None:
    host = ReadyHost(window_lines_max=4)
    host.submit("G1 X1", "G1 X2")
    first = host.said()
    host.hear(b"Error:checksum mismatch, Last Line: 3\nResend:\nok\n")
    host.hear(b"ok\n")
    assert host.said() == first[1:]


def test_a_request_with_no_usable_number_at_all_repeats_from_the_oldest_line() -> None:
    host = ReadyHost()
    host.submit("G1 X1")
    first = host.said()
    host.hear(b"Resend: 034497\nok\n")
    assert host.said() == first
    assert host.connection.state is State.READY


def test_an_unreadable_request_is_understood_from_what_is_around_it() -> None:
    host = ReadyHost()
    host.submit("G1 X1")
    first = host.said()
    assert accepted(host.hear(b"Error:checksum mismatch, Last Line: 2\nRe\xe5end: 3\nok\n")) == []
    assert host.said() == first


def test_a_request_for_the_line_after_the_last_is_ignored() -> None:
    host = ReadyHost()
    host.submit("G1 X1")
    host.said()
    host.hear(b"Resend: 4\nok\n")
    assert host.said() == []
    assert accepted(host.hear(b"ok\n")) == ["G1 X1"]


def test_a_line_accepted_by_mistake_can_still_be_repeated() -> None:
    host = ReadyHost()
    host.submit("G1 X1", "G1 X2")
    first = host.said()
    assert accepted(host.hear(b"ok\n")) == ["G1 X1"]
    host.said()
    host.hear(COMPLAINT)
    assert host.said() == first
    assert accepted(host.hear(b"ok\n")) == []  # it is not told twice
    assert accepted(host.hear(b"ok\n")) == ["G1 X2"]


def test_a_line_that_is_refused_for_ever_ends_loudly() -> None:
    host, told = ReadyHost(), []
    host.submit("G1 X1")
    for _ in range(20):
        told += host.hear(COMPLAINT) if host.connection.state is State.READY else []
        told += host.wait(1)
    assert isinstance(told[-1], events.ConnectionFailed)


def test_complaints_that_pile_up_are_drained_before_the_line_is_said_again() -> None:
    host = ReadyHost()
    host.submit("G1 X1")
    for _ in range(3):
        host.hear(COMPLAINT)
    host.said()
    host.hear(COMPLAINT)
    assert (host.connection.state, host.said()) == (State.DRAINING, [])
    host.wait(0.5)
    assert host.said_commands() == ["", "G1 X1"]


@pytest.mark.parametrize("text", ["No Line Number with checksum", "missing linenumber"])
def test_an_error_without_a_request_is_followed_by_a_line_that_brings_one(text: str) -> None:
    host = ReadyHost()
    host.submit("G1 X1")
    first = host.said()
    host.hear(f"Error:{text}, Last Line: 2\n".encode())
    host.wait(0.1)
    assert host.said_commands() == ["M105"]
    host.hear(OUT_OF_ORDER)
    assert host.said() == first


def test_what_is_left_of_a_broken_line_is_no_unknown_command() -> None:
    host = ReadyHost()
    host.submit("G1 X100 Y100")
    host.said()
    assert host.hear(b'echo:Unknown command: "100*77"\nok\n') == []
    host.wait(0.1)
    assert host.said_commands() == ["M105"]


def test_an_unknown_command_is_told_and_accepted() -> None:
    host = ReadyHost()
    host.submit("M9999 S1")
    told = host.hear(b'echo:Unknown command: "M9999 S1"\nok\n')
    assert told == [events.CommandUnknown("M9999 S1"), events.Accepted(3, "M9999 S1")]


def test_a_board_that_counts_from_the_beginning_in_mid_print_has_restarted() -> None:
    host = ReadyHost()
    host.submit("G1 X1")
    told = host.hear(b"Error:Line Number is not Last Line Number+1, Last Line: 0\nResend: 1\n")
    assert told == [events.BoardReset(2)]


def test_two_oks_for_one_command_shift_nothing_for_good() -> None:
    host = ReadyHost()
    host.submit("M999")
    host.hear(b"ok\nok\n")
    host.submit("M400", "M105")
    host.hear(b"ok\n")
    assert accepted(host.hear(b"ok\n")) == []  # an M105 names itself
    assert accepted(host.hear(b"ok T:20 /0\n")) == ["M105"]


# ---------------------------------------------------------------------- errors


def test_a_spoilt_complaint_is_no_error_when_a_request_follows() -> None:
    host = ReadyHost()
    host.submit("G1 X1")
    host.hear(b"Error:c:ecksum mismXtch\nResend: 3\nok\n")
    assert not any(isinstance(event, events.ErrorReported) for event in host.wait(1))


def test_an_error_that_nothing_follows_is_told() -> None:
    host = ReadyHost()
    host.hear(b"Error:something burns\n")
    assert host.wait(1) == [events.ErrorReported("something burns")]


@pytest.mark.parametrize(
    "text", ["volume.init failed", "openRoot failed", "workDir open failed", "open failed, File: x",
             "Cannot open subdir", "cannot enter", "error writing to file"]
)  # fmt: skip
def test_a_card_that_fails_is_nothing_to_a_stream(text: str) -> None:
    host = ReadyHost()
    assert host.hear(f"Error:{text}\n".encode()) == [events.Said(text)]
    assert host.wait(1) == []


@pytest.mark.parametrize(
    "said", ["Error:Thermal Runaway, system stopped! Heater_ID: 0", "Error:Heating failed",
             "Error:MINTEMP triggered", "Error:MAXTEMP triggered", "Error:Thermal Malfunction",
             "Error:Watchdog barked, please turn off the printer.", "Error:KILL caused by x",
             "Error:Printer halted. kill() called!", "fatal: lost steps", "!! Shutdown",
             "Printer stopped due to errors. Fix the error and use M999 to restart.",
             "Error:0\n: Extruder switched off. MINTEMP triggered !", "Error:Heating\nError:failed"]
)  # fmt: skip
def test_what_is_fatal_halts_and_is_answered_with_a_stop(said: str) -> None:
    host = ReadyHost()
    host.submit("G1 X1")
    host.said()
    told = host.hear(said.encode() + b"\n")
    assert isinstance(told[-1], events.Halted)
    assert host.said() == ["", "M112"]
    with pytest.raises(RuntimeError):
        host.connection.submit("G1 X2", host.now)


def test_an_action_is_told_and_nothing_is_done_about_it() -> None:
    host = ReadyHost()
    assert host.hear(b"// action:prompt_begin Filament out\n") == [
        events.ActionRequested("prompt_begin", "Filament out")
    ]
    assert host.said() == []


@settings(max_examples=200, deadline=None)
@given(st.lists(st.binary(max_size=40), max_size=20))
def test_no_noise_makes_a_connection_raise(noise: list[bytes]) -> None:
    for adopt in (False, True):
        host, now = Connection(), 0.0
        host.open(now, adopt=adopt)
        for piece in noise:
            host.receive(piece + b"\n", now)
            now = host.deadline or now
            host.expire(now)


# ---------------------------------------------------------------------- temperatures, identity


@pytest.mark.parametrize(
    ("line", "readings"),
    [("T:20.0 /0.0 B:21.0 /60.0 @:0 B@:0", {"tool0": (20, 0), "bed": (21, 60)}),
     (" T:28.47 /200.00 W:5", {"tool0": (28.47, 200)}),
     ("T:21.30/ 0.00 B:20.0/ 0.0", {"tool0": (21.3, 0), "bed": (20, 0)}),
     ("T:20.0 /0 T0:21.0 /0 T1:22.0 /5", {"tool0": (21, 0), "tool1": (22, 5)}),
     ("T:20.0 E:0 B:30.5", {"tool0": (20, None), "bed": (30.5, None)}),
     ("T:20 /0 C:35.0 /40.0 P:31.0 A:25.0", {"tool0": (20, 0), "chamber": (35, 40),
                                            "probe": (31, None), "ambient": (25, None)}),
     ("T:-15.0 /0.0 B:nan", {"tool0": (-15, 0)})],
)  # fmt: skip
def test_temperatures_are_read_in_every_form(
    line: str, readings: dict[str, tuple[float, float | None]]
) -> None:
    wanted = {name: Reading(*values) for name, values in readings.items()}
    assert parse_reply(line.encode()) == replies.Temperatures(wanted)
    ok = parse_reply(b"ok " + line.strip().encode())
    assert isinstance(ok, replies.Ok)
    assert ok.readings == wanted


def test_targets_told_apart_from_the_readings_are_joined_with_them() -> None:
    host = ReadyHost()
    host.hear(b"TargetExtr0:200\nTargetBed:60\n")
    (told,) = host.hear(b"T:195.0 B:58.0 @0:127\n")
    assert told == events.TemperaturesReported({"tool0": Reading(195, 200), "bed": Reading(58, 60)})


def test_a_deleted_files_name_and_its_ok_may_share_a_line() -> None:
    assert parse_reply(b"File deleted:x.gcok") == replies.Ok()


def test_a_malyans_name_is_read() -> None:
    assert parse_reply(b"NAME: Malyan VER: 3.0") == replies.FirmwareInfo(
        {"FIRMWARE_NAME": "Malyan VER: 3.0"}
    )


def test_capabilities_are_collected_until_the_ok() -> None:
    host = ReadyHost(
        info=b"FIRMWARE_NAME:Marlin 2\nCap:EEPROM:1\nCap:AUTOREPORT_TEMP:0\nCap:SDCARD:1\n"
    )
    assert host.connection._knowledge.capabilities == {"EEPROM", "SDCARD"}


def test_each_dialect_is_found_by_its_name_and_no_other() -> None:
    for row in DIALECTS:
        assert dialect_of(f"{row.recognised_by} 1.2.3") is row
    assert dialect_of("Homebrew") is UNKNOWN


def test_a_misspelt_error_is_only_other() -> None:
    reply = parse_reply(b"Error:c:ecksXm")
    assert isinstance(reply, replies.FirmwareError)
    assert reply.kind is ErrorKind.OTHER


@given(st.binary(max_size=300).filter(lambda body: b"\n" not in body))
def test_the_checksum_is_the_exclusive_or_of_all_bytes(body: bytes) -> None:
    expected = 0
    for byte in body:
        expected ^= byte
    assert checksum(body) == expected
