"""What addresses ask for behind their question mark, checked before any handler."""

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, TypeVar, get_origin

from multidict import MultiMapping
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, WithJsonSchema

from coordinator.api.forms import WORD_CHARACTERS_MAX, field_errors
from coordinator.api.names import NAME_CHARACTERS_MAX
from coordinator.api.problems import BadRequest, FieldError, Problem
from coordinator.api.times import Time, time_of
from coordinator.domain.history import Head
from coordinator.domain.jobs import JobState
from coordinator.domain.listing import JobPlace
from coordinator.domain.printers import PrinterStatus
from coordinator.usecases.timetable import HOURS_MAX
from protocols.wire.vocabulary import JobId

# A page that nobody said a size for: more than a screen, and ready in some milliseconds.
LIMIT, LIMIT_MAX = 100, 1000
EVENTS_LIMIT = 500
# No more than a database's number holds.
_DIGITS_MAX = 18


def _count(said: Any) -> int:
    if isinstance(said, int):
        return said
    text = str(said)
    if not (text.isascii() and text.isdigit() and len(text) <= _DIGITS_MAX):
        raise ValueError("a whole number is wanted")
    return int(text)


def _head(said: Any) -> Head:
    number, _, hashed = str(said).partition(":")
    if len(hashed) != 64 or set(hashed) - set("0123456789abcdef"):
        raise ValueError("NUMBER:HASH is wanted, as an earlier verification told it")
    return Head(number=_count(number), hash=hashed)


Count = Annotated[
    int,
    BeforeValidator(_count),
    WithJsonSchema({"type": "integer", "minimum": 0, "maximum": 10**_DIGITS_MAX - 1}),
]
KnownHead = Annotated[
    Head,
    BeforeValidator(_head),
    WithJsonSchema({"type": "string", "pattern": r"^[0-9]{1,18}:[0-9a-f]{64}$"}),
]
Word = Annotated[str, Field(max_length=WORD_CHARACTERS_MAX)]


class Query(BaseModel):
    """The root of all: what nobody knows is refused, or a mistyped filter would show everything."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, arbitrary_types_allowed=True, defer_build=True
    )


class JobsMeant(Query):
    """Which jobs."""

    state: list[JobState] = Field(default=[], description="any of these; may be repeated")
    material: Word = ""
    printer_class: Word = ""
    owner: Word = Field(default="", description="as history names them: user:anna")
    model_id: Word = ""
    text: str = Field(default="", max_length=NAME_CHARACTERS_MAX, description="in the name")
    since: Time | None = Field(default=None, description="changed then or later")


class JobsQuery(JobsMeant):
    """Which jobs, and which page of them."""

    order: Literal["arrival", "newest"] = "arrival"
    limit: int = Field(default=LIMIT, ge=1, le=LIMIT_MAX)
    cursor: str = Field(default="", max_length=200, description="`next` of the page before")


class TimetableQuery(Query):
    """How far to look."""

    hours: float = Field(default=12.0, gt=0, le=HOURS_MAX)


class PrintersMeant(Query):
    """Which printers."""

    status: list[PrinterStatus] = Field(default=[], description="any of these; may be repeated")
    printer_class: Word = ""
    agent: Word = ""
    material: Word = ""
    printer_group: Word = ""
    tag: list[Word] = Field(default=[], description="all of these; may be repeated")
    location: str = Field(default="", max_length=NAME_CHARACTERS_MAX)


class PrintersQuery(PrintersMeant):
    """Which printers, and which page of them; all of them unless told."""

    limit: int | None = Field(default=None, ge=1, le=LIMIT_MAX)
    cursor: str = Field(default="", max_length=200, description="`next` of the page before")


class EventsQuery(Query):
    """Which lines of history."""

    after: Count = Field(default=0, description="`next` of the page before")
    limit: Count = Field(default=EVENTS_LIMIT, description="1 to 1000")
    last: Count | None = Field(default=None, description="the newest so many")
    job: str | None = None
    printer: str | None = None
    since: Time | None = None
    until: Time | None = Field(default=None, description="earlier than that")
    before: Count | None = Field(default=None, description="only lower numbers")
    actor: Word = Field(default="", description="who did it: user:anna; people, agents")
    name: Word = Field(default="", description="what happened: bed.clear, or job.*")
    subject: Word = Field(default="", description="what it happened to: printer")
    subject_id: Word = ""


class VerifyQuery(Query):
    """A line that must be in the history."""

    head: KnownHead | None = None


class ArchiveQuery(Query):
    """What is to be in an archive."""

    before: Time = Field(description="what happened earlier")


class LiveQuery(Query):
    """How a live connection is opened where no header can be set."""

    ticket: str = Field(default="", max_length=200, description="from POST /live/tickets")


_Query = TypeVar("_Query", bound=BaseModel)


def query_of(kind: type[_Query], said: MultiMapping[str]) -> _Query:
    """Return what a query says.

    Raises:
        BadRequest: 422, with every part that is wrong.
    """
    given: dict[str, str | Sequence[str]] = {}
    for name in dict.fromkeys(said):
        field = kind.model_fields.get(name)
        many = field is not None and get_origin(field.annotation) is list
        values = said.getall(name)
        if len(values) > 1 and not many:
            raise wrong(name, "comes twice")
        given[name] = values if many else values[0]
    try:
        return kind.model_validate(given)
    except ValidationError as error:
        errors = field_errors(kind, error)
        raise _refused(errors) from error


def cursor_of(place: Mapping[str, str]) -> str:
    """Return a cursor: opaque, and safe in an address."""
    packed = json.dumps(place, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(packed).decode().rstrip("=")


def job_cursor(place: JobPlace) -> str:
    """Return the cursor behind a job."""
    return cursor_of({"at": place.created_at.isoformat(), "id": place.job_id})


def job_place(cursor: str) -> JobPlace | None:
    """Return where a page begins, None at the beginning.

    Raises:
        BadRequest: 422.
    """
    if not cursor:
        return None
    found = place_of(cursor)
    try:
        return JobPlace(time_of(found["at"]), JobId(found["id"]))
    except (KeyError, ValueError) as error:
        raise wrong("cursor", "is none that was given") from error


def place_of(cursor: str) -> Mapping[str, str]:
    """Return what a cursor holds, as texts.

    Raises:
        BadRequest: 422.
    """
    try:
        found = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, binascii.Error, RecursionError) as error:
        raise wrong("cursor", "is none that was given") from error
    if not isinstance(found, dict) or not all(isinstance(each, str) for each in found.values()):
        raise wrong("cursor", "is none that was given")
    return found


def wrong(name: str, detail: str) -> BadRequest:
    """Return the refusal of one part of a query."""
    return _refused([FieldError(pointer=f"/{name}", detail=detail)])


def _refused(errors: Sequence[FieldError]) -> BadRequest:
    first = errors[0]
    return BadRequest(
        Problem(
            status=422,
            code="invalid_query",
            title="Invalid query",
            detail=f"{first.pointer[1:]}: {first.detail}",
            errors=tuple(errors),
        )
    )
