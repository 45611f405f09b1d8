import json
from typing import Any

import pytest

from coordinator.domain.automation.topics import Message, Topics
from coordinator.domain.homeassistant.discovery import Device, Discovery, printer_name
from coordinator.domain.homeassistant.farm_entities import agent_entities, farm_entities
from coordinator.domain.homeassistant.printer_entities import (
    PRINTER_EVENTS,
    Abilities,
    printer_entities,
)
from coordinator.domain.homeassistant.verbs import ARMED, VERBS, line_of, verbs_of
from coordinator.domain.messages import TYPES

TOPICS = Topics("farmhand/farm")
ALL = verbs_of(can_pause=True, commands=("send", "emergency_stop", "picture"), armed=ARMED)


def abilities(**fields: Any) -> Abilities:
    known = {"verbs": ALL, "heaters": ("bed", "tool0"), "materials": ("PLA",), "camera": True}
    return Abilities(**{**known, **fields})


def printer(can: Abilities) -> Device:
    return Device(
        name=printer_name("mk4-07"),
        shown="MK4 07",
        via="agent_pi_1",
        online=TOPICS.online("mk4-07"),
        entities=printer_entities(TOPICS, "mk4-07", can),
    )


def kept(*said: Message) -> dict[str, bytes]:
    return {each.topic: each.payload for each in said if each.payload}


def test_a_device_is_one_message_with_all_its_entities() -> None:
    (said,) = Discovery(topics=TOPICS).messages(printer(abilities()), {})
    assert said.topic == "homeassistant/device/farmhand_farm/printer_mk4_07/config"
    document = json.loads(said.payload)
    assert document["device"]["identifiers"] == ["farmhand_farm_printer_mk4_07"]
    assert document["components"]["progress"]["unique_id"] == (
        "farmhand_farm_printer_mk4_07_progress"
    )
    # What Home Assistant takes beside these rejects the whole device.
    assert set(document) == {"device", "origin", "components"}


def test_the_same_device_is_a_message_for_each_entity_where_that_is_wanted() -> None:
    device = printer(abilities())
    said = Discovery(topics=TOPICS, form="component").messages(device, {})
    assert len(said) == len(device.entities)
    assert all(each.topic.count("/") == 4 and each.retain for each in said)


def test_what_is_retained_already_is_not_said_again() -> None:
    discovery, device = Discovery(topics=TOPICS), printer(abilities())
    assert discovery.messages(device, kept(*discovery.messages(device, {}))) == []


def test_an_entity_that_is_gone_is_removed_by_name_and_then_left_out() -> None:
    discovery = Discovery(topics=TOPICS)
    before = kept(*discovery.messages(printer(abilities()), {}))
    first, last = discovery.messages(printer(abilities(camera=False)), before)
    assert json.loads(first.payload)["components"]["camera"] == {"platform": "camera"}
    assert "camera" not in json.loads(last.payload)["components"]


def test_who_changes_the_form_leaves_nothing_of_the_other_behind() -> None:
    device, one, other = (
        printer(abilities()),
        Discovery(topics=TOPICS, form="component"),
        Discovery(topics=TOPICS),
    )
    before = kept(*one.messages(device, {}))
    said = other.messages(device, before)
    assert {each.topic for each in said if not each.payload} == set(before)
    # Whichever Home Assistant reads first would win.
    assert said[-1].payload
    assert [bool(each.payload) for each in said].index(True) == len(said) - 1


def test_a_removed_device_takes_all_its_messages_along_and_no_others() -> None:
    discovery = Discovery(topics=TOPICS, form="component")
    mine = kept(*discovery.messages(printer(abilities()), {}))
    others = {"homeassistant/sensor/other_farm/printer_mk4_07-progress/config": b"{}"}
    gone = discovery.gone(printer_name("mk4-07"), {**mine, **others})
    assert {each.topic for each in gone} == set(mine)
    assert not any(each.payload for each in gone)


def test_what_only_the_agent_can_tell_is_unavailable_without_it() -> None:
    (said,) = Discovery(topics=TOPICS).messages(printer(abilities()), {})
    components = json.loads(said.payload)["components"]
    topics = {
        key: [each["topic"] for each in component["availability"]]
        for key, component in components.items()
        if "availability" in component
    }
    status, online = TOPICS.status, TOPICS.online("mk4-07")
    assert topics["temperature_tool0"] == topics["progress"] == [status, online]
    # Somebody may clear a bed, and is told that the printer is away, without its agent.
    assert topics["clear"] == topics["status"] == topics["online"] == [status]


def test_unique_ids_and_names_are_unique_in_each_device() -> None:
    devices = (
        printer_entities(TOPICS, "mk4-07", abilities()),
        agent_entities(TOPICS, "pi-1", armed=True, told=True),
        farm_entities(TOPICS, tuple(TYPES)),
    )
    for entities in devices:
        keys = [each.key for each in entities]
        assert len(keys) == len(set(keys))
        names = [(each.platform, each.config.get("name")) for each in entities]
        shown = [each for each in names if each[1] is not None]
        assert len(shown) == len(set(shown))


@pytest.mark.parametrize("verb", sorted(VERBS))
def test_what_is_dangerous_is_there_only_where_it_is_armed(verb: str) -> None:
    commands = ("send", "emergency_stop", "picture")
    unarmed = verbs_of(can_pause=True, commands=commands, armed=())
    assert (verb in unarmed) is (verb in {"pause", "resume", "picture"})
    assert verb in verbs_of(can_pause=True, commands=commands, armed=ARMED)


def test_a_printer_is_asked_only_for_what_it_can() -> None:
    can = verbs_of(can_pause=False, commands=(), armed=ARMED)
    assert can == {"cancel", "clear", "service", "material"}


def test_a_value_becomes_a_line_within_limits() -> None:
    assert line_of("nozzle", "215.0") == "M104 S215"
    assert line_of("fan", "50") == "M106 S128"
    for payload in ("301", "-1", "hot", "nan", "inf", ""):
        with pytest.raises(ValueError, match="nozzle"):
            line_of("nozzle", payload)


def test_every_event_has_a_trigger() -> None:
    entities = printer_entities(TOPICS, "p1", abilities())
    triggers = {each.config["type"] for each in entities if each.platform == "device_automation"}
    assert triggers == set(PRINTER_EVENTS)
    (event,) = [each for each in entities if each.platform == "event"]
    assert event.config["event_types"] == list(PRINTER_EVENTS)
