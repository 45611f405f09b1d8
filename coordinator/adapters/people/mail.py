"""The port `People` by e-mail, over SMTP."""

import ssl
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import formatdate
from urllib.parse import unquote, urlsplit

import structlog

from coordinator.domain.notices import Notice
from coordinator.errors import Unavailable

log = structlog.get_logger(__name__)

# All of it: mail servers make strangers wait.
SEND_S = 30.0
_PORTS = {"smtp": 587, "smtps": 465}


@dataclass(frozen=True, slots=True, kw_only=True)
class MailServer:
    """A mail server, and how it is spoken to.

    Attributes:
        encrypted: from the first byte on; else as soon as it offers to, and in any case before a
            password is said.
    """

    host: str
    port: int
    encrypted: bool
    username: str = ""
    password: str = field(default="", repr=False)


def server_of(url: str) -> MailServer:
    """Return the server that `smtp://USER:PASSWORD@HOST:587` or `smtps://...` names.

    Raises:
        ValueError: it names none.
    """
    parts = urlsplit(url)
    if parts.scheme not in _PORTS or not parts.hostname or parts.path.strip("/"):
        raise ValueError("write smtp://USER:PASSWORD@HOST:587 or smtps://USER:PASSWORD@HOST")
    return MailServer(
        host=parts.hostname,
        port=parts.port or _PORTS[parts.scheme],
        encrypted=parts.scheme == "smtps",
        username=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
    )


class Mail:
    """Sends each notice as one mail to all recipients."""

    name = "email"

    def __init__(
        self,
        server: MailServer,
        *,
        sender: str,
        recipients: tuple[str, ...],
        trust: ssl.SSLContext | None = None,
    ) -> None:
        """Take the way; nothing is connected yet.

        Args:
            trust: which certificates are believed; those that the system believes for None.
        """
        self._server = server
        self._sender = sender
        self._recipients = recipients
        self._trust = trust

    async def send(self, notice: Notice) -> None:
        """Send it; see the port."""
        # Late: most farms send no mail.
        import aiosmtplib

        server = self._server
        try:
            refused, _ = await aiosmtplib.send(
                self._message(notice),
                sender=self._sender,
                recipients=list(self._recipients),
                hostname=server.host,
                port=server.port,
                use_tls=server.encrypted,
                start_tls=self._starts_encryption(),
                username=server.username or None,
                password=server.password or None,
                timeout=SEND_S,
                tls_context=self._trust,
            )
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            raise Unavailable("mail_not_sent", f"{server.host}: {_words(error)}") from error
        if refused:
            # The others have it; sent again they would have it twice, and nothing else changed.
            log.warning("mail.refused", recipients=sorted(refused))

    def _starts_encryption(self) -> bool | None:
        """Whether the connection must be encrypted on the way; None: where the server offers it."""
        if self._server.encrypted:
            return False
        return True if self._server.username else None

    def _message(self, notice: Notice) -> EmailMessage:
        message = EmailMessage()
        message["From"] = self._sender
        message["To"] = ", ".join(self._recipients)
        message["Subject"] = f"Farmhand: {notice.title}"
        message["Date"] = formatdate()
        # The same for the same notice: programs that read mail show it once.
        message["Message-ID"] = f"<farmhand-{notice.key}@{self._sender.rpartition('@')[2]}>"
        message["Auto-Submitted"] = "auto-generated"
        if notice.urgent:
            message["Importance"] = "high"
        message.set_content(notice.text + "\n")
        return message


def _words(error: Exception) -> str:
    """Return one line about what went wrong; servers answer with several."""
    return " ".join(str(error).split()) or type(error).__name__
