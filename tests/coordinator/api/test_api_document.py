"""The API's document is sound, whole, and made of the routes themselves."""

import ast
import re
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from openapi_spec_validator import OpenAPIV31SpecValidator

import slicing.errors
from coordinator.api import artifacts, describing, events, health, jobs, live, printers, runs
from coordinator.api.app import ROUTES
from coordinator.api.codes import CODES
from coordinator.api.openapi import document_of, problems_of
from coordinator.api.render import API_ROOT
from coordinator.api.routes import JSON, Route
from coordinator.domain.access import Permission
from tests.fakes.api_judge import document

COORDINATOR = Path(__file__).parents[3] / "coordinator"
# Those that stand in the document in full; another's may be plain rows for a while.
WHOLE = [
    route
    for module in (jobs, printers, runs, events, artifacts, live, health, describing)
    for route in module.ROUTES
]
OPERATIONS = [operation for path in document()["paths"].values() for operation in path.values()]


async def test_the_document_is_served_to_everybody_and_is_openapi(
    session: aiohttp.ClientSession,
) -> None:
    async with session.get("/api/v1/openapi.json", headers={"Authorization": ""}) as response:
        served = await response.json()
    assert served == document()
    OpenAPIV31SpecValidator(served).validate()
    assert served["openapi"].startswith("3.1")


def test_every_route_of_the_api_stands_in_it_under_a_name_of_its_own() -> None:
    told = {(m.upper(), path) for path, each in document()["paths"].items() for m in each}
    assert told == {(r.method, r.path) for r in ROUTES if r.path.startswith(API_ROOT)}
    names = [operation["operationId"] for operation in OPERATIONS]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)*_?", name) for name in names)
    assert "handler" not in names


@pytest.mark.parametrize("route", WHOLE, ids=lambda route: f"{route.method} {route.path}")
def test_a_route_says_what_it_does_takes_and_gives(route) -> None:
    assert route.words.endswith((".", "`."))
    if route.content_type == JSON:
        assert route.gives is not None
    assert {code.rpartition(":")[2] for code in problems_of(route)} <= {*CODES, "*"}


def test_a_credential_is_asked_for_wherever_a_permission_is_needed() -> None:
    for route in ROUTES:
        if route.path.startswith(API_ROOT):
            operation = document()["paths"][route.path][route.method.lower()]
            wanted = [{"token": [route.needs.value]}] if route.needs is not None else []
            assert operation["security"] == wanted


# Where routes that are told of whole come to a no; others may come one by one.
SAYING_NO = (
    "api/artifacts.py", "api/auth.py", "api/forms.py", "api/live.py", "api/once.py",
    "api/problems.py", "api/queries.py", "api/uploads.py", "api/versions.py",
    "domain/controls.py", "usecases/auditing.py", "usecases/beds.py", "usecases/commanding.py",
    "usecases/controlling.py", "usecases/given_plates.py", "usecases/orders.py",
    "usecases/performing.py", "usecases/sealing.py",
)  # fmt: skip


def codes_in_source() -> set[str]:
    """Every code that these say no with."""
    found = set()
    for path in (COORDINATOR / name for name in SAYING_NO):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                if node.func.id in ("Refused", "NotNow") and node.args:
                    first = node.args[0]
                    if isinstance(first, ast.Constant):
                        found.add(first.value)
                if node.func.id == "Problem":
                    found |= {
                        keyword.value.value
                        for keyword in node.keywords
                        if keyword.arg == "code" and isinstance(keyword.value, ast.Constant)
                    }
    return found


def test_every_code_that_the_coordinator_says_no_with_is_explained() -> None:
    assert codes_in_source() - set(CODES) == set()


async def test_a_row_that_tells_nothing_stands_open_in_the_document() -> None:
    async def look(_: web.Request) -> web.StreamResponse:
        """Return a spool."""
        raise web.HTTPGone

    path = f"{API_ROOT}/spools/{{spool_id:[0-9]+}}"
    plain = Route(method="GET", path=path, handler=look, needs=Permission.FARM_READ)
    told = document_of([plain], "1.2.3")
    OpenAPIV31SpecValidator(told).validate()
    operation = told["paths"][f"{API_ROOT}/spools/{{spool_id}}"]["get"]
    assert (operation["operationId"], operation["summary"]) == ("look", "Return a spool.")
    assert "default" in operation["responses"]


def test_every_code_that_slicing_says_no_with_is_explained() -> None:
    kinds = [each for each in vars(slicing.errors).values() if isinstance(each, type)]
    said = {kind.code for kind in kinds if isinstance(getattr(kind, "code", None), str)}
    assert len(said) > 10
    assert said - set(CODES) == set()


async def test_the_type_of_a_problem_is_a_page_that_explains_its_code(
    session: aiohttp.ClientSession,
) -> None:
    async with session.get("/api/v1/jobs/nobody") as response:
        problem = await response.json(content_type="application/problem+json")
    async with session.get(problem["type"]) as response:
        explained = await response.json()
    assert (explained["code"], explained["status"]) == (problem["code"], problem["status"])
    async with session.get("/api/v1/problems") as response:
        assert explained in (await response.json())["items"]
    async with session.get("/api/v1/problems/nonsense") as response:
        assert response.status == 404


@pytest.mark.parametrize(
    ("method", "path", "body", "pointer"),
    [
        ("GET", "/api/v1/jobs?colour=red", None, "/colour"),
        ("GET", "/api/v1/jobs?limit=1001", None, "/limit"),
        ("GET", "/api/v1/jobs?limit=1&limit=2", None, "/limit"),
        ("GET", "/api/v1/jobs?cursor=AAAA", None, "/cursor"),
        ("GET", "/api/v1/jobs?cursor=e30", None, "/cursor"),
        ("GET", "/api/v1/printers?status=tired", None, "/status/0"),
        ("GET", "/api/v1/events/archive", None, "/before"),
        ("POST", "/api/v1/runs/x/settle", b'{"outcome": 1}', "/outcome"),
        ("POST", "/api/v1/printers/x/service", b"{", "/"),
    ],
)
async def test_a_request_that_is_other_than_told_never_reaches_the_handler(
    session: aiohttp.ClientSession, method: str, path: str, body: bytes | None, pointer: str
) -> None:
    async with session.request(method, path, data=body) as response:
        problem = await response.json(content_type="application/problem+json")
    assert response.status == 422
    assert problem["code"] == ("invalid_fields" if body else "invalid_query")
    assert problem["errors"][0]["pointer"] == pointer
