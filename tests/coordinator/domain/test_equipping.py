"""Tables of printers, line by line."""

import pytest

from coordinator.domain.equipping import NewPrinter, arguments, has_secrets, id_of, rows

HEAD = "name,agent,driver,address,class,material,location,tags,api_key\r\n"
AGENTS = {"pi-1": True, "pi-2": False}


def faults(text: str) -> list[tuple[int, tuple[str, ...]]]:
    return [(row.line, row.faults) for row in rows(HEAD + text, agents=AGENTS, known={"known"})]


def test_a_line_becomes_a_printer_with_its_drivers_settings() -> None:
    text = '"MK4, door",pi-1,prusalink,http://mk4.local,mk4,PLA,shelf 1,fast; enclosed,s3cret\r\n'
    [row] = rows("\ufeff" + HEAD + "\r\n" + text, agents=AGENTS, known=())
    assert (row.line, row.agent_id, row.faults) == (3, "pi-1", ())
    assert row.printer == NewPrinter(
        printer_id="mk4-door",
        name="MK4, door",
        driver="prusalink",
        printer_class="mk4",
        material="PLA",
        settings={"url": "http://mk4.local", "api_key": "s3cret"},
        location="shelf 1",
        tags=("fast", "enclosed"),
    )
    assert has_secrets(row.printer)
    assert arguments(row.printer)["settings.api_key"] == "s3cret"


def test_a_serial_printer_has_a_port_and_numbers_are_numbers() -> None:
    head = "id,name,agent,driver,address,class,baud_rate\n"
    text = "e3,Ender 3,pi-1,marlin_serial,/dev/ttyUSB0,ender3,115200\n"
    [row] = rows(head + text, agents=AGENTS, known=())
    assert row.printer.printer_id == "e3"
    assert row.printer.settings == {"port": "/dev/ttyUSB0", "baud_rate": 115200}
    assert not has_secrets(row.printer)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (",pi-1,prusalink,http://a,mk4,,,,", ("name is empty",)),
        ("A,pi-9,prusalink,http://a,mk4,,,,", ("there is no agent pi-9",)),
        ("A,pi-2,prusalink,http://a,mk4,,,,", ("the agent pi-2 is not connected",)),
        ("Known,pi-1,prusalink,http://a,mk4,,,,", ("there is a printer known already",)),
        (
            "A,pi-1,prusalink,10.0.0.7,mk4,,,,",
            ("the address of prusalink is like http://mk4.local",),
        ),
        ("A,pi-1,,,,,,,", ("driver is empty", "address is empty", "class is empty")),
        ("A,pi-1,prusalink,http://a,mk4,,,,,,", ("it has 11 cells, the first line 9",)),
        (
            "⛵,pi-1,prusalink,http://a,mk4,,,,",
            ("'' can't name a printer: a-z, 0-9 and hyphens, 63 at most",),
        ),
    ],
)
def test_what_is_wrong_with_a_line_is_told(line: str, words: tuple[str, ...]) -> None:
    assert faults(line) == [(2, words)]


def test_two_lines_of_one_name_are_one_too_many() -> None:
    line = "MK4,pi-1,prusalink,http://a,mk4,,,,\n"
    assert faults(line * 2) == [(2, ()), (3, ("there is a printer mk4 already",))]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "name, agent, driver, address, class is missing"),
        ("name,agent,driver,address\n", "class is missing"),
        ("name,name,agent,driver,address,class\n", "'name' is there twice"),
        ("name,,agent,driver,address,class\n", "a column has no name"),
        ('name,agent,driver,address,class\n"MK4,pi-1', "line 2"),
        ("name,agent,driver,address,class\n" + "a,b,c,d,e\n" * 501, "501 lines are too many"),
    ],
)
def test_what_is_no_table_is_told(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        rows(text, agents=AGENTS, known=())


def test_a_name_becomes_an_id() -> None:
    assert id_of("Prusa MK4 (left)") == "prusa-mk4-left"
    assert id_of("x" * 70 + "!") == "x" * 63
