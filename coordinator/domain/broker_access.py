"""Who may do what at the broker: the access list and the password file, and what they mean.

An agent is a user of the broker, by its own name. It writes and reads only below that name, and
hears what the coordinator says to all. The coordinator's own users may do everything. Their names
have a dot, which no agent's name has; so have those of programs, which are kept to their topics.

Both embedded brokers obey the same: Mosquitto by these files, amqtt by the functions here.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from coordinator.domain.automation.topics import Topics
from coordinator.domain.enrolment import AgentCredential
from protocols.wire.topics import Topic, subscription
from protocols.wire.vocabulary import AgentId

COORDINATOR_USER = "coordinator.link"
# Brokers that take the user's name for the client's id hold one connection for each.
TELEMETRY_USER = "coordinator.telemetry"
AUTOMATION_USER = "coordinator.automation"
OWN_USERS = (COORDINATOR_USER, TELEMETRY_USER, AUTOMATION_USER)

# As mosquitto_passwd does. What is hashed here is random, or a person's to make long enough.
HASH_ROUNDS = 101
SALT_BYTES = 12

# An agent corrects what a broker retains of its own presence, so it hears that too.
_READ_BY_AGENTS = tuple(
    topic for topic in Topic if not topic.value.from_agent or topic is Topic.PRESENCE
)
_WRITTEN_BY_AGENTS = tuple(topic for topic in Topic if topic.value.from_agent)


@dataclass(frozen=True, slots=True, kw_only=True)
class Programs:
    """Users that are programs beside the farm, Home Assistant say; their names have a dot.

    Attributes:
        users: their names.
        reads: filters of what they may hear; `writes` of what they may say.
    """

    users: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()

    def may_publish(self, topic: str) -> bool:
        """Whether a program may say something on a topic."""
        return any(_lies_within(topic, each) for each in self.writes)

    def may_hear(self, topic: str) -> bool:
        """Whether a program may hear a topic, or subscribe to a filter that means nothing else."""
        return any(_lies_within(topic, each) for each in self.reads)


NO_PROGRAMS = Programs()


def programs_of(topics: Topics, users: Iterable[str], *, discovery_prefix: str = "") -> Programs:
    """Return what programs may: read what is told, ask, and press buttons that are armed.

    Nobody of them reads what others ask: there are keys in it.

    Args:
        discovery_prefix: of Home Assistant, which says there that it has come; empty for none.
    """
    discovery = (f"{discovery_prefix}/#",) if discovery_prefix else ()
    presses = (topics.presses,) if discovery_prefix else ()
    return Programs(
        users=tuple(sorted(users)),
        reads=(topics.told, topics.answer("+"), *discovery),
        writes=(topics.requests, *presses, *discovery),
    )


def may_publish(agent_id: str, topic: str) -> bool:
    """Whether an agent may say something on a topic; a will is said by it too."""
    return any(
        _lies_within(topic, subscription(each, AgentId(agent_id))) for each in _WRITTEN_BY_AGENTS
    )


def may_hear(agent_id: str, topic: str) -> bool:
    """Whether an agent may hear a topic, or subscribe to a filter that means nothing else."""
    return any(
        _lies_within(topic, subscription(each, AgentId(agent_id))) for each in _READ_BY_AGENTS
    )


def _lies_within(narrow: str, wide: str) -> bool:
    """Whether every topic that one filter means is meant by the other."""
    levels, allowed = narrow.split("/"), wide.split("/")
    if allowed[-1] == "#":
        allowed, rest = allowed[:-1], levels[len(allowed) - 1 :]
        levels = levels[: len(allowed)]
        if not rest and not levels:
            return False
    return len(levels) == len(allowed) and all(
        level != "#" and may in ("+", level) for level, may in zip(levels, allowed, strict=True)
    )


def access_list(full_users: Iterable[str], programs: Programs = NO_PROGRAMS) -> str:
    """Return Mosquitto's access list: `%u` is the user's name, which is the agent's."""
    lines = ["# Written by Farmhand: changes here are lost."]
    for user in full_users:
        lines += ["", f"user {user}", "topic readwrite #"]
    for user in programs.users:
        lines += ["", f"user {user}"]
        lines += [f"topic read {each}" for each in programs.reads]
        lines += [f"topic write {each}" for each in programs.writes]
    lines += ["", "# Each agent, below its own name."]
    for topic in _WRITTEN_BY_AGENTS:
        way = "readwrite" if topic in _READ_BY_AGENTS else "write"
        lines.append(f"pattern {way} {subscription(topic, AgentId('%u'))}")
    for topic in _READ_BY_AGENTS:
        if topic not in _WRITTEN_BY_AGENTS:
            lines.append(f"pattern read {subscription(topic, AgentId('%u'))}")
    return "\n".join(lines) + "\n"


def files_for(
    credentials: Iterable[AgentCredential], shared: tuple[str, str], salt: bytes
) -> dict[str, str]:
    """Return `passwords` and `access` for a Mosquitto that is not ours to start.

    Args:
        shared: name and password with which the coordinator logs in there.
        salt: of its hash, `SALT_BYTES` random ones.
    """
    user, password = shared
    hashes = {str(each.agent_id): each.broker_hash for each in credentials if each.good}
    hashes[user] = password_hash(password, salt)
    return {"passwords": password_file(hashes), "access": access_list([user])}


def password_file(hashes: Mapping[str, str]) -> str:
    """Return Mosquitto's password file."""
    return "".join(f"{user}:{hashes[user]}\n" for user in sorted(hashes))


def hashes_in(file: str) -> dict[str, str]:
    """Return what a password file says."""
    parts = (line.partition(":") for line in file.splitlines() if line)
    return {user: hashed for user, _, hashed in parts}


def password_hash(password: str, salt: bytes) -> str:
    """Return a password as Mosquitto 1.6 and later have it: `$7$`, PBKDF2 with SHA-512."""
    key = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, HASH_ROUNDS)
    encoded = (base64.b64encode(part).decode() for part in (salt, key))
    return "$".join(("", "7", str(HASH_ROUNDS), *encoded))


def is_password(password: str, hashed: str) -> bool:
    """Whether a password is the one that was hashed; False too where that is no hash of ours."""
    _, kind, rounds, salt, key = (hashed.split("$") + [""] * 5)[:5]
    if kind != "7" or not rounds.isdecimal():
        return False
    try:
        known = base64.b64decode(key, validate=True)
        salted = base64.b64decode(salt, validate=True)
    except binascii.Error:
        return False
    given = hashlib.pbkdf2_hmac("sha512", password.encode(), salted, int(rounds))
    return hmac.compare_digest(given, known)
