"""Signatures, delays and ends of endpoints; signatures are held against the official library."""

import base64
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from coordinator.domain import webhooks
from coordinator.domain.messages import Message
from coordinator.domain.webhooks import (
    DELAYS_S,
    FAILING_MAX,
    JITTER,
    PUT_OFF_S_MAX,
    ROTATION,
    Attempt,
    Endpoint,
    after,
    headers_of,
    rotated,
    secret_of,
)

README = Path(__file__).parents[3] / "README.md"
NOW = datetime(2030, 1, 1, 12, tzinfo=UTC)
OLD, NEW = secret_of(b"o" * 32), secret_of(b"n" * 32)
ENDPOINT = Endpoint(
    endpoint_id="webhook-1", url="https://example.com/x", secret=OLD, cursor=7, created_at=NOW
)
MESSAGE = Message(message_id="evt-8-abc", number=8, type="job.finished", body='{"ä":1}'.encode())


def verified(secret: str, endpoint: Endpoint, message: Message = MESSAGE) -> object:
    now = datetime.now(UTC)  # the library looks at the clock itself
    return Webhook(secret).verify(message.body, headers_of(endpoint, message, now))


@given(key=st.binary(min_size=24, max_size=64), text=st.text())
def test_the_official_library_takes_every_signature(key: bytes, text: str) -> None:
    message = webhooks.test_message(ENDPOINT, "test-1", NOW)
    body = message.body.replace(b"a test", base64.b64encode(text.encode("utf-8", "replace")))
    endpoint = replace(ENDPOINT, secret=secret_of(key))
    assert verified(secret_of(key), endpoint, replace(message, body=body))


def test_the_official_library_refuses_another_body_secret_or_id() -> None:
    headers = headers_of(ENDPOINT, MESSAGE, datetime.now(UTC))
    for secret, body, changed in (
        (NEW, MESSAGE.body, headers),
        (OLD, MESSAGE.body + b" ", headers),
        (OLD, MESSAGE.body, {**headers, "webhook-id": "evt-9"}),
    ):
        with pytest.raises(WebhookVerificationError):
            Webhook(secret).verify(body, changed)


def test_while_a_secret_is_rotated_both_are_good_and_then_only_the_new_one() -> None:
    now = datetime.now(UTC)
    turning = rotated(ENDPOINT, NEW, now)
    assert verified(OLD, turning) == verified(NEW, turning) == {"ä": 1}
    turned = rotated(ENDPOINT, NEW, now - ROTATION)
    assert verified(NEW, turned)
    with pytest.raises(WebhookVerificationError):
        verified(OLD, turned)


def test_the_manuals_few_lines_take_what_is_good_and_nothing_else() -> None:
    [lines] = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
    manual: dict[str, Any] = {}
    exec(compile(lines, "README.md", "exec"), manual)
    now = datetime.now(UTC)
    headers = headers_of(rotated(ENDPOINT, NEW, now), MESSAGE, now)
    assert manual["verify"](OLD, headers, MESSAGE.body)
    assert manual["verify"](NEW, headers, MESSAGE.body)
    assert not manual["verify"](secret_of(b"x" * 32), headers, MESSAGE.body)
    assert not manual["verify"](OLD, headers, MESSAGE.body + b" ")
    stale = headers_of(ENDPOINT, MESSAGE, now - timedelta(minutes=6))
    assert not manual["verify"](OLD, stale, MESSAGE.body)


def test_no_secret_shows_where_an_endpoint_is_printed() -> None:
    turning = rotated(ENDPOINT, NEW, NOW)
    assert not {part for part in (OLD, NEW, ENDPOINT.url) if part in repr(turning)}


def test_what_is_taken_moves_the_cursor_and_forgets_failures() -> None:
    failed = after(ENDPOINT, 8, Attempt(status=500), NOW)
    assert (failed.cursor, failed.failures, failed.failing_since) == (7, 1, NOW)
    taken = after(failed, 8, Attempt(status=200), NOW)
    assert (taken.cursor, taken.failures, taken.failing_since, taken.due_at) == (8, 0, None, None)


@pytest.mark.parametrize("status", [None, 100, 199, 300, 302, 307, 400, 401, 404, 429, 500, 503])
def test_everything_but_2xx_is_a_failure(status: int | None) -> None:
    assert after(ENDPOINT, 8, Attempt(status=status, words="x"), NOW).cursor == 7


def test_it_is_tried_again_later_and_later_for_days() -> None:
    endpoint, now, waits = ENDPOINT, NOW, list[float]()
    while endpoint.enabled:
        endpoint = after(endpoint, 8, Attempt(status=500), now)
        if endpoint.due_at is not None:
            waits.append((endpoint.due_at - now).total_seconds())
            now = endpoint.due_at
    for number, wait_s in enumerate(waits):
        base_s = DELAYS_S[min(number, len(DELAYS_S) - 1)]
        assert base_s * (1 - JITTER) <= wait_s <= base_s * (1 + JITTER)
    assert len({round(wait_s, 3) for wait_s in waits}) == len(waits), "each has its own jitter"
    assert now - NOW >= FAILING_MAX
    assert "failed for 4 days; the last time: it answered 500" in endpoint.disabled_reason
    assert endpoint.cursor == 7, "nothing is skipped"


def test_410_ends_it_at_once() -> None:
    gone = after(ENDPOINT, 8, Attempt(status=410), NOW)
    assert not gone.enabled
    assert "410" in gone.disabled_reason
    assert gone.version == ENDPOINT.version + 1


def test_whoever_answers_can_put_us_off_but_not_for_ever() -> None:
    put_off = Attempt(status=429, put_off_s=webhooks.put_off_s("120"))
    due = after(ENDPOINT, 8, put_off, NOW).due_at
    assert due == NOW + timedelta(seconds=120)
    assert webhooks.put_off_s("9" * 9) == PUT_OFF_S_MAX
    for text in ("", "-5", "soon", "1e9", "Wed, 21 Oct 2015 07:28:00 GMT", "٣"):
        assert webhooks.put_off_s(text) == 0
