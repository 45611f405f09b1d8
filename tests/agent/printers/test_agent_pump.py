"""The pump in C comes to the same as the ways in Python, on real descriptors."""

import select
import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.printers.build_pump import build
from agent.printers.pump import SWITCH, Pump, PumpedLine, Returned
from agent.printers.resting import Rest
from protocols.gcode.flow import Lent
from protocols.gcode.supply import BURST_LINES, Supply
from tests.fakes.ready_host import ReadyHost

pytestmark = pytest.mark.skipif(not build(), reason="there is no C compiler")

MOVES = [f"G1 X{n}" for n in range(1, 6 * BURST_LINES)]
PLATE = [move if n % 40 else "M105" for n, move in enumerate(MOVES, start=1)]
HEARD = [
    b"ok\n", b"ok\n", b"ok\n", b"ok\r\n", b"ok\nok\n", b"ok\nok\nok\nok\n", b"o", b"ok", b"k\n",
    b"\n", b"ok T:20 /0\n", b"T:20 /0 B:20 /0\n", b"ok\nT:20 /0\n", b"echo:busy\n", b"okay\n",
    b"Error:checksum mismatch, Last Line: 9\nResend: 10\nok\n", b"wait\n", b"ok N12 P15 B3\n",
]  # fmt: skip


@dataclass
class Bench:
    """A pump with one line, and the firmware's end of it."""

    pump: Pump
    line: PumpedLine
    firmware: socket.socket

    def lend(self, lent: Lent, rest_s_max: float = 0.0) -> None:
        self.line.lend(lent, rest_s_max=rest_s_max)

    def serve(self) -> Sequence[int]:
        """Have what lies there served; returns the descriptors that need somebody."""
        return self.pump.wait(0.0)

    def heard(self) -> bytes:
        """Return what the firmware heard."""
        try:
            return self.firmware.recv(65_536)
        except BlockingIOError:
            return b""


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    ours, theirs = socket.socketpair()
    with ours, theirs, select.epoll() as epoll:
        ours.setblocking(False)
        theirs.setblocking(False)
        epoll.register(ours.fileno(), select.EPOLLIN)
        pump = Pump.load(epoll.fileno())
        assert pump is not None
        yield Bench(pump, pump.add(ours.fileno()), theirs)


def fed(window: int, bytes_max: int, plate: Sequence[str] = PLATE) -> tuple[ReadyHost, Supply]:
    host = ReadyHost(window_lines_max=window, window_bytes_max=bytes_max)
    supply = Supply(iter(plate))
    host.connection.take_from(supply, host.now)
    host.said()
    return host, supply


def pumped(bench: Bench, host: ReadyHost, data: bytes) -> tuple[bytes, list[object]]:
    """Have data answered by the pump where it can be lent; else, and for the rest, as ever."""
    flow, returned = host.connection.flow, Returned(0, 0, b"", data, [])
    lent = flow.lend()
    if lent is not None:
        bench.lend(lent)
        bench.firmware.send(data)
        bench.serve()
        returned = bench.line.take_back()
        flow.take_back(
            accepted=returned.accepted, written=returned.written, heard=b"", now=host.now
        )
    said = bench.heard()
    told: list[object] = list(host.hear(returned.heard)) if returned.heard else []
    return said + host.connection.outbound(), told


@given(
    heard=st.lists(st.sampled_from(HEARD), max_size=50),
    window=st.sampled_from([1, 4, 8]),
    bytes_max=st.sampled_from([40, 4096]),
)
def test_the_pump_says_and_counts_the_same_as_the_long_way(
    bench: Bench, heard: Sequence[bytes], window: int, bytes_max: int
) -> None:
    (short, one), (long, other) = fed(window, bytes_max), fed(window, bytes_max)
    for step, data in enumerate(heard):
        long.now = short.now = step * 0.01
        said, told = pumped(bench, short, data)
        assert told == long.hear(data)
        assert said == long.connection.outbound()
        assert (one.taken, one.accepted) == (other.taken, other.accepted)
        for fact in ("next_number", "lines_under_way", "deadline", "lines_sent", "state"):
            assert getattr(short.connection, fact) == getattr(long.connection, fact), fact


@pytest.mark.parametrize("window", [1, 4])
def test_a_lent_line_goes_on_by_itself_until_its_lines_are_nearly_used_up(
    bench: Bench, window: int
) -> None:
    host, supply = fed(window, 4096, MOVES)
    lent = host.connection.flow.lend()
    assert lent is not None
    bench.lend(lent)
    served = said = 0
    while not bench.serve():
        bench.firmware.send(b"ok\n")
        served += 1
        said += bench.heard().count(b"\n")
    said += bench.heard().count(b"\n")
    returned = bench.line.take_back()
    assert (returned.accepted, returned.written, returned.heard) == (served, said, b"")
    assert len(lent.ready) - said == window - 1
    assert b"".join(each.said for each in returned.exchanges) == b"".join(lent.ready[:said])
    host.connection.flow.take_back(accepted=served, written=said, heard=b"", now=1.0)
    assert (supply.taken, supply.accepted) == (said + window, served)
    again = host.connection.flow.lend()  # at once, whether or not some of them are left
    assert again is not None
    assert again.ready[: window - 1] == lent.ready[said:]
    assert len(again.ready) > BURST_LINES // 2


def test_what_a_full_port_does_not_take_comes_back(bench: Bench) -> None:
    ready = [b"x" * 60_000 for _ in range(20)]
    bench.lend(Lent([5], ready, 16, 10_000_000, b"", 1))
    bench.firmware.send(b"ok\n")
    assert bench.serve() == [bench.line.descriptor]
    returned = bench.line.take_back()
    assert (returned.accepted, returned.written) == (1, 16)
    went = 0
    while heard := bench.heard():
        went += len(heard)
    assert went + len(returned.unwritten) == 16 * 60_000
    assert returned.unwritten


@given(
    steps=st.lists(
        st.tuples(st.floats(0.0001, 0.02), st.integers(1, 4)), min_size=1, max_size=BURST_LINES // 4
    ),
    rest_s_max=st.sampled_from([0.008, 0.03]),
)
def test_rests_are_as_long_as_those_found_out_in_python(
    bench: Bench, steps: Sequence[tuple[float, int]], rest_s_max: float
) -> None:
    rest, line = Rest(), bench.pump.add(-1)
    rest.s_max = rest_s_max
    at_s, accepted, under_way = 1.0, 0, 4
    try:
        for after_s, oks in steps:
            at_s, accepted = at_s + after_s, accepted + oks
            left = under_way - oks
            wanted = rest.served(at_s, accepted, accepted + 4, left)
            found = line.rest_after(
                at_s, accepted=accepted, under_way=4, left=left, rest_s_max=rest_s_max
            )
            assert found == wanted
    finally:
        bench.pump.remove(line)


def test_it_can_be_switched_off(monkeypatch: pytest.MonkeyPatch, bench: Bench) -> None:
    monkeypatch.setenv(SWITCH, "off")
    assert Pump.load(bench.pump.epoll) is None
