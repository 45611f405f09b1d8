"""What becomes of a generation when its provider answers, fails to answer, or takes too long."""

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from coordinator.domain.generations import (
    Generation,
    GenerationEvent,
    GenerationState,
    Parcel,
    Trouble,
    advance,
    require,
)
from coordinator.domain.providing import (
    Again,
    Blame,
    CallingOff,
    Handle,
    Look,
    Offer,
    Phase,
    ProviderFault,
)

# A call that fails is tried so often in a row; polls go on until the deadline.
TRIES_MAX = 5
# A task that was run and failed is followed by so many others.
REPEATS_MAX = 2
BACK_OFF_S, BACK_OFF_S_MAX = 1.0, 60.0
LOOK_S_MAX, LOOK_FACTOR = 30.0, 1.5
JITTER = 0.2
SLOT_S = 30.0
# Nobody mends a key within a minute, and the breaker asks by itself.
UNPAID_S = 60.0
# When a provider is asked for a task whose answer was lost: it may show new ones late.
RECALLS_S = (5.0, 35.0, 80.0)
WAITING = timedelta(hours=24)
# A result was paid for: what keeps it from us, a dead line or a full disk, is waited for. That is
# a day, give or take an hour.
RESULT_TRIES_MAX, RESULT_BACK_OFF_S_MAX = 200, 600.0
# A task that is late may still be charged, and bring something.
LATE, LATE_LOOK_S = timedelta(hours=24), 600.0

_S, _E = GenerationState, GenerationEvent
# Looking again tells no more.
FINAL = frozenset(
    {
        Blame.INVALID_INPUT,
        Blame.CONTENT_BLOCKED,
        Blame.PROVIDER_FAILED,
        Blame.EXPIRED,
        Blame.DEADLINE,
    }
)
NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a generation became.

    Attributes:
        charged: what is known now of its present call, where not None.
        undenied: that call was held for one that never happened, and did: what was reserved counts.
    """

    generation: Generation
    charged: Decimal | None = None
    undenied: bool = False


def begun(generation: Generation, offer: Offer, now: datetime) -> Generation:
    """Return the generation as it is stored before its paid call."""
    moved = advance(generation, _E.SUBMIT, now)
    deadline_at = now + timedelta(seconds=offer.patience_s)
    return replace(
        moved,
        submits=generation.submits + 1,
        tries=generation.tries,
        submitted_at=now,
        deadline_at=deadline_at,
        handle=None,
        looks=0,
        renewals=0,
        recalls=0,
    )


def crowded(generation: Generation, now: datetime) -> Generation:
    """Return the generation that waits for one of its provider's places."""
    waits = "as many tasks as its provider takes are running"
    return replace(generation, waits=waits, next_at=now + timedelta(seconds=1), updated_at=now)


def with_submits(generation: Generation, begun: Generation) -> Generation:
    """Return the generation as one whose present call is that one, even if it was given up."""
    return replace(
        generation,
        submits=begun.submits,
        submitted_at=begun.submitted_at,
        deadline_at=begun.deadline_at,
    )


def started(generation: Generation, handle: Handle, look_s: float, now: datetime) -> Generation:
    """Return the generation whose task is there."""
    moved = advance(generation, _E.START, now)
    moved = replace(moved, handle=handle, doubtful=False, trouble=None)
    if generation.cancel_wanted:
        return moved
    return replace(moved, next_at=now + timedelta(seconds=look_s))


def delivered(
    generation: Generation, handle: Handle, look: Look, parcels: tuple[Parcel, ...], now: datetime
) -> Outcome:
    """Return the generation whose result is there to be fetched."""
    moved = replace(
        advance(generation, _E.SUCCEED, now),
        handle=handle,
        doubtful=False,
        parcels=parcels,
        said=look.said,
        told=dict(look.told),
        stage="fetching",
        progress=None,
        queue_position=None,
        trouble=None,
    )
    return Outcome(generation=_heeded(moved, now), charged=charged_by(look))


def charged_by(look: Look) -> Decimal | None:
    """Return what a look tells that was charged."""
    return look.charged.amount if look.charged is not None else None


def orphaned(generation: Generation, offer: Offer, now: datetime) -> Outcome:
    """Return a generation whose submit nobody is at any more: who was, died in the midst of it."""
    if offer.again in (Again.SAME_KEY, Again.COSTS_ONLY):
        doubtful = replace(generation, doubtful=offer.again is Again.SAME_KEY)
        return Outcome(generation=_put_off(doubtful, 0.0, "", now))
    words = "the coordinator stopped while it asked: nobody knows whether the task was made"
    fault = ProviderFault(Blame.SUBMIT_UNSURE, "submit_unsure", words)
    return submit_failed(generation, fault, offer, now)


