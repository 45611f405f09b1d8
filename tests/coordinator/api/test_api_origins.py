"""Where requests come from: behind proxies, and from which page."""

import pytest
from aiohttp.test_utils import make_mocked_request

from coordinator.api.app import build_app
from coordinator.api.origins import (
    Front,
    client_address,
    comes_from_own_page,
    networks,
    own_origin,
)
from coordinator.domain.access import Role
from coordinator.usecases import users
from tests.fakes.served_farm import ServedFarm, served

PROXIES = networks(["10.0.0.2", "10.1.0.0/16"])


@pytest.mark.parametrize(
    ("peer", "forwarded_for", "address"),
    [
        ("198.51.100.7", "", "198.51.100.7"),
        ("198.51.100.7", "203.0.113.9", "198.51.100.7"),  # a stranger's word
        ("10.0.0.2", "203.0.113.9", "203.0.113.9"),
        ("10.0.0.2", "127.0.0.1, 203.0.113.9", "203.0.113.9"),  # what the stranger put before it
        ("10.0.0.2", "203.0.113.9, 10.1.2.3", "203.0.113.9"),
        ("10.0.0.2", "", "10.0.0.2"),
        ("10.0.0.2", "unknown", "unknown"),
    ],
)
def test_only_our_proxies_are_believed(peer: str, forwarded_for: str, address: str) -> None:
    assert client_address(peer, forwarded_for, PROXIES) == address


@pytest.mark.parametrize(
    ("headers", "own"),
    [
        ({}, False),
        ({"Sec-Fetch-Site": "same-origin"}, True),
        ({"Sec-Fetch-Site": "same-site"}, False),
        ({"Sec-Fetch-Site": "none"}, False),
        ({"Origin": "https://farm.example"}, True),
        ({"Origin": "https://FARM.example"}, True),
        ({"Origin": "http://farm.example"}, False),
        ({"Origin": "null"}, False),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "https://evil.example"}, False),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "https://farm.example"}, False),
    ],
)
def test_only_our_own_page_counts_as_ours(headers: dict[str, str], own: bool) -> None:
    assert comes_from_own_page(headers, "https://farm.example") is own


@pytest.mark.parametrize(
    ("front", "host", "origin"),
    [
        (Front(), "127.0.0.1:8150", "http://127.0.0.1:8150"),
        (Front(public_url="https://farm.example/x"), "farm.example", "https://farm.example"),
        (Front(public_url="https://farm.example"), "127.0.0.1:8150", "http://127.0.0.1:8150"),
    ],
)
async def test_the_origin_is_what_the_browser_took_it_to(
    farm: ServedFarm, front: Front, host: str, origin: str
) -> None:
    app = build_app(farm.gate, upload_bytes_max=1, version="", front=front)
    request = make_mocked_request(
        "GET", "/", headers={"Host": host, "X-Forwarded-Proto": "https"}, app=app
    )
    assert own_origin(request) == origin


async def test_behind_our_proxy_the_cookie_is_for_https_only(farm: ServedFarm) -> None:
    password = "correct horse battery"
    await users.add_user(farm.gate, "anna", Role.VIEWER, "user:admin", password=password)
    front = Front(proxies=networks(["127.0.0.1"]))
    farm.app = build_app(farm.gate, upload_bytes_max=1, version="", front=front)
    async with served(farm) as session:
        headers = {"Authorization": "", "X-Forwarded-Proto": "https"}
        headers |= {"X-Forwarded-For": "203.0.113.9"}
        body = {"name": "anna", "password": password}
        async with session.post("/api/v1/session", json=body, headers=headers) as response:
            cookie = response.headers["Set-Cookie"]
        assert cookie.startswith("__Host-farmhand=")
        assert "Secure" in cookie
        shown = {**headers, "Cookie": cookie.partition(";")[0]}
        async with session.get("/api/v1/sessions", headers=shown) as response:
            found = (await response.json())["items"][0]
        assert found["address"] == "203.0.113.9"
