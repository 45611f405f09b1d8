"""Figures out of tallies and spells."""

import pytest

from coordinator.domain.printers import PrinterStatus
from coordinator.domain.runs import RunState
from coordinator.domain.standing import SpellSum
from coordinator.domain.statistics import REASONS_MAX, Reason, Tally, figures, reasons, total
from protocols.wire.vocabulary import PrinterId

TALLIES = (
    Tally(
        key="p1",
        state=RunState.FINISHED,
        runs=3,
        copies=6,
        printed_s=7200,
        filament_g=30,
        cost=3,
        foretold_s=6000,
        measured_s=6600,
    ),
    Tally(key="p1", state=RunState.FAILED, runs=1, copies=2, printed_s=600, filament_g=2),
    Tally(key="p1", state=RunState.STOPPED, runs=5, copies=9, printed_s=60),
    Tally(key="p2", state=RunState.LOST, runs=1),
    Tally(key="p2", state=RunState.DISCARDED, runs=1),
)
SPELLS = (
    SpellSum(printer_id=PrinterId("p1"), status=PrinterStatus.BUSY, seconds=3000),
    SpellSum(
        printer_id=PrinterId("p1"), status=PrinterStatus.NEEDS_CLEARING, seconds=1000, clearings=4
    ),
    SpellSum(printer_id=PrinterId("p3"), status=PrinterStatus.OFFLINE, seconds=500),
)


def test_figures_are_of_runs_and_of_time() -> None:
    one, two, three = figures(TALLIES, SPELLS, {"p1": "p1", "p2": "p2", "p3": "p3"})
    assert (one.key, one.finished, one.failed, one.cancelled, one.lost) == ("p1", 3, 1, 5, 0)
    assert (one.copies, one.printed_s, one.filament_g, one.cost) == (6, 7860, 32, 3)
    assert one.success == 0.75  # who stops a print says nothing of the printer
    assert one.of_estimate == pytest.approx(1.1)
    assert one.shares == {PrinterStatus.BUSY: 0.75, PrinterStatus.NEEDS_CLEARING: 0.25}
    assert one.clearing_s == 250
    assert (two.key, two.lost, two.success, two.shares, two.clearing_s) == ("p2", 2, 0, {}, None)
    assert (three.key, three.success, three.of_estimate) == ("p3", None, None)
    assert three.shares == {PrinterStatus.OFFLINE: 1}


def test_printers_are_put_together_by_key_and_others_left_out() -> None:
    [lab] = figures((), SPELLS, {"p1": "lab", "p9": "hall"})
    assert (lab.key, sum(lab.seconds.values())) == ("lab", 4000)
    assert figures(TALLIES[:1])[0].seconds == {}


def test_the_total_is_of_all() -> None:
    farm = total(TALLIES, SPELLS)
    assert (farm.finished, farm.failed, farm.cancelled, farm.lost) == (3, 1, 5, 2)
    assert sum(farm.seconds.values()) == 4500


def test_reasons_that_differ_in_numbers_only_are_one() -> None:
    found = reasons([("line 7: too cold", 2), ("line 812: too cold", 3), ("it fell", 4)])
    assert found == [Reason(words="line …: too cold", runs=5), Reason(words="it fell", runs=4)]
    assert len(reasons([(f"reason {chr(97 + n)}", 1) for n in range(20)])) == REASONS_MAX
