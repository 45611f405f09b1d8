"""Prints that were not begun here: how firmwares tell of them, and what is believed."""

from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.gcode import events, replies
from protocols.gcode.dialects import MARLIN, ULTIMAKER2
from protocols.gcode.elsewhere import DENIALS_MIN, TOUCHED_FOR_S, Elsewhere
from protocols.gcode.replies import CardDone, CardFile, CardStatus, Reading
from protocols.gcode.reply_parser import parse_reply
from tests.fakes.ready_host import MARLIN as MARLIN_INFO
from tests.fakes.ready_host import ReadyHost

PRINTING, IDLE = events.CardTold(True, 10, 100), events.CardTold(False)


@pytest.mark.parametrize(
    ("line", "reply"),
    [(b"SD printing byte 123/4567", CardStatus(True, 123, 4567)),
     (b"SD printing byte 123 / 4567\r", CardStatus(True, 123, 4567)),
     (b"SD printing byte 0/0", CardStatus(False, 0, 0)),
     (b"Not SD printing", CardStatus(False)),
     (b"Not SD printing.", CardStatus(False)),
     (b"Not currently playing", CardStatus(False)),
     (b"SD print paused", CardStatus(True)),
     (b"Print saved", CardStatus(True)),
     (b"Done printing file", CardDone()),
     (b"File opened: a b.gco Size: 99", CardFile("a b.gco")),
     (b"File opened:x.g", CardFile("x.g")),
     (b"File selected", CardFile(""))],
)  # fmt: skip
def test_what_a_firmware_says_of_its_card_is_read_in_every_form(
    line: bytes, reply: replies.Reply
) -> None:
    assert parse_reply(line) == reply


@pytest.mark.parametrize(
    "line", [b"SD printing byte", b"SD printing byte 12", b"SD card ok", b"SDprinting 1/2", b"Note"]
)
def test_what_only_looks_like_the_status_of_a_card_is_none(line: bytes) -> None:
    assert not isinstance(parse_reply(line), CardStatus)


def test_a_card_that_can_report_is_asked_to_and_one_that_can_t_is_not() -> None:
    capable = MARLIN_INFO + b"Cap:AUTOREPORT_SD_STATUS:1\nCap:AUTOREPORT_TEMP:1\n"
    host = ReadyHost(info=capable, window_lines_max=4)
    assert [line.command for line in host.own] == ["M155 S2", "M27 S5"]
    assert ReadyHost(info=MARLIN_INFO + b"Cap:AUTOREPORT_SD_STATUS:0\n").own == []


# ---------------------------------------------------------------------- what is believed


def begun(*told: events.Event, question: str = MARLIN.card_question) -> Elsewhere:
    elsewhere = Elsewhere()
    elsewhere.begin(question, 0.0)
    for event in told:
        elsewhere.hear(event, 0.0)
    return elsewhere


def heat(target: float) -> events.TemperaturesReported:
    return events.TemperaturesReported(MappingProxyType({"tool0": Reading(20.0, target)}))


def place(x: float) -> events.PositionReported:
    return events.PositionReported({"X": x, "Y": 1.0})


def test_nothing_is_believed_before_the_first_answer() -> None:
    elsewhere = begun()
    assert elsewhere.due(0.0)
    assert elsewhere.questions(0.0) == ("M27",)
    assert not elsewhere.settled
    elsewhere.hear(IDLE, 0.1)
    elsewhere.answered(0.1)
    assert elsewhere.settled
    assert not elsewhere.printing


def test_a_print_from_the_card_is_believed_at_once_and_its_file_is_known() -> None:
    opened = events.CardFileOpened("BENCHY.GCO"), events.CardFileOpened("")
    elsewhere = begun(*opened, PRINTING)
    assert (elsewhere.printing, elsewhere.file) == (True, "BENCHY.GCO")


def test_that_it_has_ended_is_believed_after_several_denials_in_a_row() -> None:
    elsewhere = begun(PRINTING, *[IDLE] * (DENIALS_MIN - 1), PRINTING, *[IDLE] * (DENIALS_MIN - 1))
    assert elsewhere.printing
    elsewhere.hear(IDLE, 1.0)
    assert not elsewhere.printing


