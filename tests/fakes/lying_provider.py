"""An OpenID provider that misbehaves where it is told to; the real one is in `edges/`."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

CLIENT_ID, CLIENT_SECRET = "farm", "a-secret-of-the-client-with-32-b"


@dataclass
class LyingProvider:
    """Gives the token that it is told to give; `claims` are put over right ones."""

    claims: dict[str, Any] = field(default_factory=dict)
    described: dict[str, Any] = field(default_factory=dict)
    userinfo: dict[str, Any] = field(default_factory=dict)
    signs_with: str = "its key"
    nonce: str = "nonce"
    issuer: str = ""

    def __post_init__(self) -> None:
        self._key = RSAKey.generate_key(2048, {"kid": "1"})
        self._other = RSAKey.generate_key(2048, {"kid": "1"})

    async def describe(self, _: web.Request) -> web.Response:
        addresses = {
            f"{name}_endpoint": f"{self.issuer}/{name}"
            for name in ("authorization", "token", "userinfo")
        }
        return web.json_response(
            {"issuer": self.issuer, "jwks_uri": f"{self.issuer}/keys", **addresses} | self.described
        )

    async def keys(self, _: web.Request) -> web.Response:
        return web.json_response({"keys": [self._key.as_dict(private=False)]})

    async def exchange(self, request: web.Request) -> web.Response:
        if (await request.post())["code"] != "good":
            return web.json_response({"error": "invalid_grant"}, status=400)
        now_s = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": CLIENT_ID,
            "sub": "17",
            "exp": now_s + 60,
            "iat": now_s,
            "nonce": self.nonce,
        } | self.claims
        return web.json_response({"id_token": self._sign(claims), "access_token": "x"})

    def _sign(self, claims: dict[str, Any]) -> str:
        match self.signs_with:
            case "the client's secret":
                return jwt.encode({"alg": "HS256"}, claims, OctKey.import_key(CLIENT_SECRET))
            case "another key":
                return jwt.encode({"alg": "RS256", "kid": "1"}, claims, self._other)
            case "nothing":
                return "eyJhbGciOiJub25lIn0." + self._plain(claims) + "."
            case _:
                return jwt.encode({"alg": "RS256", "kid": "1"}, claims, self._key)

    def _plain(self, claims: dict[str, Any]) -> str:
        return jwt.encode({"alg": "RS256", "kid": "1"}, claims, self._key).split(".")[1]

    async def tell_user(self, _: web.Request) -> web.Response:
        return web.json_response({"sub": "17"} | self.userinfo)


@asynccontextmanager
async def running(provider: LyingProvider) -> AsyncIterator[LyingProvider]:
    """Serve it on a free port."""
    app = web.Application()
    app.router.add_get("/.well-known/openid-configuration", provider.describe)
    app.router.add_get("/keys", provider.keys)
    app.router.add_post("/token", provider.exchange)
    app.router.add_get("/userinfo", provider.tell_user)
    server = TestServer(app)
    await server.start_server()
    provider.issuer = str(server.make_url("")).rstrip("/")
    try:
        yield provider
    finally:
        await server.close()
