"""Entities: what Home Assistant shows, and how the kinds of them are told.

An entity is what its MQTT platform wants to be told (Home Assistant's documentation of `mqtt`, by
the same names), but for what its device adds.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from coordinator.domain.history import Plain


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity:
    """One entity.

    Attributes:
        key: tells it from the others of its device, for good.
        always: it holds whether or not its device can be reached.
        config: what its platform wants.
    """

    platform: str
    key: str
    always: bool = False
    config: Mapping[str, Plain] = field(default_factory=dict)


MEASURED: Mapping[str, Plain] = {"state_class": "measurement"}
DIAGNOSTIC: Mapping[str, Plain] = {"entity_category": "diagnostic"}
CONFIG: Mapping[str, Plain] = {"entity_category": "config"}
CELSIUS: Mapping[str, Plain] = {
    "device_class": "temperature",
    "unit_of_measurement": "°C",
    "suggested_display_precision": 0,
    **MEASURED,
}


def sensor(
    topic: str,
    key: str,
    name: str,
    value: str,
    config: Mapping[str, Plain],
    *,
    always: bool = False,
) -> Entity:
    """Return a value that is shown; `value` is what of the topic's document, as templates say."""
    told: dict[str, Plain] = {
        "name": name,
        "state_topic": topic,
        "value_template": f"{{{{ {value} }}}}",
        **config,
    }
    return Entity(platform="sensor", key=key, always=always, config=told)


def enumerated(
    topic: str,
    key: str,
    name: str,
    options: list[str],
    config: Mapping[str, Plain] = {},
    *,
    always: bool = False,
) -> Entity:
    """Return a value that is one of these; it is called as its key is."""
    kinds: dict[str, Plain] = {"device_class": "enum", "options": list[Plain](options), **config}
    return sensor(topic, key, name, f"value_json.{key}", kinds, always=always)


def binary(
    topic: str, key: str, name: str, config: Mapping[str, Plain], *, always: bool = False
) -> Entity:
    """Return a claim of a topic's document, which is called as its key is; null is unknown."""
    value = f"'ON' if value_json.{key} else 'OFF' if value_json.{key} is not none else None"
    told: dict[str, Plain] = {
        "name": name,
        "state_topic": topic,
        "value_template": f"{{{{ {value} }}}}",
        **config,
    }
    return Entity(platform="binary_sensor", key=key, always=always, config=told)


def happening(topic: str, types: tuple[str, ...], triggers: tuple[str, ...]) -> Iterator[Entity]:
    """Yield an event with these types, and triggers for some of them."""
    config: dict[str, Plain] = {
        "name": "Event",
        "state_topic": topic,
        "event_types": list(types),
    }
    yield Entity(platform="event", key="event", always=True, config=config)
    for each in triggers:
        trigger: dict[str, Plain] = {
            "automation_type": "trigger",
            "topic": topic,
            "type": each,
            "subtype": "farmhand",
            "payload": each,
            "value_template": "{{ value_json.event_type }}",
        }
        yield Entity(platform="device_automation", key=f"on_{each}", config=trigger)
