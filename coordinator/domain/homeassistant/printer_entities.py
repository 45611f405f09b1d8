"""The entities of a printer, as a table."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from coordinator.domain.automation.topics import Topics
from coordinator.domain.history import Plain
from coordinator.domain.homeassistant.entities import (
    CELSIUS,
    CONFIG,
    DIAGNOSTIC,
    MEASURED,
    Entity,
    binary,
    enumerated,
    happening,
    sensor,
)
from coordinator.domain.homeassistant.verbs import VERBS
from coordinator.domain.printers import BedState, PrinterStatus
from protocols.wire.vocabulary import PrinterState

# What the events of a printer are called, and when automations may begin by themselves.
PRINTER_EVENTS: Mapping[str, str] = {
    "started": "a print began",
    "resumed": "a print goes on",
    "paused": "a print is paused",
    "runout": "the filament ran out",
    "finished": "a print is finished",
    "stopped": "a print was stopped",
    "failed": "a print failed",
    "lost": "nobody knows how a print ended",
    "needs_clearing": "the bed has to be cleared",
    "cleared": "the bed was cleared",
    "faulted": "the printer stopped itself, or waits for a person",
    "quarantined": "nothing is printed on it until a person has looked",
    "offline": "its agent is gone",
    "online": "its agent is back",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Abilities:
    """What a printer's entities hang on.

    Attributes:
        verbs: what may be asked of it.
        heaters: by the names that its driver gives them.
        tuned: what it tells of fan, speed and flow, by the names of `TUNED`.
        materials: what it may be said to hold.
        camera: there are pictures of it.
    """

    verbs: frozenset[str] = frozenset()
    heaters: tuple[str, ...] = ()
    tuned: frozenset[str] = frozenset()
    materials: tuple[str, ...] = ()
    camera: bool = False


def printer_entities(topics: Topics, printer_id: str, can: Abilities) -> list[Entity]:
    """Return the entities of a printer."""
    return [
        *_standing(topics.printer(printer_id)),
        *_measured(topics.live(printer_id), can.heaters),
        *_tuned(topics.live(printer_id), can.tuned),
        *_asked(topics, printer_id, can),
        *_told(topics, printer_id, can),
    ]


def _standing(topic: str) -> Iterator[Entity]:
    """What is known of it, whether its agent is there or not; and what only the agent can tell."""
    yield enumerated(topic, "status", "Status", [each.value for each in PrinterStatus], always=True)
    yield enumerated(
        topic, "seen", "Printer state", [each.value for each in PrinterState], DIAGNOSTIC
    )
    yield enumerated(topic, "bed", "Bed", [each.value for each in BedState], always=True)
    job = "value_json.job.name if value_json.job else None"
    attributes = {
        "json_attributes_topic": topic,
        "json_attributes_template": "{{ {'job': value_json.job, 'run': value_json.run} | tojson }}",
    }
    yield sensor(topic, "job", "Job", job, {"icon": "mdi:printer-3d", **attributes}, always=True)
    started = "value_json.run.started_at if value_json.run else None"
    yield sensor(topic, "started_at", "Started", started, {"device_class": "timestamp"})
    yield sensor(topic, "material", "Material", "value_json.material", {}, always=True)
    yield sensor(topic, "spool", "Spool", "value_json.spool_id or None", DIAGNOSTIC, always=True)
    yield sensor(topic, "message", "Message", "value_json.message", DIAGNOSTIC)
    yield sensor(topic, "error", "Error", "value_json.error", DIAGNOSTIC, always=True)
    yield sensor(topic, "waits_for", "Waits for", "value_json.waits_for", DIAGNOSTIC)
    yield sensor(topic, "location", "Location", "value_json.location", DIAGNOSTIC, always=True)
    yield binary(topic, "printing", "Printing", {"device_class": "running"})
    yield binary(topic, "paused", "Paused", {})
    problem: Mapping[str, Plain] = {"device_class": "problem"}
    yield binary(topic, "needs_attention", "Needs attention", problem, always=True)
    yield binary(topic, "bed_occupied", "Bed occupied", {"device_class": "occupancy"}, always=True)
    yield binary(topic, "in_service", "In service", DIAGNOSTIC, always=True)
    yield binary(topic, "foreign", "Prints something foreign", DIAGNOSTIC)


def _measured(topic: str, heaters: tuple[str, ...]) -> Iterator[Entity]:
    percent: Mapping[str, Plain] = {"unit_of_measurement": "%", "icon": "mdi:progress-clock"}
    yield sensor(topic, "progress", "Progress", "value_json.progress", {**percent, **MEASURED})
    yield sensor(
        topic,
        "remaining",
        "Time remaining",
        "value_json.remaining_s",
        {
            "device_class": "duration",
            "unit_of_measurement": "s",
        },
    )
    finish: Mapping[str, Plain] = {"device_class": "timestamp"}
    yield sensor(topic, "finish_at", "Finish time", "value_json.finish_at", finish)
    layers: Mapping[str, Plain] = {"icon": "mdi:layers-triple"}
    yield sensor(topic, "layer", "Layer", "value_json.layer", layers)
    yield sensor(topic, "layer_count", "Layers", "value_json.layer_count", layers)
    for heater in heaters:
        name = heater_name(heater)
        reading = f"value_json.temperatures.get('{heater}', {{}}).get"
        yield sensor(
            topic, f"temperature_{heater}", f"{name} temperature", f"{reading}('actual')", CELSIUS
        )
        yield sensor(topic, f"target_{heater}", f"{name} target", f"{reading}('target')", CELSIUS)


# Of its live document: what is told of fan, speed and flow, in which unit.
TUNED: Mapping[str, tuple[str, str, str]] = {
    "fan": ("Fan", "%", "mdi:fan"),
    "speed": ("Speed factor", "%", "mdi:speedometer"),
    "flow": ("Flow factor", "%", "mdi:water-percent"),
    "fan_rpm": ("Fan speed", "rpm", "mdi:fan"),
    "hotend_fan_rpm": ("Hotend fan speed", "rpm", "mdi:fan"),
}


def _tuned(topic: str, tuned: frozenset[str]) -> Iterator[Entity]:
    """What is set beside the heaters, where the printer tells how it stands."""
    for key, (name, unit, icon) in TUNED.items():
        if key in tuned:
            shown: dict[str, Plain] = {
                "unit_of_measurement": unit,
                "icon": icon,
                "suggested_display_precision": 0,
                **MEASURED,
            }
            yield sensor(topic, key, name, f"value_json.{key}", shown)


def heater_name(heater: str) -> str:
    """Return what people call a heater: `tool0` is the nozzle."""
    if heater in ("tool0", "nozzle"):
        return "Nozzle"
    if heater.startswith("tool") and heater[4:].isdigit():
        return f"Nozzle {int(heater[4:]) + 1}"
    return heater.replace("_", " ").capitalize()


_BUTTONS = {
    "pause": ("Pause job", "mdi:pause"),
    "resume": ("Resume job", "mdi:play"),
    "cancel": ("Cancel job", "mdi:stop"),
    "clear": ("Bed is clear", "mdi:broom"),
    "emergency_stop": ("Emergency stop", "mdi:alert-octagon"),
    "picture": ("Take a picture", "mdi:camera"),
    "home": ("Home all axes", "mdi:home-import-outline"),
}
_NUMBERS = {
    "nozzle": ("Set nozzle", "°C", "tool0"),
    "nozzle_2": ("Set nozzle 2", "°C", "tool1"),
    "nozzle_3": ("Set nozzle 3", "°C", "tool2"),
    "nozzle_4": ("Set nozzle 4", "°C", "tool3"),
    "chamber": ("Set chamber", "°C", "chamber"),
    "bed": ("Set bed", "°C", "bed"),
    "fan": ("Set fan", "%", ""),
    "speed": ("Set speed", "%", ""),
    "flow": ("Set flow", "%", ""),
}


def _asked(topics: Topics, printer_id: str, can: Abilities) -> Iterator[Entity]:
    """What may be asked of it."""
    for verb, (name, icon) in _BUTTONS.items():
        if verb in can.verbs:
            yield Entity(
                platform="button",
                key=verb,
                # What only the farm has to know does not hang on the agent.
                always=verb in ("clear", "pause", "resume", "cancel"),
                config={
                    "name": name,
                    "icon": icon,
                    "command_topic": topics.press(printer_id, verb),
                },
            )
    for verb, (name, unit, heater) in _NUMBERS.items():
        if verb in can.verbs and (not heater or heater in can.heaters):
            if heater:
                reading = f"value_json.temperatures.get('{heater}', {{}}).get('target')"
            else:
                reading = f"value_json.{verb}" if verb in can.tuned else ""
            yield _number(topics, printer_id, verb, name, unit, reading)
    if "material" in can.verbs and can.materials:
        yield Entity(
            platform="select",
            key="set_material",
            always=True,
            config={
                "name": "Set material",
                "options": list(can.materials),
                "state_topic": topics.printer(printer_id),
                "value_template": "{{ value_json.material or None }}",
                "command_topic": topics.press(printer_id, "material"),
                **CONFIG,
            },
        )
    if "service" in can.verbs:
        yield Entity(
            platform="switch",
            key="service",
            always=True,
            config={
                "name": "Out of the farm's hands",
                "state_topic": topics.printer(printer_id),
                "value_template": "{{ 'ON' if value_json.in_service else 'OFF' }}",
                "command_topic": topics.press(printer_id, "service"),
                **CONFIG,
            },
        )


def _number(
    topics: Topics, printer_id: str, verb: str, name: str, unit: str, reading: str
) -> Entity:
    """Return a number that is set; `reading` is how it stands, empty where nobody tells."""
    limits = VERBS[verb]
    config: dict[str, Plain] = {
        "name": name,
        "min": limits.low,
        "max": limits.high,
        "step": 1,
        "mode": "box",
        "unit_of_measurement": unit,
        "command_topic": topics.press(printer_id, verb),
        **CONFIG,
    }
    if unit == "°C":
        config["device_class"] = "temperature"
    if reading:
        # Of a value beyond its limits a number complains.
        within = f"told if told is number and {limits.low:.0f} <= told <= {limits.high:.0f}"
        config |= {
            "state_topic": topics.live(printer_id),
            "value_template": f"{{% set told = {reading} %}}{{{{ {within} else None }}}}",
        }
    return Entity(platform="number", key=f"set_{verb}", config=config)


def _told(topics: Topics, printer_id: str, can: Abilities) -> Iterator[Entity]:
    """What happens, and what is seen."""
    online = topics.online(printer_id)
    yield Entity(
        platform="binary_sensor",
        key="online",
        always=True,
        config={
            "name": "Online",
            "device_class": "connectivity",
            "state_topic": online,
            "payload_on": "online",
            "payload_off": "offline",
            **DIAGNOSTIC,
        },
    )
    events = tuple(PRINTER_EVENTS)
    yield from happening(topics.happened(printer_id), events, events)
    if can.camera:
        config: dict[str, Plain] = {"name": "Camera", "topic": topics.picture(printer_id)}
        yield Entity(platform="camera", key="camera", always=True, config=config)
