"""Providers as JSON: shapes, and pure functions to them; see `render.py`."""

from typing_extensions import TypedDict

from coordinator.api.generation_documents import amount, amount_or_null
from coordinator.api.render import API_ROOT
from coordinator.domain.breaker import Call, Stand
from coordinator.domain.providing import Cancels, Health, Kind, Option
from coordinator.usecases.providers import ProviderView


class OptionDocument(TypedDict):
    """A setting that a request may name; any value will do where there are no choices."""

    name: str
    type: str
    words: str
    choices: list[str]


class CallsDocument(TypedDict):
    """Which calls are let through, class by class."""

    submit: Stand
    read: Stand
    download: Stand


class BudgetDocument(TypedDict):
    """What may be spent; null is no limit."""

    request: str | None
    day: str | None
    user_day: str | None


class ProviderDocument(TypedDict):
    """A provider: what it takes, how it stands, what was spent on it today (UTC), by unit.

    `webhook_path` is told to administrators only.
    """

    name: str
    service: str
    title: str
    kinds: list[Kind]
    language: str
    needs_size: bool
    converses: bool
    cancels: Cancels
    prompt_chars_max: int
    pictures_max: int
    picture_bytes_max: int
    options: list[OptionDocument]
    at_once_max: int
    running: int
    calls: CallsDocument
    trouble: str
    budget: BudgetDocument
    spent_today: dict[str, str]
    webhook_path: str


class ProviderHealthDocument(TypedDict):
    """How a provider says that it is. Null: `balance` where it tells none."""

    ready: bool
    words: str
    balance: str | None


class HintsDocument(TypedDict):
    """How many tasks a webhook named."""

    hints: int


def provider_document(view: ProviderView, *, with_webhook: bool) -> ProviderDocument:
    """Return a provider."""
    source, offer, budget = view.source, view.source.offer, view.source.budget
    return {
        "name": source.name,
        "service": offer.service,
        "title": offer.title,
        "kinds": sorted(offer.kinds),
        "language": offer.language,
        "needs_size": offer.needs_size,
        "converses": offer.converses,
        "cancels": offer.cancels,
        "prompt_chars_max": offer.prompt_chars_max,
        "pictures_max": offer.pictures_max,
        "picture_bytes_max": offer.picture_bytes_max,
        "options": [_option_document(each) for each in offer.options],
        "at_once_max": source.at_once_max,
        "running": view.running,
        "calls": {
            "submit": view.calls[Call.SUBMIT],
            "read": view.calls[Call.READ],
            "download": view.calls[Call.DOWNLOAD],
        },
        "trouble": view.trouble,
        "budget": {
            "request": amount_or_null(budget.request),
            "day": amount_or_null(budget.day),
            "user_day": amount_or_null(budget.user_day),
        },
        "spent_today": {unit: amount(spent) for unit, spent in view.spent.items()},
        "webhook_path": (
            f"{API_ROOT}/provider-webhooks/{source.name}/{source.callback}" if with_webhook else ""
        ),
    }


def provider_health_document(health: Health) -> ProviderHealthDocument:
    """Return how a provider says that it is."""
    balance = health.balance
    return {
        "ready": health.ready,
        "words": health.words,
        "balance": None if balance is None else f"{amount(balance.amount)} {balance.unit}",
    }


def _option_document(option: Option) -> OptionDocument:
    return {
        "name": option.name,
        "type": option.type,
        "words": option.words,
        "choices": list(option.choices),
    }
