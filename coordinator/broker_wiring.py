"""The part of the wiring that is about the broker: which one, who may enter, how to reach it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal
from urllib.parse import urlsplit

from coordinator.adapters.broker_files import BrokerFiles
from coordinator.adapters.embedded_broker.broker import (
    BrokerWish,
    EmbeddedBroker,
    embedded_broker,
)
from coordinator.adapters.embedded_broker.listeners import is_loopback
from coordinator.adapters.mqtt_link.address import BrokerAddress
from coordinator.adapters.mqtt_link.link import MqttLink
from coordinator.api.agents import Welcome
from coordinator.domain.automation.topics import Topics
from coordinator.domain.broker_access import NO_PROGRAMS, Programs, programs_of
from coordinator.ports import Store
from coordinator.ports_enrolment import BrokerDoor, OpenDoor
from coordinator.settings import Settings
from coordinator.tls import Shown, check_ca_file
from coordinator.tls_faults import trouble_in

TLS_PORT = 8883


@asynccontextmanager
async def broker_of(
    settings: Settings, store: Store, shown: Shown | None
) -> AsyncIterator[EmbeddedBroker | None]:
    """Lend the broker that comes with us, None where the settings name another.

    Raises:
        SettingsInvalid: what is wished for is not safe, or not installed.
        Unavailable: the port is taken, or the broker does not start.
    """
    if settings.broker_url:
        yield None
        return
    local = is_loopback(settings.broker_host)
    # What never leaves this machine gains nothing by TLS.
    tls = shown if not local else None
    if tls is not None:
        tls.context()  # a broker would say less clearly what is wrong with the files
    is_port_chosen = "broker_port" in settings.model_fields_set
    async with store.read() as unit:
        credentials = await unit.agent_credentials()
    wish = BrokerWish(
        kind=settings.broker,
        folder=settings.state_dir / "broker",
        host=settings.broker_host,
        port=settings.broker_port if tls is None or is_port_chosen else TLS_PORT,
        username=settings.broker_username,
        password=settings.broker_password.get_secret_value(),
        enrolled=settings.agents == "enrolled" or (settings.agents == "auto" and not local),
        credentials=credentials,
        programs=_programs(settings),
        program_passwords={
            name: password.get_secret_value()
            for name, password in settings.automation_users.items()
        },
        tls=tls.pair if tls is not None else None,
    )
    async with embedded_broker(wish) as broker:
        yield broker


def door_of(settings: Settings, broker: EmbeddedBroker | None) -> BrokerDoor:
    """Return the list of who may enter the broker."""
    password = settings.broker_password.get_secret_value()
    if broker is not None:
        return broker
    if not password:
        return OpenDoor()
    folder, name = settings.state_dir / "broker", settings.broker_username
    return BrokerFiles(folder, username=name, password=password)


def _programs(settings: Settings) -> Programs:
    """Return what programs may at the started broker; nothing where another one is theirs."""
    if not settings.automates or settings.homeassistant_broker_url:
        return NO_PROGRAMS
    return programs_of(
        Topics(settings.automation_root),
        settings.automation_users,
        discovery_prefix=settings.homeassistant_prefix if settings.homeassistant != "off" else "",
    )


def address_of(
    settings: Settings,
    broker: EmbeddedBroker | None,
    *,
    connection: Literal["link", "telemetry", "automation"] = "link",
) -> BrokerAddress:
    """Return where we find the broker, and what we show there.

    Args:
        connection: a broker that takes a user's name for its connection knows each by another.

    Raises:
        SettingsInvalid: `broker_url` is no such URL, or `broker_ca_file` no certificate.
    """
    if broker is not None:
        own = broker.own
        names = {
            "link": own.username,
            "telemetry": own.telemetry_username,
            "automation": own.automation_username,
        }
        return BrokerAddress.of(broker.own_url, username=names[connection], password=own.password)
    check_ca_file(settings.broker_ca_file)
    return BrokerAddress.of(
        settings.broker_url,
        username=settings.broker_username or None,
        password=settings.broker_password.get_secret_value() or None,
        ca_file=settings.broker_ca_file,
    )


def link_to(settings: Settings, broker: EmbeddedBroker | None, *, coordinator_id: str) -> MqttLink:
    """Return the link to the agents, not yet running.

    Raises:
        SettingsInvalid: as `address_of`.
    """
    address = address_of(settings, broker)
    return MqttLink(
        address,
        coordinator_id=coordinator_id,
        telemetry_address=address_of(settings, broker, connection="telemetry"),
        explain=lambda error: trouble_in(error, f"{address.host}:{address.port}", "broker_ca_file"),
    )


def local_broker_of(broker: EmbeddedBroker | None) -> str:
    """Return where a process on this machine finds the broker that we started; empty with TLS.

    A certificate need not name this machine's loopback address.
    """
    return broker.url if broker is not None and broker.url.startswith("mqtt://") else ""


def welcome_of(settings: Settings, broker: EmbeddedBroker | None, shown: Shown | None) -> Welcome:
    """Return what agents are told when they enrol."""
    listens = urlsplit(broker.url if broker is not None else settings.broker_url)
    host = settings.broker_host if broker is not None else listens.hostname or ""
    port = listens.port or (TLS_PORT if listens.scheme == "mqtts" else 1883)
    host = f"[{host}]" if ":" in host else host
    password = settings.broker_password.get_secret_value()
    return Welcome(
        broker_url=settings.broker_public_url or f"{listens.scheme}://{host}:{port}",
        authority=shown.authority if shown is not None else "",
        shared=(settings.broker_username, password) if password else None,
    )
