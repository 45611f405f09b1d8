"""A bucket that leaks: never more than the rate, and never less than that to who keeps to it."""

from hypothesis import given
from hypothesis import strategies as st

from coordinator.domain.rates import Rate, arrive

RATE = Rate(burst=5, period_s=2.0)
gaps = st.lists(st.floats(min_value=0, max_value=20), min_size=1, max_size=60)


def admitted_at(times_s: list[float]) -> list[float]:
    kept, admitted = 0.0, []
    for now_s in times_s:
        verdict = arrive(RATE, kept, now_s)
        kept = verdict.empty_at_s
        if verdict.admitted:
            admitted.append(now_s)
    return admitted


def times_of(gaps_s: list[float]) -> list[float]:
    return [sum(gaps_s[: index + 1]) for index in range(len(gaps_s))]


@given(gaps)
def test_in_no_span_pass_more_than_the_burst_and_what_leaked(gaps_s: list[float]) -> None:
    passed = admitted_at(times_of(gaps_s))
    for first, begin_s in enumerate(passed):
        for last, end_s in enumerate(passed[first:], start=1):
            assert last <= RATE.burst + (end_s - begin_s) / RATE.period_s + 1e-6, first


@given(st.integers(min_value=1, max_value=50))
def test_who_keeps_to_the_rate_is_never_refused(count: int) -> None:
    times_s = [number * RATE.period_s for number in range(count)]
    assert admitted_at(times_s) == times_s


@given(gaps)
def test_who_waits_as_told_passes(gaps_s: list[float]) -> None:
    kept = 0.0
    for now_s in times_of(gaps_s):
        verdict = arrive(RATE, kept, now_s)
        kept = verdict.empty_at_s
        assert arrive(RATE, kept, now_s + verdict.wait_s + 1e-6).admitted
        assert verdict.admitted or verdict.left == 0


def test_it_tells_how_many_are_left() -> None:
    kept, left = 0.0, []
    for _ in range(6):
        verdict = arrive(RATE, kept, 100.0)
        kept = verdict.empty_at_s
        left.append((verdict.admitted, verdict.left))
    assert left == [(True, 4), (True, 3), (True, 2), (True, 1), (True, 0), (False, 0)]
    assert verdict.wait_s == 2.0
