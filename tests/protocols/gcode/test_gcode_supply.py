"""A plate's lines are handed over in order, with the numbers they are said with."""

from collections.abc import Iterator

import pytest

from protocols.gcode.supply import BURST_LINES, NEVER, Supply
from tests.fakes.ready_host import ReadyHost

PLATE = [f"G1 X{n}" for n in range(3 * BURST_LINES)]


def test_a_connection_takes_as_many_lines_as_its_window_holds_and_counts_what_is_accepted() -> None:
    host, supply = ReadyHost(window_lines_max=4), Supply(iter(PLATE))
    host.connection.take_from(supply, host.now)
    assert host.said_commands() == PLATE[: host.connection.window_lines]
    told = host.hear(b"ok\nok\n")
    assert (supply.taken - supply.accepted, supply.accepted) == (host.connection.window_lines, 2)
    assert told == []
    assert host.connection.undisturbed


def test_lines_after_one_that_was_submitted_between_have_the_numbers_behind_its_own() -> None:
    host, supply = ReadyHost(), Supply(iter(PLATE))
    host.connection.take_from(supply, host.now)
    assert host.said()[0].startswith("N3 G1 X0*")
    host.connection.take_no_more()
    host.hear(b"ok\n")
    host.submit("M105")
    assert host.said()[0].startswith("N4 M105*")
    host.hear(b"ok T:20 /0\n")
    host.connection.take_from(supply, host.now)
    assert host.said()[0].startswith("N5 G1 X1*")


def test_it_runs_dry_where_it_is_told_to_hold_and_goes_on_from_there() -> None:
    supply, hold_at = Supply(iter(PLATE)), BURST_LINES + 5
    supply.hold_at(hold_at)
    assert taken(supply) == PLATE[:hold_at]
    assert supply.dry
    supply.hold_at(NEVER)
    assert not supply.dry
    assert taken(supply) == PLATE[hold_at:]
    assert (supply.taken, supply.dry) == (len(PLATE), True)


def test_a_hold_before_what_was_read_already_is_a_mistake_of_its_owner() -> None:
    supply = Supply(iter(PLATE))
    assert supply.line(0) is not None
    with pytest.raises(ValueError, match="more than 3"):
        supply.hold_at(3)


def test_while_it_is_shut_nothing_is_handed_over_and_it_is_not_dry() -> None:
    supply = Supply(iter(PLATE), position=7)
    supply.open = False
    assert supply.line(10) is None
    assert (supply.dry, supply.taken, supply.accepted) == (False, 7, 7)


def taken(supply: Supply) -> list[str]:
    return list(_taken(supply))


def _taken(supply: Supply) -> Iterator[str]:
    while (line := supply.line(supply.taken)) is not None:
        supply.take()
        assert line.data.startswith(f"N{line.number} ".encode())
        yield line.command
