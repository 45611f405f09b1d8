"""Certificates that are read by who asks with TLS first: the same servers are believed."""

import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp import connector, web

from coordinator.adapters.outbound import late_trust
from tests.fakes.made_certificates import certificates


@pytest.fixture
def postponed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The library with its context made late, as a coordinator has it."""
    monkeypatch.setattr(connector, "_SSL_CONTEXT_VERIFIED", ssl.create_default_context())
    late_trust.postpone()


@pytest.fixture
async def url(tmp_path: Path) -> AsyncIterator[str]:
    """A server that shows a certificate of an authority in `authority.pem`."""
    made = certificates(tmp_path, "localhost")
    shown = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    shown.load_cert_chain(made.certificate, made.key)

    async def answer(_: web.Request) -> web.Response:
        return web.Response(text="believed")

    app = web.Application()
    app.router.add_get("/", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "localhost", 0, ssl_context=shown).start()
    yield f"https://localhost:{runner.addresses[0][1]}/"
    await runner.cleanup()


async def asked(url: str) -> str:
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        return await answer.text()


@pytest.mark.usefixtures("postponed")
async def test_whom_the_machine_trusts_is_believed(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Read when it is needed, not when the library is loaded.
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    assert await asked(url) == "believed"


@pytest.mark.usefixtures("postponed")
async def test_whom_it_does_not_trust_is_not_asked(url: str) -> None:
    with pytest.raises(aiohttp.ClientConnectorCertificateError):
        await asked(url)


def test_what_stands_for_a_context_trusts_nobody_by_itself() -> None:
    context = late_trust.late(ssl.create_default_context)
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert context.get_ca_certs() == []
