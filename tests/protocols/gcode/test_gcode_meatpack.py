from collections.abc import Callable
from random import Random

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from protocols.gcode import meatpack
from protocols.gcode.connection import Connection
from protocols.gcode.events import Accepted, ConnectionFailed, NumberFound, Said
from protocols.gcode.lines import encode
from protocols.gcode.meatpack import Unpacker, pack
from protocols.gcode.states import State
from tests.fakes.ideal_firmware import IdealFirmware, UnpackingFirmware
from tests.protocols.gcode.test_connection_over_bad_cables import LINES, OWN, Cable, World

TEXT = st.text(st.characters(codec="ascii", exclude_characters="\n"), max_size=60)
GARBAGE = st.lists(st.sampled_from([0xFF, 0xFF, 0xFB, 0xF7, 0xF9, 0x0F, 0xF0, 0xCC, 0x4E, 0x0A]))


def switched_on() -> Unpacker:
    unpacker = Unpacker()
    unpacker.feed(meatpack.SWITCH_ON)
    return unpacker


@given(st.lists(TEXT))
def test_what_is_packed_is_unpacked_as_it_was(lines: list[str]) -> None:
    data = b"".join(pack(f"{line}\n".encode()) for line in lines)
    assert switched_on().feed(data) == ("".join(f"{line}\n" for line in lines).encode(), [])
    assert b"\xff\xff" not in data


def test_the_bytes_are_those_of_the_protocol() -> None:
    assert pack(b"G1 X10\n").hex() == "1deb01cc"
    assert pack(b"G28 Y\n").hex() == "2db8cf59"
    assert pack(b"MS\n").hex() == "ff4d53cc"
    assert pack(b"1Z\n").hex() == "f15acc"
    assert meatpack.SWITCH_ON.hex(" ", 3) == "fffff9 fffff6 fffffb"


@given(GARBAGE)
def test_a_reset_is_understood_whatever_was_said_before(garbage: list[int]) -> None:
    unpacker = Unpacker()
    unpacker.feed(bytes(garbage))
    unpacker.feed(meatpack.SWITCH_OFF)
    assert unpacker.feed(b"N0 M110 N0*125\n") == (b"N0 M110 N0*125\n", [])
    assert unpacker.feed(meatpack.SWITCH_ON)[1][-1] == "[MP] PV01 ON ESP"


@given(GARBAGE, TEXT)
def test_an_end_of_line_is_one_whatever_went_lost_before(garbage: list[int], line: str) -> None:
    unpacker = switched_on()
    unpacker.feed(bytes(byte for byte in garbage if byte != 0xFF))
    unpacker.feed(meatpack.LINE_END)
    assert unpacker.feed(pack(f"{line}\n".encode())) == (f"{line}\n".encode(), [])


def test_a_line_may_be_said_as_it_is_between_packed_ones() -> None:
    data = pack(b"G28\n") + meatpack.unpacked(b"M108\n") + pack(b"G1 X1\n")
    assert b"\nM108\n" in data, "an emergency parser looks at the wire"
    assert switched_on().feed(data)[0] == b"G28\n\nM108\nG1 X1\n"


# ---------------------------------------------------------------------- the conversation


class PackedCable(Cable):
    """Spoils one byte of what was written at once, whatever it holds."""

    def put(self, data: bytes, *, noisy: bool) -> None:
        if data and noisy and self.dice.random() < self.spoilt:
            at = self.dice.randrange(len(data))
            flipped = bytes([data[at] ^ 1 << self.dice.randrange(8)])
            data = data[:at] + (b"" if self.dice.random() < 0.3 else flipped) + data[at + 1 :]
        self.waiting += data


def packed_world(
    seed: int, *, window: int = 4, there: float = 0.0, ok_after_resend: bool = True,
    advanced_ok: bool = False, window_bytes: int = 110,
) -> World:  # fmt: skip
    dice = Random(seed)
    firmware = UnpackingFirmware(ok_after_resend=ok_after_resend, advanced_ok=advanced_ok)
    host = Connection(
        window_lines_max=window, window_lines=window, window_bytes_max=window_bytes, packs=True
    )
    return World(dice, host, firmware, PackedCable(dice, there), Cable(dice))


@pytest.mark.parametrize("window", [1, 4])
def test_a_clean_cable_carries_packed_lines_without_a_repetition(window: int) -> None:
    played = packed_world(1, window=window)
    played.play(LINES)
    assert isinstance(played.firmware, UnpackingFirmware)
    assert played.firmware.unpacker.on
    assert played.executed() == LINES
    assert played.host.resends == 0


@settings(max_examples=120, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    window=st.sampled_from([1, 2, 4, 8]),
    ok_after_resend=st.booleans(),
    advanced_ok=st.booleans(),
)
def test_packed_lines_spoilt_on_the_way_are_all_executed_once_and_in_order(
    seed: int, window: int, ok_after_resend: bool, advanced_ok: bool
) -> None:
    played = packed_world(
        seed, window=window, there=0.05, ok_after_resend=ok_after_resend, advanced_ok=advanced_ok
    )
    played.play(LINES)
    executed = played.executed()
    # One flipped bit can change several characters, and their exclusive or may be none.
    assume(set(executed) <= set(LINES))
    assert executed == LINES or (played.loud and executed == LINES[: len(executed)])


def test_the_window_counts_packed_bytes() -> None:
    line = encode(9, "G1 X101.5 Y100")
    room = len(pack(line)) * 3
    assert room < len(line) * 3
    played = packed_world(1, window=4, window_bytes=room)
    played.play(["G1 X101.5 Y100"] * 6)
    assert played.in_flight_max == 3


