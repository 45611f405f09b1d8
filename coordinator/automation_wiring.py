"""The wiring of Home Assistant and other programs that speak MQTT; loaded only where wanted."""

from collections.abc import Coroutine, Mapping

from coordinator.adapters.embedded_broker.broker import EmbeddedBroker
from coordinator.adapters.homeassistant.link import BrokerLink
from coordinator.adapters.homeassistant.listening import Listener
from coordinator.adapters.mqtt_link.address import BrokerAddress
from coordinator.broker_wiring import address_of
from coordinator.domain.automation.topics import Topics
from coordinator.domain.homeassistant.discovery import Discovery
from coordinator.settings import Settings
from coordinator.tls import check_ca_file
from coordinator.usecases.broadcasting import Broadcaster
from coordinator.usecases.discovering import Discovering
from coordinator.usecases.gate import Gate

Runs = Mapping[str, Coroutine[None, None, None]]


def automation_runs(
    settings: Settings,
    gate: Gate,
    broker: EmbeddedBroker | None,
    *,
    coordinator_id: str,
    version: str,
) -> Runs:
    """Return what has to run so that programs are told of the farm, and may ask.

    Raises:
        SettingsInvalid: `homeassistant_broker_url` is no such URL, or its authority no certificate.
    """
    topics = Topics(settings.automation_root)
    armed = frozenset[str](settings.homeassistant_armed)
    discovery = Discovery(
        topics=topics,
        prefix=settings.homeassistant_prefix,
        form="component" if settings.homeassistant == "component" else "device",
        version=version,
        url=settings.public_url,
    )
    wanted = settings.homeassistant != "off"
    link = BrokerLink(
        _address(settings, broker),
        client_id=f"{coordinator_id}-automation",
        status_topic=topics.status,
        mark_topic=topics.mark,
        hears=[topics.requests, *([discovery.born, topics.presses] if wanted else [])],
        looks_at=[*topics.kept, *([discovery.told] if wanted else [])],
    )
    told = Broadcaster(
        gate.farm,
        link,
        topics,
        Discovering(gate.farm, discovery, armed) if wanted else None,
        version=version,
    )
    asked = Listener(
        gate,
        link,
        topics,
        born=discovery.born,
        armed=armed,
        is_born=told.is_born,
        file_bytes_max=settings.upload_bytes_max,
    )
    return {
        "automation-link": link.run(),
        "automation-told": told.run(),
        "automation-asked": asked.run(),
    }


def _address(settings: Settings, broker: EmbeddedBroker | None) -> BrokerAddress:
    """Return where these programs' broker is; the farm's own unless the settings say another."""
    if not settings.homeassistant_broker_url:
        return address_of(settings, broker, connection="automation")
    check_ca_file(settings.homeassistant_broker_ca_file)
    return BrokerAddress.of(
        settings.homeassistant_broker_url,
        username=settings.homeassistant_broker_username or None,
        password=settings.homeassistant_broker_password.get_secret_value() or None,
        ca_file=settings.homeassistant_broker_ca_file,
        setting="homeassistant_broker_url",
    )
