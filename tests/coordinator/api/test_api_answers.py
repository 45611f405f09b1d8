"""What every answer has: an id, safe headers, and problems that tell nothing of the inside."""

import json

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from structlog.testing import capture_logs

from coordinator.api.middlewares import HUNG_UP, explain
from coordinator.api.problems import problem_of
from coordinator.errors import (
    FarmError,
    NotFound,
    NotNow,
    Refused,
    SettingsInvalid,
    StoreUnusable,
    Unavailable,
)
from tests.fakes.served_farm import ServedFarm


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (NotFound("job", "x"), 404, "unknown_job"),
        (Refused("model_too_large", "cut it", {"size_x_mm": 300}), 422, "model_too_large"),
        (NotNow("job_ended", "it has ended"), 409, "job_ended"),
        (Unavailable("disk_full", "make room"), 503, "disk_full"),
        (StoreUnusable("newer version"), 503, "store_unusable"),
        (SettingsInvalid("wrong"), 500, "settings_invalid"),
        (FarmError("other"), 500, "failed"),
    ],
)
def test_every_error_of_the_farm_has_its_status_and_code(
    error: FarmError, status: int, code: str
) -> None:
    problem = problem_of(error)
    assert (problem.status, problem.code, problem.detail) == (status, code, str(error))


def test_a_refusal_keeps_its_facts_and_what_may_pass_says_when_to_come_again() -> None:
    assert problem_of(Refused("a", "b", {"size_x_mm": 300})).facts == {"size_x_mm": 300}
    assert "Retry-After" in problem_of(Unavailable("a", "b")).headers


async def test_an_unforeseen_failure_tells_its_id_and_nothing_of_the_inside(
    farm: ServedFarm, session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    def defect() -> None:
        raise RuntimeError("password=hunter2")

    monkeypatch.setattr(farm.store, "read", defect)
    async with session.get("/api/v1/jobs", headers={"X-Request-Id": "mine-7"}) as response:
        text = await response.text()
    assert response.status == 500
    assert "hunter2" not in text
    assert json.loads(text)["instance"] == "urn:farmhand:request:mine-7"


async def test_a_request_id_comes_back_and_a_dangerous_one_is_replaced(
    session: aiohttp.ClientSession,
) -> None:
    async with session.get("/api/v1/health", headers={"X-Request-Id": "abc-1.2"}) as response:
        assert response.headers["X-Request-Id"] == "abc-1.2"
    async with session.get("/api/v1/health", headers={"X-Request-Id": 'x" level=info'}) as response:
        assert response.headers["X-Request-Id"].startswith("req-")


async def test_every_answer_forbids_what_the_page_does_not_need(
    session: aiohttp.ClientSession,
) -> None:
    for path in ("/", "/dashboard/docs.js", "/api/v1/health", "/api/v1/jobs", "/nowhere"):
        async with session.get(path) as response:
            policy = response.headers["Content-Security-Policy"]
            assert "default-src 'none'" in policy
            assert "unsafe" not in policy
            assert response.headers["X-Content-Type-Options"] == "nosniff"


async def test_an_address_called_the_wrong_way_tells_the_right_one(
    session: aiohttp.ClientSession,
) -> None:
    async with session.delete("/api/v1/jobs") as response:
        assert response.status == 405
        assert (await response.json())["detail"] == "This address takes GET, POST."


async def test_the_page_and_its_files_name_nothing_off_the_host(
    session: aiohttp.ClientSession,
) -> None:
    for path in ("/", "/docs", "/dashboard/docs.js", "/dashboard/docs.css", "/todo", "/printers/x"):
        async with session.get(path) as response:
            assert response.status == 200
            assert "//" not in (await response.text()).replace("// ", "")
            etag = response.headers["ETag"]
        async with session.get(path, headers={"If-None-Match": etag}) as response:
            assert response.status == 304


async def test_browsers_get_the_icon_that_they_ask_for_by_themselves(
    session: aiohttp.ClientSession,
) -> None:
    async with session.get("/favicon.ico", headers={"Authorization": ""}) as response:
        assert (response.status, response.content_type) == (200, "image/x-icon")
        assert (await response.read()).startswith(b"\0\0\1\0")


async def test_who_hangs_up_in_the_middle_of_an_answer_is_no_defect() -> None:
    async def hung_up(_: web.Request) -> web.StreamResponse:
        raise aiohttp.ClientConnectionResetError("Cannot write to closing transport")

    with capture_logs() as logs:
        response = await explain(make_mocked_request("GET", "/api/v1/artifacts/x"), hung_up)
    assert logs == []
    assert response.status == HUNG_UP  # what is raised would be logged by the HTTP library
