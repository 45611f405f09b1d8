from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordinator.domain.ledger import Budget, Purse, Spent, day_of, limits, objection, rounded

AMOUNTS = st.decimals(min_value=0, max_value=1000, places=6)


def refusal(
    amount: str,
    spent: Spent,
    *,
    budget: Budget | None = None,
    purse: Purse | None = None,
    cost_max: str | None = None,
) -> str:
    found = limits(
        "USD",
        spent,
        budget=budget or Budget(),
        purse=purse or Purse(),
        cost_max=None if cost_max is None else Decimal(cost_max),
    )
    return objection(Decimal(amount), "USD", found)


def test_without_limits_everything_may_be_paid() -> None:
    assert refusal("1000000", Spent(day=Decimal(10**9))) == ""


@pytest.mark.parametrize(
    ("spent", "limit"),
    [
        (Spent(request=Decimal(8)), {"cost_max": "10"}),
        (Spent(request=Decimal(8)), {"budget": Budget(request=Decimal(10))}),
        (Spent(provider_day=Decimal(8)), {"budget": Budget(day=Decimal(10))}),
        (Spent(provider_user_day=Decimal(8)), {"budget": Budget(user_day=Decimal(10))}),
        (Spent(day=Decimal(8)), {"purse": Purse(day={"USD": Decimal(10)})}),
        (Spent(user_day=Decimal(8)), {"purse": Purse(user_day={"USD": Decimal(10)})}),
    ],
)
def test_each_limit_may_be_reached_and_not_passed(spent: Spent, limit: dict[str, object]) -> None:
    assert refusal("2", spent, **limit) == ""  # type: ignore[arg-type]
    words = refusal("2.000001", spent, **limit)  # type: ignore[arg-type]
    assert words.startswith("10 USD ")
    assert words.endswith("8 are spent, and this would cost 2.000001")


def test_a_purse_in_another_unit_limits_nothing() -> None:
    assert refusal("5", Spent(), purse=Purse(day={"credits": Decimal(1)})) == ""


@given(AMOUNTS, st.lists(AMOUNTS, max_size=30))
def test_what_is_let_through_never_passes_the_limit(most: Decimal, calls: list[Decimal]) -> None:
    spent = Decimal(0)
    for amount in calls:
        if not refusal(str(amount), Spent(day=spent), purse=Purse(day={"USD": most})):
            spent += amount
    assert spent <= most


def test_amounts_are_rounded_up_to_a_millionth() -> None:
    assert rounded(Decimal("0.0000001")) == Decimal("0.000001")
    assert rounded(Decimal("1.5")) == Decimal("1.5")


def test_a_day_is_one_of_utc() -> None:
    late = datetime(2030, 1, 2, 1, 0, tzinfo=timezone(timedelta(hours=2)))
    assert day_of(late) == datetime(2030, 1, 1, tzinfo=UTC).date()
