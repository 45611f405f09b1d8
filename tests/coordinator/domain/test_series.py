"""Rings of measurements: what was measured stands in its slot; where nothing was is a gap."""

import random
import tracemalloc
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordinator.domain import series
from coordinator.domain.rings import COLUMNS_MAX, Ring
from coordinator.domain.series import (
    SLOTS,
    STEP_S,
    Measured,
    Span,
    compressed,
    excerpt_of,
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
    st.integers(1, 200),
    st.lists(
        st.tuples(
            st.one_of(st.integers(0, 40), st.integers(0, 2000)),
            st.dictionaries(st.sampled_from("xyz"), st.integers(-32767, 32767)),
        ),
        max_size=60,
    ),
    st.integers(0, 600),
)
def test_a_ring_is_the_last_slots_of_what_was_measured_first_in_each(
    slots: int, steps: list[tuple[int, dict[str, int]]], later: int
) -> None:
    ring, told, now_s = Ring(5, slots), dict[int, dict[str, int]](), 1000
    for passed_s, values in steps:
        now_s += passed_s
        if ring.wants(now_s):
            ring.put(values, now_s)
        told.setdefault(now_s // 5, values)
    now_s += later
    excerpt = excerpt_of(ring, now_s)
    first = now_s // 5 - slots + 1
    assert excerpt.begins_at_s == first * 5
    for name in "xyz":
        expected = [told.get(slot, {}).get(name) for slot in range(first, first + slots)]
        found = excerpt.columns.get(name, [None] * slots)
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
        compressed([b'{"version": 1, "byteorder": "little", "rings": []}\n']),
        compressed([b"{}\n"]),
        compressed([b"[]\n"]),
        compressed(Measured().packed())[:-1],
        compressed(
            [b'{"version":2,"byteorder":"little","rings":[["p","hour",5,720,1,["x"],[4]]]}\n', b"1"]
        ),
    ],
)
def test_what_is_damaged_is_refused_whole(data: bytes) -> None:
    with pytest.raises(ValueError, match="measurements"):
        restored(data)


def test_a_printer_s_day_takes_less_than_eight_kilobytes() -> None:
    noise = random.Random(1)

    def warm(number: int) -> PrinterSample:
        heaters = {name: Temperature(200 + noise.random(), 210.0) for name in ("tool0", "bed")}
        others = {name: Temperature(40 + noise.random()) for name in ("chamber", "board")}
        return replace(sample(progress=number / 1008), temperatures={**heaters, **others})

    # Fills the day, and then the hour.
    ends_s = [NOON_S + slot * STEP_S[Span.DAY] for slot in range(SLOTS[Span.DAY])]
    ends_s += [ends_s[-1] + slot * STEP_S[Span.HOUR] for slot in range(1, SLOTS[Span.HOUR] + 1)]
    samples = [warm(number) for number in range(len(ends_s))]
    tracemalloc.start()
    try:
        measured = Measured()
        for each, now_s in zip(samples, ends_s, strict=True):
            measured.take(each, now_s)
        folder = Path(series.__file__).parent
        ours = tracemalloc.Filter(inclusive=True, filename_pattern=f"{folder}/*")
        traces = tracemalloc.take_snapshot().filter_traces([ours])  # other threads take memory too
    finally:
        tracemalloc.stop()
    taken_bytes = sum(each.size for each in traces.traces)
    assert None not in measured.excerpt(P, Span.HOUR, ends_s[-1]).columns["board_celsius"]
    assert taken_bytes < 8_000, taken_bytes
