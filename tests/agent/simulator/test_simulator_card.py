"""The printer's own card, and what is printed from it at the panel."""

from agent.simulator.control import obey
from tests.agent.simulator.test_simulator_firmware import firmware, log, run_until, say

FILES = {"A.GCO": b"G28 ; home\nG1 X5 F3000\n\n; end\nG1 X9", "B.GCO": b"M117 hello\n"}


def test_a_file_is_printed_at_the_panel_without_any_ok_and_its_end_is_said() -> None:
    board = firmware(card=FILES)
    assert obey(board, "print A.GCO", 0.0) == "ok"
    said = [*board.outbound().decode().splitlines(), *run_until(board, 1000.0)]
    assert said[:2] == ["File opened: A.GCO Size: 35", "File selected"]
    assert "Done printing file" in said
    assert "ok" not in said
    assert log(board) == ["#boot", "-\tG28", "-\tG1 X5 F3000", "-\tG1 X9"]
    assert obey(board, "print C.GCO", 1000.0).startswith("error")


def test_a_host_may_ask_and_talk_while_it_prints_from_its_card() -> None:
    board = firmware(card={"A.GCO": b"G28\n" * 50})
    assert say(board, b"M27\n") == ["Not SD printing", "ok"]
    obey(board, "print A.GCO", 0.0)
    board.outbound()
    run_until(board, 1.0)
    board.receive(b"M27\n", 1.0)
    said = run_until(board, 60.0)
    assert [line for line in said if line.startswith("SD printing byte")] == [
        "SD printing byte 28/200"
    ]
    assert said.count("ok") == 1


def test_a_card_is_listed_selected_printed_and_left_by_commands() -> None:
    board = firmware(card=FILES)
    assert say(board, b"M20\n") == [
        "Begin file list",
        "A.GCO 35",
        "B.GCO 11",
        "End file list",
        "ok",
    ]
    assert say(board, b"M23 NONE.GCO\n") == ["open failed, File: NONE.GCO.", "ok"]
    assert say(board, b"M23 B.GCO\n", b"M27\n")[-2:] == ["Not SD printing", "ok"]
    assert say(board, b"M24\n") == ["ok", "Done printing file"]
    assert say(board, b"M22\n", b"M23 A.GCO\n")[2:] == ["open failed, File: A.GCO.", "ok"]


def test_it_tells_of_its_card_by_itself_when_asked_to() -> None:
    board = firmware(card=FILES)
    assert "Cap:AUTOREPORT_SD_STATUS:1" in say(board, b"M115\n")
    say(board, b"M27 S5\n")
    assert run_until(board, 11.0) == ["Not SD printing"] * 2


def test_a_board_without_a_slot_knows_no_command_of_cards() -> None:
    board = firmware()
    assert "Cap:SDCARD:0" in say(board, b"M115\n")
    assert say(board, b"M27\n") == ['echo:Unknown command: "M27"', "ok"]
    assert obey(board, "print A.GCO", 0.0).startswith("error")
