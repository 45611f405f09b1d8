"""Who may do what at the broker: the access list and the password file, and what they mean.

An agent is a user of the broker, by its own name. It writes and reads only below that name, and
hears what the coordinator says to all. The coordinator's own users may do everything. Their names
have a dot, which no agent's name has.

Both embedded brokers obey the same: Mosquitto by these files, amqtt by the functions here.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterable, Mapping

from coordinator.domain.enrolment import AgentCredential
from protocols.wire.topics import Topic, subscription
from protocols.wire.vocabulary import AgentId

COORDINATOR_USER = "coordinator.link"
# Brokers that take the user's name for the client's id hold one connection for each.
TELEMETRY_USER = "coordinator.telemetry"

# As mosquitto_passwd does. What is hashed here is random, or a person's to make long enough.
HASH_ROUNDS = 101
SALT_BYTES = 12

# An agent corrects what a broker retains of its own presence, so it hears that too.
_READ_BY_AGENTS = tuple(
    topic for topic in Topic if not topic.value.from_agent or topic is Topic.PRESENCE
)
_WRITTEN_BY_AGENTS = tuple(topic for topic in Topic if topic.value.from_agent)


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
    """Whether every topic that one filter means is meant by the other, which has no `#`."""
    levels, allowed = narrow.split("/"), wide.split("/")
    return len(levels) == len(allowed) and all(
        level != "#" and may in ("+", level) for level, may in zip(levels, allowed, strict=True)
    )


def access_list(full_users: Iterable[str]) -> str:
    """Return Mosquitto's access list: `%u` is the user's name, which is the agent's."""
    lines = ["# Written by Farmhand: changes here are lost."]
    for user in full_users:
        lines += ["", f"user {user}", "topic readwrite #"]
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
