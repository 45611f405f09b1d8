"""A job's runs, counted, say where it stands."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordinator.domain.controls import reorder
from coordinator.domain.copies import COUNTED, follow, tally, with_run
from coordinator.domain.jobs import ENDED, OPEN, Job, JobState
from coordinator.domain.runs import LIVE, Run, RunState
from coordinator.errors import NotNow
from tests.fakes.values import JOB, NOW, run_in

S = RunState

# Runs, each with the copies on its plate.
RUNS = st.lists(st.tuples(st.sampled_from(RunState), st.integers(1, 5)), max_size=8).map(
    lambda rows: [
        replace(run_in(state, number), copies=copies) for number, (state, copies) in enumerate(rows)
    ]
)
STATES = st.lists(st.sampled_from(RunState), max_size=8)
JOBS = st.builds(
    lambda copies, retries, state: replace(JOB, copies=copies, retries_max=retries, state=state),
    st.integers(min_value=1, max_value=4),
    st.integers(min_value=0, max_value=2),
    st.sampled_from([*OPEN, JobState.CANCELLING, JobState.LOST]),
)


def runs_in(states: list[RunState]) -> list[Run]:
    return [run_in(state, number) for number, state in enumerate(states)]


@pytest.mark.parametrize(
    ("copies", "states", "wanted", "state"),
    [
        (1, [], 1, JobState.READY),
        (2, [S.LEASED], 1, JobState.LEASED),
        (2, [S.PERMITTED, S.PRINTING], 0, JobState.PRINTING),
        (2, [S.FINISHED], 1, JobState.READY),
        (1, [S.FINISHED], 0, JobState.FINISHED),
        (1, [S.REVOKED, S.REVOKED, S.DISCARDED], 1, JobState.READY),
        (1, [S.FAILED], 1, JobState.READY),
        (1, [S.FAILED, S.FAILED], 0, JobState.FAILED),
        (3, [S.FAILED, S.FAILED, S.PRINTING], 0, JobState.PRINTING),
        (3, [S.FAILED, S.FAILED, S.FINISHED], 0, JobState.FAILED),
        (1, [S.LOST], 0, JobState.LOST),
        (2, [S.LOST], 1, JobState.READY),
        (2, [S.LOST, S.FINISHED], 0, JobState.LOST),
        (1, [S.STOPPED], 0, JobState.FAILED),
        (1, [S.FAILED, S.FINISHED], 0, JobState.FINISHED),
    ],
)
def test_where_runs_leave_a_job(
    copies: int, states: list[RunState], wanted: int, state: JobState
) -> None:
    job, runs = replace(JOB, copies=copies, retries_max=1), runs_in(states)
    assert tally(job, runs).wanted == wanted
    assert follow(job, runs, NOW)[0].state is state


@given(JOBS, STATES)
def test_no_more_copies_are_under_way_than_were_asked_for(job: Job, states: list[RunState]) -> None:
    runs = runs_in(states)
    count = tally(job, runs)
    assert count.wanted >= 0
    if count.wanted:
        assert count.finished + count.live + count.lost + count.wanted <= job.copies


@given(JOBS, RUNS)
def test_each_run_counts_for_exactly_the_copies_on_its_plate(job: Job, runs: list[Run]) -> None:
    count = tally(job, runs)
    counted = [run.copies for run in runs if run.state in COUNTED]
    assert count.finished == sum(run.copies for run in runs if run.state is S.FINISHED)
    assert count.live == sum(run.copies for run in runs if run.live)
    assert count.wanted in (0, max(0, job.copies - sum(counted)))
    finished = follow(job, runs, NOW)[0].state is JobState.FINISHED
    assert not finished or (count.finished >= job.copies and not count.live)
    # One copy a plate is the same as many runs of one.
    apart = [run_in(run.state, 9) for run in runs for _ in range(run.copies)]
    assert (tally(job, apart).finished, tally(job, apart).live) == (count.finished, count.live)


@given(JOBS, STATES)
def test_a_job_ends_only_when_nothing_of_it_lives(job: Job, states: list[RunState]) -> None:
    moved, _ = follow(job, runs_in(states), NOW)
    if moved.state in ENDED or moved.state is JobState.LOST:
        assert not any(state in LIVE for state in states) or moved is job


@given(JOBS, STATES)
def test_following_twice_changes_nothing_more(job: Job, states: list[RunState]) -> None:
    once, _ = follow(job, runs_in(states), NOW)
    twice, _ = follow(once, runs_in(states), NOW)
    assert twice is once


@given(JOBS, STATES)
def test_a_quiet_job_has_ended_or_waits_for_a_printer_or_a_person(
    job: Job, states: list[RunState]
) -> None:
    quiet = [state for state in states if state not in LIVE]
    moved, _ = follow(job, runs_in(quiet), NOW)
    if moved.state in ENDED:
        return
    if moved.state is JobState.LOST:
        assert RunState.LOST in quiet
    else:
        assert moved.state is JobState.READY
        assert tally(moved, runs_in(quiet)).wanted


def test_a_cancelled_job_is_not_finished_by_a_run_that_was_faster() -> None:
    job = replace(JOB, state=JobState.CANCELLING)
    assert follow(job, runs_in([S.PRINTING]), NOW)[0].state is JobState.CANCELLING
    assert follow(job, runs_in([S.FINISHED]), NOW)[0].state is JobState.CANCELLED


def test_a_job_that_fails_says_why() -> None:
    runs = [run_in(S.FAILED, 1, "warped"), run_in(S.FAILED, 2, "came loose")]
    job, _ = follow(JOB, runs, NOW)
    assert job.reason == "0 of 1 copies finished; runs: 2 failed (came loose)"


def test_a_changed_run_takes_the_place_of_the_old_one() -> None:
    old, other = run_in(S.LEASED, 1), run_in(S.LEASED, 2)
    new = replace(old, state=S.REVOKED)
    assert with_run([old, other], new) == [other, new]


@pytest.mark.parametrize(
    ("states", "copies", "state"),
    [
        ([S.FINISHED, S.FINISHED], 2, JobState.FINISHED),
        ([S.FINISHED, S.PRINTING], 2, JobState.PRINTING),
        ([S.FINISHED, S.PRINTING], 9, JobState.PRINTING),
        ([S.FINISHED, S.FAILED], 1, JobState.FINISHED),
        ([S.FINISHED, S.LOST], 2, JobState.LOST),
        ([], 1, JobState.READY),
    ],
)
def test_another_number_of_copies_moves_a_job_where_its_runs_have_it_then(
    states: list[RunState], copies: int, state: JobState
) -> None:
    runs = runs_in(states)
    job = follow(replace(JOB, copies=5, state=JobState.READY), runs, NOW)[0]
    changed, _ = reorder(job, runs, {"copies": copies}, NOW)
    assert (changed.copies, changed.state) == (copies, state)


@pytest.mark.parametrize("states", [[S.FINISHED, S.LEASED], [S.PRINTING, S.LOST]])
def test_copies_that_are_made_or_being_made_are_not_taken_back(states: list[RunState]) -> None:
    runs = runs_in(states)
    job = follow(replace(JOB, copies=5, state=JobState.READY), runs, NOW)[0]
    with pytest.raises(NotNow, match="2 copies"):
        reorder(job, runs, {"copies": 1}, NOW)
