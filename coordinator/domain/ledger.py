"""What providers are paid: estimated, reserved and charged; and whether one more call may be paid.

Amounts are decimals in the provider's own unit (`USD`, `credits`), never floats, and never added
across units. Before a paid call its estimate is reserved, in the transaction that says that the
call is made. What counts as spent is what was charged, as far as that is known, else what was
reserved: a call of which nobody knows counts in full.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import ROUND_UP, Decimal

# A millionth: small calls of language models cost thousandths of a cent.
STEP = Decimal("0.000001")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One paid call.

    Attributes:
        submit: which of its generation, from 1.
        day: in UTC, when it was made.
        charged: None while nobody knows.
    """

    generation_id: str
    submit: int
    provider: str
    owner: str
    unit: str
    day: date
    estimated: Decimal
    reserved: Decimal
    charged: Decimal | None = None

    @property
    def spent(self) -> Decimal:
        """What counts as spent."""
        return self.reserved if self.charged is None else self.charged


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What may be spent on a provider, in its unit; None is no limit.

    Attributes:
        request: by all paid calls of one generation.
        day: in one day (UTC) by all; `user_day` by one user.
    """

    request: Decimal | None = None
    day: Decimal | None = None
    user_day: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Purse:
    """What may be spent in a day (UTC) on all providers together, by unit."""

    day: Mapping[str, Decimal] = field(default_factory=dict)
    user_day: Mapping[str, Decimal] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What is spent of one unit: today by all and by one user, there and everywhere."""

    request: Decimal = Decimal(0)
    provider_day: Decimal = Decimal(0)
    provider_user_day: Decimal = Decimal(0)
    day: Decimal = Decimal(0)
    user_day: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """What may be spent, and what is spent of it; `words` go on from the amount, for a person."""

    words: str
    most: Decimal
    spent: Decimal


def day_of(now: datetime) -> date:
    """Return the day that a call counts for."""
    return now.astimezone(UTC).date()


def rounded(amount: Decimal) -> Decimal:
    """Return an amount as the ledger has it, never less."""
    return amount.quantize(STEP, rounding=ROUND_UP)


def limits(
    unit: str, spent: Spent, *, budget: Budget, purse: Purse, cost_max: Decimal | None
) -> tuple[Limit, ...]:
    """Return what may be spent, in one unit; only the limits that there are.

    Args:
        cost_max: what the generation may cost, as who asked said.
    """
    said = (
        (spent.request, cost_max, "this request may cost"),
        (spent.request, budget.request, "a request to this provider may cost"),
        (spent.provider_user_day, budget.user_day, "a user may spend on this provider in a day"),
        (spent.provider_day, budget.day, "may be spent on this provider in a day"),
        (spent.user_day, purse.user_day.get(unit), "a user may spend in a day"),
        (spent.day, purse.day.get(unit), "may be spent in a day"),
    )
    return tuple(
        Limit(words=words, most=most, spent=so_far)
        for so_far, most, words in said
        if most is not None
    )


def objection(amount: Decimal, unit: str, limits: Iterable[Limit]) -> str:
    """Return why a call must not be paid, for a person; empty where it may."""
    for each in limits:
        if each.spent + amount > each.most:
            before = f", {_said(each.spent)} are spent" if each.spent else ""
            most = f"{_said(each.most)} {unit} {each.words}"
            return f"{most}{before}, and this would cost {_said(amount)}"
    return ""


def _said(amount: Decimal) -> str:
    return f"{amount.normalize():f}"
