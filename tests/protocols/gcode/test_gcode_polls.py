"""Polls for temperatures, between the lines of a plate and where nothing is printed."""

from protocols.gcode import events
from protocols.gcode.timing import POLL_INTERVAL_S
from tests.fakes.ready_host import ReadyHost
from tests.protocols.gcode.test_gcode_flow import AUTOREPORT, accepted


def test_polls_carry_number_and_checksum_and_at_most_one_is_under_way() -> None:
    host = ReadyHost()
    told = host.wait(5)
    assert events.OwnLine(3, "M105") in told
    assert host.said() == ["N3 M105*36"]
    host.wait(4)
    assert host.said() == []


def test_the_ok_of_a_poll_is_counted_and_accepts_no_line() -> None:
    for temperatures, answer in ((b"ok T:20 /0\n", b"ok T:20 /0\n"), (b"ok\n", b"ok\n")):
        host = ReadyHost(temperatures=temperatures, window_lines_max=2)
        host.wait(5)
        host.submit("G1 X5")
        assert host.said_commands()[0] == "M105"
        assert accepted(host.hear(answer)) == []
        assert accepted(host.hear(b"ok\n")) == ["G1 X5"]


def test_a_poll_whose_answer_is_lost_holds_no_line_up_and_the_next_one_makes_up_for_it() -> None:
    host = ReadyHost(window_lines_max=3)
    host.wait(5)
    host.submit("G1 X1", "G1 X2", "G1 X3")
    assert host.said_commands() == ["M105", "G1 X1", "G1 X2"]
    assert accepted(host.hear(b"oq T:20 /0\nok\nok\n")) == ["G1 X1"]
    assert host.said_commands() == ["G1 X3"]
    host.hear(b"ok\n")
    host.wait(5)
    assert host.said_commands() == ["M105"]
    assert accepted(host.hear(b"ok T:20 /0\n")) == ["G1 X3"]


def test_a_doubled_ok_before_the_answer_of_a_poll_accepts_nothing_behind_it() -> None:
    host = ReadyHost(window_lines_max=3)
    host.wait(5)
    host.submit("G1 X1")
    assert accepted(host.hear(b"ok\nok T:20 /0\n")) == []
    assert accepted(host.hear(b"ok\n")) == ["G1 X1"]


def test_a_plate_that_fills_the_window_leaves_the_next_place_to_a_poll_that_is_due() -> None:
    host = ReadyHost()
    host.submit("G1 X1", "G1 X2")
    host.wait(5)
    assert host.said_commands() == ["G1 X1"]
    host.hear(b"ok\n")
    assert host.said_commands() == ["M105"]
    host.hear(b"ok T:20 /0\n")
    assert host.said_commands() == ["G1 X2"]


def test_the_answer_of_a_poll_accepts_what_was_said_before_it() -> None:
    host = ReadyHost(window_lines_max=4)
    host.wait(4.9)
    host.submit("G1 X1", "G1 X2")
    host.wait(0.2)
    assert host.said_commands()[-1] == "M105"
    assert accepted(host.hear(b"ok T:20 /0\n")) == ["G1 X1", "G1 X2"]


def test_a_poll_takes_a_place_in_the_window() -> None:
    host = ReadyHost()
    host.wait(5)
    host.submit("G1 X5")
    assert host.said_commands() == ["M105"]
    host.hear(b"ok T:20 /0\n")
    assert host.said_commands() == ["G1 X5"]


def test_no_poll_goes_out_while_the_answer_to_a_numbered_one_would_look_the_same() -> None:
    host = ReadyHost(window_lines_max=4)
    host.submit("G1 X1", "M105")
    host.said()
    host.wait(POLL_INTERVAL_S + 1)
    assert "M105" not in host.said_commands()


def test_a_hot_printer_is_polled_more_often() -> None:
    host = ReadyHost()
    host.hear(b"ok T:20 /200\n")
    host.wait(2)
    assert host.said_commands() == ["M105"]


def test_nothing_is_polled_during_a_long_command_or_with_a_full_window() -> None:
    for command in ("G28", "G1 X5"):
        host = ReadyHost(window_lines_max=4 if command == "G28" else 1)
        host.submit(command)
        host.said()
        host.wait(20)
        assert host.said() == []


def test_autoreports_replace_polls_and_polls_replace_lost_autoreports() -> None:
    host = ReadyHost(info=AUTOREPORT)
    assert [line.command for line in host.own] == ["M155 S2"]
    host.hear(b"ok\n")
    for _ in range(10):
        host.wait(2)
        host.hear(b" T:20.0 /0.0 B:20.0 /0.0\n")
    assert host.said() == []
    host.wait(7)
    assert host.said_commands() == ["M105"]
