"""The short way comes to the same as the long one, or is not taken."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.gcode.supply import BURST_LINES, Supply
from tests.fakes.ready_host import ReadyHost

PLATE = [f"G1 X{n}" if n % 50 else "M105" for n in range(1, 4 * BURST_LINES)]

ORDINARY = [b"ok\n", b"ok\r\n", b"ok\nok\n", b"ok\nok\nok\nok\n"]
OTHER = [
    b"o", b"k\n", b"\n", b"ok T:20 /0\n", b"T:20 /0 B:20 /0\n", b"ok N12 P15 B3\n", b"echo:busy\n",
    b"Error:checksum mismatch, Last Line: 9\nResend: 10\nok\n", b"Resend: 12\nok\n", b"wait\n", b"",
]  # fmt: skip


def fed(window: int, bytes_max: int) -> tuple[ReadyHost, Supply]:
    host = ReadyHost(window_lines_max=window, window_bytes_max=bytes_max)
    supply = Supply(iter(PLATE))
    host.connection.take_from(supply, host.now)
    host.said()
    return host, supply


@given(
    heard=st.lists(st.sampled_from(ORDINARY * 4 + OTHER), max_size=60),
    window=st.sampled_from([1, 4, 8]),
    bytes_max=st.sampled_from([40, 4096]),
)
def test_both_ways_say_and_count_the_same(
    heard: Sequence[bytes], window: int, bytes_max: int
) -> None:
    (short, one), (long, other) = fed(window, bytes_max), fed(window, bytes_max)
    for step, data in enumerate(heard):
        now = long.now = short.now = step * 0.01
        said = short.connection.flow.answer(data, now)
        if said is None:
            assert short.hear(data) == long.hear(data)
            said = short.connection.outbound()
        else:
            left = long.connection.lines_under_way - data.count(b"ok")
            assert long.hear(data) == []
            flow, link = short.connection.flow, long.connection
            assert (flow.left, flow.written) == (left, link.next_number - 1)
            assert flow.written - flow.accepted == link.lines_under_way
        assert said == long.connection.outbound()
        assert (one.taken, one.accepted) == (other.taken, other.accepted)
        for fact in ("next_number", "lines_under_way", "deadline", "lines_sent", "state"):
            assert getattr(short.connection, fact) == getattr(long.connection, fact), fact


def test_it_is_the_way_of_nearly_every_line_of_a_plate() -> None:
    host, supply = fed(4, 4096)
    ways = []
    while supply.taken < 150:
        data = b"ok\n" * min(2, host.connection.lines_under_way)
        said = host.connection.flow.answer(data, host.now)
        ways.append(said is not None)
        if said is None:
            host.hear(b"ok T:20 /0\n" if supply.accepted % 50 == 49 else data)
            host.said()
    assert sum(ways) / len(ways) > 0.8


@pytest.mark.parametrize("data", [b"ok T:20 /0\n", b"ok N3 P15 B3\n", b"ok\nok", b"k\n", b""])
def test_anything_but_bare_oks_is_left_alone(data: bytes) -> None:
    host, supply = fed(4, 4096)
    host.hear(b"ok\nok\nok\n")
    before = (supply.taken, supply.accepted, host.connection.next_number)
    assert host.connection.flow.answer(data, host.now) is None
    assert (supply.taken, supply.accepted, host.connection.next_number) == before


def test_behind_a_repaired_line_the_short_way_is_open_again() -> None:
    host, supply = fed(1, 4096)
    host.hear(b"ok\n")
    host.hear(b"Error:checksum mismatch, Last Line: 3\nResend: 4\nok\n")
    assert host.connection.flow.answer(b"ok\n", host.now) is None, "it may end the complaint"
    host.hear(b"ok\n")
    host.said()
    assert host.connection.flow.answer(b"ok\n", host.now) is not None
    assert host.connection.flow.lend() is not None
    assert supply.accepted == 3
