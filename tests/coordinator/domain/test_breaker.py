from coordinator.domain.breaker import (
    CALLS_MIN,
    FAILURES_MAX,
    OPEN_S,
    OPEN_S_MAX,
    UNPAID_S,
    Breaker,
    Stand,
    after_fault,
    after_success,
    stand,
)
from coordinator.domain.providing import Blame


def failed(breaker: Breaker, times: int, now_s: float = 0.0) -> Breaker:
    for _ in range(times):
        breaker = after_fault(breaker, Blame.RETRY_SAFE, "no answer", now_s)
    return breaker


def test_it_opens_after_so_many_failures_in_a_row() -> None:
    almost = failed(Breaker(), FAILURES_MAX - 1)
    assert stand(almost, 0.0) is Stand.CLOSED
    assert stand(failed(almost, 1), 0.0) is Stand.OPEN


def test_a_success_in_between_begins_the_row_anew() -> None:
    breaker = after_success(failed(Breaker(), FAILURES_MAX - 1), 0.0)
    assert stand(failed(breaker, FAILURES_MAX - 1), 0.0) is Stand.CLOSED


def test_it_opens_where_half_of_the_last_minutes_calls_failed() -> None:
    breaker = Breaker()
    for number in range(CALLS_MIN):
        breaker = failed(breaker, 1) if number % 2 else after_success(breaker, 0.0)
    assert stand(breaker, 0.0) is Stand.OPEN


def test_what_failed_more_than_a_minute_ago_counts_no_more() -> None:
    breaker = Breaker()
    for number in range(CALLS_MIN - 1):
        breaker = failed(breaker, 1) if number % 2 else after_success(breaker, 0.0)
    assert stand(failed(breaker, 1, now_s=61.0), 61.0) is Stand.CLOSED


def test_tasks_that_failed_count_half() -> None:
    breaker = Breaker()
    for _ in range(CALLS_MIN - 1):
        breaker = after_fault(breaker, Blame.PROVIDER_FAILED, "failed", 0.0)
    assert stand(breaker, 0.0) is Stand.CLOSED


def test_refused_wishes_and_full_slots_never_open_it() -> None:
    breaker = Breaker()
    for blame in (Blame.INVALID_INPUT, Blame.CONTENT_BLOCKED, Blame.WAIT_SLOT, Blame.EXPIRED):
        for _ in range(50):
            breaker = after_fault(breaker, blame, "no", 0.0)
    assert breaker == Breaker()


def test_it_is_half_open_after_a_while_and_opens_for_twice_as_long_up_to_a_limit() -> None:
    breaker, now_s, wait_s = failed(Breaker(), FAILURES_MAX), 0.0, OPEN_S
    for _ in range(8):
        assert stand(breaker, now_s + wait_s - 0.1) is Stand.OPEN
        now_s += wait_s
        assert stand(breaker, now_s) is Stand.HALF_OPEN
        breaker, wait_s = failed(breaker, 1, now_s), min(wait_s * 2, OPEN_S_MAX)
    assert stand(after_success(breaker, now_s), now_s) is Stand.CLOSED


def test_a_provider_without_credit_or_with_a_wrong_key_is_left_alone_at_once() -> None:
    for blame in (Blame.QUOTA, Blame.AUTH_CONFIG):
        breaker = after_fault(Breaker(), blame, "no credit", 0.0)
        assert stand(breaker, UNPAID_S - 1) is Stand.OPEN
        assert stand(breaker, UNPAID_S) is Stand.HALF_OPEN
        assert breaker.words == "no credit"
