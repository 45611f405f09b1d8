"""The port `IdentityProvider`: OpenID Connect Core 1.0, authorization code with PKCE (RFC 7636).

What the provider says of itself, and its keys, are fetched for each log in: those are rare, and a
key that was exchanged is known at once.
"""

import asyncio
import base64
import hashlib
import hmac
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote_plus, urlencode

import aiohttp

from coordinator.errors import Refused, Unavailable
from coordinator.ports_accounts import Challenge

ANSWER_S = 10.0
# Clocks differ.
LEEWAY_S = 60
ANSWER_BYTES_MAX = 1024 * 1024
# Signatures with the provider's public keys only: never `none`, nor with the client's secret.
ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"]


class OpenIdProvider:
    """One provider, as it describes itself below its issuer's address."""

    def __init__(
        self, *, issuer: str, client_id: str, client_secret: str, role_claim: str, scopes: str
    ) -> None:
        """Take what the provider knows us by; nothing is asked yet.

        Args:
            role_claim: is looked for at the userinfo endpoint too, where the token lacks it.
            scopes: separated by spaces, `openid` among them.
        """
        self._issuer = issuer
        self._client_id = client_id
        self._client_secret = client_secret
        self._role_claim = role_claim
        self._scopes = scopes

    async def address(self, challenge: Challenge, redirect_url: str) -> str:
        """Return where the browser is sent to log in; see the port."""
        async with _session() as session:
            described = await self._described(session)
        digest = hashlib.sha256(challenge.verifier.encode()).digest()
        query = {
            "response_type": "code",
            "client_id": self._client_id,
            "redirect_uri": redirect_url,
            "scope": self._scopes,
            "state": challenge.state,
            "nonce": challenge.nonce,
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }
        endpoint = _text(described, "authorization_endpoint")
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(query)}"

    async def claims(
        self, challenge: Challenge, redirect_url: str, code: str
    ) -> Mapping[str, object]:
        """Return what the provider vouches for; see the port."""
        async with _session() as session:
            described = await self._described(session)
            tokens = await self._exchange(session, described, challenge, redirect_url, code)
            keys = await _get(session, _text(described, "jwks_uri"))
            token = _text(tokens, "id_token")
            # In a thread, for loading the library takes part of a second.
            claims = await asyncio.to_thread(self._checked, token, keys, challenge)
            if self._role_claim not in claims and "userinfo_endpoint" in described:
                headers = {"Authorization": f"Bearer {_text(tokens, 'access_token')}"}
                more = await _get(session, _text(described, "userinfo_endpoint"), headers)
                if more.get("sub") != claims["sub"]:
                    raise _refused("userinfo is about somebody else")
                claims = {**more, **claims}
        return claims

    async def _described(self, session: aiohttp.ClientSession) -> dict[str, Any]:
        url = f"{self._issuer.rstrip('/')}/.well-known/openid-configuration"
        described = await _get(session, url)
        if described.get("issuer") != self._issuer:
            raise _unavailable(f"it calls itself {described.get('issuer')!r}")
        return described

    async def _exchange(
        self,
        session: aiohttp.ClientSession,
        described: Mapping[str, Any],
        challenge: Challenge,
        redirect_url: str,
        code: str,
    ) -> dict[str, Any]:
        fields = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_url,
            "code_verifier": challenge.verifier,
        }
        # What is not said is `client_secret_basic`, after OpenID Connect Discovery 1.0, section 3.
        ways = described.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        headers = {}
        if "client_secret_basic" in ways and self._client_secret:
            headers["Authorization"] = _basic(self._client_id, self._client_secret)
        else:
            fields["client_id"] = self._client_id
            if self._client_secret:
                fields["client_secret"] = self._client_secret
        try:
            async with session.post(
                _text(described, "token_endpoint"),
                data=fields,
                headers=headers,
                allow_redirects=False,
            ) as answer:
                if 400 <= answer.status < 500:
                    raise _refused("it does not take the code")
                return await _document(answer)
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise _unavailable(str(error) or type(error).__name__) from error

    def _checked(self, token: str, keys: Mapping[str, Any], challenge: Challenge) -> dict[str, Any]:
        """Return a token's claims, after OpenID Connect Core 1.0, section 3.1.3.7."""
        from joserfc import jwt
        from joserfc.errors import JoseError
        from joserfc.jwk import KeySet

        try:
            known = KeySet.import_key_set({"keys": list(keys["keys"])})
            claims = jwt.decode(token, known, algorithms=ALGORITHMS).claims
        except (JoseError, ValueError, KeyError, TypeError) as error:
            raise _refused("its token is not signed with its keys") from error
        audience = claims.get("aud")
        audiences = audience if isinstance(audience, list) else [audience]
        now_s = time.time()
        if claims.get("iss") != self._issuer:
            raise _refused("its token is of another issuer")
        if self._client_id not in audiences:
            raise _refused("its token is for another client")
        if len(audiences) > 1 and claims.get("azp") != self._client_id:
            raise _refused("its token was given to another client")
        if not isinstance(claims.get("exp"), int | float) or claims["exp"] < now_s - LEEWAY_S:
            raise _refused("its token is too old")
        nonce = str(claims.get("nonce", ""))
        if not hmac.compare_digest(nonce.encode(), challenge.nonce.encode()):
            raise _refused("its token is of another log in")
        if not isinstance(claims.get("sub"), str) or not claims["sub"]:
            raise _refused("its token does not say who it is")
        return dict(claims)


def _basic(client_id: str, secret: str) -> str:
    """Return how a client says who it is, after RFC 6749, section 2.3.1."""
    said = f"{quote_plus(client_id)}:{quote_plus(secret)}"
    return f"Basic {base64.b64encode(said.encode()).decode()}"


def _session() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=ANSWER_S))


async def _get(
    session: aiohttp.ClientSession, url: str, headers: Mapping[str, str] | None = None
) -> dict[str, Any]:
    try:
        async with session.get(url, headers=headers) as answer:
            return await _document(answer)
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        raise _unavailable(str(error) or type(error).__name__) from error


async def _document(answer: aiohttp.ClientResponse) -> dict[str, Any]:
    if answer.status != 200:
        raise _unavailable(f"{answer.url.path} answers {answer.status}")
    if (answer.content_length or 0) > ANSWER_BYTES_MAX:
        raise _unavailable(f"{answer.url.path} answers at length")
    document = await answer.json(content_type=None)
    if not isinstance(document, dict):
        raise _unavailable(f"{answer.url.path} answers no object")
    return document


def _text(document: Mapping[str, Any], name: str) -> str:
    found = document.get(name)
    if not isinstance(found, str):
        raise _unavailable(f"it does not say its {name}")
    return found


def _refused(words: str) -> Refused:
    return Refused("oidc_refused", f"the OpenID provider can't be believed: {words}")


def _unavailable(words: str) -> Unavailable:
    return Unavailable("oidc_unreachable", f"the OpenID provider does not answer rightly: {words}")
