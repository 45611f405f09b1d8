"""Who may come in, until when, how far, and how much they may take."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordinator.domain import accounts
from coordinator.domain.access import PERMISSIONS, Permission, Role, reach
from coordinator.domain.accounts import Usage, UserState
from coordinator.errors import Refused
from tests.fakes.account_values import ANNA, BERT, FAMILY, KEY, NOW, SESSION

permissions = st.frozensets(st.sampled_from(Permission))
SECOND = timedelta(seconds=1)


@given(st.sampled_from(Role), permissions)
def test_a_key_reaches_no_farther_than_its_user_does_now(
    role: Role, scopes: frozenset[Permission]
) -> None:
    user, key = replace(ANNA, role=role), replace(KEY, scopes=tuple(scopes))
    caller = accounts.caller_with_key(user, key, NOW)
    assert caller is not None
    assert caller.permissions <= PERMISSIONS[role]
    assert caller.permissions <= reach(scopes)
    assert (caller.actor, caller.owner) == ("key:anna/ci", "user:anna")


@given(st.sampled_from(Role), permissions, permissions)
def test_a_key_is_never_granted_more_than_its_user_has(
    role: Role, wanted: frozenset[Permission], creator: frozenset[Permission]
) -> None:
    try:
        scopes = accounts.granted(wanted, replace(ANNA, role=role), creator)
    except Refused:
        assert not wanted <= PERMISSIONS[role] & creator
    else:
        assert set(scopes) <= PERMISSIONS[role] & creator


def test_whoever_may_see_all_may_see_a_part() -> None:
    for role, has in PERMISSIONS.items():
        assert reach(has) == has, role
    assert Permission.WALL_READ in reach({Permission.FARM_READ})
    assert reach({Permission.WALL_READ}) == {Permission.WALL_READ}


@pytest.mark.parametrize("state", [UserState.DISABLED, UserState.REMOVED])
def test_who_is_disabled_or_removed_comes_in_with_nothing(state: UserState) -> None:
    user = replace(ANNA, state=state)
    assert accounts.caller_of(user) is None
    assert accounts.caller_with_key(user, KEY, NOW) is None


def test_a_key_ends_when_it_expires_and_when_it_is_revoked() -> None:
    assert KEY.expires_at is not None
    assert accounts.key_works(KEY, KEY.expires_at - SECOND)
    assert not accounts.key_works(KEY, KEY.expires_at)
    assert not accounts.key_works(replace(KEY, revoked_at=NOW), NOW)
    assert accounts.key_works(replace(KEY, expires_at=None), NOW + timedelta(days=9999))


def test_a_session_ends_unused_and_in_any_case() -> None:
    idle = NOW + accounts.SESSION_IDLE
    assert not accounts.session_ended(SESSION, idle - SECOND)
    assert accounts.session_ended(SESSION, idle)
    used = replace(SESSION, seen_at=NOW + accounts.SESSION_LIFE - SECOND)
    assert accounts.session_ended(used, NOW + accounts.SESSION_LIFE)


def test_a_token_renews_its_family_once() -> None:
    after = accounts.renewed(FAMILY, "c" * 64, "d" * 64, NOW)
    assert after is not None
    assert accounts.renewed(after, "c" * 64, "e" * 64, NOW) is None
    assert accounts.renewed(after, "d" * 64, "e" * 64, NOW) is not None


@pytest.mark.parametrize(
    ("usage", "order_g", "code"),
    [
        (Usage(jobs_open=2, filament_g=0.0), None, ""),
        (Usage(jobs_open=3, filament_g=0.0), None, "quota_jobs_open"),
        (Usage(jobs_open=0, filament_g=99.0), None, ""),
        (Usage(jobs_open=0, filament_g=100.0), None, "quota_filament"),
        (Usage(jobs_open=0, filament_g=99.0), 1.0, ""),
        (Usage(jobs_open=0, filament_g=99.0), 1.5, "quota_filament"),
    ],
)
def test_an_order_beyond_the_quota_is_refused(
    usage: Usage, order_g: float | None, code: str
) -> None:
    user = replace(ANNA, jobs_open_max=3, grams_per_month=100.0)
    if not code:
        accounts.check_quota(user, usage, order_g)
        accounts.check_quota(BERT, Usage(jobs_open=999, filament_g=1e9), 1e9)
        return
    with pytest.raises(Refused) as refused:
        accounts.check_quota(user, usage, order_g)
    assert refused.value.code == code


def test_a_month_begins_at_its_first_midnight() -> None:
    assert accounts.month_of(NOW.replace(day=31)) == datetime(2030, 1, 1, tzinfo=UTC)
