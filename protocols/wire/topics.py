"""The topic grammar: every topic there is, who speaks there, and how, in one table.

Nested by agent, so that a broker's access list is one pattern: a credential is an agent and sees
only what lies below its own name. The major version stands in the topic.
"""

import re
from dataclasses import dataclass
from enum import Enum
from zlib import crc32

from protocols.wire.vocabulary import ID_PATTERN, AgentId, PrinterId, is_id

PROTOCOL_MAJOR = 1
ROOT = f"farmhand/v{PROTOCOL_MAJOR}"

# Telemetry is spread over so many topics, so that several processes can share it on any broker.
SHARDS = 64


@dataclass(frozen=True, slots=True)
class Rule:
    """How one kind of topic is used; `from_agent` tells the direction."""

    pattern: str
    qos: int
    retain: bool
    from_agent: bool


class Topic(Enum):
    """The kinds of topics."""

    DESIRED = Rule("agents/{agent}/printers/{printer}/desired", 1, True, False)
    REPORTED = Rule("agents/{agent}/printers/{printer}/reported", 1, True, True)
    EVENTS = Rule("agents/{agent}/printers/{printer}/events", 1, False, True)
    PRESENCE = Rule("agents/{agent}/presence", 1, True, True)
    COMMANDS = Rule("agents/{agent}/commands", 1, False, False)
    RESULTS = Rule("agents/{agent}/results", 1, False, True)
    TELEMETRY = Rule("telemetry/{shard}/{agent}", 0, False, True)
    COORDINATOR_STATUS = Rule("coordinator/status", 1, True, False)
    COORDINATOR_SYNC = Rule("coordinator/sync", 1, False, False)

    @property
    def qos(self) -> int:
        """The quality of service to publish and subscribe with."""
        return self.value.qos

    @property
    def retain(self) -> bool:
        """Whether the broker keeps the last message."""
        return self.value.retain


@dataclass(frozen=True, slots=True)
class Address:
    """A topic taken apart."""

    topic: Topic
    agent_id: AgentId | None = None
    printer_id: PrinterId | None = None


def shard_of(agent_id: AgentId) -> int:
    """Return the telemetry shard of an agent, 0 to 63."""
    return crc32(agent_id.encode()) % SHARDS


def build(
    topic: Topic, agent_id: AgentId | None = None, printer_id: PrinterId | None = None
) -> str:
    """Return the topic's full name.

    Raises:
        ValueError: an id that the topic needs is missing or no id.
    """
    pattern = topic.value.pattern
    for name, given in (("agent", agent_id), ("printer", printer_id)):
        if "{" + name + "}" in pattern and (given is None or not is_id(given)):
            raise ValueError(f"{topic.name} needs a valid {name} id, not {given!r}")
    shard = shard_of(agent_id) if agent_id is not None else ""
    return f"{ROOT}/" + pattern.format(agent=agent_id, printer=printer_id, shard=shard)


def subscription(topic: Topic, agent_id: AgentId | None = None) -> str:
    """Return the filter for a kind of topic: of one agent, or of all."""
    pattern = topic.value.pattern.replace("{shard}", "+").replace("{printer}", "+")
    return f"{ROOT}/" + pattern.replace("{agent}", agent_id or "+")


def _expression(pattern: str) -> re.Pattern[str]:
    text = re.escape(pattern).replace(r"\{", "{").replace(r"\}", "}")
    text = text.replace("{shard}", r"\d{1,2}")
    for name in ("agent", "printer"):
        text = text.replace("{" + name + "}", f"(?P<{name}>{ID_PATTERN})")
    return re.compile(re.escape(ROOT) + "/" + text)


def _last_level(pattern: str) -> str:
    """Return the word that a topic ends with; telemetry ends with an agent's name."""
    level = pattern.rpartition("/")[2]
    return "" if "{" in level else level


# By their last word, so that one expression is tried for a name, not nine.
_EXPRESSIONS = {
    _last_level(topic.value.pattern): (topic, _expression(topic.value.pattern)) for topic in Topic
}


def parse(name: str) -> Address | None:
    """Return what a topic is, or None where it is none of ours."""
    for last in (name.rpartition("/")[2], ""):
        topic, expression = _EXPRESSIONS.get(last, (None, None))
        if topic is not None and expression is not None and (found := expression.fullmatch(name)):
            parts = found.groupdict()
            agent, printer = parts.get("agent"), parts.get("printer")
            return Address(
                topic,
                AgentId(agent) if agent else None,
                PrinterId(printer) if printer else None,
            )
    return None
