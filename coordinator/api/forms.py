"""What requests bring, checked: the fields of an order, and small JSON bodies."""

from collections.abc import Mapping
from functools import cache
from typing import Annotated, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, Json, ValidationError, model_validator

from coordinator.api.names import NAME_CHARACTERS_MAX
from coordinator.api.problems import BadRequest, FieldError, Problem
from coordinator.api.times import Time
from coordinator.usecases.orders import Order
from protocols.wire.vocabulary import PrinterId

PRIORITY_MAX = 1000
WORD_CHARACTERS_MAX = 64
SETTINGS_MAX = 100
LINE_MAX = 500
NOTES_CHARACTERS_MAX = 4000
ARGUMENTS_MAX = 10


class OrderForm(BaseModel):
    """What comes beside the file. Texts, as multipart has them; numbers are read from texts."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True, defer_build=True)

    name: str = Field(default="", max_length=NAME_CHARACTERS_MAX)
    copies: int = 1
    copies_per_plate: int = 1
    material: str = Field(default="", max_length=WORD_CHARACTERS_MAX)
    quality: str = Field(default="", max_length=WORD_CHARACTERS_MAX)
    printer_class: str = Field(default="", max_length=WORD_CHARACTERS_MAX)
    printer_group: str = Field(default="", max_length=WORD_CHARACTERS_MAX)
    printer_tags: str = Field(
        default="", max_length=1000, description="only printers with all of these: a, b"
    )
    printer_id: str = Field(default="", max_length=WORD_CHARACTERS_MAX)
    priority: int = Field(default=0, ge=-PRIORITY_MAX, le=PRIORITY_MAX)
    due_at: Time | None = None
    model_id: str = Field(
        default="",
        max_length=WORD_CHARACTERS_MAX,
        description="instead of a file: a model of the farm",
    )
    version: int = Field(default=0, ge=0, lt=2**31, description="of the model; 0 is its newest")
    settings: Json[dict[str, bool | int | float | str]] = Field(default_factory=dict)


class JobForm(BaseModel):
    """What somebody wants of a job that has not ended; `due_at` null is no due date."""

    model_config = ConfigDict(
        extra="forbid", strict=True, str_strip_whitespace=True, defer_build=True
    )

    name: str = Field(default_factory=str, min_length=1, max_length=NAME_CHARACTERS_MAX)
    priority: int = Field(default=0, ge=-PRIORITY_MAX, le=PRIORITY_MAX)
    due_at: Time | None = None
    copies: int = 1


class PlaceForm(BaseModel):
    """Where a job is put in the queue; one of the three is said."""

    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)

    to: int = Field(default=1, ge=1, lt=2**31, description="its number, 1 for the first")
    before: str = Field(default_factory=str, min_length=1, max_length=WORD_CHARACTERS_MAX)
    after: str = Field(default_factory=str, min_length=1, max_length=WORD_CHARACTERS_MAX)

    @model_validator(mode="after")
    def _one(self) -> Self:
        if len(self.model_fields_set) != 1:
            raise ValueError("say one of to, before and after")
        return self


class RepeatForm(BaseModel):
    """What of an order is said anew; as many copies as before where nobody says."""

    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)

    copies: int | None = Field(default=None, ge=1)


class SettleForm(BaseModel):
    """How a lost run ended; which words there are is the use case's to know."""

    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)

    outcome: str = Field(examples=["finished"])


class PrinterForm(BaseModel):
    """What a printer is to people; what is not said stays as it is."""

    model_config = ConfigDict(
        extra="forbid", strict=True, str_strip_whitespace=True, defer_build=True
    )

    printer_group: str = Field(
        default="", max_length=WORD_CHARACTERS_MAX, pattern=r"^([A-Za-z0-9][A-Za-z0-9 ._-]*)?$"
    )
    tags: list[Annotated[str, Field(max_length=200)]] = Field(default=[], max_length=100)
    location: str = Field(default="", max_length=NAME_CHARACTERS_MAX)
    notes: str = Field(default="", max_length=NOTES_CHARACTERS_MAX)
    material: str = Field(default="", max_length=WORD_CHARACTERS_MAX)


