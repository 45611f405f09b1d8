"""Which printer may print what, and which does."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordinator.domain import planning
from coordinator.domain.jobs import Job
from coordinator.domain.matching import (
    UNSLICED,
    misfits,
    obstacles,
    plate_for,
    unready,
    wish_misfits,
)
from coordinator.domain.planning import Pool, Want, plan
from coordinator.domain.plates import Plate, PlateState
from coordinator.domain.printers import Bed, BedState, Printer, PrinterStatus, status_of
from coordinator.domain.runs import Run, RunState
from protocols.wire.vocabulary import Epoch, JobId, PrinterId, PrinterState
from tests.fakes.values import JOB, NOW, PLATE, PRINTER, run_in

MODEL = "b" * 64
ANY_PLATE = replace(PLATE, printer_class="", material="")


def codes(job: Job, printer: Printer, run: Run | None = None) -> list[str]:
    return [each.code for each in obstacles(job, [PLATE], printer, run)]


def test_an_idle_clear_printer_of_the_class_may_print() -> None:
    assert codes(JOB, PRINTER) == []
    assert status_of(PRINTER, None) is PrinterStatus.IDLE


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"printer_class": "xl"}, "no_plate"),
        ({"material": "PETG"}, "material_differs"),
        ({"material": ""}, "material_unknown"),
        ({"online": False}, "offline"),
        ({"seen": PrinterState.OFFLINE}, "printer_offline"),
        ({"in_service": True}, "in_service"),
        ({"seen": PrinterState.HALTED}, "faulted"),
        ({"seen": PrinterState.ATTENTION}, "faulted"),
        ({"seen": PrinterState.PRINTING}, "busy"),
        ({"foreign": True}, "foreign"),
        ({"quarantine": "a clone"}, "quarantined"),
        ({"bed": Bed(state=BedState.OCCUPIED)}, "bed_not_clear"),
        ({"bed": Bed(state=BedState.UNKNOWN)}, "bed_not_clear"),
    ],
)
def test_each_fact_that_is_in_the_way_is_told(change: dict[str, object], code: str) -> None:
    assert codes(JOB, replace(PRINTER, **change)) == [code]  # type: ignore[arg-type]


def test_a_printer_of_an_agent_that_is_drained_gets_nothing_new() -> None:
    assert [each.code for each in unready(PRINTER, None, draining=True)] == ["draining"]
    offline = unready(replace(PRINTER, online=False), None, draining=True)
    assert [each.code for each in offline] == ["offline"]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"printer_id": PrinterId("p9")}, "other_printer"),
        ({"printer_class": "xl"}, "other_class"),
        ({"material": "PETG"}, "material_differs"),
    ],
)
def test_each_wish_that_is_not_met_is_told(change: dict[str, object], code: str) -> None:
    assert codes(replace(JOB, **change), PRINTER) == [code]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"printer_class": "xl"}, "not_sliced"),
        ({"printer_class": "xl", "material": ""}, "material_unknown"),
        ({}, ""),
    ],
)
def test_a_model_can_be_sliced_for_a_class_without_a_plate(
    change: dict[str, object], code: str
) -> None:
    found = codes(replace(JOB, model_sha256=MODEL), replace(PRINTER, **change))  # type: ignore[arg-type]
    assert code in found if code else not found
    assert bool(set(found) - UNSLICED) == (code == "material_unknown")


@pytest.mark.parametrize(
    ("state", "code"),
    [(PlateState.WANTED, "slicing"), (PlateState.REFUSED, "plate_refused")],
)
def test_a_plate_that_is_not_made_is_told_of(state: PlateState, code: str) -> None:
    found = misfits(JOB, [replace(PLATE, state=state, reason="too large")], PRINTER)
    assert [each.code for each in found] == [code]


def test_a_printer_that_holds_a_lease_is_busy() -> None:
    assert codes(JOB, PRINTER, run_in(RunState.LEASED)) == ["busy"]
    assert codes(JOB, PRINTER, run_in(RunState.FINISHED)) == []


def test_materials_are_the_same_in_any_case() -> None:
    assert codes(replace(JOB, material="pla"), PRINTER) == []


def test_a_plate_of_the_class_goes_before_one_for_any() -> None:
    assert plate_for([ANY_PLATE, PLATE], PRINTER) is PLATE
    assert plate_for([ANY_PLATE], PRINTER) is ANY_PLATE
    assert plate_for([replace(PLATE, printer_class="xl")], PRINTER) is None


@pytest.mark.parametrize(
    ("change", "run", "status"),
    [
        ({"in_service": True, "online": False}, None, PrinterStatus.IN_SERVICE),
        ({"online": False, "quarantine": "x"}, None, PrinterStatus.OFFLINE),
        ({"seen": PrinterState.OFFLINE}, RunState.PRINTING, PrinterStatus.OFFLINE),
        ({"quarantine": "x"}, RunState.PRINTING, PrinterStatus.FAULTED),
        ({"seen": PrinterState.HALTED}, None, PrinterStatus.FAULTED),
        ({"seen": PrinterState.ATTENTION}, RunState.PRINTING, PrinterStatus.BUSY),
        ({"seen": PrinterState.ATTENTION}, None, PrinterStatus.FAULTED),
        ({"foreign": True}, None, PrinterStatus.BUSY),
        ({}, RunState.PAUSED, PrinterStatus.BUSY),
        ({}, RunState.LEASED, PrinterStatus.RESERVED),
        ({}, RunState.PERMITTED, PrinterStatus.RESERVED),
        ({"bed": Bed()}, None, PrinterStatus.NEEDS_CLEARING),
        ({"bed": Bed()}, RunState.FINISHED, PrinterStatus.NEEDS_CLEARING),
    ],
)
def test_the_most_pressing_fact_is_the_status(
    change: dict[str, object], run: RunState | None, status: PrinterStatus
) -> None:
    held = run_in(run) if run is not None else None
    assert status_of(replace(PRINTER, **change), held) is status  # type: ignore[arg-type]


@given(
    st.builds(
        replace,
        st.just(PRINTER),
        online=st.booleans(),
        in_service=st.booleans(),
        foreign=st.booleans(),
        quarantine=st.sampled_from(["", "x"]),
        seen=st.sampled_from(PrinterState),
        bed=st.builds(Bed, state=st.sampled_from(BedState)),
    ),
    st.sampled_from([None, *RunState]),
)
def test_a_printer_is_idle_exactly_when_nothing_is_against_a_lease(
    printer: Printer, state: RunState | None
) -> None:
    run = run_in(state) if state is not None else None
    assert (status_of(printer, run) is PrinterStatus.IDLE) == (not unready(printer, run))


def job(name: str, *, priority: int = 0, after_s: int = 0, **fields: object) -> Job:
    created = NOW + timedelta(seconds=after_s)
    made = replace(JOB, job_id=JobId(name), priority=priority, created_at=created)
    return replace(made, **fields)  # type: ignore[arg-type]


def want(job: Job, copies: int = 1, avoid: tuple[str, ...] = (), plate: Plate = ANY_PLATE) -> Want:
    return Want(
        job=job, plates=(plate,), copies=copies, avoid=frozenset(PrinterId(each) for each in avoid)
    )


def printer(name: str, epoch: int = 0, **fields: object) -> Printer:
    made = replace(PRINTER, printer_id=PrinterId(name), epoch=Epoch(epoch))
    return replace(made, **fields)  # type: ignore[arg-type]


def pairs(wants: list[Want], free: list[Printer]) -> list[tuple[str, str]]:
    return [(each.job.job_id, each.printer.printer_id) for each in plan(wants, free)]


def test_priority_goes_before_arrival() -> None:
    wants = [want(job("early")), want(job("urgent", priority=1, after_s=9))]
    assert pairs(wants, [printer("p1")]) == [("urgent", "p1")]


def test_of_equal_jobs_the_first_to_arrive_is_served() -> None:
    wants = [want(job("later", after_s=1)), want(job("early"))]
    assert pairs(wants, [printer("p1")]) == [("early", "p1")]


def test_of_equal_priority_what_is_due_first_is_served_first() -> None:
    due = want(job("due", after_s=9, due_at=NOW + timedelta(days=2)))
    soon = want(job("soon", after_s=9, due_at=NOW + timedelta(days=1)))
    urgent = want(job("urgent", after_s=10, priority=1))
    free = [printer("p1"), printer("p2"), printer("p3")]
    placed = pairs([want(job("early")), due, soon, urgent], free)
    assert [name for name, _ in placed] == ["urgent", "soon", "due"]


def test_a_job_goes_only_where_its_group_and_all_its_tags_are() -> None:
    lab = printer("p1", printer_group="lab", tags=("enclosed", "fast"))
    hall = printer("p2", printer_group="hall", tags=("fast",))
    assert pairs([want(job("j", printer_group="lab"))], [hall, lab]) == [("j", "p1")]
    assert pairs([want(job("j", printer_tags=("enclosed", "fast")))], [hall]) == []
    assert pairs([want(job("j", printer_tags=("fast",)), copies=2)], [hall, lab]) == [
        ("j", "p1"),
        ("j", "p2"),
    ]
    words = [each.words for each in wish_misfits(job("j", printer_tags=("big", "fast")), hall)]
    assert words == ["the job is for printers with the tag big only"]


@given(
    asked=st.sampled_from([("", ()), ("lab", ()), ("", ("fast",)), ("lab", ("fast",))]),
    given_group=st.sampled_from(["", "lab", "hall"]),
    tags=st.sampled_from([(), ("fast",), ("big", "fast")]),
)
def test_a_pool_never_leaves_out_what_would_be_placed(
    asked: tuple[str, tuple[str, ...]], given_group: str, tags: tuple[str, ...]
) -> None:
    wanted = job("j", printer_group=asked[0], printer_tags=asked[1])
    pool = Pool([printer("p1", printer_group=given_group, tags=tags)], ())
    placed = plan([want(wanted)], [printer("p1", printer_group=given_group, tags=tags)])
    assert pool.may_suit(wanted) == bool(placed)


def test_the_printer_that_was_leased_least_is_taken_first() -> None:
    assert pairs([want(job("j"))], [printer("p1", 5), printer("p2", 3)]) == [("j", "p2")]


def test_a_printer_that_another_job_insists_on_is_left_to_it() -> None:
    picky = want(job("picky", after_s=1, printer_id=PrinterId("p1")))
    free = [printer("p1"), printer("p2", 9)]
    assert sorted(pairs([want(job("any")), picky], free)) == [("any", "p2"), ("picky", "p1")]


def test_where_a_run_went_wrong_is_taken_last_but_taken() -> None:
    free = [printer("p1"), printer("p2", 9)]
    assert pairs([want(job("j"), avoid=("p1",))], free) == [("j", "p2")]
    assert pairs([want(job("j"), avoid=("p1", "p2"))], free) == [("j", "p1")]


_CLASSES, _MATERIALS = ["mk4", "xl", "mini"], ["PLA", "PETG", ""]
_PRINTERS = st.lists(
    st.tuples(st.sampled_from(_CLASSES), st.sampled_from(_MATERIALS), st.integers(0, 3)),
    max_size=12,
).map(
    lambda rows: [
        printer(f"p{number}", epoch, printer_class=cls, material=material)
        for number, (cls, material, epoch) in enumerate(rows)
    ]
)
_WANTS = st.lists(
    st.tuples(
        st.integers(-1, 1),
        st.integers(1, 3),
        st.sampled_from(["", *_CLASSES]),
        st.sampled_from(_MATERIALS),
        st.sampled_from([None, "p0", "p3"]),
        st.sampled_from([None, MODEL]),
        st.sampled_from(PlateState),
    ),
    max_size=6,
).map(
    lambda rows: [
        want(
            job(
                f"j{number}",
                priority=priority,
                material=material,
                printer_id=target,
                model_sha256=model,
            ),
            copies,
            plate=replace(PLATE, printer_class=cls, material="", state=state),
        )
        for number, (priority, copies, cls, material, target, model, state) in enumerate(rows)
    ]
)


def codes_of(want: Want, printer: Printer) -> set[str]:
    return {each.code for each in misfits(want.job, want.plates, printer)}


@given(st.integers(1, 12), st.integers(1, 5), st.integers(0, 8))
def test_no_more_plates_are_placed_than_the_copies_need(
    copies: int, on_each: int, free: int
) -> None:
    each = want(job("j"), copies, plate=replace(ANY_PLATE, copies=on_each))
    placed = plan([each], [printer(f"p{number}") for number in range(free)])
    assert len(placed) == min(free, -(-copies // on_each))


@given(_WANTS, _PRINTERS)
def test_a_plan_is_right_full_and_always_the_same(wants: list[Want], free: list[Printer]) -> None:
    placed = plan(wants, free)
    taken = [each.printer.printer_id for each in placed]
    assert len(taken) == len(set(taken))
    left = [each for each in free if each.printer_id not in taken]
    for each in wants:
        mine = [placement for placement in placed if placement.job is each.job]
        assert len(mine) <= each.copies
        for placement in mine:
            assert codes_of(each, placement.printer) <= UNSLICED
            is_made = placement.plate is not None and placement.plate.state is PlateState.MADE
            assert is_made == (not codes_of(each, placement.printer))
        if len(mine) < each.copies:
            assert all(codes_of(each, one) - UNSLICED for one in left)
    assert plan(wants[::-1], free[::-1]) == placed


def test_the_work_grows_with_groups_of_printers_not_with_printers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looked: list[Printer] = []

    def count(job: Job, plates: object, one: Printer) -> tuple[object, ...]:
        looked.append(one)
        return misfits(job, plates, one)  # type: ignore[arg-type]

    monkeypatch.setattr(planning, "misfits", count)
    free = [printer(f"p{n}", material=("PLA", "PETG")[n % 2]) for n in range(1000)]
    wants = [want(job(f"j{n}", after_s=n, material="PLA"), copies=2) for n in range(300)]
    assert len(plan(wants, free)) == 500
    assert len(looked) <= 2 * len(wants)
