"""What an OpenID provider says is believed only where all of it is right."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from coordinator.adapters.openid import OpenIdProvider
from coordinator.errors import Refused, Unavailable
from coordinator.ports_accounts import Challenge
from tests.fakes.lying_provider import CLIENT_ID, CLIENT_SECRET, LyingProvider, running

CHALLENGE = Challenge(state="state", nonce="nonce", verifier="verifier")
BACK = "http://127.0.0.1/back"


@pytest.fixture
async def liar() -> AsyncIterator[LyingProvider]:
    async with running(LyingProvider()) as provider:
        yield provider


def client_of(liar: LyingProvider) -> OpenIdProvider:
    return OpenIdProvider(
        issuer=liar.issuer,
        client_id=CLIENT_ID,
        client_secret=CLIENT_SECRET,
        role_claim="groups",
        scopes="openid",
    )


async def claims(liar: LyingProvider, code: str = "good") -> dict[str, Any]:
    return dict(await client_of(liar).claims(CHALLENGE, BACK, code))


async def test_who_is_vouched_for_is_told_and_groups_are_asked_for(liar: LyingProvider) -> None:
    liar.userinfo = {"groups": ["makers"], "iss": "somebody else"}
    said = await claims(liar)
    assert (said["sub"], said["groups"], said["iss"]) == ("17", ["makers"], liar.issuer)


@pytest.mark.parametrize(
    "wrong",
    [
        {"iss": "https://evil.example"},
        {"aud": "another"},
        {"aud": [CLIENT_ID, "another"]},
        {"exp": 1},
        {"exp": "never"},
        {"nonce": "of another log in"},
        {"sub": ""},
        {"sub": 17},
    ],
)
async def test_a_token_that_is_not_for_this_log_in_is_refused(
    liar: LyingProvider, wrong: dict[str, Any]
) -> None:
    liar.claims = wrong
    with pytest.raises(Refused):
        await claims(liar)


@pytest.mark.parametrize("signs_with", ["another key", "the client's secret", "nothing"])
async def test_a_token_that_its_keys_did_not_sign_is_refused(
    liar: LyingProvider, signs_with: str
) -> None:
    liar.signs_with = signs_with
    with pytest.raises(Refused):
        await claims(liar)


async def test_a_code_that_is_not_good_is_refused(liar: LyingProvider) -> None:
    with pytest.raises(Refused):
        await claims(liar, code="stolen")


async def test_userinfo_about_somebody_else_is_refused(liar: LyingProvider) -> None:
    liar.userinfo = {"sub": "18", "groups": ["admins"]}
    with pytest.raises(Refused):
        await claims(liar)


@pytest.mark.parametrize("described", [{"issuer": "https://evil.example"}, {"jwks_uri": None}])
async def test_who_describes_itself_wrongly_is_no_provider(
    liar: LyingProvider, described: dict[str, Any]
) -> None:
    liar.described = described
    with pytest.raises(Unavailable):
        await claims(liar)


async def test_who_does_not_answer_is_not_there(liar: LyingProvider) -> None:
    client = OpenIdProvider(
        issuer="http://127.0.0.1:9",
        client_id=CLIENT_ID,
        client_secret="",
        role_claim="groups",
        scopes="openid",
    )
    with pytest.raises(Unavailable):
        await client.address(CHALLENGE, BACK)
