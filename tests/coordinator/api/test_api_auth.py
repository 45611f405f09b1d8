"""Every route refuses without the credential, but for those that are listed as public."""

import re

import aiohttp
import pytest
from aiohttp import web

from coordinator.api.app import ROUTES
from coordinator.errors import SettingsInvalid
from tests.fakes.served_farm import TOKEN, ServedFarm

PUBLIC = {(route.method, route.path) for route in ROUTES if route.needs is None}


def routes(app: web.Application) -> list[tuple[str, str]]:
    return [
        (route.method, route.resource.canonical)
        for route in app.router.routes()
        if route.resource is not None
    ]


def address(path: str) -> str:
    return re.sub(r"\{\w+\}", "x", path)


async def test_every_route_refuses_without_the_credential_unless_listed_as_public(
    farm: ServedFarm, session: aiohttp.ClientSession
) -> None:
    known = routes(farm.app)
    assert len(known) > 15
    for method, path in known:
        for headers in ({"Authorization": ""}, {"Authorization": f"Bearer {TOKEN}x"}):
            async with session.request(method, address(path), headers=headers) as response:
                # What is public tells that there is no such thing as `x`.
                expected = (200, 404) if (method, path) in PUBLIC else (401,)
                assert response.status in expected, f"{method} {path}"


async def test_little_is_public_and_the_table_is_all_there_is(farm: ServedFarm) -> None:
    assert set(routes(farm.app)) == {(route.method, route.path) for route in ROUTES}
    slicers = re.compile(r"/(octoprint|prusalink|prusaconnect|moonraker)(/{target})?/?")
    no_keys = {path for _, path in PUBLIC if "/plugin/appkeys/" in path}
    fronts = {path for _, path in PUBLIC if slicers.fullmatch(path)}
    assert (len(no_keys), len(fronts)) == (6, 16)
    assert {path for _, path in PUBLIC} - no_keys - fronts == {
        "/",
        "/api/v1/health",
        "/dashboard/page.css",
        "/dashboard/page.js",
    }


@pytest.mark.parametrize(
    "credential",
    ["", "Bearer", "Bearer ", f"Basic {TOKEN}", TOKEN, f"Bearer {TOKEN[:-1]}", "Bearer größer"],
)
async def test_what_is_not_exactly_the_token_is_refused(
    session: aiohttp.ClientSession, credential: str
) -> None:
    async with session.get("/api/v1/jobs", headers={"Authorization": credential}) as response:
        assert response.status == 401
        assert response.headers["WWW-Authenticate"].startswith("Bearer")
        assert (await response.json())["code"] == "no_credential"


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
async def test_the_token_opens_whatever_the_case_of_its_scheme(
    session: aiohttp.ClientSession, scheme: str
) -> None:
    headers = {"Authorization": f"{scheme} {TOKEN}"}
    async with session.get("/api/v1/jobs", headers=headers) as response:
        assert response.status == 200


async def test_an_unknown_address_tells_strangers_nothing(session: aiohttp.ClientSession) -> None:
    async with session.get("/api/v1/secret", headers={"Authorization": ""}) as response:
        assert response.status == 401
    async with session.get("/api/v1/secret") as response:
        assert response.status == 404
        assert (await response.json())["code"] == "no_such_route"


@pytest.mark.parametrize("token", ["", "short", "with a line\nbreak in it", "ünsäglich-geheim-x"])
def test_a_token_that_protects_nothing_is_refused_at_the_start(
    farm: ServedFarm, token: str
) -> None:
    from coordinator.api.app import build_app

    with pytest.raises(SettingsInvalid):
        build_app(farm.farm, token=token, upload_bytes_max=1, version="")
