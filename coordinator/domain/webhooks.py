"""Endpoints that are told what happens: signed, in order, at least once; and when one is given up.

Theory. An endpoint has a cursor: the number of the last line of history that it was told or does
not want. Whatever comes behind the cursor is still to be told, so that nothing has to be stored for
it and nothing can be lost between a change and its message. One message at a time is under way to
an endpoint, and the next follows only once it was taken: order is kept, and an endpoint that fails
waits where it stands. An answer other than 2xx is a failure; then the same message is said again,
later and later, until the endpoint takes it or has failed for so long that it is disabled. 410
means that it wants to hear nothing more.

Messages are signed after the Standard Webhooks specification (standardwebhooks.com).
"""

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from coordinator.domain.history import FarmEvent, Plain
from coordinator.domain.messages import TEST_TYPE, TYPES, Message, encoded, wanted

SECRET_PREFIX = "whsec_"
SECRET_BYTES = 32
# As long as both secrets count after a rotation: who receives has a day to follow.
ROTATION = timedelta(days=1)

# How long to wait after the first, second ... failure in a row; the last one counts on.
DELAYS_S = (5.0, 15.0, 60.0, 300.0, 900.0, 1800.0, 3600.0)
# Each is longer or shorter by as much at random, so that not all come back at once.
JITTER = 0.2
# How long whoever answers may put us off.
PUT_OFF_S_MAX = 6 * 3600.0
# A weekend and a day: who has not mended it by then is not waited for any longer.
FAILING_MAX = timedelta(days=4)

GONE = 410

TYPES_MAX = 20
DESCRIPTION_CHARACTERS_MAX = 200
# Each has one message under way: so many connections there are at most.
ENDPOINTS_MAX = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One address that wants to be told.

    Attributes:
        url: may hold a secret of its own.
        types: patterns; a message is said if one of them fits its type.
        disabled_reason: why it was disabled, where the farm did it; for a person.
        secret: what messages are signed with; until `previous_until` also with the one before.
        cursor: the number of the last line of history that it was told or does not want.
        failures: in a row; `failing_since` the first, `due_at` when it is tried again.
        version: grows whenever a person changes it.
    """

    endpoint_id: str
    url: str = field(repr=False)
    types: tuple[str, ...] = ("*",)
    description: str = ""
    enabled: bool = True
    disabled_reason: str = ""
    secret: str = field(repr=False)
    previous_secret: str = field(default="", repr=False)
    previous_until: datetime | None = None
    cursor: int = 0
    failures: int = 0
    failing_since: datetime | None = None
    due_at: datetime | None = None
    created_at: datetime
    version: int = 1


class DeliveryState(StrEnum):
    """What became of a message."""

    DELIVERED = "delivered"
    FAILING = "failing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What became of one message at one endpoint, by its last attempt.

    Attributes:
        number: of the line of history.
        status: of the last answer, None where there was none; `words` says why then.
        elapsed_ms: what the last attempt took.
    """

    endpoint_id: str
    number: int
    message_id: str
    type: str
    state: DeliveryState
    attempts: int
    status: int | None = None
    words: str = ""
    elapsed_ms: int = 0
    first_at: datetime
    last_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """How one attempt went.

    Attributes:
        status: None where there was no answer; `words` says why.
        put_off_s: for how long whoever answered asked us to stay away.
    """

    status: int | None
    words: str = ""
    put_off_s: float = 0.0
    elapsed_ms: int = 0

    @property
    def taken(self) -> bool:
        """Whether the message has arrived for certain."""
        return self.status is not None and 200 <= self.status < 300

    @property
    def result(self) -> str:
        """What became of it, in a word: `taken`, `refused`, or `unanswered`."""
        if self.status is None:
            return "unanswered"
        return "taken" if self.taken else "refused"


def secret_of(key: bytes) -> str:
    """Return a key as a secret is written."""
    return SECRET_PREFIX + base64.b64encode(key).decode()


def headers_of(endpoint: Endpoint, message: Message, now: datetime) -> dict[str, str]:
    """Return the headers that prove a message; two signatures while the secret is rotated."""
    said_at = str(int(now.timestamp()))
    secrets = [endpoint.secret]
    if endpoint.previous_until is not None and now < endpoint.previous_until:
        secrets.append(endpoint.previous_secret)
    signed = f"{message.message_id}.{said_at}.".encode() + message.body
    signatures = (hmac.new(_key(each), signed, hashlib.sha256).digest() for each in secrets)
    return {
        "Content-Type": "application/json",
        "webhook-id": message.message_id,
        "webhook-timestamp": said_at,
        "webhook-signature": " ".join(
            f"v1,{base64.b64encode(each).decode()}" for each in signatures
        ),
    }