class ServiceForm(BaseModel):
    """Whether a printer is out of the farm's hands."""

    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)

    in_service: bool = Field(examples=[True])


class SealForm(BaseModel):
    """Which lines of history are in an archive, and the proof that somebody has it."""

    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)

    upto: int = Field(ge=1, lt=2**63)
    archive_sha256: str = Field(pattern=r"^[0-9a-f]{64}$")


class CommandForm(BaseModel):
    """One command for a printer; what it knows, and takes, is its driver's to say."""

    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)

    name: str = Field(min_length=1, max_length=WORD_CHARACTERS_MAX, examples=["send"])
    arguments: dict[str, bool | int | float | Annotated[str, Field(max_length=LINE_MAX)]] = Field(
        default_factory=dict, max_length=ARGUMENTS_MAX, examples=[{"line": "M220 S90"}]
    )


_Form = TypeVar("_Form", bound=BaseModel)


def form_of(kind: type[_Form], body: bytes) -> _Form:
    """Return what a JSON body says.

    Raises:
        BadRequest: 422, with every field that is wrong.
    """
    try:
        if kind.model_config.get("str_strip_whitespace"):
            _as_sent(kind).model_validate_json(body)
        return kind.model_validate_json(body)
    except ValidationError as error:
        raise _refusal(kind, error) from error


@cache
def _as_sent(kind: type[BaseModel]) -> type[BaseModel]:
    """Return a form that counts the spaces around a text too, as the document says of lengths."""

    class AsSent(kind):  # type: ignore[valid-type, misc]
        model_config = ConfigDict(str_strip_whitespace=False)

    return AsSent


def order_of(fields: Mapping[str, str], file_name: str, actor: str, origin: str) -> Order:
    """Return the order in a form's fields.

    Raises:
        BadRequest: 422, with every field that is wrong.
    """
    try:
        form = OrderForm.model_validate(fields)
    except ValidationError as error:
        raise _refusal(OrderForm, error) from error
    if len(form.settings) > SETTINGS_MAX:
        raise refused([FieldError(pointer="/settings", detail=f"at most {SETTINGS_MAX} settings")])
    return Order(
        name=form.name or file_name,
        model_id=form.model_id,
        model_version=form.version,
        due_at=form.due_at,
        file_name=file_name,
        copies=form.copies,
        copies_per_plate=form.copies_per_plate,
        material=form.material,
        quality=form.quality,
        printer_class=form.printer_class,
        printer_group=form.printer_group,
        printer_tags=tuple(each for each in form.printer_tags.split(",") if each.strip()),
        printer_id=PrinterId(form.printer_id) if form.printer_id else None,
        overrides=form.settings,
        priority=form.priority,
        actor=actor,
        origin=origin,
    )


def field_errors(kind: type[BaseModel], error: ValidationError) -> list[FieldError]:
    """Return what is wrong with each field."""
    known = ", ".join(kind.model_fields)
    return [
        FieldError(
            pointer="/" + "/".join(_escaped(str(part)) for part in found["loc"]),
            detail=f"there is no such field; known are {known}"
            if found["type"] == "extra_forbidden"
            else found["msg"].removeprefix("Value error, "),
        )
        for found in error.errors(include_url=False, include_input=False)
    ]


def _refusal(kind: type[BaseModel], error: ValidationError) -> BadRequest:
    return refused(field_errors(kind, error))


def refused(errors: list[FieldError]) -> BadRequest:
    """Return the answer to a body with fields that are wrong."""
    first = errors[0]
    return BadRequest(
        Problem(
            status=422,
            code="invalid_fields",
            title="Invalid fields",
            detail=f"{first.pointer[1:] or 'body'}: {first.detail}",
            errors=tuple(errors),
        )
    )


def _escaped(part: str) -> str:
    """Escape one step of a JSON pointer, after RFC 6901."""
    return part.replace("~", "~0").replace("/", "~1")
