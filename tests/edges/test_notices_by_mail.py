"""Notices by mail, to a real SMTP server on this machine."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

from coordinator.adapters.people.mail import Mail, MailServer, server_of
from coordinator.domain.notices import Notice
from coordinator.errors import Unavailable

CERTIFICATE = Path(__file__).parents[1] / "fakes" / "localhost.pem"
NOTICE = Notice(key="7-abc", title="Größe: clear the bed", text="a\n.\nb", urgent=True)


@dataclass
class Box:
    """What the server took, whom it knows, and what it refuses."""

    mails: list[Any] = field(default_factory=list)
    recipients: list[list[str]] = field(default_factory=list)
    logins: list[tuple[bytes, bytes]] = field(default_factory=list)
    refused: tuple[str, ...] = ()
    answer: str = "250 OK"
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    def authenticate(self, server: Any, session: Any, envelope: Any, how: Any, data: Any) -> Any:
        assert isinstance(data, LoginPassword)
        self.logins.append((data.login, data.password))
        return AuthResult(success=data.password == b"p:w@rd", handled=False)

    async def handle_RCPT(  # noqa: N802  # the library's name
        self, server: Any, session: Any, envelope: Any, address: str, options: Any
    ) -> str:
        if address in self.refused:
            return "550 no such box"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802  # the library's name
        self, server: Any, session: Any, envelope: Any
    ) -> str:
        self.mails.append(message_from_bytes(envelope.content, policy=policy.default))
        self.recipients.append(list(envelope.rcpt_tos))
        self.arrived.set()
        return self.answer


@asynccontextmanager
async def smtp_server(
    box: Box, *, encrypted: bool = False, offers: bool = False
) -> AsyncIterator[int]:
    """Serve on a free port: encrypted from the start, or offering to be."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    loop = asyncio.get_running_loop()

    def protocol() -> SMTP:
        return SMTP(
            box,
            hostname="localhost",
            authenticator=box.authenticate,
            auth_require_tls=not encrypted,
            tls_context=context if offers else None,
            loop=loop,
        )

    ssl_context = context if encrypted else None
    server = await loop.create_server(protocol, "127.0.0.1", 0, ssl=ssl_context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


def mail(url: str, *recipients: str) -> Mail:
    trust = ssl.create_default_context(cafile=str(CERTIFICATE))
    return Mail(
        server_of(url),
        sender="farm@example.com",
        recipients=recipients or ("anna@example.com",),
        trust=trust,
    )


async def test_a_notice_arrives_as_it_is() -> None:
    box = Box()
    async with smtp_server(box) as port:
        await mail(f"smtp://127.0.0.1:{port}", "anna@example.com", "ben@example.com").send(NOTICE)
    [arrived] = box.mails
    assert arrived["Subject"] == "Farmhand: Größe: clear the bed"
    assert arrived["From"] == "farm@example.com"
    assert arrived["Message-ID"] == "<farmhand-7-abc@example.com>"
    assert arrived["Importance"] == "high"
    assert arrived.get_content().replace("\r\n", "\n") == "a\n.\nb\n"
    assert box.recipients == [["anna@example.com", "ben@example.com"]]


@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
async def test_a_password_goes_over_an_encrypted_connection(scheme: str) -> None:
    box = Box()
    async with smtp_server(box, encrypted=scheme == "smtps", offers=scheme == "smtp") as port:
        await mail(f"{scheme}://farm:p%3Aw%40rd@localhost:{port}").send(NOTICE)
        with pytest.raises(Unavailable) as caught:
            await mail(f"{scheme}://farm:wrong@localhost:{port}").send(NOTICE)
    assert set(box.logins) == {(b"farm", b"p:w@rd"), (b"farm", b"wrong")}
    assert len(box.mails) == 1
    assert "wrong" not in caught.value.message


async def test_a_password_is_never_said_in_the_clear() -> None:
    box = Box()
    async with smtp_server(box) as port:
        with pytest.raises(Unavailable):
            await mail(f"smtp://farm:p%3Aw%40rd@127.0.0.1:{port}").send(NOTICE)
    assert box.logins == []
    assert box.mails == []


async def test_a_certificate_that_nobody_vouches_for_is_not_believed() -> None:
    box = Box()
    async with smtp_server(box, encrypted=True) as port:
        server = server_of(f"smtps://localhost:{port}")
        stranger = Mail(server, sender="farm@example.com", recipients=("anna@example.com",))
        with pytest.raises(Unavailable):
            await stranger.send(NOTICE)
    assert box.mails == []


async def test_one_refused_recipient_does_not_keep_it_from_the_others() -> None:
    box = Box(refused=("gone@example.com",))
    async with smtp_server(box) as port:
        await mail(f"smtp://127.0.0.1:{port}", "gone@example.com", "anna@example.com").send(NOTICE)
        with pytest.raises(Unavailable):
            await mail(f"smtp://127.0.0.1:{port}", "gone@example.com").send(NOTICE)
    assert box.recipients == [["anna@example.com"]]


async def test_a_server_that_refuses_or_is_not_there_is_told() -> None:
    box = Box(answer="451 try again later")
    async with smtp_server(box) as port:
        way = mail(f"smtp://127.0.0.1:{port}")
        with pytest.raises(Unavailable, match="451"):
            await way.send(NOTICE)
    with pytest.raises(Unavailable, match=r"127\.0\.0\.1"):
        await way.send(NOTICE)


@pytest.mark.parametrize("url", ["http://x", "smtp://", "smtp://x/y", "mail.example.com"])
def test_what_is_no_mail_server_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="smtp://"):
        server_of(url)


def test_ports_are_the_usual_ones_and_the_password_does_not_show() -> None:
    assert (server_of("smtp://x").port, server_of("smtps://x").port) == (587, 465)
    assert "word" not in repr(MailServer(host="x", port=1, encrypted=True, password="word"))
