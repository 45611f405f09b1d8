"""Providers as JSON: shapes, and pure functions to them; see `render.py`."""

from typing_extensions import TypedDict

from coordinator.api.documents import Moment
from coordinator.api.generation_documents import amount, amount_or_null
from coordinator.api.render import API_ROOT, moment
from coordinator.domain.breaker import Call, Stand
from coordinator.domain.providing import Blame, Cancels, Health, Kind, Option
from coordinator.usecases.providers import ProviderView
from coordinator.usecases.sources import Source


class OptionDocument(TypedDict):
    """A setting that a request may name; any value will do where there are no choices.

    It is for requests of these kinds; for all where none is told.
    """

    name: str
    type: str
    words: str
    choices: list[str]
    kinds: list[Kind]


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


class ProviderFaultDocument(TypedDict):
    """What a provider did wrong: its class (what has to be done about it), and its own code."""

    at: Moment
    blame: Blame
    code: str
    message: str


class ProviderHealthDocument(TypedDict):
    """How a provider says that it is. Null: `balance` where it tells none."""

    ready: bool
    words: str
    balance: str | None


class SaidDocument(ProviderHealthDocument):
    """How a provider said that it was."""

    at: Moment


class ProviderDocument(TypedDict):
    """A provider: what it takes, how it stands, what was spent on it today (UTC), by unit.

    `tool` is what works on this machine, and how well it is shut in; `trouble` why calls are not
    let through, or lead to nothing. `keys` are the names of the settings that hold its keys.
    `webhook_path` and `keys` are told to administrators only. Null: `last_fault` and `last_health`
    where there was none since the coordinator started.
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
    picture_types: list[str]
    options: list[OptionDocument]
    at_once_max: int
    running: int
    calls: CallsDocument
    trouble: str
    tool: str
    keys: list[str]
    last_fault: ProviderFaultDocument | None
    last_health: SaidDocument | None
    budget: BudgetDocument
    spent_today: dict[str, str]
    webhook_path: str


class HintsDocument(TypedDict):
    """How many tasks a webhook named."""

    hints: int


def provider_document(view: ProviderView, *, in_full: bool) -> ProviderDocument:
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
        "picture_types": list(offer.picture_types),
        "options": [_option_document(each) for each in offer.options],
        "at_once_max": source.at_once_max,
        "running": view.running,
        "calls": {
            "submit": view.calls[Call.SUBMIT],
            "read": view.calls[Call.READ],
            "download": view.calls[Call.DOWNLOAD],
        },
        "trouble": view.trouble,
        "tool": offer.tool,
        "keys": list(source.keys) if in_full else [],
        "last_fault": _fault_document(source),
        "last_health": _said_document(source),
        "budget": {
            "request": amount_or_null(budget.request),
            "day": amount_or_null(budget.day),
            "user_day": amount_or_null(budget.user_day),
        },
        "spent_today": {unit: amount(spent) for unit, spent in view.spent.items()},
        "webhook_path": (
            f"{API_ROOT}/provider-webhooks/{source.name}/{source.callback}" if in_full else ""
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
        "kinds": sorted(option.kinds),
    }


def _fault_document(source: Source) -> ProviderFaultDocument | None:
    if source.last_fault is None:
        return None
    at, fault = source.last_fault
    return {
        "at": moment(at),
        "blame": fault.blame,
        "code": fault.code,
        "message": fault.message,
    }


def _said_document(source: Source) -> SaidDocument | None:
    if source.last_health is None:
        return None
    at, health = source.last_health
    return {**provider_health_document(health), "at": moment(at)}
