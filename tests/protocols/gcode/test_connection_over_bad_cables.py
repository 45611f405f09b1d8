"""Whatever the cable does, the firmware executes what was submitted, or the owner hears of it.

What no host survives, for nothing on the wire shows it: a line spoilt in two places whose
exclusive or cancels out; a line that loses its number *and* its checksum and is still a command.
"""

from dataclasses import dataclass, field
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.gcode.connection import Connection
from protocols.gcode.events import Accepted, BoardReset, ConnectionFailed, Event, Halted
from protocols.gcode.states import State
from protocols.gcode.supply import Supply
from tests.fakes.ideal_firmware import IdealFirmware, QueueingFirmware

LINES = [f"G1 X{n} Y{n % 7}.5 E0.{n:03d}" for n in range(1, 60)]
OWN = {"M105", "M115", "M110 N0", "M400"}
LOUD = (ConnectionFailed, BoardReset, Halted)
STEP_S = 0.0005
SLOW_STEP_S = 0.02  # so that polls for temperatures go out between the lines


def spoil_line(line: bytes, dice: Random) -> bytes:
    """Lose or flip one byte: what an exclusive or is sure to notice, and no more."""
    at = dice.randrange(len(line))
    flipped = bytes([line[at] ^ 1 << dice.randrange(3)])
    new = b"" if dice.random() < 0.5 else flipped.replace(b"\n", b"?")
    return line[:at] + new + line[at + 1 :]


@dataclass
class Cable:
    """One direction: bytes in order, late, in pieces; lines now and then spoilt or doubled."""

    dice: Random
    spoilt: float = 0.0
    doubled_oks: float = 0.0
    waiting: bytes = b""

    def put(self, data: bytes, *, noisy: bool) -> None:
        for line in data.splitlines(keepends=True):
            body = line.rstrip(b"\n")
            if noisy and body == b"ok" and self.dice.random() < self.doubled_oks:
                self.waiting += line
            if noisy and body and self.dice.random() < self.spoilt:
                line = spoil_line(body, self.dice) + line[len(body) :]
            self.waiting += line

    def take(self) -> bytes:
        count = self.dice.randrange(1, 80)
        data, self.waiting = self.waiting[:count], self.waiting[count:]
        return data


@dataclass
class World:
    """A host, a firmware, and what lies between; each step moves one of them, by the dice."""

    dice: Random
    host: Connection
    firmware: QueueingFirmware
    there: Cable
    back: Cable
    now: float = 0.0
    told: list[Event] = field(default_factory=list)
    in_flight_max: int = 0
    supplied: bool = False
    step_s: float = STEP_S
    went_short: int = 0

    def play(self, commands: list[str]) -> None:
        """Have commands executed: submitted one by one, or taken from a supply."""
        supply = Supply(iter(commands if self.supplied else []))
        waiting = [*([] if self.supplied else commands), "M400", "M105"]
        self.host.open(self.now)
        for _ in range(40_000):
            self.step()
            if self.loud:
                return
            if not supply.dry:
                if self.host.state in (State.READY, State.DRAINING):
                    self.host.take_from(supply, self.now)
                if not supply.dry:
                    continue
            while waiting and self.host.room:
                command = waiting.pop(0)
                self.host.submit(command, self.now, tag="proof" if not waiting else "line")
            self.in_flight_max = max(self.in_flight_max, self.host._flight.sent)
            if any(e == Accepted(e.number, "proof") for e in self.told if isinstance(e, Accepted)):
                return
        raise AssertionError("the conversation does not come to an end")

    def step(self) -> None:
        noisy = self.host.state in (State.READY, State.DRAINING)
        self.there.put(self.host.outbound(), noisy=noisy)
        moves = [move for move, possible in (
            (self._there, self.there.waiting), (self._back, self.back.waiting),
            (self._execute, self.firmware.works),
        ) if possible]  # fmt: skip
        self.now += self.step_s
        if self.host.deadline is not None and self.now >= self.host.deadline:
            self.told += self.host.expire(self.now)
        elif moves:
            self.dice.choice(moves)(noisy)
        else:
            assert self.host.deadline is not None, self.host.state
            self.now = max(self.now, self.host.deadline)
            self.told += self.host.expire(self.now)

    def _there(self, noisy: bool) -> None:
        self.back.put(self.firmware.receive(self.there.take()), noisy=noisy)

    def _execute(self, noisy: bool) -> None:
        self.back.put(self.firmware.execute(), noisy=noisy)

    def _back(self, noisy: bool) -> None:
        data = self.back.take()
        out = self.host.flow.answer(data, self.now)
        if out is None:
            self.told += self.host.receive(data, self.now)
        else:
            self.there.put(out, noisy=noisy)
            self.went_short += 1

    def executed(self) -> list[str]:
        return [line for line in self.firmware.executed if line not in OWN]

    @property
    def loud(self) -> bool:
        return any(isinstance(event, LOUD) for event in self.told)


