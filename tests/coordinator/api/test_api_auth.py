"""Every route refuses without a credential, and wants the permission that its row names."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import aiohttp
import pytest
from aiohttp import web

from coordinator.api import page
from coordinator.api.app import ROUTES, build_app
from coordinator.domain.access import PERMISSIONS, Permission, Role
from coordinator.errors import SettingsInvalid, Unavailable
from coordinator.usecases import sessions, users
from coordinator.usecases.admitting import ROOT
from coordinator.usecases.sessions import Visitor
from tests.fakes.memory_store import MemoryUnit
from tests.fakes.served_farm import TOKEN, ServedFarm

PUBLIC = {(route.method, route.path) for route in ROUTES if route.needs is None}
# What answers everybody without a credential is this, and each for a reason: how the farm is, the
# page's own files, what tells of the program, the farm's certificate, and the ways in themselves.
LISTED = {
    *(("GET", address) for address in page.VIEWS),
    ("GET", "/dashboard/assets/{name}"),
    ("GET", "/dashboard/docs.css"),
    ("GET", "/dashboard/docs.js"),
    ("GET", "/docs"),
    ("GET", "/favicon.ico"),
    ("GET", "/api/v1/health"),
    ("HEAD", "/api/v1/health"),
    ("GET", "/api/v1/health/live"),
    ("HEAD", "/api/v1/health/live"),
    ("GET", "/api/v1/health/ready"),
    ("HEAD", "/api/v1/health/ready"),
    ("GET", "/api/v1/authority"),
    ("GET", "/api/v1/openapi.json"),
    ("GET", "/api/v1/problems"),
    ("GET", "/api/v1/problems/{code}"),
    ("GET", "/api/v1/login"),
    ("GET", "/api/v1/login/openid"),
    ("GET", "/api/v1/login/openid/callback"),
    ("POST", "/api/v1/session"),
    # With a secret in its address, and a signature where the provider has one.
    ("POST", "/api/v1/provider-webhooks/{name}/{token}"),
    ("POST", "/api/v1/tokens"),
    ("POST", "/api/v1/tokens/refresh"),
    ("POST", "/api/v1/tokens/revoke"),
}
PASSWORD = "correct horse battery"


def routes(app: web.Application) -> list[tuple[str, str]]:
    return [
        (route.method, route.resource.canonical)
        for route in app.router.routes()
        if route.resource is not None
    ]


def address(path: str) -> str:
    return re.sub(r"\{\w+\}", "x", path)


async def add(farm: ServedFarm, role: Role) -> str:
    """Add a user called like the role; return a key of theirs."""
    await users.add_user(farm.gate, role.value, role, "user:admin", password=PASSWORD)
    _, _, shown = await users.create_key(farm.farm, ROOT, "test", of=role.value)
    return shown


async def test_every_route_refuses_without_the_credential_unless_listed_as_public(
    farm: ServedFarm, session: aiohttp.ClientSession
) -> None:
    known = routes(farm.app)
    assert len(known) > 15
    for method, path in known:
        for headers in ({"Authorization": ""}, {"Authorization": f"Bearer {TOKEN}x"}):
            async with session.request(
                method, address(path), headers=headers, allow_redirects=False
            ) as response:
                assert (response.status == 401) is ((method, path) not in PUBLIC), (
                    f"{method} {path}"
                )
                farm.clock.advance(1)


async def test_little_is_public_and_the_table_is_all_there_is(farm: ServedFarm) -> None:
    assert set(routes(farm.app)) == {(route.method, route.path) for route in ROUTES}
    slicers = re.compile(r"/(octoprint|prusalink|prusaconnect|moonraker)(/{target})?/?")
    no_keys = {(method, path) for method, path in PUBLIC if "/plugin/appkeys/" in path}
    fronts = {(method, path) for method, path in PUBLIC if slicers.fullmatch(path)}
    assert PUBLIC - no_keys - fronts == LISTED


@pytest.mark.parametrize("role", Role)
async def test_every_route_asks_every_role_for_its_permission(
    farm: ServedFarm, session: aiohttp.ClientSession, role: Role
) -> None:
    headers = {"Authorization": "", "X-Api-Key": await add(farm, role)}
    for route in ROUTES:
        if route.needs is None:
            continue
        async with session.request(route.method, address(route.path), headers=headers) as response:
            refused = response.status == 403
            lacking = route.needs not in PERMISSIONS[role]
            secret = "secrets_within" in route.problems  # no key gets it, whatever its role
            if refused and response.content_type == "text/plain":  # a slicer shows it as it is
                assert "lacks the permission" in await response.text()
            elif refused and route.method != "HEAD":
                code = "not_permitted" if lacking else "secrets_within"
                assert (await response.json())["code"] == code
            assert refused is (lacking or secret), f"{route.method} {route.path}"
            assert response.status != 401
            assert response.status < 500
        farm.clock.advance(1)


@pytest.mark.parametrize("way", ["key", "session", "signed"])
async def test_what_can_not_be_looked_up_lets_nobody_in(
    farm: ServedFarm,
    session: aiohttp.ClientSession,
    monkeypatch: pytest.MonkeyPatch,
    way: str,
) -> None:
    headers = await credential(farm, way)
    async with session.get("/api/v1/printers", headers=headers) as response:
        assert response.status == 200

    @asynccontextmanager
    async def broken() -> AsyncIterator[MemoryUnit]:
        raise Unavailable("store_locked", "the database does not answer")
        yield

    monkeypatch.setattr(farm.store, "read", broken)
    for route in ROUTES:
        async with session.request(
            route.method, address(route.path), headers=headers, allow_redirects=False
        ) as response:
            assert route.needs is None or response.status == 503, f"{route.method} {route.path}"
        farm.clock.advance(1)


async def credential(farm: ServedFarm, way: str) -> dict[str, str]:
    """Add an administrator; return the headers with which they come in this way."""
    shown = await add(farm, Role.ADMIN)
    user = await users.user_named(farm.farm, "admin")
    none = {"Authorization": ""}
    match way:
        case "key":
            return none | {"X-Api-Key": shown}
        case "session":
            secret = await sessions.begin_session(farm.gate, user, Visitor(), "password")
            return none | {"Cookie": f"farmhand={secret}", "Sec-Fetch-Site": "same-origin"}
        case _:
            tokens = await sessions.begin_tokens(farm.gate, user, Visitor())
            return {"Authorization": f"Bearer {tokens.access}"}


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
    with pytest.raises(SettingsInvalid):
        build_app(replace(farm.gate, root_token=token), upload_bytes_max=1, version="")


def test_every_permission_is_wanted_by_some_route_and_but_for_enrolling_of_use_to_some_role() -> (
    None
):
    wanted = {route.needs for route in ROUTES}
    assert wanted >= set(Permission)
    assert set().union(*PERMISSIONS.values()) == set(Permission) - {Permission.AGENTS_ENROLL}