def submit_failed(
    generation: Generation, fault: ProviderFault, offer: Offer, now: datetime
) -> Outcome:
    """Return the generation after a paid call that did not answer with a task."""
    troubled = replace(generation, trouble=trouble_of(fault))
    unsure = fault.blame in (Blame.SUBMIT_UNSURE, Blame.PROTOCOL, Blame.DEADLINE)
    if unsure and offer.again not in (Again.SAME_KEY, Again.COSTS_ONLY):
        lost = advance(troubled, _E.LOSE, now)
        return Outcome(generation=_recall_later(lost, offer, now))
    if unsure and offer.again is Again.SAME_KEY:
        troubled = replace(troubled, doubtful=True)
    # What is known now is that this time it made nothing; what an earlier time made, nobody knows.
    charged = None if unsure or troubled.doubtful else NOTHING
    if unsure or fault.blame is Blame.RETRY_SAFE:
        tries = generation.tries + 1
        # Under its key it is one call, which may have been paid for: it goes on for its day.
        if tries >= TRIES_MAX and not troubled.doubtful:
            return Outcome(generation=advance(troubled, _E.FAIL, now), charged=charged)
        wait_s = max(back_off_s(generation, tries), fault.after_s or 0.0)
        waiting = replace(_put_off(troubled, wait_s, fault.message, now), tries=tries)
        return Outcome(generation=waiting, charged=charged)
    if fault.blame is Blame.WAIT_SLOT:
        wait_s = fault.after_s or SLOT_S * (1 + _chance(generation, "slot"))
        return Outcome(generation=_put_off(troubled, wait_s, fault.message, now), charged=charged)
    if fault.blame in (Blame.QUOTA, Blame.AUTH_CONFIG):
        wait_s = fault.after_s or UNPAID_S
        return Outcome(generation=_put_off(troubled, wait_s, fault.message, now), charged=charged)
    if troubled.doubtful:  # refused this time; whether an earlier time made it, a person finds out
        return Outcome(generation=_recall_later(advance(troubled, _E.LOSE, now), offer, now))
    return Outcome(generation=advance(troubled, _E.FAIL, now), charged=charged)


def _put_off(generation: Generation, wait_s: float, words: str, now: datetime) -> Generation:
    """Return the generation as one whose present call was none."""
    moved = replace(
        advance(generation, _E.PUT_OFF, now),
        submits=generation.submits - 1,
        next_at=now + timedelta(seconds=wait_s),
        waits=words,
        stage="",
        progress=None,
    )
    return _heeded(moved, now)


def _heeded(generation: Generation, now: datetime) -> Generation:
    """Return the generation as it is where somebody wanted it to end; nothing runs any more."""
    return advance(generation, _E.CANCEL, now) if generation.cancel_wanted else generation


def _recall_later(generation: Generation, offer: Offer, now: datetime) -> Generation:
    if offer.again is not Again.LISTED or generation.recalls >= len(RECALLS_S):
        words = "a person has to say whether the provider has the task: see settle"
        return replace(generation, next_at=None, waits=words)
    wait_s = RECALLS_S[generation.recalls]
    words = "the answer was lost: the provider is asked whether it has the task"
    return replace(generation, next_at=now + timedelta(seconds=wait_s), waits=words)


def recalled(
    generation: Generation, handle: Handle | None, offer: Offer, now: datetime
) -> Generation:
    """Return a generation whose lost task was asked for."""
    require(generation, _S.UNSURE)
    if handle is not None:
        return started(generation, handle, 0.0, now)
    asked = replace(generation, recalls=generation.recalls + 1, updated_at=now)
    return _recall_later(asked, offer, now)


def recall_failed(
    generation: Generation, fault: ProviderFault, offer: Offer, now: datetime
) -> Generation:
    """Return a generation whose lost task could not be asked for, or not be told from others."""
    require(generation, _S.UNSURE)
    if fault.blame is Blame.SUBMIT_UNSURE:
        return recalled(generation, None, offer, now)
    tries = generation.tries + 1
    wait_s = max(back_off_s(generation, tries), fault.after_s or 0.0)
    return replace(generation, tries=tries, next_at=now + timedelta(seconds=wait_s), updated_at=now)


def denied(generation: Generation, now: datetime) -> Outcome:
    """Return a generation of which a person knows that the call did not happen."""
    sure = replace(generation, doubtful=False)
    return Outcome(generation=_put_off(sure, 0.0, "", now), charged=NOTHING)


def looked(
    generation: Generation, look: Look, offer: Offer, *, capped: bool, now: datetime
) -> Outcome:
    """Return the generation after a look at its task, which has not succeeded.

    Args:
        capped: it is said what all its paid calls together may cost.
    """
    require(generation, _S.RUNNING)
    charged = charged_by(look)
    if look.phase is Phase.FAILED:
        fault = look.fault or ProviderFault(Blame.PROVIDER_FAILED, "failed", "the task failed")
        return task_failed(generation, fault, charged=charged, capped=capped, now=now)
    if look.phase is Phase.CANCELLED:
        if generation.cancel_wanted:
            return Outcome(generation=advance(generation, _E.CANCEL, now), charged=charged)
        fault = ProviderFault(
            Blame.PROVIDER_FAILED, "cancelled_there", "the task was cancelled at the provider"
        )
        failed = replace(generation, trouble=trouble_of(fault))
        return Outcome(generation=advance(failed, _E.FAIL, now), charged=charged)
    seen = replace(
        generation,
        tries=0,
        looks=generation.looks + 1,
        progress=look.progress,
        stage=look.stage or look.phase.value,
        queue_position=look.queue_position,
        next_at=now + timedelta(seconds=look_s(generation, offer, look.look_after_s)),
        updated_at=now,
    )
    return Outcome(generation=seen, charged=charged)


