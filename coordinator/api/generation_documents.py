"""Generations as JSON: shapes, and pure functions to them; see `render.py`."""

from decimal import Decimal

from typing_extensions import TypedDict

from coordinator.api.documents import Facts, Moment, Ratio
from coordinator.api.render import API_ROOT, artifact_url, moment, moment_or_null
from coordinator.domain.code_forms import Parameter, form_in
from coordinator.domain.generations import GenerationState, Trouble
from coordinator.domain.ledger import Entry
from coordinator.domain.providing import Blame, Kind
from coordinator.usecases.generation_views import GenerationView, Made
from coordinator.usecases.quoting import Quote


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
    """A version that came of it; `name` is its model's, `pictures` are addresses as a version's."""

    model_id: str
    version: int
    url: str
    name: str
    pictures: dict[str, str]


class ChoiceDocument(TypedDict):
    """One of the values that a field may have, and what a person reads for it."""

    value: str | int | float | bool
    label: str


class FieldDocument(TypedDict):
    """A field of the form that code asks for; a vector's value is set as its text: `[1, 2]`.

    `type` is `string`, `integer`, `number`, `boolean` or `vector`; bounds of a vector are those of
    each of its numbers. Null: a bound that there is not. `choices` is empty where any value does.
    """

    name: str
    type: str
    default: str | int | float | bool | list[float]
    minimum: float | None
    maximum: float | None
    step: float | None
    characters_max: int | None
    choices: list[ChoiceDocument]
    group: str
    words: str


class LimitDocument(TypedDict):
    """What may be spent and what is spent of it, as decimals; `words` go on from the amount."""

    words: str
    most: str
    spent: str


class QuoteDocument(TypedDict):
    """What a request would cost at most, as decimals in the provider's unit.

    `objection` says why it would not be paid now, and is empty where it would. `like` is a
    generation of the same request: with `reuse` it is answered from what that one made, for
    nothing. Null: `amount` where it costs nothing, `like` where there is none.
    """

    provider: str
    amount: str | None
    unit: str
    exact: bool
    limits: list[LimitDocument]
    objection: str
    like: str | None


class GenerationDocument(TypedDict):
    """A request to a provider, and what became of it.

    `form` are the values that its code asks for: `POST .../again` makes it again with others.
    `report` is what a task found in a mesh that it only looked at; `made` is what it looked at.
    `job_id` is the first of `job_ids`: a link may lead to several parts, a model and a job each.
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
    job_ids: list[str]
    form: list[FieldDocument]
    report: Facts
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
    job_ids: list[str]
    form: list[FieldDocument]
    report: Facts
    said: str
    remarks: list[str]
    trouble: GenerationTroubleDocument | None
    next_at: Moment | None
    submitted_at: Moment | None
    deadline_at: Moment | None


def _course(view: GenerationView) -> _Course:
    known, report = view.generation, view.generation.told.get("report")
    return {
        "submits": known.submits,
        "cancel_wanted": known.cancel_wanted,
        "waits": known.waits,
        "progress": ratio_or_null(view.progress),
        "stage": view.stage,
        "queue_position": known.queue_position,
        "task_id": known.handle.task_id if known.handle is not None else "",
        "made": [_made_document(each) for each in view.made],
        "job_id": next(iter(known.job_ids), ""),
        "job_ids": list(known.job_ids),
        "form": [_field_document(each) for each in form_in(known.told)],
        "report": report if isinstance(report, dict) else {},
        "said": known.said,
        "remarks": list(known.remarks),
        "trouble": None if known.trouble is None else _trouble_document(known.trouble),
        "next_at": moment_or_null(known.next_at),
        "submitted_at": moment_or_null(known.submitted_at),
        "deadline_at": moment_or_null(known.deadline_at),
    }


def quote_document(found: Quote, *, mine: str | None) -> QuoteDocument:
    """Return what a request would cost.

    Args:
        mine: whose generations may be told of; None for everybody's.
    """
    cost, like = found.cost, found.like
    told = like is not None and mine in (None, like.owner)
    return {
        "provider": found.source.name,
        "amount": None if cost is None else amount(cost.amount),
        "unit": cost.unit if cost is not None else "",
        "exact": cost.exact if cost is not None else True,
        "limits": [
            {"words": each.words, "most": amount(each.most), "spent": amount(each.spent)}
            for each in found.limits
        ],
        "objection": found.objection,
        "like": like.generation_id if like is not None and told else None,
    }


def ratio_or_null(progress: float | None) -> float | None:
    """Return progress as it is told; providers' own numbers may be anything."""
    return None if progress is None else min(max(progress, 0.0), 1.0)


def sheet_document(sha256: str, media_type: str) -> SheetDocument:
    """Return a picture that a request came with."""
    return {"sha256": sha256, "media_type": media_type, "url": artifact_url(sha256)}


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


def _made_document(made: Made) -> MadeDocument:
    version = made.version
    return {
        "model_id": version.model_id,
        "version": version.number,
        "url": f"{API_ROOT}/models/{version.model_id}/versions/{version.number}",
        "name": made.name,
        "pictures": {shows: artifact_url(sha256) for shows, sha256 in version.pictures.items()},
    }


def _field_document(field: Parameter) -> FieldDocument:
    default = field.default
    return {
        "name": field.name,
        "type": field.type,
        "default": list(default) if isinstance(default, tuple) else default,
        "minimum": field.minimum,
        "maximum": field.maximum,
        "step": field.step,
        "characters_max": field.characters_max,
        "choices": [{"value": each.value, "label": each.label} for each in field.choices],
        "group": field.group,
        "words": field.words,
    }
