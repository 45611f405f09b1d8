"""How long plates will take, by what past runs took."""

from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordinator.domain.estimates import (
    RUNS_MAX,
    RUNS_MIN,
    Demand,
    Estimate,
    Paces,
    Source,
    Timing,
    demand,
    pace,
    paces,
)
from protocols.wire.vocabulary import PrinterId
from tests.fakes.values import PLATE, PRINTER

HOUR = replace(PLATE, time_s=3600.0, filament_g=10.0, cost=0.5)
_RATIOS = st.lists(st.floats(0.2, 5.0), min_size=RUNS_MIN, max_size=2 * RUNS_MAX)


def timings(*ratios: float, printer: str = "p1", cls: str = "mk4") -> list[Timing]:
    return [
        Timing(
            printer_id=PrinterId(printer),
            printer_class=cls,
            foretold_s=100.0,
            measured_s=100.0 * ratio,
        )
        for ratio in ratios
    ]


def estimate(known: Paces) -> Estimate:
    found = known.estimate(HOUR, printer_class="mk4", printer_id=PRINTER.printer_id)
    assert found is not None
    return found


def test_without_runs_the_slicer_is_believed_and_no_interval_is_made_up() -> None:
    assert estimate(paces([])) == Estimate(seconds=3600.0, source=Source.SLICER)


def test_a_printer_goes_by_its_own_runs() -> None:
    known = paces([*timings(1.1, 1.2, 1.4), *timings(2.0, 2.0, 2.0, 2.0, printer="p2")])
    found = estimate(known)
    assert (found.seconds, found.source) == (pytest.approx(4320), Source.PRINTER)
    assert (found.low_s, found.high_s) == (pytest.approx(3960), pytest.approx(5040))


def test_a_printer_with_too_few_runs_goes_by_those_of_its_class() -> None:
    known = paces([*timings(9.0, 9.0), *timings(1.5, 1.5, 1.5, printer="p2")])
    assert (estimate(known).source, estimate(known).seconds) == (Source.CLASS, 5400.0)
    assert estimate(paces(timings(2.0, 2.0, 2.0, printer="p9", cls="xl"))).source is Source.SLICER


def test_a_run_that_somebody_paused_for_a_night_does_not_move_the_estimate() -> None:
    assert estimate(paces(timings(1.1, 1.1, 1.1, 1.1, 40.0))).seconds == pytest.approx(3960)


def test_runs_without_a_length_tell_nothing() -> None:
    nothing = [replace(each, foretold_s=0.0) for each in timings(1.0, 1.0, 1.0)]
    assert paces([*nothing, *timings(0.0, 0.0, 0.0)]) == Paces()


def test_a_plate_that_does_not_tell_its_time_has_no_estimate() -> None:
    assert paces(timings(1.0, 1.0, 1.0)).estimate(PLATE, printer_class="mk4") is None


@given(_RATIOS)
def test_an_interval_holds_the_middle_and_four_fifths_of_the_runs(ratios: list[float]) -> None:
    found = pace(ratios)
    assert min(ratios) <= found.low <= found.ratio <= found.high <= max(ratios)
    counted = ratios[:RUNS_MAX]
    inside = sum(found.low <= ratio <= found.high for ratio in counted)
    assert inside >= 0.8 * len(counted)


@given(_RATIOS, st.floats(0.2, 5.0))
def test_only_the_last_runs_count(ratios: list[float], older: float) -> None:
    full = (ratios * RUNS_MAX)[:RUNS_MAX]
    assert pace(full) == pace([*full, *[older] * 100])


@given(_RATIOS, st.randoms(use_true_random=False))
def test_the_order_of_the_runs_is_nothing_to_an_interval(
    ratios: list[float], random: Random
) -> None:
    shuffled = ratios[:RUNS_MAX]
    random.shuffle(shuffled)
    assert pace(shuffled) == pace(ratios[:RUNS_MAX])


def test_a_job_takes_what_its_fastest_plate_takes_for_all_copies() -> None:
    slow = replace(HOUR, printer_class="xl", time_s=7200.0, filament_g=99.0)
    found = demand([slow, HOUR], 3, paces([]))
    assert found.estimate == Estimate(seconds=3 * 3600.0)
    assert (found.filament_g, found.cost) == (30.0, 1.5)
    assert demand([PLATE], 3, paces([])) == Demand()
