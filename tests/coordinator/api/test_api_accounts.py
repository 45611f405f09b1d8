"""Log in and out by cookie, own sessions and password, signed tokens."""

import aiohttp
import pytest

from coordinator.domain.access import Role
from coordinator.domain.accounts import (
    ACCESS_LIFE,
    SESSION_IDLE,
    SessionId,
    User,
    caller_with_key,
)
from coordinator.usecases import sessions, users
from coordinator.usecases.admitting import ROOT, caller_of_session, still_holds
from coordinator.usecases.sessions import Visitor
from tests.fakes.served_farm import TOKEN, ServedFarm

PASSWORD = "correct horse battery"
# What a browser sends along when our own page asks, and a stranger's.
OWN = {"Authorization": "", "Sec-Fetch-Site": "same-origin"}
FOREIGN = {"Authorization": "", "Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}


@pytest.fixture(autouse=True)
async def anna(farm: ServedFarm) -> User:
    return await users.add_user(farm.gate, "anna", Role.SUBMITTER, "user:admin", password=PASSWORD)


async def log_in(
    session: aiohttp.ClientSession, name: str = "anna", password: str = PASSWORD
) -> tuple[int, str, str]:
    """Return the status, the code and the cookie's header."""
    body = {"name": name, "password": password}
    async with session.post("/api/v1/session", json=body, headers=OWN) as response:
        code = (await response.json()).get("code", "")
        session.cookie_jar.clear()
        return response.status, code, response.headers.get("Set-Cookie", "")


def cookie_of(header: str) -> dict[str, str]:
    return {"Cookie": header.partition(";")[0], **OWN}


async def browser(session: aiohttp.ClientSession, password: str = PASSWORD) -> dict[str, str]:
    """Log in; return the headers of a browser that did."""
    return cookie_of((await log_in(session, password=password))[2])


async def status(
    session: aiohttp.ClientSession, method: str, path: str, headers: dict[str, str]
) -> int:
    async with session.request(method, f"/api/v1{path}", headers=headers) as response:
        return response.status


async def test_the_cookie_opens_and_nothing_but_the_browser_can_read_it(
    session: aiohttp.ClientSession, farm: ServedFarm
) -> None:
    answered, _, header = await log_in(session)
    assert answered == 201
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(header.split("; "))
    async with session.get("/api/v1/me", headers=cookie_of(header)) as response:
        said = await response.json()
    assert (said["actor"], said["role"]) == ("user:anna", "submitter")
    secret = header.partition("=")[2].partition(";")[0]
    assert secret not in str(farm.store.tables), "only its hash is kept"


@pytest.mark.parametrize(("name", "password"), [("anna", "wrong"), ("nobody", PASSWORD)])
async def test_nobody_learns_whether_it_was_the_name_or_the_password(
    session: aiohttp.ClientSession, name: str, password: str
) -> None:
    assert (await log_in(session, name, password))[:2] == (401, "log_in_failed")


@pytest.mark.parametrize("path", ["/session", "/tokens", "/tokens/refresh"])
@pytest.mark.parametrize("word", ["a\0b", "a\nb", ""])
async def test_what_no_name_has_is_refused_before_anything_is_looked_up(
    session: aiohttp.ClientSession, path: str, word: str
) -> None:
    given = {"name": word, "password": PASSWORD}
    body = {"refresh_token": word} if path.endswith("refresh") else given
    assert (await tokens(session, path, body))[0] == 422


async def test_a_name_that_nobody_has_costs_as_much_work_as_one_that_somebody_has(
    session: aiohttp.ClientSession, farm: ServedFarm, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = []
    for verb in ("hash", "verify"):
        slow = getattr(farm.gate.passwords._hasher, verb)  # type: ignore[attr-defined]
        monkeypatch.setattr(
            type(farm.gate.passwords._hasher),  # type: ignore[attr-defined]
            verb,
            lambda self, *given, slow=slow, verb=verb: (work.append(verb), slow(*given))[1],
        )
    await log_in(session, "anna", "wrong")
    await log_in(session, "nobody", "wrong")
    assert work == ["verify", "hash"], "one slow hash for each"


async def test_another_sites_page_changes_nothing_with_the_cookie(
    session: aiohttp.ClientSession,
) -> None:
    headers = await browser(session)
    foreign = {**headers, **FOREIGN}
    assert await status(session, "GET", "/sessions", foreign) == 200, "browsers hide the answer"
    async with session.delete("/api/v1/session", headers=foreign) as response:
        assert (response.status, (await response.json())["code"]) == (403, "foreign_page")
    silent = {"Cookie": headers["Cookie"], "Authorization": ""}
    assert await status(session, "DELETE", "/session", silent) == 403, "nor who says nothing"
    same_host_other_port = {**silent, "Origin": "http://127.0.0.1:1"}
    assert await status(session, "DELETE", "/session", same_host_other_port) == 403
    assert await status(session, "DELETE", "/session", headers) == 200


async def test_another_sites_page_logs_nobody_in(session: aiohttp.ClientSession) -> None:
    body = {"name": "anna", "password": PASSWORD}
    async with session.post("/api/v1/session", json=body, headers=FOREIGN) as response:
        assert response.status == 403


async def test_a_wrong_key_is_not_made_good_by_a_cookie(session: aiohttp.ClientSession) -> None:
    headers = await browser(session)
    assert await status(session, "GET", "/me", {**headers, "X-Api-Key": "farm_x_y"}) == 401
    assert await status(session, "GET", "/me", {**headers, "Authorization": "Basic eA=="}) == 401


async def test_who_logs_out_is_out(session: aiohttp.ClientSession) -> None:
    headers = await browser(session)
    assert await status(session, "DELETE", "/session", headers) == 200
    assert await status(session, "GET", "/me", headers) == 401


async def test_a_session_that_nobody_uses_ends(
    session: aiohttp.ClientSession, farm: ServedFarm
) -> None:
    headers = await browser(session)
    for _ in range(2):
        farm.clock.advance(SESSION_IDLE.total_seconds() - 1)
        assert await status(session, "GET", "/me", headers) == 200
    farm.clock.advance(SESSION_IDLE.total_seconds())
    assert await status(session, "GET", "/me", headers) == 401


async def test_one_sees_ones_sessions_and_ends_them_and_no_others(
    session: aiohttp.ClientSession, farm: ServedFarm
) -> None:
    await users.add_user(farm.gate, "bert", Role.VIEWER, "user:admin", password=PASSWORD)
    first, second = await browser(session), await browser(session)
    berts = cookie_of((await log_in(session, "bert"))[2])
    async with session.get("/api/v1/sessions", headers=second) as response:
        items = (await response.json())["items"]
    assert [each["current"] for each in items] == [False, True]
    path = f"/sessions/{items[0]['id']}"
    assert await status(session, "DELETE", path, berts) == 404
    assert await status(session, "DELETE", path, second) == 200
    assert await status(session, "GET", "/me", first) == 401


async def test_another_password_ends_everything_else_that_was_open(
    session: aiohttp.ClientSession,
) -> None:
    other, mine = await browser(session), await browser(session)
    body = {"old": PASSWORD, "new": "a wholly other one"}
    for wrong in ({**body, "old": "wrong"}, {**body, "new": "short"}):
        async with session.post("/api/v1/me/password", json=wrong, headers=mine) as response:
            assert response.status in (401, 422)
    async with session.post("/api/v1/me/password", json=body, headers=mine) as response:
        assert response.status == 200
    assert await status(session, "GET", "/me", mine) == 200
    assert await status(session, "GET", "/me", other) == 401
    assert (await log_in(session))[0] == 401
    assert (await log_in(session, password="a wholly other one"))[0] == 201


async def test_who_is_disabled_is_out_at_once_and_stays_out(
    session: aiohttp.ClientSession, farm: ServedFarm
) -> None:
    headers = await browser(session)
    await users.change_user(farm.farm, "anna", "user:admin", disabled=True)
    assert await status(session, "GET", "/me", headers) == 401
    assert (await log_in(session))[0] == 401
    await users.change_user(farm.farm, "anna", "user:admin", disabled=False)
    assert await status(session, "GET", "/me", headers) == 401
    assert (await log_in(session))[0] == 201


async def test_who_guesses_has_to_wait_and_is_told_how_long(
    session: aiohttp.ClientSession, farm: ServedFarm
) -> None:
    for _ in range(10):
        assert (await log_in(session, password="wrong"))[0] == 401
    assert (await log_in(session))[:2] == (429, "too_many_requests")
    body = {"name": "anna", "password": PASSWORD}
    async with session.post("/api/v1/session", json=body, headers=OWN) as response:
        assert response.headers["Retry-After"] == "6"
        assert response.headers["RateLimit-Remaining"] == "0"
    farm.clock.advance(6)
    assert (await log_in(session))[0] == 201


async def tokens(
    session: aiohttp.ClientSession, path: str, body: dict[str, str]
) -> tuple[int, dict[str, str]]:
    headers = {"Authorization": ""}
    async with session.post(f"/api/v1{path}", json=body, headers=headers) as response:
        return response.status, await response.json()


async def client(session: aiohttp.ClientSession) -> dict[str, str]:
    answered, given = await tokens(session, "/tokens", {"name": "anna", "password": PASSWORD})
    assert answered == 201
    return given


def bearer(given: dict[str, str]) -> dict[str, str]:
    return {"Authorization": f"Bearer {given['access_token']}"}


async def test_a_signed_token_opens_for_a_quarter_of_an_hour(
    session: aiohttp.ClientSession, farm: ServedFarm
) -> None:
    given = await client(session)
    assert given["expires_in"] == 900
    farm.clock.advance(ACCESS_LIFE.total_seconds() - 1)
    assert await status(session, "GET", "/me", bearer(given)) == 200
    farm.clock.advance(1)
    assert await status(session, "GET", "/me", bearer(given)) == 401


async def test_a_refresh_token_that_comes_twice_ends_its_whole_family(
    session: aiohttp.ClientSession, farm: ServedFarm
) -> None:
    first = await client(session)
    refresh = {"refresh_token": first["refresh_token"]}
    answered, second = await tokens(session, "/tokens/refresh", refresh)
    assert answered == 200
    assert await status(session, "GET", "/me", bearer(second)) == 200
    answered, said = await tokens(session, "/tokens/refresh", refresh)
    assert (answered, said["code"]) == (422, "refresh_refused")
    assert await status(session, "GET", "/me", bearer(second)) == 401
    answered, _ = await tokens(
        session, "/tokens/refresh", {"refresh_token": second["refresh_token"]}
    )
    assert answered == 422
    assert any(line.name == "user.token_shown_twice" for line in farm.store.tables.lines)


async def test_a_client_logs_out_and_its_tokens_end_at_once(
    session: aiohttp.ClientSession,
) -> None:
    given = await client(session)
    assert (await tokens(session, "/tokens/revoke", {"refresh_token": "refresh_x_y"}))[0] == 200
    assert await status(session, "GET", "/me", bearer(given)) == 200
    body = {"refresh_token": given["refresh_token"]}
    assert (await tokens(session, "/tokens/revoke", body))[0] == 200
    assert await status(session, "GET", "/me", bearer(given)) == 401


@pytest.mark.parametrize("part", [0, 1, 2])
async def test_an_altered_token_is_nobodys(session: aiohttp.ClientSession, part: int) -> None:
    parts = (await client(session))["access_token"].split(".")
    parts[part] = parts[part][:-3] + ("AAA" if parts[part][-3:] != "AAA" else "BBB")
    headers = {"Authorization": f"Bearer {'.'.join(parts)}"}
    assert await status(session, "GET", "/me", headers) == 401
    unsigned = "eyJhbGciOiJub25lIn0." + parts[1] + "."
    assert await status(session, "GET", "/me", {"Authorization": f"Bearer {unsigned}"}) == 401


async def test_the_farms_own_token_is_the_administrator_without_an_account(
    session: aiohttp.ClientSession,
) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with session.get("/api/v1/me", headers=headers) as response:
        assert (await response.json())["actor"] == "user:admin"
    body = {"old": "x", "new": "a wholly other one"}
    async with session.post("/api/v1/me/password", json=body, headers=headers) as response:
        assert (await response.json())["code"] == "no_account"


@pytest.mark.parametrize("ends", ["revoked", "logged out", "fewer rights", "disabled"])
async def test_what_somebody_looks_on_with_is_found_to_have_ended(
    farm: ServedFarm, session: aiohttp.ClientSession, ends: str
) -> None:
    key, user, _ = await users.create_key(farm.farm, ROOT, "screen", "test", of="anna")
    with_key = caller_with_key(user, key, farm.clock.now())
    secret = await sessions.begin_session(farm.gate, user, Visitor(), "password")
    in_browser = await caller_of_session(farm.gate, secret)
    assert with_key is not None
    assert in_browser is not None
    looks_on = with_key if ends == "revoked" else in_browser
    assert await still_holds(farm.gate, looks_on)
    match ends:
        case "revoked":
            await users.revoke_key(farm.farm, ROOT, key.key_id, "test")
        case "logged out":
            session_id = SessionId(in_browser.credential_id)
            await sessions.end_session(farm.gate, in_browser, session_id, "test")
        case "fewer rights":
            await users.change_user(farm.farm, "anna", "user:admin", "test", role=Role.KIOSK)
        case _:
            await users.change_user(farm.farm, "anna", "user:admin", "test", disabled=True)
    assert not await still_holds(farm.gate, looks_on)
    assert await still_holds(farm.gate, ROOT)
