"""The entities of an agent, and of the farm itself, as tables."""

from collections.abc import Mapping

from coordinator.domain.automation.topics import Topics
from coordinator.domain.history import Plain
from coordinator.domain.homeassistant.entities import (
    CELSIUS,
    DIAGNOSTIC,
    MEASURED,
    Entity,
    binary,
    happening,
    sensor,
)
from coordinator.domain.homeassistant.verbs import UPDATE
from coordinator.domain.jobs import JobState
from coordinator.domain.printers import PrinterStatus

# With these alone automations of the whole farm begin by themselves; its event has all types.
FARM_TRIGGERS = ("job.received", "job.finished", "job.failed", "job.lost", "job.material_wanted")


def agent_entities(topics: Topics, agent_id: str, *, armed: bool, told: bool) -> list[Entity]:
    """Return the entities of an agent.

    Args:
        armed: it may be updated from there.
        told: that an update goes on is told; versions before 2024.12 do not take that.
    """
    topic = topics.agent(agent_id)
    online = topics.agent_online(agent_id)
    mib: Mapping[str, Plain] = {
        "device_class": "data_size",
        "unit_of_measurement": "MiB",
        "suggested_display_precision": 0,
        **MEASURED,
        **DIAGNOSTIC,
    }
    problem: Mapping[str, Plain] = {"device_class": "problem", **DIAGNOSTIC}
    words = "value_json.findings | join('; ') | truncate(250, true)"
    return [
        Entity(
            platform="binary_sensor",
            key="online",
            always=True,
            config={
                "name": "Online",
                "device_class": "connectivity",
                "state_topic": online,
                "payload_on": "online",
                "payload_off": "offline",
            },
        ),
        binary(topic, "draining", "Draining", DIAGNOSTIC),
        sensor(topic, "version", "Version", "value_json.version", DIAGNOSTIC, always=True),
        sensor(topic, "cpu", "Processor", "value_json.cpu_celsius", {**CELSIUS, **DIAGNOSTIC}),
        sensor(topic, "load", "Load", "value_json.load", {**MEASURED, **DIAGNOSTIC}),
        sensor(topic, "disk_free", "Free on disk", "value_json.disk_free_mib", mib),
        sensor(topic, "memory_free", "Free memory", "value_json.memory_free_mib", mib),
        binary(topic, "under_voltage", "Under voltage", problem),
        binary(topic, "throttled", "Throttled", problem),
        sensor(topic, "trouble", "Trouble", words, DIAGNOSTIC),
        _update(topics, agent_id, armed=armed, told=told),
    ]


def _update(topics: Topics, agent_id: str, *, armed: bool, told: bool) -> Entity:
    """The agent's own program: which version runs there, and which could."""
    known = {
        "installed_version": "value_json.version",
        # Without any release there is none that is newer.
        "latest_version": "value_json.latest_version or value_json.version",
        "release_summary": "value_json.release_words or ''",
        **({"in_progress": "value_json.updating"} if told else {}),
    }
    document = ", ".join(f"'{name}': {value}" for name, value in known.items())
    config: dict[str, Plain] = {
        "name": "Update",
        "title": "Farmhand agent",
        "state_topic": topics.agent(agent_id),
        "value_template": f"{{{{ {{{document}}} | tojson if value_json.version else '{{}}' }}}}",
        "json_attributes_topic": topics.agent(agent_id),
        "json_attributes_template": "{{ {'update': value_json.update_words} | tojson }}",
    }
    if armed:
        config["command_topic"] = topics.press(agent_id, UPDATE)
        config["payload_install"] = "install"
    # What runs there is known while it is away, too.
    return Entity(platform="update", key="update", always=True, config=config)


def farm_entities(topics: Topics, types: tuple[str, ...]) -> list[Entity]:
    """Return the entities of the farm itself; `types`: of its events."""
    topic = topics.farm
    count: Mapping[str, Plain] = {**MEASURED, "icon": "mdi:counter"}
    return [
        sensor(topic, "printers", "Printers", "value_json.printer_count", count),
        *(
            sensor(
                topic,
                f"printers_{status.value}",
                f"Printers {status.value.replace('_', ' ')}",
                f"value_json.printers.{status.value}",
                count,
            )
            for status in PrinterStatus
        ),
        sensor(topic, "jobs_waiting", "Jobs waiting", "value_json.jobs_waiting", count),
        *(
            sensor(
                topic,
                f"jobs_{state.value}",
                f"Jobs {state.value}",
                f"value_json.jobs.{state.value}",
                count,
            )
            for state in (JobState.PRINTING, JobState.FINISHED, JobState.FAILED, JobState.LOST)
        ),
        sensor(topic, "trouble", "Trouble", "value_json.trouble", DIAGNOSTIC),
        Entity(
            platform="binary_sensor",
            key="problem",
            config={
                "name": "Problem",
                "device_class": "problem",
                "state_topic": topic,
                "value_template": "{{ 'ON' if value_json.trouble else 'OFF' }}",
            },
        ),
        *happening(topics.events, types, FARM_TRIGGERS),
    ]