def _key(secret: str) -> bytes:
    try:
        return base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except binascii.Error as error:
        raise ValueError("the secret of an endpoint is none") from error


def rotated(endpoint: Endpoint, secret: str, now: datetime) -> Endpoint:
    """Return the endpoint with a new secret, beside which the present one counts for a while."""
    return replace(
        endpoint,
        secret=secret,
        previous_secret=endpoint.secret,
        previous_until=now + ROTATION,
        version=endpoint.version + 1,
    )


def anew(endpoint: Endpoint) -> Endpoint:
    """Return the endpoint as one that never failed: it is tried at once."""
    return replace(endpoint, failures=0, failing_since=None, due_at=None)


def moved(endpoint: Endpoint, upto: int) -> Endpoint:
    """Return the endpoint behind lines that it does not want."""
    return replace(endpoint, cursor=max(endpoint.cursor, upto))


def after(endpoint: Endpoint, number: int, attempt: Attempt, now: datetime) -> Endpoint:
    """Return the endpoint after an attempt to tell it the line with this number."""
    if attempt.taken:
        return replace(anew(endpoint), cursor=number)
    failures = endpoint.failures + 1
    since = endpoint.failing_since or now
    wait_s = max(_delay_s(endpoint.endpoint_id, number, failures), attempt.put_off_s)
    failed = replace(
        endpoint, failures=failures, failing_since=since, due_at=now + timedelta(seconds=wait_s)
    )
    if attempt.status == GONE:
        return _disabled(failed, "it answered 410: it wants to hear nothing more")
    if now - since >= FAILING_MAX:
        days = FAILING_MAX.days
        return _disabled(failed, f"it failed for {days} days; the last time: {told(attempt)}")
    return failed


def _disabled(endpoint: Endpoint, reason: str) -> Endpoint:
    return replace(
        endpoint, enabled=False, disabled_reason=reason, due_at=None, version=endpoint.version + 1
    )


def told(attempt: Attempt) -> str:
    """Return in words how an attempt went."""
    return attempt.words if attempt.status is None else f"it answered {attempt.status}"


def put_off_s(retry_after: str) -> float:
    """Return for how long a `Retry-After` of seconds puts us off; 0 for anything else."""
    digits = retry_after.strip()
    if not (digits.isascii() and digits.isdigit() and len(digits) < 10):
        return 0.0
    return min(float(digits), PUT_OFF_S_MAX)


def _delay_s(endpoint_id: str, number: int, failures: int) -> float:
    """Return how long to wait; what looks like chance is a hash, so that it can be foretold."""
    base_s = DELAYS_S[min(failures, len(DELAYS_S)) - 1]
    hashed = hashlib.sha256(f"{endpoint_id} {number} {failures}".encode()).digest()
    chance = int.from_bytes(hashed[:4]) / 2**32
    return base_s * (1 + JITTER * (2 * chance - 1))


def delivered(
    known: Delivery | None, endpoint: Endpoint, message: Message, attempt: Attempt, now: datetime
) -> Delivery:
    """Return what became of a message after one more attempt."""
    return Delivery(
        endpoint_id=endpoint.endpoint_id,
        number=message.number,
        message_id=message.message_id,
        type=message.type,
        state=DeliveryState.DELIVERED if attempt.taken else DeliveryState.FAILING,
        attempts=1 + (known.attempts if known is not None else 0),
        status=attempt.status,
        words=attempt.words,
        elapsed_ms=attempt.elapsed_ms,
        first_at=known.first_at if known is not None else now,
        last_at=now,
    )


def test_message(endpoint: Endpoint, message_id: str, now: datetime) -> Message:
    """Return a message that only tests whether it arrives."""
    data: dict[str, Plain] = {"webhook_id": endpoint.endpoint_id, "words": "a test"}
    body = encoded(TEST_TYPE, now.isoformat(), data)
    return Message(message_id=message_id, number=0, type=TEST_TYPE, body=body)


def unknown_pattern(types: tuple[str, ...]) -> str:
    """Return the first pattern that fits no type there is; empty where all do."""
    return next((each for each in types if not any(wanted((each,), known) for known in TYPES)), "")


def line_of(
    endpoint: Endpoint, verb: str, actor: str, origin: str, now: datetime, cause: str = ""
) -> FarmEvent:
    """Return the line of history about a change of an endpoint; it holds no address, no secret."""
    return FarmEvent(
        subject="webhook",
        subject_id=endpoint.endpoint_id,
        name=f"webhook.{verb}",
        at=now,
        actor=actor,
        origin=origin,
        cause=cause,
        facts={
            "description": endpoint.description,
            "types": list(endpoint.types),
            "enabled": endpoint.enabled,
            "cursor": endpoint.cursor,
        },
    )
