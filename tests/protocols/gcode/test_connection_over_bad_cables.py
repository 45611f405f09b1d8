"""Whatever the cable does, the firmware executes what was submitted, or the owner hears of it."""

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.gcode.connection import Connection
from protocols.gcode.events import Accepted, ConnectionFailed, Event
from protocols.gcode.states import State
from tests.fakes.ideal_firmware import IdealFirmware


def spoil(data: bytes, dice: Random, chance: float) -> bytes:
    """Lose or flip one byte in some lines: what an exclusive or is sure to notice, and no more."""
    return b"\n".join(
        spoil_line(line, dice) if line and dice.random() < chance else line
        for line in data.split(b"\n")
    )


def spoil_line(line: bytes, dice: Random) -> bytes:
    at = dice.randrange(len(line))
    flipped = bytes([line[at] ^ 1 << dice.randrange(3)])
    new = b"" if dice.random() < 0.5 else flipped.replace(b"\n", b"?")
    return line[:at] + new + line[at + 1 :]


def converse(
    commands: list[str], *, seed: int, window: int, there: float, back: float
) -> tuple[list[str], list[Event]]:
    dice = Random(seed)
    firmware, host = IdealFirmware(), Connection(window_lines_max=window)
    events: list[Event] = []
    now = 0.0
    host.open(now)
    waiting = list(enumerate(commands))
    accepted: set[object] = set()
    for _ in range(20_000):
        if host.state is State.FAILED or len(accepted) == len(commands) + 2:
            break
        while waiting and host.room:
            index, command = waiting.pop(0)
            host.submit(command, now, tag=index)
            if not waiting:
                host.submit("M400", now, tag="barrier")
                host.submit("M105", now, tag="proof")
        sent = host.outbound()
        noisy = host.state in (State.READY, State.DRAINING)
        replies = firmware.receive(spoil(sent, dice, there if noisy else 0))
        if replies:
            now += 0.001
            heard = host.receive(spoil(replies, dice, back if noisy else 0), now)
        else:
            assert host.deadline is not None, (host.state, events[-3:])
            now = max(now, host.deadline)
            heard = host.expire(now)
        events += heard
        accepted |= {event.tag for event in heard if isinstance(event, Accepted)}
    else:
        raise AssertionError("the conversation does not come to an end")
    own = {"M105", "M115", "M110 N0", "M400"}
    return [line for line in firmware.executed if line not in own], events


LINES = [f"G1 X{n} Y{n % 7}.5 E0.{n:03d}" for n in range(1, 60)]


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32), window=st.sampled_from([1, 4]))
def test_lines_spoilt_on_the_way_there_are_all_executed_once_and_in_order(
    seed: int, window: int
) -> None:
    executed, events = converse(LINES, seed=seed, window=window, there=0.1, back=0)
    loud = any(isinstance(event, ConnectionFailed) for event in events)
    assert loud or executed == LINES


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32), window=st.sampled_from([1, 4]))
def test_answers_spoilt_on_the_way_back_lose_no_line_and_double_none(
    seed: int, window: int
) -> None:
    executed, events = converse(LINES, seed=seed, window=window, there=0.05, back=0.05)
    loud = any(isinstance(event, ConnectionFailed) for event in events)
    assert executed == LINES or (loud and executed == LINES[: len(executed)])


def test_a_clean_cable_carries_every_line_once_without_a_repetition() -> None:
    executed, events = converse(LINES, seed=1, window=4, there=0, back=0)
    assert executed == LINES
    assert sum(isinstance(event, Accepted) for event in events) == len(LINES) + 2
