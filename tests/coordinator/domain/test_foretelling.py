"""When and where a job starts is foretold by the farm's own planning, played ahead."""

import math
from dataclasses import replace
from datetime import timedelta

import pytest

from coordinator.domain.foretelling import Seat, Turn, foretell
from coordinator.domain.jobs import Job
from coordinator.domain.planning import Want
from coordinator.domain.plates import Plate
from coordinator.domain.printers import Printer
from protocols.wire.vocabulary import JobId, PrinterId
from tests.fakes.values import JOB, NOW, PLATE, PRINTER


def printer(name: str, printer_class: str = "mk4") -> Printer:
    return replace(PRINTER, printer_id=PrinterId(name), printer_class=printer_class)


def job(number: int, **fields: object) -> Job:
    made = replace(JOB, job_id=JobId(f"job-{number}"), material="")
    return replace(made, created_at=NOW + timedelta(seconds=number), **fields)


def want(job: Job, *, printer_class: str = "mk4", copies: int = 1) -> Want:
    plate = replace(PLATE, job_id=job.job_id, printer_class=printer_class, material="")
    return Want(job=job, plates=(replace(plate, copies=1, time_s=100.0),), copies=copies)


def hundred_s(plate: Plate | None, printer: Printer) -> float:
    return 100.0 if plate is not None else math.inf


def turn(wants: list[Want], *seats: tuple[Printer, float]) -> tuple[str, float] | None:
    """Where and when the last of these jobs starts."""
    made = [Seat(printer=each, free_in_s=at_s) for each, at_s in seats]
    found: Turn | None = foretell(wants[-1].job.job_id, wants, made, hundred_s)
    return None if found is None else (found.printer.printer_id, found.in_s)


def test_a_free_printer_takes_the_first_job_now() -> None:
    assert turn([want(job(1))], (printer("a"), 0.0)) == ("a", 0.0)


def test_jobs_before_it_go_first_and_take_their_time() -> None:
    queue = [want(job(number)) for number in (1, 2, 3)]
    assert turn(queue, (printer("a"), 0.0)) == ("a", 200.0)
    assert turn(queue, (printer("a"), 0.0), (printer("b"), 30.0)) == ("a", 100.0)


def test_all_copies_before_it_count() -> None:
    assert turn([want(job(1), copies=3), want(job(2))], (printer("a"), 0.0)) == ("a", 300.0)


def test_a_higher_priority_goes_first() -> None:
    urgent = want(job(2, priority=5))
    assert turn([want(job(1)), urgent], (printer("a"), 50.0)) == ("a", 50.0)


def test_only_printers_that_suit_it_count() -> None:
    seats = (printer("a", "xl"), 0.0), (printer("b"), 500.0)
    assert turn([want(job(1))], *seats) == ("b", 500.0)
    insists = want(job(1, printer_id=PrinterId("c")))
    assert turn([insists], (printer("b"), 0.0), (printer("c"), 70.0)) == ("c", 70.0)


@pytest.mark.parametrize("seats", [{}, {"xl": 0.0}, {"mk4": math.inf}])
def test_where_no_printer_will_take_it_nothing_is_foretold(seats: dict[str, float]) -> None:
    given = [(printer(f"p-{name}", name), at_s) for name, at_s in seats.items()]
    assert turn([want(job(1))], *given) is None


def test_behind_a_plate_of_which_nobody_knows_how_long_it_takes_nothing_is_foretold() -> None:
    unsliced = Want(job=job(1, model_sha256="0" * 64), plates=(), copies=1)
    one = replace(printer("a"), material="PLA")
    assert turn([unsliced, want(job(2))], (one, 0.0)) is None
    other = replace(printer("b"), material="PLA")
    assert turn([unsliced, want(job(2))], (one, 0.0), (other, 900.0)) == ("b", 900.0)