class Talk:
    """A host and a firmware, wired together; time is told by what the host waits for."""

    def __init__(self, firmware: IdealFirmware, *, packs: bool = True) -> None:
        self.host = Connection(packs=packs)
        self.firmware = firmware
        self.now = 0.0
        self.told: list[object] = []

    def until(self, *states: State) -> None:
        self._wait(lambda: self.host.state in states)

    def _wait(self, holds: Callable[[], bool]) -> None:
        for _ in range(2000):
            if holds():
                return
            self.step()
        raise AssertionError(self.host.state)

    def step(self) -> None:
        answer = self.firmware.receive(self.host.outbound())
        if getattr(self.firmware, "works", False):
            answer += self.firmware.execute()  # type: ignore[attr-defined]
        if answer:
            self.told += self.host.receive(answer, self.now)
        elif self.host.deadline is not None:
            self.now = max(self.now, self.host.deadline)
            self.told += self.host.expire(self.now)

    def print(self, *commands: str) -> None:
        wanted = self._accepted + len(commands)
        for command in commands:
            self._wait(lambda: self.host.room)
            self.told += self.host.submit(command, self.now)
        self._wait(lambda: self._accepted >= wanted)

    @property
    def _accepted(self) -> int:
        return sum(isinstance(event, Accepted) for event in self.told)


def test_a_firmware_that_does_not_unpack_is_spoken_to_plainly() -> None:
    talk = Talk(IdealFirmware())
    talk.host.open(0.0)
    talk.until(State.READY)
    talk.host.submit("G28", talk.now)
    assert b" G28*" in talk.host.outbound()


def test_a_firmware_that_promises_to_unpack_and_does_not_is_spoken_to_plainly() -> None:
    class Promising(IdealFirmware):
        def answer(self, command: str) -> bytes:
            return (b"Cap:MEATPACK:1\n" if command == "M115" else b"") + super().answer(command)

    talk = Talk(Promising())
    talk.host.open(0.0)
    talk.until(State.READY)
    assert any(isinstance(event, Said) and "plain" in event.text for event in talk.told)
    talk.print("G28", "G1 X1")
    assert [line for line in talk.firmware.executed if line not in OWN] == ["G28", "G1 X1"]


def test_nothing_is_packed_unless_it_is_wanted() -> None:
    firmware = UnpackingFirmware()
    talk = Talk(firmware, packs=False)
    talk.host.open(0.0)
    talk.until(State.READY)
    talk.print("G28")
    assert not firmware.unpacker.on


@pytest.mark.parametrize("cut", range(1, 30))
@pytest.mark.parametrize("no_spaces", [False, True])
def test_a_firmware_that_another_host_left_in_the_middle_of_a_packed_line_is_adopted(
    cut: int, no_spaces: bool
) -> None:
    firmware = UnpackingFirmware()
    first = Talk(firmware)
    first.host.open(0.0)
    first.until(State.READY)
    first.print("G28", "G1 X1 Y2 E3")
    written = pack(encode(first.host.next_number, "G1 X101.125 YZYZ77 E.55"))
    firmware.receive(written[:cut])
    if no_spaces:
        firmware.receive(meatpack.command(meatpack.NO_SPACES))
    heir = Talk(firmware)
    heir.host.open(0.0, adopt=True)
    heir.until(State.ADOPTED)
    last = first.host.next_number - (0 if cut >= len(written) else 1)
    assert NumberFound(last) in heir.told
    heir.host.go_on(last + 1, heir.now)
    heir.until(State.READY)
    assert firmware.unpacker.on
    heir.print("G1 X2", "G1 X3")
    done = [line for line in firmware.executed if line not in OWN]
    whole = ["G1 X101.125 YZYZ77 E.55"] if cut >= len(written) else []
    assert done == ["G28", "G1 X1 Y2 E3", *whole, "G1 X2", "G1 X3"]


def test_a_board_that_restarts_is_spoken_to_plainly_until_it_agrees_again() -> None:
    firmware = UnpackingFirmware()
    talk = Talk(firmware)
    talk.host.open(0.0)
    talk.until(State.READY)
    talk.print("G28")
    firmware.__init__()  # type: ignore[misc]
    talk.told += talk.host.receive(b"start\n", talk.now)
    talk.until(State.READY)
    assert firmware.unpacker.on
    talk.print("G1 X1")
    assert [line for line in firmware.executed if line not in OWN] == ["G1 X1"]


@pytest.mark.parametrize("command", ["G1 X1.05 Y2", "G1 X10.05 Y2"])
def test_a_board_that_restarts_unheard_is_noticed_at_once(command: str) -> None:
    # Unpacked, the first holds the end of a line, and is answered as an unknown command.
    firmware = UnpackingFirmware()
    talk = Talk(firmware)
    talk.host.open(0.0)
    talk.until(State.READY)
    firmware.__init__()  # type: ignore[misc]
    talk.host.submit(command, talk.now)
    talk.until(State.FAILED)
    failures = [event for event in talk.told if isinstance(event, ConnectionFailed)]
    assert "does not unpack" in failures[0].reason
    assert not any(isinstance(event, Accepted) for event in talk.told)
    assert not [line for line in firmware.executed if line not in OWN]


def test_an_urgent_line_can_be_read_ahead_of_the_unpacker_and_the_rest_stays_packed() -> None:
    firmware = UnpackingFirmware()
    talk = Talk(firmware)
    talk.host.open(0.0)
    talk.until(State.READY)
    talk.host.submit("M108", talk.now, urgent=True)
    said = talk.host.outbound()
    assert b"\nN" in said
    assert b" M108*" in said
    talk.told += talk.host.receive(firmware.receive(said) + firmware.execute(), talk.now)
    talk.print("G1 X1")
    assert firmware.unpacker.on
    assert [line for line in firmware.executed if line not in OWN] == ["M108", "G1 X1"]
    assert talk.host.state is State.READY
