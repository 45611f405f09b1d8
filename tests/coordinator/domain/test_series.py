"""Rings of measurements: what was measured stands in its slot; where nothing was is a gap."""

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordinator.domain.series import (
    COLUMNS_MAX,
    SLOTS,
    STEP_S,
    Measured,
    Ring,
    Span,
    compressed,
    restored,
)
from protocols.wire.from_agent import PrinterSample
from protocols.wire.vocabulary import PrinterId, PrinterState, RunId, Temperature

P = PrinterId("p-1")
NOON_S = 1_780_000_000


def sample(
    actual: float = 21.5,
    target: float | None = 0.0,
    *,
    progress: float | None = None,
    state: PrinterState = PrinterState.PRINTING,
    heaters: int = 1,
) -> PrinterSample:
    return PrinterSample(
        printer_id=P,
        state=state,
        run_id=RunId("run-1") if progress is not None else None,
        temperatures={f"tool{number}": Temperature(actual, target) for number in range(heaters)},
        progress=progress or 0.0,
    )


@given(
    st.lists(st.tuples(st.integers(0, 40), st.integers(-300, 3000)), max_size=60),
    st.integers(0, 60),
)
def test_a_ring_is_the_last_slots_of_what_was_measured_first_in_each(
    steps: list[tuple[int, int]], later: int
) -> None:
    ring, told, now_s = Ring(5, 8), dict[int, int](), 1000
    for passed_s, value in steps:
        now_s += passed_s
        if ring.wants(now_s):
            ring.put({"x_celsius": value}, now_s)
        told.setdefault(now_s // 5, value)
    now_s += later
    excerpt = ring.excerpt(now_s)
    first = now_s // 5 - 7
    assert excerpt.begins_at_s == first * 5
    expected = [told.get(slot) for slot in range(first, first + 8)]
    found = excerpt.columns.get("x_celsius", [None] * 8)
    assert found == [value / 10 if value is not None else None for value in expected]


def test_both_spans_are_there_with_their_units() -> None:
    measured = Measured()
    measured.take(sample(200.04, 210.0, progress=0.25), NOON_S)
    hour = measured.excerpt(P, Span.HOUR, NOON_S)
    assert {name: column[-1] for name, column in hour.columns.items()} == {
        "tool0_celsius": 200.0,
        "tool0_target_celsius": 210.0,
        "progress_ratio": 0.25,
    }
    day = measured.excerpt(P, Span.DAY, NOON_S)
    assert (hour.step_s * SLOTS[Span.HOUR], day.step_s * SLOTS[Span.DAY]) == (3600, 86_400)
    assert day.columns["tool0_celsius"][-1] == 200.0


def test_an_hour_without_a_word_is_an_hour_without_a_value() -> None:
    measured = Measured()
    measured.take(sample(), NOON_S)
    measured.take(sample(99.0, state=PrinterState.OFFLINE), NOON_S + 5)
    assert set(measured.excerpt(P, Span.HOUR, NOON_S + 3600).columns["tool0_celsius"]) == {None}
    measured.take(sample(progress=1.0, state=PrinterState.IDLE), NOON_S + 10)  # its last run's
    assert "progress_ratio" not in measured.excerpt(P, Span.HOUR, NOON_S + 10).columns
    assert measured.excerpt(PrinterId("p-9"), Span.HOUR, NOON_S).columns == {}


def test_a_clock_that_was_set_back_spoils_nothing() -> None:
    measured = Measured()
    measured.take(sample(30.0), NOON_S)
    measured.take(sample(40.0), NOON_S - 1800)
    assert measured.excerpt(P, Span.HOUR, NOON_S).columns["tool0_celsius"][-1] == 30.0
    assert measured.excerpt(P, Span.HOUR, NOON_S - 1800).columns["tool0_celsius"][-1] is None


def test_what_is_no_temperature_is_a_gap_and_what_is_too_many_is_left() -> None:
    measured = Measured()
    measured.take(sample(float("nan"), float("inf"), heaters=30), NOON_S)
    columns = measured.excerpt(P, Span.HOUR, NOON_S).columns
    assert len(columns) == COLUMNS_MAX
    assert {column[-1] for column in columns.values()} == {None}
    measured.take(sample(1e9), NOON_S + 5)
    assert measured.excerpt(P, Span.HOUR, NOON_S + 5).columns["tool0_celsius"][-1] == 3000.0


def test_it_is_the_same_after_a_restart() -> None:
    measured = Measured()
    for passed_s in range(0, 4000, 7):
        measured.take(sample(20.0 + passed_s / 100, progress=0.5), NOON_S + passed_s)
    again = restored(compressed(measured.packed()))
    for span in Span:
        now_s = NOON_S + 4000.0
        assert again.excerpt(P, span, now_s) == measured.excerpt(P, span, now_s)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"torn",
        compressed([b'{"version": 2, "byteorder": "little", "rings": []}\n']),
        compressed([b"{}\n"]),
        compressed([b"[]\n"]),
        compressed(Measured().packed())[:-1],
        compressed(
            [b'{"version":1,"byteorder":"little","rings":[["p","hour",5,720,1,["x"]]]}\n', b"12"]
        ),
    ],
)
def test_what_is_damaged_is_refused_whole(data: bytes) -> None:
    with pytest.raises(ValueError, match="measurements"):
        restored(data)


def test_five_hundred_printers_take_less_than_eight_megabytes() -> None:
    tracemalloc.start()
    try:
        measured = Measured()
        for number in range(500):
            each = PrinterSample(
                printer_id=PrinterId(f"p-{number}"),
                state=PrinterState.PRINTING,
                run_id=RunId("run-1"),
                temperatures={
                    "tool0": Temperature(210.0, 210.0),
                    "bed": Temperature(60.0, 60.0),
                },
            )
            measured.take(each, NOON_S)
        taken_bytes, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert taken_bytes < 8_000_000, taken_bytes
    assert STEP_S[Span.HOUR] == 5
