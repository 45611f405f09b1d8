"""A line rests while the firmware has lines enough, and never where that would cost anything."""

from dataclasses import dataclass, field

import pytest

from agent.printers.resting import Rest

WINDOW = 4
SURE_S = 0.008


def rest_of(s_max: float = SURE_S) -> Rest:
    rest = Rest()
    rest.s_max = s_max
    return rest


@dataclass
class Board:
    """A firmware whose planner takes a line every `interval_s`, at the end of a link; virtual time.

    Up to `planner` lines are accepted at once; a starvation is a moment without any line to do.
    """

    interval_s: float
    way_s: float = 0.0002
    wire_s: float = 0.0  # a line more on the wire takes so long
    planner: int = 16
    late_s: float = 0.0  # so late the host is, each so many looks
    late_every: int = 1
    now: float = 0.0
    queued: list[float] = field(default_factory=list)  # arrival of lines not accepted yet
    oks: list[float] = field(default_factory=list)  # when the host can hear of them
    done_at: float = 0.0  # when all lines in the planner are done
    wire_free_at: float = 0.0
    blocks_at: int = 0  # a line that is done once all before it is, and takes its time
    block_s: float = 2.0
    taken_at: float = 0.0
    starved: int = 0
    accepted: int = 0
    written: int = 0

    def write(self, count: int) -> None:
        for _ in range(count):
            self.written += 1
            self.wire_free_at = max(self.now, self.wire_free_at) + self.wire_s
            arrival = self.wire_free_at + self.way_s / 2
            free_at = self.done_at - (self.planner - 1) * self.interval_s
            self.taken_at = taken_at = max(arrival, free_at, self.taken_at)
            if self.written == self.blocks_at:
                taken_at = self.taken_at = self.done_at = self.done_at + self.block_s
            else:
                if self.written > self.planner and taken_at > self.done_at:
                    self.starved += 1
                self.done_at = max(self.done_at, taken_at) + self.interval_s
            self.oks.append(taken_at + self.way_s / 2)

    def stream(self, rest: Rest, lines: int) -> int:
        """Stream so many lines; returns how often the host was woken for them."""
        looks = 0
        self.write(WINDOW - len(self.oks))
        resting_s = 0.0
        while self.written < lines:
            self.now = max(self.now + resting_s, self.oks[0])
            if self.late_s and looks % self.late_every == 0:
                self.now += self.late_s
            heard = [at for at in self.oks if at <= self.now]
            del self.oks[: len(heard)]
            looks += 1
            self.accepted += len(heard)
            left = len(self.oks)
            self.write(len(heard))
            resting_s = rest.served(self.now, self.accepted, self.written, left)
        return looks


@pytest.mark.parametrize("moves_per_s", [300, 600, 1200])
def test_a_print_at_the_pace_of_its_moves_is_served_twice_as_seldom_and_never_starves(
    moves_per_s: int,
) -> None:
    board = Board(1 / moves_per_s)
    assert board.stream(rest_of(), 3000) < 3000 / 2.3
    assert board.starved == 0


def test_where_moves_are_known_to_be_long_rests_are_longer() -> None:
    board = Board(1 / 100)
    assert board.stream(rest_of(0.03), 3000) < 3000 / 2.8
    assert board.starved == 0


@pytest.mark.parametrize("moves_per_s", [300, 600, 1200])
def test_a_machine_that_is_milliseconds_late_now_and_then_starves_nobody(moves_per_s: int) -> None:
    board = Board(1 / moves_per_s, late_s=0.006, late_every=7)
    board.stream(rest_of(), 3000)
    assert board.starved == 0


def test_after_a_long_absence_a_planner_is_filled_before_there_is_a_rest_again() -> None:
    rest, board = rest_of(), Board(1 / 400, way_s=0.001, wire_s=0.0016)
    board.stream(rest, 1000)
    board.now += 0.03
    board.stream(rest, 1080)
    assert (board.done_at - board.now) / board.interval_s >= board.planner - 2
    assert board.starved == 0


@pytest.mark.parametrize("blocks_at", [501, 502, 503, 504, 505])
@pytest.mark.parametrize(("moves_per_s", "planner"), [(300, 16), (1200, 16), (300, 8), (800, 8)])
def test_after_a_command_that_lets_the_planner_run_dry_it_is_filled_before_there_is_a_rest(
    moves_per_s: int, planner: int, blocks_at: int
) -> None:
    rest, board = rest_of(0.03), Board(1 / moves_per_s, blocks_at=blocks_at, planner=planner)
    board.stream(rest, blocks_at + planner + 4)
    assert (board.done_at - board.now) / board.interval_s >= board.planner - 2
    assert board.starved == 0


def test_a_firmware_that_takes_lines_as_fast_as_they_come_is_never_rested_from() -> None:
    board = Board(0.00005, way_s=0.001)
    board.stream(rest_of(), 3000)
    # Four lines for each way there and back: all that the link can carry.
    assert board.now == pytest.approx(3000 / WINDOW * 0.001, rel=0.05)


def test_with_one_line_under_way_there_is_no_rest() -> None:
    rest = rest_of()
    for number in range(100):
        assert rest.served(number * 0.01, number, number + 1, 0) == 0


@pytest.mark.parametrize("planner", [8, 16])
def test_short_moves_after_long_ones_find_lines_in_time(planner: int) -> None:
    rest, board = rest_of(), Board(1 / 40, planner=planner)
    board.stream(rest, 200)
    board.interval_s = 1 / 900
    board.stream(rest, 2000)
    assert board.starved == 0


def test_numbers_that_begin_anew_do_not_end_the_measuring() -> None:
    rest, board = rest_of(), Board(1 / 300)
    board.stream(rest, 1000)
    anew = Board(1 / 300)
    assert anew.stream(rest, 1000) < 700
    assert anew.starved == 0
