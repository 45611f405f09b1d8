"""Log in at a real OpenID provider: Authlib's, on loopback."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from flask import request as asked
from oidc_provider_mock import User, app
from werkzeug.serving import make_server

from coordinator.adapters.openid import OpenIdProvider
from coordinator.api.app import build_app
from coordinator.domain.access import Role
from coordinator.domain.accounts import SignUp
from coordinator.usecases import users
from tests.fakes.served_farm import ServedFarm, served
from tests.fakes.threads import in_thread

GROUPS = {"makers": Role.SUBMITTER, "chiefs": Role.OPERATOR}


class Provider:
    """The real one, with ears: what it was asked for."""

    def __init__(self) -> None:
        self.people = [
            User(sub="1", claims={"preferred_username": "Anna", "groups": ["makers"]}),
            User(sub="2", claims={"email": "Bert@x.example", "groups": ["makers", "chiefs"]}),
            User(sub="3", claims={"preferred_username": "carl"}),
            User(sub="4", claims={"preferred_username": "admin", "groups": ["chiefs"]}),
        ]
        self.asked: list[dict[str, str]] = []
        self.flask = app(user_claims=self.people, require_nonce=True)
        self.flask.before_request(self._listen)
        self.server = make_server("127.0.0.1", 0, self.flask, threaded=True)
        self.issuer = f"http://127.0.0.1:{self.server.server_port}"

    def _listen(self) -> None:
        self.asked.append({"path": asked.path, **asked.values.to_dict()})


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    made = Provider()
    with in_thread(made.server.serve_forever, made.server.shutdown):
        yield made
    made.server.server_close()


@pytest.fixture
async def farm(tmp_path: Path) -> ServedFarm:
    return ServedFarm(tmp_path)


@asynccontextmanager
async def farm_with(
    farm: ServedFarm, provider: Provider, otherwise: Role | None = None
) -> AsyncIterator[aiohttp.ClientSession]:
    farm.gate = replace(
        farm.gate,
        provider=OpenIdProvider(
            issuer=provider.issuer,
            client_id="farm",
            client_secret="not-to-be-told",
            role_claim="groups",
            scopes="openid profile email",
        ),
        sign_up=SignUp(roles=GROUPS, otherwise=otherwise),
    )
    farm.app = build_app(farm.gate, upload_bytes_max=1, version="")
    async with served(farm) as there:
        # Cookies of an address in numbers are kept only by who is told to.
        jar = aiohttp.CookieJar(unsafe=True)
        async with aiohttp.ClientSession(base_url=there._base_url, cookie_jar=jar) as session:
            yield session


async def begin(session: aiohttp.ClientSession) -> str:
    async with session.get("/api/v1/login/openid", allow_redirects=False) as response:
        assert response.status == 302
        cookie = response.headers["Set-Cookie"]
        assert {"HttpOnly", "SameSite=Lax"} <= set(cookie.split("; "))
        return response.headers["Location"]


async def at_provider(address: str, sub: str) -> str:
    """Log in there as a person would; return where the browser is sent."""
    async with (
        aiohttp.ClientSession() as session,
        session.post(address, data={"sub": sub}, allow_redirects=False) as response,
    ):
        return response.headers["Location"]


async def log_in(session: aiohttp.ClientSession, sub: str) -> str:
    """Go all the way; return where the browser ends."""
    back = urlsplit(await at_provider(await begin(session), sub))
    return await come_back(session, f"{back.path}?{back.query}")


async def come_back(session: aiohttp.ClientSession, path: str) -> str:
    async with session.get(path, allow_redirects=False) as response:
        assert response.status == 302
        return response.headers["Location"]


async def who(session: aiohttp.ClientSession) -> tuple[str, str]:
    async with session.get("/api/v1/me") as response:
        said = await response.json()
        return said.get("actor", ""), said.get("role", "")


async def test_who_is_in_a_group_becomes_a_user_with_its_role(
    farm: ServedFarm, provider: Provider
) -> None:
    async with farm_with(farm, provider) as session:
        assert await log_in(session, "1") == "/"
        assert await who(session) == ("user:anna", "submitter")
        session.cookie_jar.clear()
        assert await log_in(session, "2") == "/"
        assert await who(session) == ("user:bert@x.example", "operator"), "the role that may most"
        assert await log_in(session, "1") == "/"
    assert [user.name for user in await users.all_users(farm.farm)] == ["anna", "bert@x.example"]


async def test_the_code_is_of_use_only_with_what_this_farm_keeps_to_itself(
    farm: ServedFarm, provider: Provider
) -> None:
    async with farm_with(farm, provider) as session:
        address = await begin(session)
        sent = {name: value[0] for name, value in parse_qs(urlsplit(address).query).items()}
        assert sent["code_challenge_method"] == "S256"
        back = urlsplit(await at_provider(address, "1"))
        await come_back(session, f"{back.path}?{back.query}")
    exchanged = [each for each in provider.asked if "code_verifier" in each][-1]
    assert create_s256_code_challenge(exchanged["code_verifier"]) == sent["code_challenge"]
    assert exchanged["code_verifier"] not in address
    assert all("not-to-be-told" not in str(each) for each in provider.asked)


async def test_a_link_from_somebody_elses_log_in_logs_nobody_in(
    farm: ServedFarm, provider: Provider
) -> None:
    async with farm_with(farm, provider) as session:
        back = urlsplit(await at_provider(await begin(session), "1"))
        session.cookie_jar.clear()  # it is another browser
        address = f"{back.path}?{back.query}"
        assert await come_back(session, address) == "/#login=oidc_forgotten"
        assert await who(session) == ("", "")


async def test_a_way_back_is_good_once_and_not_for_long(
    farm: ServedFarm, provider: Provider
) -> None:
    async with farm_with(farm, provider) as session:
        for seconds, expected in ((0, "/"), (600, "/#login=oidc_forgotten")):
            back = urlsplit(await at_provider(await begin(session), "1"))
            farm.clock.advance(seconds)
            address = f"{back.path}?{back.query}"
            assert await come_back(session, address) == expected
            assert await come_back(session, address) == "/#login=oidc_forgotten"


async def test_who_is_in_no_group_stays_out_unless_the_farm_lets_everybody_in(
    farm: ServedFarm, provider: Provider
) -> None:
    async with farm_with(farm, provider) as session:
        assert await log_in(session, "3") == "/#login=not_a_user"
    async with farm_with(farm, provider, otherwise=Role.VIEWER) as session:
        assert await log_in(session, "3") == "/"
        assert await who(session) == ("user:carl", "viewer")


async def test_nobody_becomes_a_user_of_the_farm_by_being_called_alike(
    farm: ServedFarm, provider: Provider
) -> None:
    await users.add_user(farm.gate, "admin", Role.ADMIN, "farm", password="correct horse battery")
    async with farm_with(farm, provider) as session:
        assert await log_in(session, "4") == "/#login=name_taken"
        assert await who(session) == ("", "")


async def test_who_is_disabled_here_stays_out_whatever_the_provider_says(
    farm: ServedFarm, provider: Provider
) -> None:
    async with farm_with(farm, provider) as session:
        assert await log_in(session, "1") == "/"
        await users.change_user(farm.farm, "anna", "user:admin", disabled=True)
        session.cookie_jar.clear()
        assert await log_in(session, "1") == "/#login=not_a_user"


async def test_todays_groups_decide_todays_role(farm: ServedFarm, provider: Provider) -> None:
    async with farm_with(farm, provider) as session:
        assert await log_in(session, "1") == "/"
        await users.change_user(farm.farm, "anna", "user:admin", role=Role.ADMIN)
        assert await log_in(session, "1") == "/"
        assert await who(session) == ("user:anna", "submitter")
