"""The port `People` by ntfy (ntfy.sh, or a server of one's own): to phones, without an account."""

import json
from urllib.parse import unquote, urlsplit, urlunsplit

from coordinator.domain.notices import Notice
from coordinator.errors import Refused, Unavailable
from coordinator.ports_outward import Outside, Question

# Of ntfy's five: 3 is usual, 4 rings longer.
_USUAL, _URGENT = 3, 4
# Longer ones ntfy makes into attachments.
_TEXT_BYTES_MAX = 3500
_SEND_S = 15.0


class Ntfy:
    """Publishes each notice to one topic."""

    name = "ntfy"

    def __init__(self, outside: Outside, *, url: str, token: str = "") -> None:
        """Take the way; nothing is asked yet.

        Args:
            url: of the topic, https://ntfy.sh/TOPIC; who knows it can read along.

        Raises:
            ValueError: it names no topic.
        """
        parts = urlsplit(url)
        folder, _, topic = parts.path.rpartition("/")
        if parts.scheme not in ("http", "https") or not parts.netloc or not topic:
            raise ValueError("write https://ntfy.sh/TOPIC")
        self._outside = outside
        self._root = urlunsplit((parts.scheme, parts.netloc, f"{folder}/", "", ""))
        self._topic = unquote(topic)
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    async def send(self, notice: Notice) -> None:
        """Publish it; see the port."""
        said = {
            "topic": self._topic,
            "title": f"Farmhand: {notice.title}",
            "message": _cut(notice.text),
            "priority": _URGENT if notice.urgent else _USUAL,
        }
        question = Question(
            method="POST",
            url=self._root,
            headers={"Content-Type": "application/json", **self._headers},
            body=json.dumps(said).encode(),
            within_s=_SEND_S,
        )
        try:
            answer = await self._outside.ask(question)
        except Refused as error:
            raise Unavailable("ntfy_not_sent", f"ntfy: {error.message}") from error
        if not 200 <= answer.status < 300:
            raise Unavailable("ntfy_not_sent", f"ntfy answered {answer.status}")


def _cut(text: str) -> str:
    return text.encode()[:_TEXT_BYTES_MAX].decode(errors="ignore")
