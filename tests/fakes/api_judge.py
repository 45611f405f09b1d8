"""Every answer of the API, held against the API's own document: it must not tell anything else."""

import json
import re
from functools import cache
from typing import Any

import jsonschema
from aiohttp import web

from coordinator.api.app import ROUTES
from coordinator.api.openapi import document_of
from coordinator.api.render import API_ROOT
from coordinator.api.routes import Handler

# An answer that nobody gets: who asked hung up.
_UNHEARD = 499


@cache
def document() -> dict[str, Any]:
    return document_of(ROUTES, "1.2.3")


@cache
def _validator(pointer: str) -> jsonschema.Draft202012Validator:
    schema = {"$ref": f"#{pointer}", "components": document()["components"]}
    schema["paths"] = document()["paths"]
    return jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker())


def complaints(method: str, path: str, response: web.StreamResponse) -> list[str]:
    """Return what the document does not say of an answer, in words."""
    operation = document()["paths"].get(path, {}).get(method.lower())
    if operation is None or response.status == _UNHEARD or "default" in operation["responses"]:
        return []
    where = f"{method} {path} {response.status}"
    told = operation["responses"].get(str(response.status))
    if told is None:
        return [f"{where}: no such answer is told of"]
    if method == "HEAD" or not isinstance(response, web.Response):
        return []
    if not told.get("content"):
        return [f"{where}: no content is told of"] if response.body else []
    if response.content_type not in told["content"]:
        return [f"{where}: {response.content_type} is not told of"]
    if not response.content_type.endswith("json") or "Content-Encoding" in response.headers:
        return []
    steps = ("paths", path, method.lower(), "responses", str(response.status), "content")
    pointer = "/".join(_escaped(step) for step in ("", *steps, response.content_type, "schema"))
    found = _validator(pointer).iter_errors(json.loads(response.text or ""))
    return [f"{where}: {error.json_path} {error.message[:300]}" for error in found]


def _escaped(step: str) -> str:
    plain = step.replace("~", "~0").replace("/", "~1")
    return re.sub(r"[{}]", lambda brace: {"{": "%7B", "}": "%7D"}[brace[0]], plain)


def judge(found: list[str]) -> Any:
    """Return a middleware that notes what an answer has that the document does not tell."""

    @web.middleware
    async def held(request: web.Request, handler: Handler) -> web.StreamResponse:
        response = await handler(request)
        resource = request.match_info.route.resource
        path = resource.canonical if resource is not None else ""
        if path.startswith(API_ROOT):
            found.extend(complaints(request.method, path, response))
        return response

    return held
