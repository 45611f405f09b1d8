"""The scenarios, as a table: what the board and its link are like, and how much is streamed."""

from collections.abc import Sequence
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One kind of board on one kind of link.

    Attributes:
        name: what people type.
        words: what it is, for the report.
        board: options of the stand-in.
        moves: moves in the file.
        seconds_max: patience with a host; a slower one counts as not finished.
        printers: streamed to at once.
        flow_control: the link holds back what the board can't take, as native USB does; a host
            need not mind the bytes under way.
        paced: the planner drains in real time, so that starvation can be seen.
    """

    name: str
    words: str
    board: tuple[str, ...]
    moves: int
    seconds_max: float
    printers: int = 1
    flow_control: bool = True
    paced: bool = False


RTT_1_MS = ("--rtt-us", "1000")
UART = ("--baud", "250000", "--rx-buf", "128")
PACED_S = 12  # long enough for dozens of starvations, short enough to be repeated


def paced(moves_per_s: int, rtt: bool) -> Scenario:
    """Return the scenario in which the planner takes so many moves a second."""
    return Scenario(
        name=f"paced-{moves_per_s}{'-rtt' if rtt else ''}",
        words=f"{moves_per_s} moves/s{', 1 ms round trip' if rtt else ''}",
        board=("--drain", str(moves_per_s), *(RTT_1_MS if rtt else ())),
        moves=moves_per_s * PACED_S,
        seconds_max=120,
        paced=True,
    )


ALL: Sequence[Scenario] = (
    Scenario(
        name="zero",
        words="as fast as it goes, no latency",
        board=(),
        moves=100_000,
        seconds_max=400,
    ),
    Scenario(
        name="rtt",
        words="as fast as it goes, 1 ms round trip",
        board=RTT_1_MS,
        moves=10_000,
        seconds_max=120,
    ),
    *(paced(rate, rtt) for rtt in (False, True) for rate in (300, 600, 1200)),
    Scenario(
        name="uart",
        words="250,000 baud, 128-byte buffer, 1 ms round trip, at the file's feed rate",
        board=(*UART, *RTT_1_MS, "--drain", "feed"),
        moves=6_000,
        seconds_max=120,
        paced=True,
        flow_control=False,
    ),
    Scenario(
        name="latency-timer",
        words="USB-serial chip with a 16 ms latency timer, 300 moves/s wanted",
        board=("--latency-timer-ms", "16", "--drain", "300"),
        moves=3_000,
        seconds_max=120,
        paced=True,
    ),
    Scenario(
        name="corrupt",
        words="1 ms round trip, 1 % of the lines corrupted",
        board=(*RTT_1_MS, "--corrupt-rx", "0.01"),
        moves=10_000,
        seconds_max=240,
    ),
    Scenario(
        name="eight",
        words="eight printers at once, 600 moves/s each",
        board=("--drain", "600"),
        moves=600 * PACED_S,
        seconds_max=240,
        printers=8,
        paced=True,
    ),
)

BY_NAME = MappingProxyType({scenario.name: scenario for scenario in ALL})
