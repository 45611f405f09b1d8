"""A broker and its cables: what is said arrives late, twice, in another order, or never."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

from protocols.wire.codec import Message
from protocols.wire.to_agent import Desired
from tests.simulation.world import World

# Kind, agent and printer: what a topic says.
Topic: TypeAlias = tuple[str, str, str]

Translate: TypeAlias = Callable[[Topic, Message], Message]

LATENCY_S = (0.005, 0.3)
# Until either side notices that the other is gone.
KEEPALIVE_S = 45.0
SAID_KEPT = 30
# What one connection carries in order, and only with its own death loses.
_IN_ORDER = ("presence", "status", "sync")


@dataclass(eq=False)
class Session:
    """One connection of a client.

    Attributes:
        wants: topics that it subscribed to.
        take: is given what arrives.
        closed: is called when the client notices the end.
        will: what the broker says for it then.
    """

    client_id: str
    wants: Callable[[Topic], bool]
    take: Callable[[Message], None]
    closed: Callable[[], None]
    will: tuple[Topic, Message] | None = None
    open: bool = True
    thrown_out: bool = False
    busy_until_s: float = 0.0
    in_order_s: float = 0.0


@dataclass
class Broker:
    """The broker.

    Attributes:
        lossy: probability that a message that may be lost is; so with `twice` and `late`.
        down_until_s: nobody can connect before.
        translate: what one side says -> what another version of the other makes of it.
    """

    world: World
    lossy: float = 0.03
    twice: float = 0.05
    late: float = 0.03
    retained: dict[Topic, Message] = field(default_factory=dict)
    backup: dict[Topic, Message] = field(default_factory=dict)
    said: dict[str, list[Desired]] = field(default_factory=dict)
    sessions: list[Session] = field(default_factory=list)
    wills: dict[str, list[tuple[Topic, Message]]] = field(default_factory=dict)
    down_until_s: float = 0.0
    translate: Translate = lambda topic, message: message

    def connect(self, session: Session) -> bool:
        """Open a session; one of the same client is thrown out. False: no broker."""
        if self.world.now_s() < self.down_until_s:
            return False
        for other in [each for each in self.sessions if each.client_id == session.client_id]:
            self.world.faults["session taken over"] += 1
            other.thrown_out = True
            self.cut(other, at_once=True)
        self._tell_wills(session.client_id)
        self.sessions.append(session)
        return True

    def subscribe(self, session: Session) -> None:
        """Bring a session what is retained for it."""
        for topic, message in list(self.retained.items()):
            if session.wants(topic):
                self._bring(session, message, in_order=True)

    def publish(self, session: Session, topic: Topic, message: Message, *, retain: bool) -> None:
        """Take a message from a client; into a dead session it is said in vain."""
        if not session.open:
            return
        if topic[0] not in _IN_ORDER and self.world.strikes(self.lossy):
            self.world.faults["message lost"] += 1
            return
        delay_s = self.world.random.uniform(*LATENCY_S)
        begins_s = max(session.busy_until_s, self.world.now_s() + delay_s)
        session.busy_until_s = begins_s
        self.world.later(begins_s - self.world.now_s(), lambda: self._route(topic, message, retain))

    def _route(self, topic: Topic, message: Message, retain: bool) -> None:
        message = self.translate(topic, message)
        if retain:
            self.retained[topic] = message
        if isinstance(message, Desired):
            said = self.said.setdefault(message.printer_id, [])
            said.append(message)
            del said[:-SAID_KEPT]
        for session in list(self.sessions):
            if session.wants(topic):
                self._bring(session, message, in_order=topic[0] in _IN_ORDER)

    def _bring(self, session: Session, message: Message, *, in_order: bool) -> None:
        world = self.world
        delay_s = world.random.uniform(*LATENCY_S)
        if in_order:
            session.in_order_s = max(session.in_order_s, world.now_s() + delay_s)
            delay_s = session.in_order_s - world.now_s()
        if not in_order and world.strikes(self.late):
            world.faults["message delayed or overtaken"] += 1
            delay_s = world.random.choice((2.0, 30.0, 600.0, 7200.0)) * world.random.random()
        world.later(delay_s, lambda: self._arrive(session, message))
        if not in_order and world.strikes(self.twice):
            world.faults["message doubled"] += 1
            again_s = world.random.choice((1.0, 60.0, 3600.0)) * world.random.random()
            world.later(again_s, lambda: self._arrive_again(session.client_id, message))

    def _arrive(self, session: Session, message: Message) -> None:
        if session.open:
            session.take(message)

    def _arrive_again(self, client_id: str, message: Message) -> None:
        for session in self.sessions:
            if session.client_id == client_id and session.open:
                session.take(message)

    def replay(self, agent_id: str, printer_id: str) -> None:
        """Say an old document again, as if it were new."""
        said = self.said.get(printer_id)
        if not said:
            return
        self.world.fault("stale document replayed")
        document = self.world.random.choice(said)
        for session in list(self.sessions):
            if session.wants(("desired", agent_id, printer_id)):
                self._arrive(session, document)

    def cut(self, session: Session, *, at_once: bool = False) -> None:
        """Break a connection: nothing passes any more, and each side notices in its time."""
        if session not in self.sessions:
            return
        self.sessions.remove(session)
        session.open = False
        patience_s = 0.0 if at_once else KEEPALIVE_S
        self.world.later(self.world.random.uniform(0, patience_s), session.closed)
        if session.will is not None:
            self.wills.setdefault(session.client_id, []).append(session.will)
            told_s = self.world.random.uniform(0, patience_s)
            self.world.later(told_s, lambda: self._tell_wills(session.client_id))

    def _tell_wills(self, client_id: str) -> None:
        """Say the last words of a client; they come before its next session, at the latest."""
        for topic, will in self.wills.pop(client_id, []):
            self._route(topic, will, retain=True)

    def leave(self, session: Session) -> None:
        """Take note of a client's death."""
        self.cut(session, at_once=self.world.random.random() < 0.5)

    def restart(self, keeps: str) -> None:
        """Go down and come back with all, nothing, or an old copy of what was retained."""
        self.world.fault(f"broker restarts with {keeps} retained", f"broker: {keeps} is retained")
        if keeps == "nothing":
            self.retained.clear()
        elif keeps == "an old copy":
            self.retained = dict(self.backup)
        self.down_until_s = self.world.now_s() + self.world.random.uniform(1, 600)
        for session in list(self.sessions):
            self.cut(session)
        self.backup = dict(self.retained)
