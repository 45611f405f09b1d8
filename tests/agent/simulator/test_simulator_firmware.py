"""The firmware without IO: what it says, what it executes, and when."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.errors import SettingsInvalid
from agent.simulator.control import obey
from agent.simulator.faults import FAULTS, Faults, parse_fault
from agent.simulator.firmware import Firmware
from agent.simulator.heaters import BED, HOTEND, Heater
from agent.simulator.planner import BLOCKS_MAX, Planner
from agent.simulator.profiles import PROFILES, Board
from protocols.gcode.lines import encode


def firmware(*faults: str, seed: int = 1, **board: object) -> Firmware:
    armed = Faults(seed)
    for spec in faults:
        armed.arm(parse_fault(spec))
    made = Firmware(Board(boot_s=0.0, **board), armed)  # type: ignore[arg-type]
    made.advance(0.0)
    made.outbound()
    return made


def say(board: Firmware, *lines: bytes, now: float = 0.0) -> list[str]:
    for line in lines:
        board.receive(line, now)
    return board.outbound().decode("latin-1").splitlines()


def run_until(board: Firmware, now: float) -> list[str]:
    while (due := board.deadline) <= now:
        board.advance(due)
    board.advance(now)
    return board.outbound().decode("latin-1").splitlines()


def log(board: Firmware) -> list[str]:
    return board.log.take().decode().splitlines()


def stream(board: Firmware, commands: list[str]) -> None:
    """Be a host: one line in flight, repeat after silence, go back when asked."""
    sent = {number: encode(number, command) for number, command in enumerate(commands, 1)}
    wanted, now = 1, 0.0
    for _ in range(40 * len(commands) + 100):
        if wanted not in sent:
            return
        now += 0.01
        board.receive(sent[wanted], now)
        answer = run_until(board, now := now + 1000.0)
        resends = [int(line.split(":")[1]) for line in answer if line.startswith("Resend:")]
        if resends:
            wanted = resends[-1]
        elif any(line.startswith("ok") for line in answer):
            wanted += 1
    raise AssertionError(f"stuck at {wanted}")


COMMANDS = st.sampled_from(
    [
        *("G28", "G1 X10 Y5 F3000", "G1 X200 E3", "G0 Z5", "M104 S200", "M190 S60", "M105"),
        *("G92 E0", "G4 P100", "M400", "G2 X5 Y5 I3 J0", "M106 S128", "G91", "G90", "M114"),
    ]
)


@given(st.lists(st.binary(max_size=200) | COMMANDS.map(lambda text: text.encode() + b"\n")))
def test_garbage_never_raises(chunks: list[bytes]) -> None:
    board = firmware()
    for index, chunk in enumerate(chunks):
        board.receive(chunk, index * 10.0)
        assert not math.isnan(board.deadline)
    board.status(1e6)
    board.outbound()


@given(st.lists(COMMANDS, max_size=40))
def test_a_host_that_waits_for_each_ok_gets_every_line_executed_once(commands: list[str]) -> None:
    board = firmware()
    stream(board, commands)
    assert log(board) == [
        "#boot",
        *(f"{number}\t{command}" for number, command in enumerate(commands, 1)),
    ]


@settings(max_examples=60)
@given(st.lists(COMMANDS, min_size=1, max_size=40), st.integers(0, 10_000))
def test_a_noisy_wire_loses_no_line_and_repeats_none(commands: list[str], seed: int) -> None:
    board = firmware("corrupt:chance=0.2", seed=seed)
    # A damaged `N` makes a line unknown yet acknowledged; only a later number tells.
    with_barriers = [*commands, "M400", "M400", "M400"]
    stream(board, with_barriers)
    numbered = [line for line in log(board) if line[0].isdigit()]
    expected = [f"{number}\t{command}" for number, command in enumerate(with_barriers, 1)]
    assert len(numbered) >= len(commands)
    assert numbered == expected[: len(numbered)]


def test_bad_lines_are_refused_in_the_words_of_marlin() -> None:
    board = firmware()
    assert say(board, b"N1 G28*99\n") == [
        "Error:checksum mismatch, Last Line: 0",
        "Resend: 1",
        "ok",
    ]
    assert say(board, b"N1 G21\n")[0] == "Error:No Checksum with line number, Last Line: 0"
    assert say(board, encode(5, "G21"))[0] == (
        "Error:Line Number is not Last Line Number+1, Last Line: 0"
    )
    assert say(board, encode(7, "M110 N7"), encode(8, "G21")) == ["ok", "ok"]
    assert say(board, b"FOO bar\n") == ['echo:Unknown command: "FOO bar"', "ok"]
    assert say(board, b"; a comment\n", b"\n", b"\r\n") == []


def test_a_repeated_line_gets_no_answer_from_marlin_and_a_request_from_an_old_one() -> None:
    marlin, old = firmware(), firmware(profile=PROFILES["old"])
    for board in (marlin, old):
        assert say(board, encode(1, "G21")) == ["ok"]
    assert say(marlin, encode(1, "G21")) == []
    assert say(old, encode(1, "G21"))[1:] == ["Resend: 2", "ok"]


def test_an_advanced_ok_tells_number_and_room() -> None:
    board = firmware(advanced_ok=True)
    assert say(board, encode(1, "G1 X1 F600")) == [f"ok N1 P{BLOCKS_MAX - 1} B3"]


def test_moves_are_taken_until_the_planner_is_full_and_then_as_it_drains() -> None:
    board = firmware()
    moves = [encode(n, f"G1 X{n * 60} F6000 ") for n in range(1, 31)]
    assert say(board, *moves).count("ok") == BLOCKS_MAX
    board.advance(board.deadline)
    assert board.outbound() == b"ok\n"
    run_until(board, 60.0)
    assert board.status(60.0)["moves_finished"] == 30


def test_a_move_takes_its_distance_over_its_feed_and_a_ramp() -> None:
    board = firmware()
    say(board, encode(1, "G1 X200 F6000"))
    assert 2.1 < board.machine.planner.empty_s() < 2.3


@given(st.lists(st.floats(0, 100), min_size=1, max_size=BLOCKS_MAX))
def test_a_planner_drains_in_the_sum_of_its_durations(durations: list[float]) -> None:
    planner = Planner()
    for duration_s in durations:
        planner.push(duration_s, (0, 0, 0, 0), 0.0)
    end_s = planner.empty_s()
    assert end_s == pytest.approx(math.fsum(durations) + (0.1 if len(durations) < 3 else 0.0))
    planner.advance(end_s + 1e-6)
    assert planner.empty


@given(st.sampled_from([HOTEND, BED]), st.floats(25, 120), st.lists(st.floats(0.01, 500)))
def test_a_heater_converges_and_does_not_care_how_often_it_is_looked_at(
    body: object, target: float, steps: list[float]
) -> None:
    often, once = Heater(body, 21.0), Heater(body, 21.0)  # type: ignore[arg-type]
    often.aim(target, 0.0)
    once.aim(target, 0.0)
    now = 0.0
    for step in steps:
        now += step
        before = often.celsius
        often.advance(now)
        assert before <= often.celsius <= target
    once.advance(now)
    assert often.celsius == pytest.approx(once.celsius, abs=1e-6)
    often.advance(now + 5000)
    assert often.celsius == target


def test_m109_reports_and_stays_busy_until_it_is_warm() -> None:
    board = firmware()
    say(board, encode(1, "M109 S200"))
    said = run_until(board, 60.0)
    assert any(line.startswith(" T:") and line.endswith("W:?") for line in said)
    assert "echo:busy: processing" in said
    assert "ok" not in said
    assert run_until(board, 300.0)[-1] == "ok"


def test_m108_leaves_a_wait_and_both_commands_are_acknowledged() -> None:
    board = firmware()
    say(board, b"M109 S200\n")
    assert say(board, b"M108\n", now=1.0).count("ok") == 2


def test_m112_kills_until_a_reset() -> None:
    board = firmware()
    assert "Error:Printer halted. kill() called!" in say(board, b"M112\n")
    assert say(board, b"M105\n", now=1.0) == []
    board.reset("button", 2.0)
    assert run_until(board, 3.0)[0] == "start"
    assert say(board, b"M105\n", now=4.0)[0].startswith("ok T:21.00 /0.00 B:")


def test_filament_is_not_pushed_cold() -> None:
    board = firmware()
    assert say(board, b"G1 E5 F300\n") == ["echo: cold extrusion prevented", "ok"]
    assert run_until(board, 5.0) == []


def test_an_emergency_parser_hears_behind_a_full_queue() -> None:
    lines = [b"G4 S100\n"] * 6 + [b"M112\n"]
    assert not firmware_halts(firmware(), lines)
    assert firmware_halts(firmware(emergency_parser=True), lines)


def firmware_halts(board: Firmware, lines: list[bytes]) -> bool:
    say(board, *lines)
    return board.halted


def test_a_receive_buffer_that_is_too_small_loses_bytes() -> None:
    board = firmware(receive_bytes=64)
    say(board, b"G4 S100\n", *[b"G1 X1 Y1 Z1 E1 F600\n"] * 20)
    assert board.buffered <= 64


def test_a_lost_ok_is_not_said_though_the_line_is_executed() -> None:
    board = firmware("lose_ok:line=1")
    assert say(board, encode(1, "G21")) == []
    assert "1\tG21" in log(board)
    assert say(board, encode(2, "M105"))[0].startswith("ok")


def test_a_doubled_ok_is_said_twice() -> None:
    assert say(firmware("double_ok"), encode(1, "G21")) == ["ok", "ok"]


def test_a_reset_forgets_numbers_and_motion_but_not_heat() -> None:
    board = firmware("reset:line=2")
    say(board, encode(1, "M109 S200"))
    run_until(board, 300.0)
    board.receive(encode(2, "G1 X50 F600"), 300.0)
    assert run_until(board, 301.0)[0] == "start"
    assert log(board)[-4:] == ["2\tG1 X50 F600", "#fault reset:line=2", "#reset fault", "#boot"]
    status = board.status(302.0)
    assert status["last_line"] == 0
    assert status["temperatures"]["tool0"][0] > 190  # type: ignore[index]
    assert status["temperatures"]["tool0"][1] == 0  # type: ignore[index]


def test_a_silent_firmware_answers_afterwards() -> None:
    board = firmware("silence:line=1:seconds=10")
    say(board, encode(1, "G21"))
    assert say(board, encode(2, "G21"), now=5.0) == []
    assert run_until(board, 10.0) == ["ok"]


def test_a_broken_heater_is_noticed_and_halts_the_board() -> None:
    board = firmware("thermal_runaway:line=2")
    say(board, encode(1, "M109 S200"))
    run_until(board, 300.0)
    say(board, encode(2, "G21"), now=300.0)
    said = run_until(board, 400.0)
    assert "Error:Thermal Runaway, system stopped! Heater_ID: E0" in said
    assert board.halted


def test_runout_waits_for_a_person() -> None:
    board = firmware("runout:line=1")
    say(board, encode(1, "G21"), encode(2, "G21"))
    assert "echo:busy: paused for user" in run_until(board, 5.0)
    assert obey(board, "press", 6.0) == "ok"
    assert board.outbound().decode().splitlines()[-2:] == ["//action:resumed", "ok"]


def test_a_dropped_cable_comes_back_to_the_same_board() -> None:
    board = firmware("usb_drop:line=1:seconds=5")
    assert say(board, encode(1, "G21")) == []
    assert not board.plugged
    run_until(board, 5.0)
    assert board.plugged
    assert say(board, encode(2, "G21"), now=6.0) == ["ok"]


@pytest.mark.parametrize("name", sorted(FAULTS))
def test_every_fault_of_the_table_can_strike(name: str) -> None:
    board = firmware(name)
    board.receive(b"G21\n", 0.0)
    assert not board.faults.armed


@pytest.mark.parametrize("spec", ["x", "reset:nonsense=1", "reset:line=a", "reset:line=1:after=2"])
def test_a_wrong_fault_is_refused_with_a_reason(spec: str) -> None:
    with pytest.raises(SettingsInvalid):
        parse_fault(spec)
    assert obey(firmware(), f"fault {spec}", 0.0).startswith("error:")


def test_what_a_person_notes_stands_in_the_log_between_the_commands() -> None:
    board = firmware()
    say(board, encode(1, "G21"))
    assert obey(board, "note the bed is clear", 1.0) == "ok"
    say(board, encode(2, "G90"))
    noted = board.log.take().decode().splitlines()
    assert noted[-3:] == ["1\tG21", "#note the bed is clear", "2\tG90"]
