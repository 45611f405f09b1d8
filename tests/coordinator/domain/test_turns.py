"""A job that is moved stands where it was put, and nobody else changes places."""

import random
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordinator.domain.jobs import Job
from coordinator.domain.planning import precedence
from coordinator.domain.turns import moved, put
from protocols.wire.vocabulary import JobId
from tests.fakes.values import JOB, NOW

# Few enough that many are alike: due at the same time, come in the same microsecond.
SECONDS = st.sampled_from([0.0, 0.000001, 0.000002, 1.0, 60.0])
JOBS = st.tuples(st.integers(-1, 1), st.none() | SECONDS, SECONDS)


def job(name: str, priority: int = 0, due_s: float | None = None, after_s: float = 0.0) -> Job:
    due_at = None if due_s is None else NOW + timedelta(days=1, seconds=due_s)
    created_at = NOW + timedelta(seconds=after_s)
    return replace(JOB, job_id=JobId(name), priority=priority, due_at=due_at, created_at=created_at)


def after_moving(queue: list[Job], number: int, to: int) -> list[Job]:
    """Return the queue as it is served after a job was put at the index `to` of the others."""
    mover = queue[number]
    others = [*queue[:number], *queue[number + 1 :]]
    ahead = others[to - 1] if to else None
    places = put(mover, ahead, others[to : to + 1])
    if len(places) > 1:
        places = put(mover, ahead, others[to:])
    changed = {each.job_id: each for each in places}
    return sorted((changed.get(each.job_id, each) for each in queue), key=precedence)


@given(st.lists(JOBS, min_size=1, max_size=8), st.randoms(use_true_random=False))
def test_whoever_is_moved_however_often_stands_where_they_were_put(
    said: list[tuple[int, float | None, float]], chance: random.Random
) -> None:
    queue = sorted(
        (job(f"job-{number}", *each) for number, each in enumerate(said)), key=precedence
    )
    for _ in range(30):
        number, to = chance.randrange(len(queue)), chance.randrange(len(queue))
        expected = [each.job_id for each in queue]
        expected.insert(to, expected.pop(number))
        queue = after_moving(queue, number, to)
        assert [each.job_id for each in queue] == expected


def test_between_two_of_another_priority_a_job_gets_theirs_and_else_keeps_its_own() -> None:
    queue = [job("a", 9), job("b", 5), job("c", 5), job("d")]
    assert [each.priority for each in after_moving(queue, 3, 2)] == [9, 5, 5, 5]
    assert [each.priority for each in after_moving(queue, 0, 2)] == [5, 5, 5, 0]
    assert [each.priority for each in after_moving(queue, 3, 3)] == [9, 5, 5, 0]


def test_a_job_keeps_its_own_due_date_wherever_it_is_put() -> None:
    queue = [job("due", due_s=0.0), job("a"), job("b")]
    placed = after_moving(queue, 0, 2)[2]
    assert (placed.job_id, placed.due_at) == ("due", NOW + timedelta(days=1))


def test_only_those_without_room_between_them_are_pushed() -> None:
    queue = [job("a"), job("b"), job("c", after_s=0.0005), job("d", after_s=9.0), job("e")]
    queue = sorted(queue, key=precedence)
    assert [each.job_id for each in queue] == ["a", "b", "e", "c", "d"]
    placed = put(queue[4], queue[0], queue[1:4])
    assert [each.job_id for each in placed] == ["b", "e", "c", "d"]
    assert [each.job_id for each in put(queue[4], queue[3], ())] == ["d"]


@pytest.mark.parametrize("alone", [job("a"), job("a", 3, 5.0)])
def test_who_is_alone_is_not_moved(alone: Job) -> None:
    assert moved(put(alone, None, ()), alone, NOW) == ()
