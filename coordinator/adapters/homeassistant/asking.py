"""Requests of programs, as JSON: read strictly, so that a mistyped field is no job, but told."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    model_validator,
)

from coordinator.domain.file_names import NAME_CHARACTERS_MAX, file_name_of
from coordinator.errors import Refused
from coordinator.usecases.automating import OfJob, OfPrinter, Submit
from coordinator.usecases.orders import Order
from protocols.wire.vocabulary import JobId, PrinterId

WORD_CHARACTERS_MAX = 64
PRIORITY_MAX = 1000
TEXT_CHARACTERS_MAX = 2000

_Word = Annotated[str, Field(max_length=WORD_CHARACTERS_MAX)]
_Its = Annotated[str, Field(min_length=1, max_length=WORD_CHARACTERS_MAX)]


def _aware(said: Any) -> Any:
    at = datetime.fromisoformat(said) if isinstance(said, str) else said
    if not isinstance(at, datetime) or at.tzinfo is None:
        raise ValueError("a time as in 2026-01-31T12:00:00Z is wanted")
    return at


class _Request(BaseModel):
    """What every request has."""

    model_config = ConfigDict(
        extra="forbid", strict=True, str_strip_whitespace=True, defer_build=True
    )

    id: str = Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")
    key: str = Field(repr=False, max_length=TEXT_CHARACTERS_MAX)


class SubmitRequest(_Request):
    """An order."""

    do: Literal["submit"]
    url: str = Field(default="", max_length=TEXT_CHARACTERS_MAX)
    sha256: str = Field(default="", pattern=r"^([0-9a-f]{64})?$")
    model_id: _Word = ""
    version: int = Field(default=0, ge=0, lt=2**31)
    name: str = Field(default="", max_length=NAME_CHARACTERS_MAX)
    file_name: str = Field(default="", max_length=NAME_CHARACTERS_MAX)
    copies: int = 1
    copies_per_plate: int = 1
    material: _Word = ""
    quality: _Word = ""
    printer_class: _Word = ""
    printer_group: _Word = ""
    printer_tags: list[_Word] = Field(default=[], max_length=20)
    printer_id: _Word = ""
    priority: int = Field(default=0, ge=-PRIORITY_MAX, le=PRIORITY_MAX)
    due_at: Annotated[datetime | None, BeforeValidator(_aware)] = None
    held: bool = False
    settings: dict[str, bool | int | float | str] = Field(default_factory=dict, max_length=100)

    @model_validator(mode="after")
    def _one(self) -> "SubmitRequest":
        if sum(map(bool, (self.url, self.sha256, self.model_id))) != 1:
            raise ValueError("say one of url, sha256 and model_id")
        return self

    def asked(self) -> Submit:
        """Return what is asked."""
        order = Order(
            name=self.name,
            file_name=file_name_of(self.file_name),
            copies=self.copies,
            copies_per_plate=self.copies_per_plate,
            material=self.material,
            quality=self.quality,
            printer_class=self.printer_class,
            printer_group=self.printer_group,
            printer_tags=tuple(self.printer_tags),
            printer_id=PrinterId(self.printer_id) if self.printer_id else None,
            overrides=self.settings,
            priority=self.priority,
            due_at=self.due_at,
            model_id=self.model_id,
            model_version=self.version,
            held=self.held,
            actor="",
        )
        return Submit(order=order, url=self.url, sha256=self.sha256)


class JobRequest(_Request):
    """One thing to do with a job; `job` looks at it."""

    do: Literal["job", "pause_job", "resume_job", "cancel_job", "approve_job"]
    job_id: _Its

    def asked(self) -> OfJob:
        """Return what is asked."""
        return OfJob(verb=self.do, job_id=JobId(self.job_id))


class PrinterRequest(_Request):
    """One thing to do with a printer."""

    do: Literal["clear"]
    printer_id: _Its

    def asked(self) -> OfPrinter:
        """Return what is asked."""
        return OfPrinter(verb=self.do, printer_id=PrinterId(self.printer_id), arguments={})


class ServiceRequest(_Request):
    """Take a printer out of the farm's hands, or give it back."""

    do: Literal["service"]
    printer_id: _Its
    in_service: bool

    def asked(self) -> OfPrinter:
        """Return what is asked."""
        return OfPrinter(
            verb=self.do,
            printer_id=PrinterId(self.printer_id),
            in_service=self.in_service,
            arguments={},
        )


class CommandRequest(_Request):
    """Have a printer do what is not state, as `POST /printers/{id}/commands`."""

    do: Literal["command"]
    printer_id: _Its
    name: _Its
    arguments: dict[str, bool | int | float | Annotated[str, Field(max_length=500)]] = Field(
        default_factory=dict, max_length=10
    )

    def asked(self) -> OfPrinter:
        """Return what is asked."""
        return OfPrinter(
            verb=self.do,
            printer_id=PrinterId(self.printer_id),
            command=self.name,
            arguments=self.arguments,
        )


Request = SubmitRequest | JobRequest | PrinterRequest | ServiceRequest | CommandRequest

# Built by the first request: most coordinators never see one.
_ANY: TypeAdapter[Request] = TypeAdapter(
    Annotated[Request, Field(discriminator="do")], config=ConfigDict(defer_build=True)
)


def request_of(payload: bytes) -> Request:
    """Return what a request says.

    Raises:
        Refused: `invalid_fields`; it tells nothing of what the request held but its fields' names.
    """
    try:
        return _ANY.validate_json(payload)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "body"
        words = first["msg"].removeprefix("Value error, ")
        raise Refused("invalid_fields", f"{where}: {words}") from None
