"""Who may enter amqtt, and what they may say and hear: the same as Mosquitto's files say.

amqtt asks a plugin about logging in, publishing, subscribing and receiving. It does not ask about
wills, nor about retained messages once a subscription stands. So a will is judged at the log-in,
and a subscription is refused unless every topic that it means is the agent's own. A user who was
taken off the list can do nothing more with a connection that stands.

amqtt also writes the name, the password and the will of a new connection over those of an older one
with the same client id before it asks whether they are right. So a name counts only together with
its password, each time, and the will of who is refused is taken away. That somebody's connection
ends by it can't be prevented here: Mosquitto is for networks with strangers.
"""

import logging
from dataclasses import dataclass, field
from pathlib import Path

from amqtt.contexts import Action, BaseContext
from amqtt.plugins.base import BaseAuthPlugin, BaseTopicPlugin
from amqtt.session import Session

from coordinator.domain.broker_access import (
    Programs,
    hashes_in,
    is_password,
    may_hear,
    may_publish,
)

_log = logging.getLogger(__name__)


class Door(BaseAuthPlugin, BaseTopicPlugin):  # type: ignore[misc]  # the library has no types
    """Reads the password file again whenever it was replaced."""

    @dataclass
    class Config:
        """What the library fills from its configuration.

        Attributes:
            full_users: may do everything.
            programs: who is kept to the same few topics; see `broker_access.Programs`.
            enrolled: all others are agents, and kept to their own topics.
        """

        passwords: str = ""
        full_users: list[str] = field(default_factory=list)
        programs: dict[str, list[str]] = field(default_factory=dict)
        enrolled: bool = True

    def __init__(self, context: BaseContext) -> None:
        """Take the configuration that the library has filled."""
        super().__init__(context)
        self._file = Path(self.config.passwords)
        self._programs = Programs(
            **{name: tuple(each) for name, each in self.config.programs.items()}
        )
        self._seen: tuple[int, int] | None = None
        self._hashes: dict[str, str] = {}
        self._verified: set[tuple[str, str]] = set()

    async def authenticate(self, *, session: Session) -> bool:
        """Whether somebody may enter, with the will that they bring."""
        refusal = self._refusal(session)
        if refusal:
            _log.warning("%r was refused: %s", (session.username or "")[:80], refusal)
            session.will_flag = False
        return not refusal

    def _refusal(self, session: Session) -> str:
        user = session.username or ""
        if not self._is_known(user, session.password or ""):
            return "no such user, or another password"
        if self._may_all(user):
            return ""
        if user in self._programs.users:
            return self._program_refusal(session)
        # The broker ends an older connection with the same client id: nobody may take another's.
        if session.client_id != f"farmhand-agent-{user}":
            return f"the client id {str(session.client_id)[:80]!r} is not its own"
        if session.will_flag and not may_publish(user, session.will_topic or ""):
            return f"a will for {str(session.will_topic)[:200]!r}"
        return ""

    def _program_refusal(self, session: Session) -> str:
        if str(session.client_id).startswith(("farmhand-agent-", "coordinator-")):
            return f"the client id {str(session.client_id)[:80]!r} is not its own"
        if session.will_flag and not self._programs.may_publish(session.will_topic or ""):
            return f"a will for {str(session.will_topic)[:200]!r}"
        return ""

    async def topic_filtering(
        self,
        *,
        session: Session | None = None,
        topic: str | None = None,
        action: Action | None = None,
    ) -> bool:
        """Whether somebody may publish on a topic, hear it, or subscribe to a filter."""
        if session is None or topic is None:
            return False
        user = session.username or ""
        if not self._is_known(user, session.password or ""):
            return False
        if self._may_all(user):
            return True
        saying = action is Action.PUBLISH
        if user in self._programs.users:
            return self._programs.may_publish(topic) if saying else self._programs.may_hear(topic)
        return may_publish(user, topic) if saying else may_hear(user, topic)

    def _may_all(self, user: str) -> bool:
        if user in self.config.full_users:
            return True
        return not self.config.enrolled and user not in self._programs.users

    def _is_known(self, user: str, password: str) -> bool:
        """Whether the password is this user's; worked out once for each."""
        hashed = self._known().get(user)
        if hashed is None:
            return False
        if (user, password) not in self._verified:
            if not is_password(password, hashed):
                return False
            self._verified.add((user, password))
        return True

    def _known(self) -> dict[str, str]:
        """Return the password file's users; nobody where it can't be read."""
        try:
            stat = self._file.stat()
            if self._seen != (seen := (stat.st_ino, stat.st_mtime_ns)):
                self._hashes, self._seen = hashes_in(self._file.read_text()), seen
                self._verified.clear()
        except OSError:
            self._hashes, self._seen = {}, None
            self._verified.clear()
        return self._hashes