def world(
    seed: int, *, window: int = 4, there: float = 0.0, back: float = 0.0, doubled: float = 0.0,
    ok_after_resend: bool = True, advanced_ok: bool = False, supplied: bool = False,
) -> World:  # fmt: skip
    dice = Random(seed)
    firmware = QueueingFirmware(ok_after_resend=ok_after_resend, advanced_ok=advanced_ok)
    return World(
        dice, Connection(window_lines_max=window, window_lines=window), firmware,
        Cable(dice, there), Cable(dice, back, doubled), supplied=supplied,
    )  # fmt: skip


CABLES = {
    "seed": st.integers(0, 2**32),
    "window": st.sampled_from([1, 2, 4, 8]),
    "ok_after_resend": st.booleans(),
    "advanced_ok": st.booleans(),
    "supplied": st.booleans(),
}


@settings(max_examples=120, deadline=None)
@given(**CABLES)
def test_lines_spoilt_on_the_way_there_are_all_executed_once_and_in_order(
    seed: int, window: int, ok_after_resend: bool, advanced_ok: bool, supplied: bool
) -> None:
    played = world(
        seed, window=window, there=0.1, ok_after_resend=ok_after_resend, advanced_ok=advanced_ok,
        supplied=supplied,
    )  # fmt: skip
    played.play(LINES)
    assert played.loud or played.executed() == LINES


@settings(max_examples=120, deadline=None)
@given(**CABLES, doubled=st.sampled_from([0.0, 0.1]), step_s=st.sampled_from([STEP_S, SLOW_STEP_S]))
def test_answers_spoilt_or_doubled_on_the_way_back_lose_no_line_and_double_none(
    seed: int,
    window: int,
    ok_after_resend: bool,
    advanced_ok: bool,
    supplied: bool,
    doubled: float,
    step_s: float,
) -> None:
    played = world(
        seed, window=window, there=0.05, back=0.05, doubled=doubled,
        ok_after_resend=ok_after_resend, advanced_ok=advanced_ok, supplied=supplied,
    )  # fmt: skip
    played.step_s = step_s
    played.play(LINES)
    executed = played.executed()
    assert executed == LINES or (played.loud and executed == LINES[: len(executed)])


@settings(max_examples=60, deadline=None)
@given(**CABLES)
def test_polls_between_the_lines_become_no_other_command_whatever_bit_flips(
    seed: int, window: int, ok_after_resend: bool, advanced_ok: bool, supplied: bool
) -> None:
    played = world(
        seed, window=window, there=0.2, ok_after_resend=ok_after_resend, advanced_ok=advanced_ok,
        supplied=supplied,
    )  # fmt: skip
    played.step_s = 5 * SLOW_STEP_S
    played.play(LINES)
    executed = played.executed()
    assert executed == LINES or (played.loud and executed == LINES[: len(executed)])
    # An M105 that lost head and asterisk ends in digits of its checksum, and is nothing.
    strange = {command for command in played.firmware.executed if len(command) <= len("M105")}
    assert strange <= OWN
    assert played.now < 10 or "M105" in strange


@pytest.mark.parametrize("window", [1, 2, 4, 8])
@pytest.mark.parametrize("advanced_ok", [False, True])
def test_a_clean_cable_carries_every_line_once_without_a_repetition(
    window: int, advanced_ok: bool
) -> None:
    played = world(1, window=window, advanced_ok=advanced_ok)
    played.play(LINES)
    assert played.executed() == LINES
    assert played.host.resends == 0
    accepted = [event for event in played.told if isinstance(event, Accepted)]
    assert len(accepted) == len(LINES) + 2
    assert played.in_flight_max <= window


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32), window=st.sampled_from([1, 2, 4, 8]), supplied=st.booleans())
def test_doubled_oks_never_let_more_than_the_window_out(
    seed: int, window: int, supplied: bool
) -> None:
    played = world(seed, window=window, doubled=0.3, supplied=supplied)
    played.play(LINES)
    assert played.executed() == LINES
    assert played.in_flight_max <= window


def test_one_refused_line_costs_no_timer() -> None:
    firmware, host = IdealFirmware(), Connection(window_lines_max=4)
    host.open(0)
    now = 0.0
    while host.state is not State.READY:
        answer = firmware.receive(host.outbound())
        if not answer:
            now = host.deadline or now
            host.expire(now)
        else:
            host.receive(answer, now)
    for command in LINES[:4]:
        host.submit(command, now)
    spoilt = host.outbound().replace(b"X1 ", b"X7 ", 1)
    told: list[Event] = []
    while spoilt:
        told += host.receive(firmware.receive(spoilt), now)
        spoilt = host.outbound()
    assert sum(isinstance(event, Accepted) for event in told) == 4
    assert [line for line in firmware.executed if line not in OWN] == LINES[:4]
