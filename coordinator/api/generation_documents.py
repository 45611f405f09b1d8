"""Generations and providers as JSON: shapes, and pure functions to them; see `render.py`."""

from decimal import Decimal

from typing_extensions import TypedDict

from coordinator.api.documents import Facts, Moment, Ratio
from coordinator.api.render import API_ROOT, artifact_url, moment, moment_or_null
from coordinator.domain.breaker import Call, Stand
from coordinator.domain.generations import Generation, GenerationState, Trouble
from coordinator.domain.ledger import Entry
from coordinator.domain.providing import Blame, Cancels, Health, Kind, Option
from coordinator.usecases.generating import GenerationView
from coordinator.usecases.providers import ProviderView


class SheetDocument(TypedDict):
    """A picture that a request came with."""

    sha256: str
    media_type: str
    url: str


class NewSheetDocument(SheetDocument):
    """A picture that was brought."""

    size_bytes: int


class PrintDocument(TypedDict):
    """How what is made is to be printed."""

    copies: int
    material: str
    quality: str
    printer_class: str


class GenerationTroubleDocument(TypedDict):
    """What went wrong last: its class (what has to be done about it), and the provider's code."""

    blame: Blame
    code: str
    message: str
    request_id: str
    field: str


class CostDocument(TypedDict):
    """What one paid call costs, as decimals in the provider's unit.

    Null: `charged` while nobody knows; what was reserved counts as spent until then.
    """

    submit: int
    unit: str
    estimated: str
    reserved: str
    charged: str | None


class MadeDocument(TypedDict):
    """A version that came of it."""

    model_id: str
    version: int
    url: str


class GenerationDocument(TypedDict):
    """A request to a provider, and what became of it.

    Null: `size_mm`, `seed` and `cost_max` where nobody said one; `print` where no job is wanted;
    `progress` and `queue_position` where the provider does not tell; `trouble` where nothing is
    wrong; `next_at` where nothing happens by itself; `submitted_at` and `deadline_at` before the
    first paid call.
    """

    id: str
    state: GenerationState
    provider: str
    service: str
    owner: str
    approved: bool
    kind: Kind
    name: str
    prompt: str
    pictures: list[SheetDocument]
    continues: str
    code: str
    parameters: Facts
    url: str
    mesh_sha256: str
    size_mm: float | None
    seed: int | None
    options: Facts
    print: PrintDocument | None
    reuse: bool
    cost_max: str | None
    submits: int
    cancel_wanted: bool
    waits: str
    progress: Ratio | None
    stage: str
    queue_position: int | None
    task_id: str
    made: list[MadeDocument]
    job_id: str
    said: str
    remarks: list[str]
    trouble: GenerationTroubleDocument | None
    costs: list[CostDocument]
    next_at: Moment | None
    submitted_at: Moment | None
    deadline_at: Moment | None
    created_at: Moment
    updated_at: Moment
    version: int


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


def generation_document(view: GenerationView) -> GenerationDocument:
    """Return a generation."""
    known, asked = view.generation, view.generation.asked
    printing = asked.printing
    return {
        "id": known.generation_id,
        "state": known.state,
        "provider": known.provider,
        "service": known.service,
        "owner": known.owner,
        "approved": known.approved,
        "kind": asked.kind,
        "name": asked.name,
        "prompt": asked.prompt,
        "pictures": [sheet_document(each.sha256, each.media_type) for each in asked.pictures],
        "continues": asked.continues,
        "code": asked.code,
        "parameters": dict(asked.parameters),
        "url": asked.url,
        "mesh_sha256": asked.mesh_sha256,
        "size_mm": asked.size_mm,
        "seed": asked.seed,
        "options": dict(asked.options),
        "print": None
        if printing is None
        else {
            "copies": printing.copies,
            "material": printing.material,
            "quality": printing.quality,
            "printer_class": printing.printer_class,
        },
        "reuse": asked.reuse,
        "cost_max": amount_or_null(asked.cost_max),
        **_course(view),
        "costs": [_cost_document(each) for each in view.entries],
        "created_at": moment(known.created_at),
        "updated_at": moment(known.updated_at),
        "version": known.version,
    }


class _Course(TypedDict):
    submits: int
    cancel_wanted: bool
    waits: str
    progress: Ratio | None
    stage: str
    queue_position: int | None
    task_id: str
    made: list[MadeDocument]
    job_id: str
    said: str
    remarks: list[str]
    trouble: GenerationTroubleDocument | None
    next_at: Moment | None
    submitted_at: Moment | None
    deadline_at: Moment | None


def _course(view: GenerationView) -> _Course:
    known = view.generation
    return {
        "submits": known.submits,
        "cancel_wanted": known.cancel_wanted,
        "waits": known.waits,
        "progress": ratio_or_null(view.progress),
        "stage": view.stage,
        "queue_position": known.queue_position,
        "task_id": known.handle.task_id if known.handle is not None else "",
        "made": made_documents(known),
        "job_id": known.job_id,
        "said": known.said,
        "remarks": list(known.remarks),
        "trouble": None if known.trouble is None else _trouble_document(known.trouble),
        "next_at": moment_or_null(known.next_at),
        "submitted_at": moment_or_null(known.submitted_at),
        "deadline_at": moment_or_null(known.deadline_at),
    }


def made_documents(known: Generation) -> list[MadeDocument]:
    """Return the versions that came of a generation."""
    return [
        {
            "model_id": model_id,
            "version": number,
            "url": f"{API_ROOT}/models/{model_id}/versions/{number}",
        }
        for model_id, number in known.versions
    ]


def ratio_or_null(progress: float | None) -> float | None:
    """Return progress as it is told; providers' own numbers may be anything."""
    return None if progress is None else min(max(progress, 0.0), 1.0)


def sheet_document(sha256: str, media_type: str) -> SheetDocument:
    """Return a picture that a request came with."""
    return {"sha256": sha256, "media_type": media_type, "url": artifact_url(sha256)}


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


def amount(value: Decimal) -> str:
    """Return an amount, without zeros that say nothing."""
    return f"{value.normalize():f}"


def amount_or_null(value: Decimal | None) -> str | None:
    """Return an amount, null for none."""
    return None if value is None else amount(value)


def _trouble_document(trouble: Trouble) -> GenerationTroubleDocument:
    return {
        "blame": trouble.blame,
        "code": trouble.code,
        "message": trouble.message,
        "request_id": trouble.request_id,
        "field": trouble.field,
    }


def _cost_document(entry: Entry) -> CostDocument:
    return {
        "submit": entry.submit,
        "unit": entry.unit,
        "estimated": amount(entry.estimated),
        "reserved": amount(entry.reserved),
        "charged": amount_or_null(entry.charged),
    }


def _option_document(option: Option) -> OptionDocument:
    return {
        "name": option.name,
        "type": option.type,
        "words": option.words,
        "choices": list(option.choices),
    }