@pytest.mark.parametrize(
    "end", [events.CardFileDone(), events.BoardReset(0), events.Halted("thermal runaway")]
)
def test_a_file_that_is_done_and_a_board_that_restarts_end_it_at_once(end: events.Event) -> None:
    assert not begun(PRINTING, end).printing


def test_a_contradiction_is_asked_about_soon() -> None:
    elsewhere = begun(PRINTING, IDLE)
    elsewhere.answered(0.0)
    assert not elsewhere.due(0.9)
    assert elsewhere.due(1.1)


@pytest.mark.parametrize("name", ["start", "paused", "resumed", "cancel"])
def test_whoever_stirs_at_the_panel_makes_it_be_asked_at_once(name: str) -> None:
    elsewhere = begun()
    elsewhere.answered(0.0)
    assert not elsewhere.due(1.0)
    elsewhere.hear(events.ActionRequested(name, ""), 1.0)
    assert elsewhere.due(1.0)
    assert not elsewhere.printing, "a host that is asked to start is no print"


def test_a_firmware_that_knows_no_card_is_not_asked_again() -> None:
    elsewhere = begun(events.CommandUnknown("M27"))
    assert elsewhere.questions(9.0) == ()
    assert begun(question=ULTIMAKER2.card_question).questions(0.0) == ()


def test_a_hot_head_that_moves_and_moves_again_prints_for_somebody_until_it_is_cold() -> None:
    elsewhere = begun(heat(200.0))
    assert elsewhere.questions(0.0) == ("M27", "M114")
    for at_s, x in enumerate((1.0, 2.0, 3.0)):
        assert not elsewhere.printing
        elsewhere.hear(place(x), at_s)
        elsewhere.answered(at_s)
    assert elsewhere.printing
    assert elsewhere.settled
    elsewhere.hear(heat(0.0), 20.0)
    assert elsewhere.printing, "a filament change may cool down for a moment"
    elsewhere.hear(heat(0.0), 31.0)
    assert not elsewhere.printing


@pytest.mark.parametrize(
    ("target", "places"),
    [(200.0, (1.0, 1.0, 1.0, 1.0)), (200.0, (1.0, 2.0, 2.0, 3.0)), (50.0, (1.0, 2.0, 3.0, 4.0))],
)
def test_a_hot_head_at_rest_and_a_cold_one_that_is_jogged_print_nothing(
    target: float, places: tuple[float, ...]
) -> None:
    elsewhere = begun(heat(target))
    for at_s, x in enumerate(places):
        elsewhere.hear(place(x), at_s)
        elsewhere.answered(at_s)
    assert elsewhere.settled
    assert not elsewhere.printing


def test_a_hot_printer_is_looked_at_several_times_before_anything_is_believed() -> None:
    elsewhere = begun(heat(200.0))
    for at_s in range(2):
        elsewhere.hear(place(1.0), at_s)
        elsewhere.answered(at_s)
        assert not elsewhere.settled
    elsewhere.hear(place(1.0), 2.0)
    elsewhere.answered(2.0)
    assert elsewhere.settled


def test_moves_that_an_operator_asked_for_prove_nothing() -> None:
    elsewhere = begun(heat(200.0), place(1.0), place(2.0))
    elsewhere.touched(1.0)
    for x in range(5):
        elsewhere.hear(place(float(x)), 2.0)
    assert not elsewhere.printing
    assert elsewhere.questions(1.0 + TOUCHED_FOR_S / 2) == ("M27",)
    assert elsewhere.questions(1.0 + TOUCHED_FOR_S) == ("M27", "M114")


EVENTS = st.sampled_from(
    [PRINTING, IDLE, heat(200.0), heat(0.0), place(1.0), place(2.0), events.CardFileDone(),
     events.CardFileOpened("x"), events.BoardReset(3), events.CommandUnknown("M27")]
)  # fmt: skip


@given(st.lists(st.tuples(EVENTS, st.floats(0, 10))))
def test_whatever_is_heard_a_card_that_prints_is_believed_and_denials_end_it(
    heard: list[tuple[events.Event, float]],
) -> None:
    elsewhere, now = begun(), 0.0
    for event, later_s in heard:
        now += later_s
        elsewhere.hear(event, now)
        elsewhere.answered(now)
    elsewhere.hear(PRINTING, now)
    assert elsewhere.printing
    for _ in range(DENIALS_MIN):
        elsewhere.hear(IDLE, now)
    assert not elsewhere.printing
