"""What printers did all day, by their lines of history."""

import itertools
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from coordinator.domain.history import row_of
from coordinator.domain.printers import BedState, Printer, PrinterStatus
from coordinator.domain.standing import FIELDS, RETIRED, Changed, Spell, play, still
from protocols.wire.vocabulary import AgentId, PrinterId, PrinterState

NOW = datetime(2030, 1, 1, tzinfo=UTC)
P1 = PrinterId("p1")
NEW = Printer(printer_id=P1, agent_id=AgentId("a"), name="", printer_class="mk4", driver="x")


def line(minute: int, **changes: object) -> Changed:
    at = NOW + timedelta(minutes=minute)
    return Changed(at=at, printer_id=P1, changes=changes)  # type: ignore[arg-type]


def minutes(spells: list[Spell]) -> list[tuple[str, int, int]]:
    return [
        (
            each.status.value,
            int((each.since - NOW).total_seconds() / 60),
            int((each.until - NOW).total_seconds() / 60),
        )
        for each in spells
    ]


def test_a_day_at_a_printer_is_played_into_spells() -> None:
    day = [
        line(0, **row_of(NEW)),
        line(1, online=True, seen="idle"),
        line(5, bed_state="clear"),
        line(10, run_id="run-1", epoch=1),
        line(11, seen="printing", bed_state="occupied"),
        line(71, seen="idle", run_id=None),
        line(80, bed_state="clearing"),
        line(81, bed_state="clear"),
        line(90, location="shelf 3"),
        line(100, in_service=True),
        line(110, in_service=False, online=False),
    ]
    standings, spells = play({}, day)
    assert minutes(spells) == [
        ("offline", 0, 1),
        ("needs_clearing", 1, 5),
        ("idle", 5, 10),
        ("reserved", 10, 11),
        ("busy", 11, 71),
        ("needs_clearing", 71, 81),
        ("idle", 81, 100),
        ("in_service", 100, 110),
    ]
    assert [each.cleared for each in spells] == [
        False,
        True,
        False,
        False,
        False,
        True,
        *[False] * 2,
    ]
    assert standings[P1].status is PrinterStatus.OFFLINE
    lasting = still(standings[P1], NOW, NOW + timedelta(days=1), NOW + timedelta(minutes=115))
    assert lasting is not None
    assert (lasting.status, lasting.seconds) == (PrinterStatus.OFFLINE, 300)
    assert still(standings[P1], NOW, NOW + timedelta(minutes=110), NOW + timedelta(days=2)) is None


def test_what_lines_do_not_tell_is_no_spell() -> None:
    standings, spells = play({}, [line(0, online=True), line(9, seen="idle")])
    assert spells == []
    assert standings[P1].status is None
    _, spells = play(standings, [line(10, **row_of(NEW)), line(11, online=True, seen="new word")])
    assert minutes(spells) == [("offline", 10, 11)]


CHANGES = st.fixed_dictionaries(
    {},
    optional={
        "online": st.booleans(),
        "seen": st.sampled_from([each.value for each in PrinterState]),
        "foreign": st.booleans(),
        "in_service": st.booleans(),
        "bed_state": st.sampled_from([each.value for each in BedState]),
        "run_id": st.none() | st.just("run-1"),
        "quarantine": st.sampled_from(["", "a copy"]),
        "notes": st.just("loud"),
    },
)


@given(st.lists(st.tuples(st.integers(0, 30), CHANGES)), st.data())
def test_where_playing_stops_and_goes_on_changes_nothing_and_no_time_is_lost(
    steps: list[tuple[int, dict[str, object]]], data: st.DataObject
) -> None:
    lines, minute = [line(0, **row_of(NEW))], 0
    for pause, changes in steps:
        minute += pause
        lines.append(line(minute, **changes))
    cut = data.draw(st.integers(0, len(lines)))
    whole, spells = play({}, lines)
    early, first = play({}, lines[:cut])
    late, second = play(early, lines[cut:])
    assert first + second == spells
    assert early | late == whole
    lasted = sum((each.until - each.since for each in spells), start=timedelta())
    assert lasted + (NOW + timedelta(minutes=minute) - whole[P1].since) == timedelta(minutes=minute)
    assert all(before.until == after.since for before, after in itertools.pairwise(spells))
    assert set(whole[P1].fields) == {*FIELDS, RETIRED}
