"""What Home Assistant reads to know the farm: devices with their entities, as retained messages.

Theory. A device is one message with all its entities ("device", from Home Assistant 2024.12 on), or
a message for each entity ("component", for all versions); never both, for whichever is read first
would win. What a device has no more must be said: leaving it out removes nothing. So what is
retained already is looked at first (`told_before`).
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from coordinator.domain.automation.documents import packed
from coordinator.domain.automation.topics import OFFLINE, ONLINE, Message, Topics
from coordinator.domain.history import Plain
from coordinator.domain.homeassistant.entities import Entity

Form = Literal["device", "component"]

_NO_NAME = re.compile(r"[^A-Za-z0-9_-]+")

# What a version that knows no platform of this name would complain of; nothing we use is newer.
_WITHOUT_AVAILABILITY = frozenset({"device_automation"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """One device.

    Attributes:
        name: within the farm, for good: `printer_p1`.
        shown: what people read; `model`, `maker`, `version` and `place` likewise.
        via: the device that it hangs on; empty for none.
        online: the topic that says whether it can be reached; empty where that hangs on nothing.
    """

    name: str
    shown: str
    entities: Sequence[Entity]
    model: str = ""
    maker: str = "Farmhand"
    version: str = ""
    place: str = ""
    via: str = ""
    online: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Discovery:
    """How this farm is discovered.

    Attributes:
        prefix: what Home Assistant listens to.
        version: of the coordinator.
        url: of the farm's page; empty where there is none that others reach.
    """

    topics: Topics
    prefix: str = "homeassistant"
    form: Form = "device"
    version: str = ""
    url: str = ""

    @property
    def node(self) -> str:
        """What tells this farm from others at the same broker."""
        return _NO_NAME.sub("_", self.topics.root.replace("/", "_"))

    @property
    def born(self) -> str:
        """Where Home Assistant says that it has come."""
        return f"{self.prefix}/status"

    @property
    def told(self) -> str:
        """The filter for all that was ever told of this farm."""
        return f"{self.prefix}/+/{self.node}/+/config"

    def messages(self, device: Device, told: Mapping[str, bytes]) -> list[Message]:
        """Return what is to be said of a device, in this order.

        Args:
            told: what is retained of this farm, by topic; what is the same is not said again.
        """
        wanted = dict(self._wanted(device))
        gone = {topic: b"" for topic in self._topics_of(device.name, told) if topic not in wanted}
        said = [Message(topic, payload) for topic, payload in gone.items()]
        for topic, payload in wanted.items():
            before = told.get(topic)
            if before == payload:
                continue
            if before and (lost := _lost(before, payload)):
                said.append(Message(topic, lost))
            said.append(Message(topic, payload))
        return said

    def gone(self, name: str, told: Mapping[str, bytes]) -> list[Message]:
        """Return what removes a device with all that it has."""
        return [Message(topic, b"") for topic in self._topics_of(name, told)]

    def _wanted(self, device: Device) -> Iterable[tuple[str, bytes]]:
        described, origin = self._described(device), self._origin()
        if self.form == "device":
            components: dict[str, Plain] = {
                each.key: {"platform": each.platform, **self._config(device, each)}
                for each in device.entities
            }
            document: dict[str, Plain] = {
                "device": described,
                "origin": origin,
                "components": components,
            }
            yield f"{self.prefix}/device/{self.node}/{device.name}/config", packed(document)
            return
        for each in device.entities:
            document = {**self._config(device, each), "device": described, "origin": origin}
            yield self._component_topic(device.name, each), packed(document)

    def _component_topic(self, name: str, entity: Entity) -> str:
        return f"{self.prefix}/{entity.platform}/{self.node}/{name}-{entity.key}/config"

    def _topics_of(self, name: str, told: Mapping[str, bytes]) -> list[str]:
        """Return the topics of a device among those that are retained, in either form."""
        return [topic for topic, payload in told.items() if payload and self.name_in(topic) == name]

    def name_in(self, topic: str) -> str:
        """Return the device that a topic of discovery is about."""
        levels = topic.removeprefix(f"{self.prefix}/").split("/")
        return levels[2].partition("-")[0] if len(levels) == 4 and levels[1] == self.node else ""

    def keys_in(self, name: str, told: Mapping[str, bytes]) -> list[str] | None:
        """Return the entities that a device was told to have, None where it was not told of."""
        topics = self._topics_of(name, told)
        if not topics:
            return None
        last = (topic.removeprefix(f"{self.prefix}/").split("/")[2] for topic in topics)
        alone = [key for each in last if (key := each.partition("-")[2])]
        return [*alone, *(key for topic in topics for key in keys_in(told[topic]))]

    def _config(self, device: Device, entity: Entity) -> dict[str, Plain]:
        config: dict[str, Plain] = {**entity.config}
        if entity.platform in _WITHOUT_AVAILABILITY:
            return config
        config["unique_id"] = f"{self.node}_{device.name}_{entity.key}"
        topics = [self.topics.status]
        if device.online and not entity.always:
            topics.append(device.online)
        config["availability"] = [
            {"topic": each, "payload_available": ONLINE, "payload_not_available": OFFLINE}
            for each in topics
        ]
        config["availability_mode"] = "all"
        return config

    def _described(self, device: Device) -> dict[str, Plain]:
        described: dict[str, Plain] = {
            "identifiers": [f"{self.node}_{device.name}"],
            "name": device.shown,
            "manufacturer": device.maker,
            "model": device.model,
            "sw_version": device.version,
            "suggested_area": device.place,
            "configuration_url": self.url,
        }
        if device.via:
            described["via_device"] = f"{self.node}_{device.via}"
        return {name: value for name, value in described.items() if value}

    def _origin(self) -> dict[str, Plain]:
        return {"name": "Farmhand", "sw_version": self.version or "0"}


def printer_name(printer_id: str) -> str:
    """Return what a printer's device is called; ids have hyphens, which part a name from a key."""
    return f"printer_{printer_id.replace('-', '_')}"


def agent_name(agent_id: str) -> str:
    """Return what an agent's device is called."""
    return f"agent_{agent_id.replace('-', '_')}"


def keys_in(payload: bytes) -> dict[str, str]:
    """Return the entities that a device's message names, with their platforms; none where it is
    no such message.
    """
    try:
        found = json.loads(payload)["components"]
        return {str(key): str(each["platform"]) for key, each in found.items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}


def _lost(before: bytes, payload: bytes) -> bytes:
    """Return the message that removes what a device has no more, empty where that is nothing."""
    lost = keys_in(before).items() - keys_in(payload).items()
    if not lost:
        return b""
    document = json.loads(payload)
    kept = document["components"]
    document["components"] = {**kept, **{key: {"platform": kind} for key, kind in sorted(lost)}}
    return packed(document)
