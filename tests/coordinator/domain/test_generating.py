"""What becomes of a generation, fault by fault."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from coordinator.domain import generating, results
from coordinator.domain.generations import (
    ENDED,
    MACHINE,
    Asked,
    Generation,
    GenerationEvent,
    GenerationState,
    Printing,
)
from coordinator.domain.parcels import wanted_parcels
from coordinator.domain.providing import (
    Again,
    Blame,
    CallingOff,
    Cost,
    Handle,
    Kind,
    Look,
    Offer,
    Phase,
    Piece,
    ProviderFault,
)
from coordinator.errors import IllegalTransition

NOW = datetime(2030, 1, 1, tzinfo=UTC)
WANTED = Generation(
    generation_id="gen-1",
    provider="mesh",
    service="meshy",
    owner="user:anna",
    asked=Asked(kind=Kind.TEXT, name="a hook"),
    next_at=NOW,
    created_at=NOW,
    updated_at=NOW,
)
S = GenerationState
TASK = Handle(task_id="task-1")


def offer(again: Again = Again.NEVER) -> Offer:
    return Offer(service="meshy", title="Meshy", kinds=frozenset({Kind.TEXT}), again=again)


def fault(blame: Blame, after_s: float | None = None) -> ProviderFault:
    return ProviderFault(blame, "code", "words", after_s=after_s)


def submitting(again: Again = Again.NEVER) -> Generation:
    return generating.begun(WANTED, offer(again), NOW)


def running() -> Generation:
    return generating.started(submitting(), TASK, 5.0, NOW)


def waited_s(generation: Generation) -> float:
    assert generation.next_at is not None
    return (generation.next_at - NOW).total_seconds()


def test_every_state_is_reached_and_only_ends_are_ends() -> None:
    assert set(MACHINE.table.values()) == set(S)
    assert {state for state, _ in MACHINE.table} == set(S) - ENDED


def test_only_a_call_that_certainly_made_nothing_leads_back_to_another() -> None:
    back = {(state, event) for (state, event), to in MACHINE.table.items() if to is S.WANTED}
    assert back == {
        (S.SUBMITTING, GenerationEvent.PUT_OFF),
        (S.UNSURE, GenerationEvent.PUT_OFF),
        (S.RUNNING, GenerationEvent.REPEAT),
    }


@pytest.mark.parametrize("again", [Again.NEVER, Again.LISTED])
@pytest.mark.parametrize("blame", [Blame.SUBMIT_UNSURE, Blame.PROTOCOL, Blame.DEADLINE])
def test_a_lost_answer_is_never_followed_by_another_call(again: Again, blame: Blame) -> None:
    outcome = generating.submit_failed(submitting(again), fault(blame), offer(again), NOW)
    assert outcome.generation.state is S.UNSURE
    assert outcome.charged is None
    orphan = generating.orphaned(submitting(again), offer(again), NOW).generation
    assert orphan.state is S.UNSURE
    assert orphan.trouble is not None


@pytest.mark.parametrize("again", [Again.SAME_KEY, Again.COSTS_ONLY])
def test_a_call_that_may_be_repeated_is_repeated_under_its_key(again: Again) -> None:
    begun = submitting(again)
    unsure = fault(Blame.SUBMIT_UNSURE)
    for outcome in (
        generating.orphaned(begun, offer(again), NOW),
        generating.submit_failed(begun, unsure, offer(again), NOW),
    ):
        assert outcome.generation.state is S.WANTED
        assert outcome.charged is None
        assert generating.begun(outcome.generation, offer(again), NOW).key == begun.key


def test_a_provider_that_lists_tasks_is_asked_three_times_then_a_person() -> None:
    listed = offer(Again.LISTED)
    unsure = generating.submit_failed(submitting(), fault(Blame.SUBMIT_UNSURE), listed, NOW)
    generation, waits = unsure.generation, []
    while generation.next_at is not None:
        waits.append(waited_s(generation))
        generation = generating.recalled(generation, None, listed, NOW)
    assert generation.state is S.UNSURE
    assert waits == list(generating.RECALLS_S)
    assert sum(waits) == 120
    assert "person" in generation.waits


def test_a_lost_task_that_is_found_goes_on() -> None:
    listed = offer(Again.LISTED)
    unsure = generating.submit_failed(submitting(), fault(Blame.SUBMIT_UNSURE), listed, NOW)
    found = generating.recalled(unsure.generation, TASK, listed, NOW)
    assert (found.state, found.handle) == (S.RUNNING, TASK)


def test_an_answer_that_comes_late_still_counts() -> None:
    unsure = generating.submit_failed(submitting(), fault(Blame.SUBMIT_UNSURE), offer(), NOW)
    for given_up in (unsure.generation, generating.denied(unsure.generation, NOW).generation):
        assert generating.started(given_up, TASK, 5.0, NOW).state is S.RUNNING


def test_a_call_that_did_nothing_is_tried_again_later_and_later_then_given_up() -> None:
    generation, waits = WANTED, []
    while True:
        begun = generating.begun(generation, offer(), NOW)
        outcome = generating.submit_failed(begun, fault(Blame.RETRY_SAFE), offer(), NOW)
        assert outcome.charged == 0
        generation = outcome.generation
        if generation.ended:
            break
        assert begun.key == generation.key
        waits.append(waited_s(generation))
    assert len(waits) == generating.TRIES_MAX - 1
    for number, wait_s in enumerate(waits):
        assert 0.5 * 2**number <= wait_s <= 2**number


def test_a_full_account_is_no_attempt_and_says_when_it_has_room() -> None:
    for after_s, low_s, high_s in ((None, 30.0, 60.0), (7.0, 7.0, 7.0)):
        generation = WANTED
        for _ in range(20):
            begun = generating.begun(generation, offer(), NOW)
            slot = fault(Blame.WAIT_SLOT, after_s)
            generation = generating.submit_failed(begun, slot, offer(), NOW).generation
        assert generation.state is S.WANTED
        assert low_s <= waited_s(generation) <= high_s
        assert generation.waits == "words"


@pytest.mark.parametrize("blame", [Blame.INVALID_INPUT, Blame.CONTENT_BLOCKED])
def test_a_wish_that_is_refused_ends_and_costs_nothing(blame: Blame) -> None:
    outcome = generating.submit_failed(submitting(), fault(blame), offer(), NOW)
    assert outcome.generation.state is S.FAILED
    assert outcome.charged == 0


def test_a_task_that_failed_is_followed_by_another_only_where_that_may_be_paid() -> None:
    broken = Look(phase=Phase.FAILED, fault=fault(Blame.PROVIDER_FAILED))
    free = replace(broken, charged=Cost(amount=Decimal(0), unit="USD"))
    for look, capped, state in (
        (broken, False, S.FAILED),
        (broken, True, S.WANTED),
        (free, False, S.WANTED),
        (Look(phase=Phase.FAILED, fault=fault(Blame.CONTENT_BLOCKED)), True, S.FAILED),
    ):
        outcome = generating.looked(running(), look, offer(), capped=capped, now=NOW)
        assert outcome.generation.state is state


def test_another_task_has_a_key_of_its_own_and_there_are_two_of_them_at_most() -> None:
    broken = Look(phase=Phase.FAILED, fault=fault(Blame.PROVIDER_FAILED))
    generation, keys = WANTED, []
    while not generation.ended:
        generation = generating.begun(generation, offer(), NOW)
        keys.append(generation.key)
        generation = generating.started(generation, TASK, 5.0, NOW)
        outcome = generating.looked(generation, broken, offer(), capped=True, now=NOW)
        generation = outcome.generation
    assert keys == ["gen-1-1", "gen-1-2", "gen-1-3"]


def test_looks_come_less_often_but_never_sooner_than_the_provider_wants() -> None:
    generation, waits = running(), []
    for _ in range(12):
        look = Look(phase=Phase.RUNNING, progress=0.5)
        generation = generating.looked(generation, look, offer(), capped=False, now=NOW).generation
        waits.append(waited_s(generation))
    assert min(waits) >= 5.0
    assert max(waits) <= 36.0
    assert waits[-1] >= 24.0


def test_unanswered_looks_do_not_end_a_paid_task() -> None:
    generation = running()
    for blame in (Blame.RETRY_SAFE, Blame.AUTH_CONFIG, Blame.PROTOCOL, Blame.QUOTA) * 10:
        outcome = generating.look_failed(generation, fault(blame), capped=False, now=NOW)
        generation = outcome.generation
        assert generation.state is S.RUNNING
        assert waited_s(generation) <= generating.BACK_OFF_S_MAX


def test_a_task_that_takes_too_long_is_called_off_or_looked_at_for_a_day() -> None:
    off = generating.overdue(running(), CallingOff.DONE, offer(), NOW)
    assert (off.generation.state, off.charged) == (S.FAILED, 0)
    late = generating.overdue(running(), CallingOff.REFUSED, offer(), NOW).generation
    assert late.state is S.RUNNING
    assert waited_s(late) == generating.LATE_LOOK_S
    assert late.deadline_at == NOW + timedelta(hours=24)
    given_up = generating.overdue(late, CallingOff.REFUSED, offer(), NOW)
    assert (given_up.generation.state, given_up.charged) == (S.FAILED, None)


def test_an_address_that_is_no_longer_good_has_the_task_looked_at_again_but_not_for_ever() -> None:
    generation, renewals = running(), 0
    while True:
        look = Look(phase=Phase.SUCCEEDED)
        generation = generating.delivered(generation, TASK, look, (), NOW).generation
        generation = results.fetch_failed(generation, fault(Blame.EXPIRED), NOW)
        if generation.ended:
            break
        assert generation.state is S.RUNNING
        renewals += 1
    assert renewals == results.RENEWALS_MAX


def test_a_task_that_is_never_seen_again_ends_a_day_after_its_deadline() -> None:
    generation = running()
    assert generation.deadline_at is not None
    until = generation.deadline_at + generating.LATE
    before, after = until - timedelta(seconds=1), until + timedelta(seconds=1)
    seen = generating.look_failed(generation, fault(Blame.RETRY_SAFE), capped=True, now=before)
    assert seen.generation.state is S.RUNNING
    seen = generating.look_failed(generation, fault(Blame.RETRY_SAFE), capped=True, now=after)
    assert (seen.generation.state, seen.charged) == (S.FAILED, None)


def test_a_result_that_was_paid_for_is_fetched_and_made_for_a_day_whatever_is_out_of_order() -> (
    None
):
    fetching = generating.delivered(running(), TASK, Look(phase=Phase.SUCCEEDED), (), NOW)
    making = results.kept(fetching.generation, (), NOW)
    again: Callable[[Generation, datetime], Generation]
    for begun, again in (
        (fetching.generation, lambda g, now: results.fetch_failed(g, fault(Blame.RETRY_SAFE), now)),
        (
            fetching.generation,
            lambda g, now: results.fetch_failed(g, fault(Blame.AUTH_CONFIG), now),
        ),
        (making, lambda g, now: results.making_failed(g, "disk_full", "full", now)),
    ):
        generation, now, tries = begun, NOW, 0
        while not generation.ended:
            generation = again(generation, now)
            now, tries = generation.next_at or now, tries + 1
        assert timedelta(hours=20) <= now - NOW <= timedelta(hours=28)
        assert tries == generating.RESULT_TRIES_MAX


def test_a_mesh_that_the_workshop_dies_of_is_not_tried_for_a_day() -> None:
    fetching = generating.delivered(running(), TASK, Look(phase=Phase.SUCCEEDED), (), NOW)
    generation = results.kept(fetching.generation, (), NOW)
    for _ in range(generating.TRIES_MAX):
        assert generation.state is S.MAKING
        generation = results.making_failed(generation, "slicer_crashed", "it died", NOW)
    assert generation.state is S.FAILED


def test_a_call_that_may_be_said_again_is_said_again_until_it_is_known() -> None:
    generation, same = submitting(), offer(again=Again.SAME_KEY)
    for _ in range(2 * generating.TRIES_MAX):
        lost = generating.submit_failed(generation, fault(Blame.SUBMIT_UNSURE), same, NOW)
        assert lost.generation.state is S.WANTED
        assert lost.charged is None
        generation = generating.begun(lost.generation, same, NOW)


def test_what_others_moved_on_is_left_alone_by_who_comes_late() -> None:
    late = fault(Blame.RETRY_SAFE)
    look = Look(phase=Phase.RUNNING)
    for state in S:
        known = replace(running(), state=state)
        for at, change in (
            (S.UNSURE, lambda g: generating.recall_failed(g, late, offer(), NOW)),
            (S.UNSURE, lambda g: generating.recalled(g, None, offer(), NOW)),
            (S.RUNNING, lambda g: generating.looked(g, look, offer(), capped=False, now=NOW)),
            (S.RUNNING, lambda g: generating.look_failed(g, late, capped=False, now=NOW)),
            (S.RUNNING, lambda g: generating.overdue(g, CallingOff.REFUSED, offer(), NOW)),
            (S.FETCHING, lambda g: results.fetch_failed(g, late, NOW)),
            (S.MAKING, lambda g: results.making_failed(g, "disk_full", "full", NOW)),
        ):
            if state is not at:
                with pytest.raises(IllegalTransition):
                    change(known)


def test_a_refusal_after_a_lost_answer_is_put_to_a_person() -> None:
    same = offer(again=Again.SAME_KEY)
    lost = generating.submit_failed(submitting(), fault(Blame.SUBMIT_UNSURE), same, NOW)
    again = generating.begun(lost.generation, same, NOW)
    refused = generating.submit_failed(again, fault(Blame.INVALID_INPUT), same, NOW)
    assert (refused.generation.state, refused.generation.next_at) == (S.UNSURE, None)
    assert refused.charged is None


def test_what_somebody_cancelled_ends_as_soon_as_its_call_is_over() -> None:
    cancelled = replace(submitting(), cancel_wanted=True)
    put_off = generating.submit_failed(cancelled, fault(Blame.RETRY_SAFE), offer(), NOW)
    assert put_off.generation.state is S.CANCELLED
    there = generating.started(cancelled, TASK, 5.0, NOW)
    assert there.state is S.RUNNING
    assert there.next_at == NOW
    assert generating.called_off(there, CallingOff.DONE, NOW).charged == 0
    assert generating.called_off(there, CallingOff.REFUSED, NOW).charged is None
    given = generating.delivered(cancelled, TASK, Look(phase=Phase.SUCCEEDED), (), NOW)
    assert given.generation.state is S.CANCELLED


def test_what_is_made_waits_for_approval_then_becomes_a_job_where_one_is_wanted() -> None:
    making = replace(WANTED, state=S.MAKING)
    waiting = results.made(replace(making, approved=False), NOW)
    assert (waiting.state, waiting.next_at) == (S.AWAITING_APPROVAL, None)
    assert results.approved(waiting, NOW).state is S.DONE
    assert results.made(making, NOW).state is S.DONE
    printed = replace(making, asked=replace(making.asked, printing=Printing()))
    assert results.made(printed, NOW).state is S.ORDERING


def test_of_each_item_the_best_mesh_is_fetched_and_not_everything_else() -> None:
    def piece(role: str, name: str, item: int = 0) -> Piece:
        return Piece(role=role, name=name, suffix=".x", item=item)

    pieces = (
        piece("picture", "p1"),
        piece("mesh", "best"),
        piece("mesh", "worse"),
        piece("mesh", "second", 1),
        piece("other", "log"),
        piece("code", "c"),
        *(piece("picture", f"q{number}") for number in range(9)),
    )
    names = [each.name for each in wanted_parcels(pieces)]
    assert names == ["p1", "best", "second", "c", "q0", "q1", "q2"]
    assert wanted_parcels(pieces[:1]) == ()
