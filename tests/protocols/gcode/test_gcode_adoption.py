"""A firmware in the middle of a print is asked where it is, and nothing resets its counting."""

import pytest

from protocols.gcode import events
from protocols.gcode.connection import Connection
from protocols.gcode.lines import encode
from protocols.gcode.states import State
from tests.fakes.ideal_firmware import IdealFirmware


class Bench:
    """A host that adopts a firmware; time passes only where nothing is said."""

    def __init__(self, firmware: IdealFirmware) -> None:
        self.firmware = firmware
        self.host = Connection(window_lines_max=4)
        self.now = 100.0
        self.said = b""
        self.told: list[events.Event] = []

    def run(self, seconds: float) -> None:
        until = self.now + seconds
        while True:
            sent = self.host.outbound()
            self.said += sent
            answer = self.firmware.receive(sent)
            if answer:
                self.told += self.host.receive(answer, self.now)
                continue
            due = self.host.deadline
            if due is None or due > until:
                return
            self.now = max(self.now, due)
            self.told += self.host.expire(self.now)

    def adopt(self) -> None:
        self.host.open(self.now, adopt=True)
        self.run(5)

    def heard(self, kind: type[events.Event]) -> list[events.Event]:
        return [event for event in self.told if isinstance(event, kind)]


def in_mid_print(last_line: int) -> IdealFirmware:
    firmware = IdealFirmware()
    firmware.last_line = last_line
    return firmware


def test_the_number_is_found_and_nothing_that_resets_it_was_said() -> None:
    bench = Bench(in_mid_print(4711))
    bench.adopt()
    assert bench.told == [events.NumberFound(4711)]
    assert bench.host.state is State.ADOPTED
    assert b"M110" not in bench.said
    assert bench.firmware.executed == []


def test_half_a_line_of_the_host_before_does_not_confuse_it() -> None:
    firmware = in_mid_print(4711)
    firmware.receive(b"N4712 G1 X1")
    bench = Bench(firmware)
    bench.adopt()
    assert bench.told == [events.NumberFound(4711)]


def test_going_on_numbers_the_next_line_after_those_of_the_connection() -> None:
    bench = Bench(in_mid_print(4711))
    bench.adopt()
    bench.told.clear()
    bench.host.go_on(4712, bench.now)
    assert bench.host.outbound() == b""  # nothing before the owner has heard of it
    bench.run(1)
    own = [
        (event.number, event.command) for event in bench.told if isinstance(event, events.OwnLine)
    ]
    assert own == [(4712, "M105"), (4713, "M115")]
    assert len(bench.heard(events.Ready)) == len(bench.heard(events.Identified)) == 1
    assert bench.host.next_number == 4714
    bench.host.submit("G1 X5", bench.now, tag="x")
    bench.run(1)
    assert bench.heard(events.Accepted) == [events.Accepted(4714, "x")]
    assert bench.firmware.executed[-1] == "G1 X5"


def test_oks_of_lines_that_another_host_sent_accept_nothing() -> None:
    bench = Bench(in_mid_print(50))
    bench.adopt()
    bench.host.go_on(51, bench.now)
    bench.host.expire(bench.now)
    bench.host.submit("G1 X5", bench.now, tag="x")
    assert bench.host.receive(b"ok\nok\nok\n", bench.now) == []
    assert bench.host.outbound() == encode(51, "M105")


def test_beginning_anew_is_the_ordinary_handshake() -> None:
    bench = Bench(in_mid_print(50))
    bench.adopt()
    bench.host.begin_anew(bench.now)
    bench.run(5)
    assert bench.host.state is State.READY
    assert bench.firmware.last_line == 2


def test_a_board_that_counts_from_the_beginning_has_restarted() -> None:
    bench = Bench(in_mid_print(0))
    bench.adopt()
    assert bench.heard(events.BoardReset)
    assert not bench.heard(events.NumberFound)
    assert bench.host.state is State.READY


def test_a_board_that_says_start_has_restarted() -> None:
    bench = Bench(in_mid_print(50))
    bench.host.open(bench.now, adopt=True)
    bench.told += bench.host.receive(b"start\n", bench.now)
    bench.run(5)
    assert bench.heard(events.BoardReset)
    assert not bench.heard(events.NumberFound)


class Uncounting(IdealFirmware):
    def _line(self, line: bytes) -> bytes:
        return self.answer("M105")


def test_a_firmware_that_does_not_count_lines_is_told_apart() -> None:
    bench = Bench(Uncounting())
    bench.adopt()
    assert bench.heard(events.NumberUnknown)
    assert bench.host.state is State.ADOPTED


def test_a_number_that_was_heard_only_once_is_asked_for_again() -> None:
    host = Connection()
    host.open(0, adopt=True)
    question = host.outbound().lstrip()
    assert host.receive(b"Resend: 51\nok\n", 0) == []
    assert host.expire(1) == []
    assert host.outbound() == question
    host.receive(b"Resend: 51\nok\n", 1)
    assert host.expire(2) == [events.NumberFound(50)]


@pytest.mark.parametrize("sign", [b"echo:busy: processing\n", b" T:100.00 /200.00 W:?\n"])
def test_a_firmware_that_works_is_waited_for_without_filling_its_buffer(sign: bytes) -> None:
    host, now, said = Connection(), 0.0, b""
    host.open(now, adopt=True)
    while now < 300:
        said += host.outbound()
        host.receive(sign, now)
        now += 2
        host.expire(now)
    assert host.state is State.ASKING
    assert len(said) < 128
    host.receive(b"Error:Line Number is not Last Line Number+1, Last Line: 50\nResend: 51\n", now)
    assert host.expire(now + 1) == [events.NumberFound(50)]


def test_silence_ends_the_questions_loudly() -> None:
    bench = Bench(IdealFirmware())
    bench.firmware.receive = lambda data: b""  # type: ignore[method-assign]
    bench.host.open(bench.now, adopt=True)
    bench.run(100)
    assert bench.heard(events.ConnectionFailed)
