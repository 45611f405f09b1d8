"""Every payload of discovery has the fields, and only those, that Home Assistant's platforms take.

The names are facts of Home Assistant 2025.4.4, read off its schemas: what a platform demands, and
what else it takes. A field that it does not know it drops without a word.
"""

import json
import re

import pytest

from coordinator.domain.homeassistant.discovery import Form
from tests.fakes.homeassistant_devices import said

COMMON = frozenset(
    [
        "availability",
        "availability_mode",
        "availability_template",
        "availability_topic",
        "device",
        "enabled_by_default",
        "encoding",
        "entity_category",
        "entity_picture",
        "icon",
        "json_attributes_template",
        "json_attributes_topic",
        "name",
        "object_id",
        "origin",
        "payload_available",
        "payload_not_available",
        "qos",
        "unique_id",
    ]
)
# By platform: what it demands, and what it takes besides.
PLATFORMS = {
    "sensor": (
        "state_topic",
        (
            "device_class expire_after force_update last_reset_value_template options state_class "
            "suggested_display_precision unit_of_measurement value_template"
        ),
    ),
    "binary_sensor": (
        "state_topic",
        "device_class expire_after force_update off_delay payload_off payload_on value_template",
    ),
    "button": ("command_topic", "command_template device_class payload_press retain"),
    "number": (
        "command_topic",
        (
            "command_template device_class max min mode optimistic payload_reset retain "
            "state_topic step unit_of_measurement value_template"
        ),
    ),
    "select": (
        "command_topic options",
        "command_template optimistic retain state_topic value_template",
    ),
    "switch": (
        "command_topic",
        (
            "command_template device_class optimistic payload_off payload_on retain state_off "
            "state_on state_topic value_template"
        ),
    ),
    "update": (
        "",
        (
            "command_topic device_class display_precision latest_version_template "
            "latest_version_topic payload_install release_summary release_url retain state_topic "
            "title value_template"
        ),
    ),
    "camera": ("topic", "image_encoding"),
    "event": ("event_types state_topic", "device_class value_template"),
}
TRIGGER = frozenset(["automation_type", "subtype", "topic", "type", "device", "origin"])
TRIGGER_TAKES = TRIGGER | {"encoding", "payload", "qos", "value_template"}
DEVICE = frozenset(
    [
        "configuration_url",
        "connections",
        "hw_version",
        "identifiers",
        "manufacturer",
        "model",
        "model_id",
        "name",
        "serial_number",
        "suggested_area",
        "sw_version",
        "via_device",
    ]
)
CLASSES = {
    "sensor": {"data_size", "duration", "enum", "temperature", "timestamp"},
    "binary_sensor": {"connectivity", "occupancy", "problem", "running"},
    "number": {"temperature"},
}
UNITS = {"temperature": {"°C"}, "duration": {"s", "min"}, "data_size": {"MiB"}}


def components(form: Form) -> list[tuple[str, dict[str, object]]]:
    """Return every component as its platform gets it."""
    found = []
    for message in said(form):
        document = json.loads(message.payload)
        if form == "component":
            found.append((message.topic.split("/")[1], document))
            continue
        shared = {"device": document["device"], "origin": document["origin"]}
        for component in document["components"].values():
            found.append((component.pop("platform"), {**component, **shared}))
    return found


@pytest.mark.parametrize("form", ["device", "component"])
def test_every_component_has_what_its_platform_wants_and_nothing_else(form: Form) -> None:
    found = components(form)
    assert {platform for platform, _ in found} == {*PLATFORMS, "device_automation"}
    for platform, component in found:
        assert component["origin"] == {"name": "Farmhand", "sw_version": "1.0"}
        if platform == "device_automation":
            assert component.keys() >= TRIGGER
            assert component.keys() <= TRIGGER_TAKES
            continue
        demanded, besides = (frozenset(words.split()) for words in PLATFORMS[platform])
        assert component.keys() >= demanded | {"unique_id", "name", "device"}, component
        assert component.keys() <= COMMON | demanded | besides, component


def test_both_forms_tell_the_same_of_each_entity() -> None:
    one, other = (
        {str(each.get("unique_id", each.get("type"))): each for _, each in components(form)}
        for form in ("device", "component")
    )
    assert one == other


@pytest.mark.parametrize("form", ["device", "component"])
def test_classes_units_and_categories_are_ones_that_there_are(form: Form) -> None:
    for platform, component in components(form):
        kind = component.get("device_class")
        assert kind is None or kind in CLASSES[platform], component
        assert component.get("entity_category") in (None, "diagnostic", "config")
        assert component.get("state_class") in (None, "measurement")
        if kind in UNITS:
            assert component["unit_of_measurement"] in UNITS[kind]
        if kind == "enum":
            assert component["options"]
            # An enumeration has neither, or Home Assistant refuses it.
            assert not component.keys() & {"unit_of_measurement", "state_class"}
        if platform == "sensor" and component.get("entity_category") == "config":
            raise AssertionError("a sensor can't be configuration")


def test_a_device_is_described_by_what_home_assistant_knows() -> None:
    for message in said("device"):
        device = json.loads(message.payload)["device"]
        assert device.keys() <= DEVICE
        assert device["identifiers"]
        assert device["name"]


def test_topics_of_discovery_are_made_of_what_may_stand_in_them() -> None:
    for message in [*said("device"), *said("component")]:
        levels = message.topic.split("/")
        assert levels[-1] == "config"
        assert all(re.fullmatch(r"[A-Za-z0-9_-]+", level) for level in levels), message.topic
        assert message.retain
