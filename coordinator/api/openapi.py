"""The API's document, OpenAPI 3.1: made of the routes' rows, and so of nothing else."""

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from pydantic import BaseModel

from coordinator.api.codes import ALWAYS, CODES, GUARDED, OPEN, statuses_of
from coordinator.api.documents_farm import ProblemDocument
from coordinator.api.problems import PROBLEM_TYPE
from coordinator.api.render import API_ROOT
from coordinator.api.routes import JSON, Route
from coordinator.api.schemas import Schemas

Document = dict[str, Any]

_DESCRIPTION = """Runs farms of 3D printers.

Times are RFC 3339 in UTC, ratios run from 0 to 1, and everything else with a dimension has its unit
in the name: `elapsed_s`, `filament_g`. Every key is always there. Lists are objects with `items`;
long ones come in pages, and `next` is the cursor of the page behind. What goes wrong is a problem
document (RFC 9457) with a stable `code`. A POST with an `Idempotency-Key` is carried out once,
however often it is sent within 24 hours.
"""

_HEADERS: Mapping[str, str] = {
    "ETag": "The version of what is answered: W/ and quotes; what stands before its dot changes "
    "only with what is written of the thing, and is what If-Match compares.",
    "Idempotent-Replayed": "`true` where the same request was answered before.",
    "Location": "The address of what was made.",
}


def document_of(routes: Iterable[Route], version: str) -> Document:
    """Return the document of all routes below the API's root."""
    rows = [each for each in routes if each.path.startswith(API_ROOT) and each.method != "*"]
    schemas = Schemas()
    paths: dict[str, Document] = {}
    names = _operation_ids(rows)
    for route, name in zip(rows, names, strict=True):
        operation = {"operationId": name, **_operation(route, schemas)}
        # What aiohttp takes beside a name, its pattern, the document does not know.
        path = re.sub(r"{(\w+):[^{}]*}", r"{\1}", route.path)
        paths.setdefault(path, {})[route.method.lower()] = operation
    problem = schemas.of(ProblemDocument)
    assert problem == {"$ref": "#/components/schemas/ProblemDocument"}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Farmhand", "version": version, "description": _DESCRIPTION},
        "servers": [{"url": "/"}],
        "tags": [{"name": tag} for tag in dict.fromkeys(_tag(route) for route in rows)],
        "paths": paths,
        "components": {
            "schemas": schemas.all,
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "The farm's token, or a key that was given out.",
                }
            },
        },
        "security": [{"token": []}],
    }


def _operation_ids(routes: Collection[Route]) -> list[str]:
    """Return a name for each: its handler's, with what tells it apart where that is taken."""
    names: list[str] = []
    for route in routes:
        name = route.handler.__name__
        if name in names:
            name = f"head_{name}" if route.method == "HEAD" else f"{_tag(route)}_{name}"
        while name in names:
            name += "_"
        names.append(name)
    return names


def _tag(route: Route) -> str:
    return route.handler.__module__.rpartition(".")[2]


def _operation(route: Route, schemas: Schemas) -> Document:
    found: Document = {
        "tags": [_tag(route)],
        "summary": route.words,
        "parameters": [*_in_path(route), *_in_query(route, schemas), *_in_headers(route)],
        "responses": _both(_answers(route, schemas), _problems(route)),
    }
    if not route.is_told:
        found["responses"]["default"] = {"description": "Not told of yet."}
    if route.needs is None:
        found["security"] = []
    else:
        found["description"] = f"Needs the permission `{route.needs}`."
        found["security"] = [{"token": [route.needs.value]}]
    if (body := _body(route, schemas)) is not None:
        found["requestBody"] = body
    return found


def _both(answers: Document, problems: Document) -> Document:
    """Return what is answered by status; one may mean that all is well, or not."""
    found = {**answers, **problems}
    for status in answers.keys() & problems.keys():
        contents = (each.get("content", {}) for each in (answers[status], problems[status]))
        found[status] = {**problems[status], "content": {**next(contents), **next(contents)}}
    return found


def _in_path(route: Route) -> list[Document]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
        for name in re.findall(r"{(\w+)[:}]", route.path)
    ]


