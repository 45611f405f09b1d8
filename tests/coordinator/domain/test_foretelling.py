"""When and where a job starts is foretold by the farm's own planning, played ahead."""

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordinator.domain import planning
from coordinator.domain.foretelling import Seat, Turn, foretell, play_ahead
from coordinator.domain.jobs import Job
from coordinator.domain.matching import Obstacle, misfits
from coordinator.domain.planning import Want, plan
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


CLASSES = ("mk4", "xl")


def anew(wants: list[Want], seats: list[Seat]) -> list[tuple[str, str, float]]:
    """What is played ahead, said plainly: with each step all that is free is planned anew."""
    free_in_s = {seat.printer.printer_id: seat.free_in_s for seat in seats}
    waiting = {want.job.job_id: want for want in wants}
    found, now_s = [], 0.0
    while waiting and now_s < math.inf:
        free = [each.printer for each in seats if free_in_s[each.printer.printer_id] <= now_s]
        for placed in plan(waiting.values(), free):
            taken_s = hundred_s(placed.plate, placed.printer)
            free_in_s[placed.printer.printer_id] = now_s + taken_s
            missing = waiting.pop(placed.job.job_id)
            if missing.copies > placed.copies:
                left = replace(missing, copies=missing.copies - placed.copies)
                waiting[placed.job.job_id] = left
            found.append((str(placed.job.job_id), str(placed.printer.printer_id), now_s))
        now_s = min((at_s for at_s in free_in_s.values() if at_s > now_s), default=math.inf)
    return found


@given(
    st.lists(
        st.tuples(
            st.sampled_from(CLASSES),
            st.integers(1, 4),
            st.sampled_from((None, "p-0", "p-1", "p-9")),
            st.integers(0, 1),
        ),
        max_size=8,
    ),
    st.lists(st.tuples(st.sampled_from(CLASSES), st.integers(0, 300)), max_size=5),
)
def test_who_is_looked_at_once_gets_what_planning_all_anew_with_each_step_would_give(
    jobs: list[tuple[str, int, str | None, int]], printers: list[tuple[str, int]]
) -> None:
    wants = [
        want(
            job(number, printer_id=insists and PrinterId(insists), priority=priority),
            printer_class=printer_class,
            copies=copies,
        )
        for number, (printer_class, copies, insists, priority) in enumerate(jobs)
    ]
    seats = [
        Seat(printer=printer(f"p-{number}", printer_class), free_in_s=float(at_s))
        for number, (printer_class, at_s) in enumerate(printers)
    ]
    played = [
        (str(each.placement.job.job_id), str(each.placement.printer.printer_id), each.in_s)
        for each in play_ahead(wants, seats, hundred_s)
    ]
    assert played == anew(wants, seats)


def test_whether_a_job_suits_a_kind_of_printers_is_found_out_once_on_a_large_farm(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looked: list[tuple[str, str]] = []

    def counted(job: Job, plates: Sequence[Plate], printer: Printer) -> tuple[Obstacle, ...]:
        looked.append((job.job_id, printer.printer_class))
        return misfits(job, plates, printer)

    monkeypatch.setattr(planning, "misfits", counted)
    classes = ("mk4", "xl", "mini")
    wants = [
        want(job(number), printer_class=("nobody's", *classes)[number % 4], copies=5)
        for number in range(100)
    ]
    seats = [
        Seat(printer=printer(f"p-{number:03}", classes[number % 3]), free_in_s=7.0 * number)
        for number in range(300)
    ]
    assert len(list(play_ahead(wants, seats, hundred_s))) == 75 * 5
    assert len(looked) == len(set(looked)) <= 100 * 3
