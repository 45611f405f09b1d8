"""The demo's proof must see what was lost, repeated or changed, and overlook what hosts say."""

from hypothesis import given
from hypothesis import strategies as st

from coordinator.cli.demo_oracle import Difference, commands_of_log, commands_of_plate, difference

COMMANDS = st.lists(
    st.sampled_from(["G28", "G1 X1 Y2 E0.5", "G1 X3", "M104 S205", "M117 Hello; there", "T0"])
)


def logged(commands: list[str]) -> list[str]:
    """What a printer logs that was greeted, polled and asked to finish its moves."""
    lines = ["#boot", "-\tM115", "-\tM110 N0"]
    for number, command in enumerate(commands, start=1):
        lines += [f"{number}\t{command}", "-\tM105"]
    return [*lines, f"{len(commands) + 1}\tM400"]


@given(COMMANDS)
def test_a_log_of_the_whole_file_equals_it(commands: list[str]) -> None:
    plate = [f"{command} ; a remark" for command in commands] + ["", "; only a remark"]
    expected = list(commands_of_plate(plate))
    assert difference(expected, list(commands_of_log(logged(expected)))) is None


@given(COMMANDS.filter(bool), st.data())
def test_a_lost_command_is_found(commands: list[str], data: st.DataObject) -> None:
    lost = data.draw(st.integers(min_value=0, max_value=len(commands) - 1))
    executed = commands[:lost] + commands[lost + 1 :]
    assert difference(commands, list(commands_of_log(logged(executed)))) is not None


@given(COMMANDS.filter(bool), st.data())
def test_a_command_executed_twice_is_found(commands: list[str], data: st.DataObject) -> None:
    twice = data.draw(st.integers(min_value=0, max_value=len(commands) - 1))
    executed = commands[: twice + 1] + commands[twice:]
    assert difference(commands, list(commands_of_log(logged(executed)))) is not None


def test_a_difference_tells_where_and_what() -> None:
    assert difference(["G28", "G1 X1"], ["G28", "G1 X2"]) == Difference(
        position=1, expected="G1 X1", executed="G1 X2"
    )
    assert difference(["G28"], []) == Difference(position=0, expected="G28", executed=None)
