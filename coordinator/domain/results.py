"""What becomes of a generation whose task has succeeded: fetched, made, approved, ordered."""

from dataclasses import replace
from datetime import datetime, timedelta

from coordinator.domain.generating import (
    FINAL,
    RESULT_BACK_OFF_S_MAX,
    RESULT_TRIES_MAX,
    TRIES_MAX,
    back_off_s,
    trouble_of,
)
from coordinator.domain.generations import (
    Generation,
    GenerationEvent,
    GenerationState,
    Parcel,
    Trouble,
    advance,
    require,
)
from coordinator.domain.providing import Blame, ProviderFault

RENEWALS_MAX = 3
# How the workshop ends because of a mesh, not of the farm.
ITS_OWN = frozenset({"slicer_crashed", "slicer_garbled", "slicing_timed_out"})

_E = GenerationEvent


def fetch_failed(generation: Generation, fault: ProviderFault, now: datetime) -> Generation:
    """Return the generation after a piece that could not be fetched."""
    require(generation, GenerationState.FETCHING)
    troubled = replace(generation, trouble=trouble_of(fault))
    if fault.blame is Blame.EXPIRED:
        if generation.renewals >= RENEWALS_MAX:
            return advance(troubled, _E.FAIL, now)
        return replace(advance(troubled, _E.LOOK, now), renewals=generation.renewals + 1)
    tries = generation.tries + 1
    most = 2 if fault.blame is Blame.PROTOCOL else RESULT_TRIES_MAX
    if fault.blame in FINAL or tries >= most:
        return advance(troubled, _E.FAIL, now)
    wait_s = max(back_off_s(generation, tries, RESULT_BACK_OFF_S_MAX), fault.after_s or 0.0)
    return replace(troubled, tries=tries, next_at=now + timedelta(seconds=wait_s), updated_at=now)


def kept(generation: Generation, parcels: tuple[Parcel, ...], now: datetime) -> Generation:
    """Return the generation whose result is in our store."""
    return replace(advance(generation, _E.KEEP, now), parcels=parcels, trouble=None, stage="")


def making_failed(generation: Generation, code: str, words: str, now: datetime) -> Generation:
    """Return the generation whose result can't be made printable now: later, or not at all.

    Args:
        code: why; what it is itself to blame for it will be again.
    """
    require(generation, GenerationState.MAKING)
    tries = generation.tries + 1
    most = TRIES_MAX if code in ITS_OWN else RESULT_TRIES_MAX
    trouble = Trouble(blame=Blame.RETRY_SAFE, code="workshop", message=words)
    troubled = replace(generation, trouble=trouble)
    if tries >= most:
        return advance(troubled, _E.FAIL, now)
    wait_s = back_off_s(generation, tries, RESULT_BACK_OFF_S_MAX)
    return later(replace(troubled, tries=tries, waits=words), wait_s, now)


def later(generation: Generation, wait_s: float, now: datetime) -> Generation:
    """Return the generation with nothing to be done for a while."""
    return replace(generation, next_at=now + timedelta(seconds=wait_s), updated_at=now)


def made(generation: Generation, now: datetime) -> Generation:
    """Return the generation whose versions are there."""
    if not generation.approved:
        waiting = advance(generation, _E.AWAIT, now)
        return replace(waiting, waits="somebody who manages jobs has to approve it")
    return approved(generation, now)


def approved(generation: Generation, now: datetime) -> Generation:
    """Return the generation that nothing keeps from its end, or from its job."""
    event = _E.ORDER if generation.asked.printing is not None else _E.FINISH
    return replace(advance(generation, event, now), approved=True)


def failed(generation: Generation, fault: ProviderFault, now: datetime) -> Generation:
    """Return the generation that ends because of a fault; an earlier one tells more."""
    known = generation.trouble if fault.code == "budget_spent" else None
    trouble = known or trouble_of(fault)
    return advance(replace(generation, trouble=trouble), _E.FAIL, now)