def look_failed(
    generation: Generation, fault: ProviderFault, *, capped: bool, now: datetime
) -> Outcome:
    """Return the generation after a look that was not answered."""
    require(generation, _S.RUNNING)
    until = generation.deadline_at
    gone = until is not None and now > until + LATE
    if fault.blame in FINAL or gone:
        return task_failed(generation, fault, charged=None, capped=capped and not gone, now=now)
    tries = generation.tries + 1
    wait_s = max(back_off_s(generation, tries), fault.after_s or 0.0)
    waiting = replace(
        generation,
        tries=tries,
        trouble=trouble_of(fault),
        next_at=now + timedelta(seconds=wait_s),
        updated_at=now,
    )
    return Outcome(generation=waiting)


def task_failed(
    generation: Generation,
    fault: ProviderFault,
    *,
    charged: Decimal | None,
    capped: bool,
    now: datetime,
) -> Outcome:
    """Return the generation whose task failed: another is made only where that may be paid."""
    troubled = replace(generation, trouble=trouble_of(fault))
    paid_for = charged == NOTHING or capped
    again = fault.blame is Blame.PROVIDER_FAILED and generation.submits <= REPEATS_MAX
    if again and paid_for and not generation.cancel_wanted:
        repeated = advance(troubled, _E.REPEAT, now)
        wait_s = back_off_s(generation, generation.submits)
        return Outcome(
            generation=replace(
                repeated, next_at=now + timedelta(seconds=wait_s), waits=fault.message
            ),
            charged=charged,
        )
    event = _E.CANCEL if generation.cancel_wanted else _E.FAIL
    return Outcome(generation=advance(troubled, event, now), charged=charged)


def is_late(generation: Generation, offer: Offer) -> bool:
    """Whether the task's deadline has passed once, and it was not called off."""
    at, until = generation.submitted_at, generation.deadline_at
    if at is None or until is None:
        return False
    return until > at + timedelta(seconds=offer.patience_s)


def overdue(
    generation: Generation, calling_off: CallingOff, offer: Offer, now: datetime
) -> Outcome:
    """Return the generation whose task took longer than its provider's patience."""
    require(generation, _S.RUNNING)
    minutes = offer.patience_s / 60
    words = f"the task took longer than {minutes:.0f} minutes"
    fault = ProviderFault(Blame.DEADLINE, "deadline", words)
    late = replace(generation, trouble=trouble_of(fault))
    if calling_off is CallingOff.DONE:
        return Outcome(generation=advance(late, _E.FAIL, now), charged=NOTHING)
    if is_late(generation, offer):
        return Outcome(generation=advance(late, _E.FAIL, now))
    return Outcome(
        generation=replace(
            late,
            deadline_at=now + LATE,
            next_at=now + timedelta(seconds=LATE_LOOK_S),
            waits=f"{words}; it is looked at for a day, for it may be charged",
            updated_at=now,
        )
    )


def called_off(generation: Generation, calling_off: CallingOff, now: datetime) -> Outcome:
    """Return the generation that somebody wanted to end: what may be charged counts as spent."""
    charged = NOTHING if calling_off is CallingOff.DONE else None
    return Outcome(generation=advance(generation, _E.CANCEL, now), charged=charged)


def trouble_of(fault: ProviderFault) -> Trouble:
    """Return a fault as it is kept in the row."""
    return Trouble(
        blame=fault.blame,
        code=fault.code,
        message=fault.message,
        request_id=fault.request_id,
        field=fault.field,
    )


def back_off_s(generation: Generation, tries: int, most_s: float = BACK_OFF_S_MAX) -> float:
    """Return how long to wait after so many failures in a row."""
    most_s = min(BACK_OFF_S * 2.0 ** min(max(tries - 1, 0), 20), most_s)
    return most_s * (0.5 + _chance(generation, f"try {tries}") / 2)


def look_s(generation: Generation, offer: Offer, after_s: float | None) -> float:
    """Return how long to wait until the next look."""
    if is_late(generation, offer):
        return LATE_LOOK_S
    if after_s is not None:
        return max(after_s, offer.look_every_s)
    grown_s = min(offer.look_every_s * LOOK_FACTOR ** min(generation.looks, 20), LOOK_S_MAX)
    jitter = 1 + JITTER * (2 * _chance(generation, f"look {generation.looks}") - 1)
    return max(grown_s * jitter, offer.look_every_s)


def _chance(generation: Generation, what: str) -> float:
    """Return a number from 0 to 1; what looks like chance is a hash, so that it can be foretold."""
    hashed = hashlib.sha256(f"{generation.generation_id} {what}".encode()).digest()
    return int.from_bytes(hashed[:4]) / 2**32
