"""What went wrong, as RFC 9457 problem documents: one table from our errors to an answer."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from aiohttp import web

from coordinator.api.codes import CODES
from coordinator.errors import (
    FarmError,
    NotFound,
    NotNow,
    NotPermitted,
    Refused,
    SettingsInvalid,
    StoreUnusable,
    Unavailable,
)

PROBLEM_TYPE = "application/problem+json"


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldError:
    """What is wrong with one field; `pointer` is a JSON pointer into the request: `/copies`."""

    pointer: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """An answer that says no.

    Attributes:
        code: stable, for programs.
        detail: one sentence for a person: what is wrong, and what to do.
        facts: measured things, with the unit in the name.
    """

    status: int
    code: str
    title: str
    detail: str
    errors: tuple[FieldError, ...] = ()
    facts: Mapping[str, object] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


class BadRequest(FarmError):
    """The request itself is at fault, whatever the farm's state; `problem` says how."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.detail)
        self.problem = problem


# The first row whose class fits decides.
_STATUS: tuple[tuple[type[FarmError], int, str], ...] = (
    (NotFound, 404, "Not found"),
    (Refused, 422, "Refused"),
    (NotPermitted, 403, "Not allowed"),
    (NotNow, 409, "Not now"),
    (Unavailable, 503, "Not available now"),
    (StoreUnusable, 503, "The database can't be used"),
    (SettingsInvalid, 500, "The configuration is wrong"),
)

# Which field of an order a refusal is about.
_POINTERS = {
    "copies_out_of_range": "/copies",
    "empty_file": "/file",
    "not_gcode": "/file",
    "plate_unfit": "/file",
    "class_not_stated": "/printer_class",
    "unknown_file_type": "/file",
    "unknown_material": "/material",
    "unknown_quality": "/quality",
    "unknown_printer_class": "/printer_class",
    "unknown_printer": "/printer_id",
    "printer_of_other_class": "/printer_class",
    "setting_invalid": "/settings",
    "unknown_outcome": "/outcome",
    "name_unfit": "/name",
    "name_taken": "/name",
    "password_unfit": "/password",
    "agent_id_invalid": "/agent_id",
    "ttl_out_of_range": "/valid_s",
    "scope_too_wide": "/scopes",
    "expiry_past": "/expires_at",
    "address_not_allowed": "/url",
    "unknown_type": "/types",
    "types_out_of_range": "/types",
    "description_too_long": "/description",
    "no_such_event": "/after",
    "unknown_project": "/project_id",
    "weight_out_of_range": "/remaining_g",
    "no_such_printers": "/printer_group",
    "no_interval": "/every_h",
    "tags_out_of_range": "/tags",
}

# Long enough not to hammer a busy database, short enough for a person to wait.
RETRY_AFTER_S = 5


def problem_of(error: FarmError) -> Problem:
    """Return the answer to an error that use cases raise by contract."""
    if isinstance(error, BadRequest):
        return error.problem
    status, title = next(
        ((status, title) for kind, status, title in _STATUS if isinstance(error, kind)),
        (500, "Unexpected failure"),
    )
    code = getattr(error, "code", "") or _code_of(error)
    pointer = _POINTERS.get(code)
    return Problem(
        status=status,
        code=code,
        title=title,
        detail=str(error),
        errors=(FieldError(pointer=pointer, detail=str(error)),)
        if pointer and isinstance(error, Refused)
        else (),
        facts=error.details if isinstance(error, Refused) else {},
        headers={"Retry-After": str(RETRY_AFTER_S)} if status == 503 else {},
    )


def _code_of(error: FarmError) -> str:
    match error:
        case NotFound(kind=kind):
            return f"unknown_{kind}"
        case StoreUnusable():
            return "store_unusable"
        case SettingsInvalid():
            return "settings_invalid"
        case _:
            return "failed"


def unexpected() -> Problem:
    """Return the answer to an error that nobody foresaw: nothing of its inside gets out."""
    return Problem(
        status=500,
        code="internal",
        title="Unexpected failure",
        detail="The coordinator failed to do this; its log tells more under this request's id.",
    )


def problem_of_http(error: web.HTTPException) -> Problem:
    """Return the answer to what the HTTP library found wrong with a request."""
    match error:
        case web.HTTPNotFound():
            code, detail = "no_such_route", "There is nothing at this address."
        case web.HTTPMethodNotAllowed():
            allowed = ", ".join(sorted(error.allowed_methods))
            code, detail = "method_not_allowed", f"This address takes {allowed}."
        case web.HTTPRequestEntityTooLarge():
            code, detail = "too_large", "The request is larger than this address takes."
        case _:
            code, detail = "bad_request", error.text or error.reason
    headers = {name: error.headers[name] for name in ("Allow",) if name in error.headers}
    return Problem(
        status=error.status, code=code, title=error.reason, detail=detail, headers=headers
    )


def response_of(problem: Problem, request_id: str) -> web.Response:
    """Render a problem."""
    document: dict[str, object] = {
        "type": f"/api/v1/problems/{problem.code}" if problem.code in CODES else "about:blank",
        "title": problem.title,
        "status": problem.status,
        "detail": problem.detail,
        "instance": f"urn:farmhand:request:{request_id}",
        "code": problem.code,
        "errors": [{"pointer": error.pointer, "detail": error.detail} for error in problem.errors],
    }
    if problem.facts:
        document["facts"] = dict(problem.facts)
    return web.Response(
        status=problem.status,
        body=json.dumps(document, default=str).encode(),
        content_type=PROBLEM_TYPE,
        headers=dict(problem.headers),
    )
