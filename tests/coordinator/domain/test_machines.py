"""The tables: what leads where, and what leads nowhere."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordinator.domain import jobs, printers, runs
from coordinator.domain.effects import Note, Poke, RaiseEpoch, Save, Say, Work, in_order
from coordinator.domain.jobs import ENDED, JobEvent, JobState
from coordinator.domain.printers import BED, BedEvent, BedState
from coordinator.domain.runs import LIVE, RunChange, RunState
from coordinator.errors import IllegalTransition
from protocols.wire.vocabulary import Epoch, Nonce, PrinterId
from tests.fakes.values import JOB, NOW, PRINTER, RUN, run_in

LATER = NOW + timedelta(seconds=1)


@given(st.sampled_from(JobState), st.sampled_from(JobEvent))
def test_a_job_moves_by_its_table_or_not_at_all(state: JobState, event: JobEvent) -> None:
    job = replace(JOB, state=state)
    if (state, event) not in jobs.MACHINE.table:
        with pytest.raises(IllegalTransition, match=f"a job that is {state} can't {event}"):
            jobs.advance(job, event, LATER)
        return
    moved, effects = jobs.advance(job, event, LATER, reason="so")
    assert moved.state is jobs.MACHINE.table[state, event]
    assert (moved.version, moved.updated_at, moved.reason) == (job.version + 1, LATER, "so")
    assert effects[0] == Save(moved)
    assert isinstance(effects[1], Note)


def test_an_ended_job_never_moves_again() -> None:
    assert not any(state in ENDED for state, _ in jobs.MACHINE.table)


@pytest.mark.parametrize("start", [state for state in JobState if state not in ENDED])
def test_from_every_open_job_an_end_can_be_reached(start: JobState) -> None:
    reached, rest = {start}, [start]
    while rest:
        here = rest.pop()
        for (state, _), target in jobs.MACHINE.table.items():
            if state is here and target not in reached:
                reached.add(target)
                rest.append(target)
    assert reached & ENDED


@given(st.sampled_from(RunState), st.sampled_from(RunChange))
def test_a_run_that_has_ended_never_lives_again(state: RunState, change: RunChange) -> None:
    target = runs.MACHINE.table.get((state, change))
    if state not in LIVE and target is not None:
        assert target not in LIVE


def test_only_an_unpermitted_run_can_be_revoked_without_its_agent() -> None:
    states = [state for state, change in runs.MACHINE.table if change is RunChange.REVOKE]
    assert states == [RunState.LEASED]


def test_a_run_that_prints_is_not_released() -> None:
    for state in (RunState.PRINTING, RunState.PAUSED, RunState.FINISHED):
        with pytest.raises(IllegalTransition):
            runs.advance(run_in(state), RunChange.RELEASE, NOW)


@pytest.mark.parametrize(
    "change", [RunChange.RELEASE, RunChange.FAIL, RunChange.STOP, RunChange.START]
)
def test_a_lost_run_is_not_found_by_an_agent_that_may_have_forgotten(change: RunChange) -> None:
    lost = replace(run_in(RunState.LOST, reason="wiped"), ended_at=NOW)
    moved, _ = runs.advance(lost, change, LATER)
    assert (moved.state, moved.reason, moved.ended_at) == (RunState.LOST, "wiped", NOW)


def test_times_are_those_of_start_and_end() -> None:
    permitted, _ = runs.advance(RUN, RunChange.PERMIT, NOW, nonce=Nonce("n1"))
    started, _ = runs.advance(permitted, RunChange.START, LATER)
    assert (started.started_at, started.ended_at, started.nonce) == (LATER, None, "n1")
    ended, _ = runs.advance(started, RunChange.FINISH, LATER + timedelta(hours=1))
    assert (ended.started_at, ended.ended_at) == (LATER, LATER + timedelta(hours=1))


@given(st.lists(st.sampled_from(BedEvent)))
def test_a_bed_is_clear_only_after_somebody_said_so_last(events: list[BedEvent]) -> None:
    state = BedState.UNKNOWN
    for event in events:
        if event is BedEvent.ABANDON and state is not BedState.CLEARING:
            with pytest.raises(IllegalTransition):
                BED.after(state, event)
        else:
            state = BED.after(state, event)
        assert (state is BedState.CLEAR) <= (event in (BedEvent.DECLARE_CLEAR, BedEvent.ABANDON))


@given(st.lists(st.tuples(st.booleans(), st.integers(min_value=0, max_value=9)), max_size=20))
def test_the_count_of_things_on_a_bed_never_falls_in_one_memory(
    happenings: list[tuple[bool, int]],
) -> None:
    printer = PRINTER
    for occupies, occupation in happenings:
        before = printer.bed.occupation
        if occupies:
            printer = printers.occupied(printer, NOW, occupation=occupation, by="agent:a1")
        else:
            printer = printers.cleared(printer, NOW, by="user:anna")
            assert printer.bed.cleared == printer.bed.occupation
        assert printer.bed.occupation >= before


_EFFECTS = st.sampled_from(
    [
        RaiseEpoch(PrinterId("p1"), Epoch(0)),
        Save(JOB),
        Save(RUN),
        Note(subject="job", subject_id="job-1", name="job.ready"),
        Say(PrinterId("p1")),
        Say(PrinterId("p2")),
        Poke(Work.OUTBOX),
    ]
)


@given(st.lists(_EFFECTS))
def test_effects_are_raised_saved_noted_said_and_poked_in_this_order(effects: list) -> None:
    order = [RaiseEpoch, Save, Note, Say, Poke]
    kinds = [order.index(type(effect)) for effect in in_order(effects)]
    assert kinds == sorted(kinds)


@given(st.lists(_EFFECTS))
def test_ordering_loses_nothing_but_what_is_said_twice(effects: list) -> None:
    ordered = list(in_order(effects))
    for effect in effects:
        said = isinstance(effect, Say | Poke)
        assert ordered.count(effect) == (1 if said else effects.count(effect))


@given(st.permutations([Save(replace(JOB, version=number)) for number in range(4)]))
def test_of_several_saves_the_last_stays_last(effects: list) -> None:
    assert list(in_order(effects)) == effects