def _in_query(route: Route, schemas: Schemas) -> list[Document]:
    if route.asks is None:
        return []
    found = []
    for name, schema in schemas.fields_of(route.asks).items():
        parameter: Document = {"name": name, "in": "query", "schema": schema}
        if words := schema.pop("description", ""):
            parameter["description"] = words
        if route.asks.model_fields[name].is_required():
            parameter["required"] = True
        found.append(parameter)
    return found


def _in_headers(route: Route) -> list[Document]:
    wanted = {
        "If-None-Match": route.versioned and route.method in ("GET", "HEAD"),
        "If-Match": route.guarded,
        "Idempotency-Key": route.once,
    }
    shapes: dict[str, Document] = {"Idempotency-Key": {"pattern": "^[ -~]{1,255}$"}}
    return [
        {"name": name, "in": "header", "schema": {"type": "string", **shapes.get(name, {})}}
        for name, heeded in wanted.items()
        if heeded
    ]


def _body(route: Route, schemas: Schemas) -> Document | None:
    if route.takes is not None:
        return {"required": True, "content": {JSON: {"schema": schemas.of(route.takes)}}}
    if route.brings:
        return {"required": True, "content": {kind: {} for kind in route.brings.split(", ")}}
    if route.form is not None:
        return {"required": True, "content": {"multipart/form-data": _form(route.form, schemas)}}
    return None


def _form(form: type[BaseModel], schemas: Schemas) -> Document:
    file = {"type": "string", "contentMediaType": "application/octet-stream"}
    properties = {"file": file, **schemas.fields_of(form)}
    return {
        "schema": {
            "type": "object",
            "properties": properties,
            "required": ["file"],
            "additionalProperties": False,
        }
    }


def _answers(route: Route, schemas: Schemas) -> Document:
    """Return what is answered when all is well, by status."""
    content: Document | None = None
    schema = schemas.of(route.gives) if route.gives is not None else {}
    # What comes after an upgrade is no content: its shape stands among the others.
    if route.method != "HEAD" and route.content_type and route.status not in (101, 302):
        kinds = route.content_type.split(", ")
        content = {kind: {"schema": schema} if schema else {} for kind in kinds}
    shown = {
        "ETag": route.versioned,
        "Idempotent-Replayed": route.once,
        "Location": route.status in (201, 302),
    }
    headers = {
        name: {"schema": {"type": "string"}, "description": _HEADERS[name]}
        for name, there in shown.items()
        if there
    }
    found: Document = {}
    for status in (route.status, *route.also):
        found[str(status)] = {"description": route.words or "Done."}
        if content is not None:
            found[str(status)]["content"] = content
        if headers:
            found[str(status)]["headers"] = headers
    unchanged = (304,) if route.versioned and route.method in ("GET", "HEAD") else ()
    for status in (*route.empty, *unchanged):
        found[str(status)] = {"description": "Nothing new." if status == 304 else "Done."}
    return found


def problems_of(route: Route) -> Collection[str]:
    """Return every code that a route may answer with."""
    found = {*ALWAYS, *route.problems}
    found |= set(GUARDED) if route.needs is not None else set()
    found |= {"invalid_query"} if route.asks is not None else set()
    found |= {"invalid_fields", "too_large", "too_slow"} if route.takes is not None else set()
    found |= {"changed_meanwhile"} if route.guarded else set()
    if route.once:
        found |= {"idempotency_key_invalid", "idempotency_key_reused", "in_flight"}
    return found


def _problems(route: Route) -> Document:
    codes = problems_of(route)
    found: Document = {}
    for status, known in statuses_of(codes).items():
        schema: Document = {"$ref": "#/components/schemas/ProblemDocument"}
        if OPEN not in codes:
            narrowed = {"properties": {"code": {"enum": known}}}
            schema = {"allOf": [schema, narrowed]}
        words = "\n".join(f"* `{code}`: {CODES[code][1]}" for code in known)
        found[str(status)] = {"description": words}
        if route.method != "HEAD":
            found[str(status)]["content"] = {PROBLEM_TYPE: {"schema": schema}}
    return found
