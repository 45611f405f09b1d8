from pathlib import Path

from agent.printers.baud_rates import BAUD_RATES, SILENCES_MAX, BaudRates


def test_each_rate_is_tried_in_turn_until_one_is_answered_at(tmp_path: Path) -> None:
    rates, tried = BaudRates(0, tmp_path / "one" / "baud_rate"), []
    for _ in range(len(BAUD_RATES) + 1):
        tried.append(rates.current)
        rates.silent()
    assert tried == [*BAUD_RATES, BAUD_RATES[0]]
    rates.answered()
    assert not rates.searching


def test_what_was_found_is_known_to_the_next_process(tmp_path: Path) -> None:
    path = tmp_path / "baud_rate"
    rates = BaudRates(0, path)
    rates.silent()
    rates.answered()
    again = BaudRates(0, path)
    assert (again.current, again.searching) == (250000, False)


def test_a_printer_that_is_off_keeps_its_rate_for_a_while(tmp_path: Path) -> None:
    path = tmp_path / "baud_rate"
    path.write_text("57600\n")
    rates = BaudRates(0, path)
    for _ in range(SILENCES_MAX - 1):
        rates.silent()
        assert (rates.current, rates.searching) == (57600, False)
    rates.silent()
    assert (rates.current, rates.searching) == (230400, True)


def test_a_configured_rate_is_never_left(tmp_path: Path) -> None:
    rates = BaudRates(500000, tmp_path / "baud_rate")
    for _ in range(20):
        rates.silent()
    assert (rates.current, rates.searching) == (500000, False)


def test_a_spoilt_note_is_no_rate(tmp_path: Path) -> None:
    path = tmp_path / "baud_rate"
    path.write_text("fast\n")
    assert BaudRates(0, path).searching
