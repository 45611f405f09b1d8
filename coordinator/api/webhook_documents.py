"""Webhooks as JSON: shapes, and pure functions to them; see `render.py` for the rules."""

from typing_extensions import TypedDict

from coordinator.api.documents import Moment
from coordinator.api.render import moment, moment_or_null
from coordinator.domain.webhooks import Delivery, DeliveryState
from coordinator.usecases.webhooks import EndpointView


class TypeDocument(TypedDict):
    """A type of messages, with what it means."""

    type: str
    words: str


class WebhookDocument(TypedDict):
    """An endpoint, without its secret.

    Null: `previous_secret_until` where one secret counts; `failing_since` and `due_at` where the
    last message was taken.
    """

    id: str
    url: str
    types: list[str]
    description: str
    enabled: bool
    disabled_reason: str
    cursor: int
    behind: int
    failures: int
    failing_since: Moment | None
    due_at: Moment | None
    previous_secret_until: Moment | None
    created_at: Moment


class NewWebhookDocument(WebhookDocument):
    """An endpoint with its secret: told this once."""

    secret: str


class AttemptDocument(TypedDict):
    """How a test went. Null: `status` where there was no answer."""

    taken: bool
    status: int | None
    words: str
    elapsed_ms: int


class DeliveryDocument(TypedDict):
    """What became of a message. Null: `status` where the last attempt had no answer."""

    event: int
    id: str
    type: str
    state: DeliveryState
    attempts: int
    status: int | None
    words: str
    elapsed_ms: int
    first_at: Moment
    last_at: Moment


def webhook_document(view: EndpointView) -> WebhookDocument:
    """Return an endpoint, without its secret."""
    endpoint = view.endpoint
    return {
        "id": endpoint.endpoint_id,
        "url": endpoint.url,
        "types": list(endpoint.types),
        "description": endpoint.description,
        "enabled": endpoint.enabled,
        "disabled_reason": endpoint.disabled_reason,
        "cursor": endpoint.cursor,
        "behind": view.behind,
        "failures": endpoint.failures,
        "failing_since": moment_or_null(endpoint.failing_since),
        "due_at": moment_or_null(endpoint.due_at),
        "previous_secret_until": moment_or_null(endpoint.previous_until),
        "created_at": moment(endpoint.created_at),
    }


def delivery_document(delivery: Delivery) -> DeliveryDocument:
    """Return what became of a message."""
    return {
        "event": delivery.number,
        "id": delivery.message_id,
        "type": delivery.type,
        "state": delivery.state,
        "attempts": delivery.attempts,
        "status": delivery.status,
        "words": delivery.words,
        "elapsed_ms": delivery.elapsed_ms,
        "first_at": moment(delivery.first_at),
        "last_at": moment(delivery.last_at),
    }
