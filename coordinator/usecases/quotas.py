"""Whether an order is within what its owner may take of the farm."""

from datetime import datetime

from coordinator.domain import accounts
from coordinator.ports import Unit

_USER = "user:"


async def check_quota(unit: Unit, owner: str, now: datetime, order_g: float | None) -> None:
    """Refuse an order that is beyond its owner's quota; who has no account has none.

    Args:
        owner: as a job names it.
        order_g: grams that the order takes, None while nobody knows.

    Raises:
        Refused: see `accounts.check_quota`.
    """
    user = await unit.user_named(owner.removeprefix(_USER)) if owner.startswith(_USER) else None
    if user is None or (user.jobs_open_max is None and user.grams_per_month is None):
        return
    usage = await unit.usage(owner, accounts.month_of(now))
    accounts.check_quota(user, usage, order_g)
