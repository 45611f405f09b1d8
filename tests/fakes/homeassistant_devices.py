"""Every kind of device and entity that Home Assistant is ever told of, in both forms."""

from coordinator.domain.automation.topics import Message, Topics
from coordinator.domain.homeassistant.discovery import Device, Discovery, Form
from coordinator.domain.homeassistant.farm_entities import agent_entities, farm_entities
from coordinator.domain.homeassistant.printer_entities import (
    TUNED,
    Abilities,
    printer_entities,
)
from coordinator.domain.homeassistant.verbs import ARMED, verbs_of
from coordinator.domain.messages import TYPES

TOPICS = Topics("farmhand/farm")


def devices() -> list[Device]:
    commands = ("send", "emergency_stop", "picture")
    can = Abilities(
        verbs=verbs_of(can_pause=True, commands=commands, armed=ARMED),
        heaters=("bed", "chamber", "tool0", "tool1"),
        materials=("PETG", "PLA"),
        tuned=frozenset(TUNED),
        camera=True,
    )
    return [
        Device(
            name="farm",
            shown="Farmhand",
            version="1.0",
            entities=farm_entities(TOPICS, tuple(TYPES)),
        ),
        Device(
            name="agent_pi_1",
            shown="Agent pi-1",
            via="farm",
            online=TOPICS.agent_online("pi-1"),
            entities=agent_entities(TOPICS, "pi-1", armed=True, told=True),
        ),
        Device(
            name="printer_p1",
            shown="P1",
            model="farmhand-220",
            place="Lab",
            via="agent_pi_1",
            online=TOPICS.online("p1"),
            entities=printer_entities(TOPICS, "p1", can),
        ),
    ]


def said(form: Form) -> list[Message]:
    discovery = Discovery(topics=TOPICS, form=form, version="1.0", url="https://farm.example")
    return [message for device in devices() for message in discovery.messages(device, {})]
