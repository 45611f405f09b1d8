"""What may be wrong with what a coordinator speaks to: server, ports, broker, slicer, agents."""

import asyncio
import json
import secrets
import socket
from collections.abc import AsyncIterator, Sequence

import aiomqtt

from coordinator.adapters.mqtt_link.address import BrokerAddress
from coordinator.broker_wiring import address_of
from coordinator.cli import doctor_providers
from coordinator.cli.client import FarmClient
from coordinator.cli.exits import CommandFailed
from coordinator.cli.place import Place
from coordinator.cli.slicing_child import ask
from coordinator.errors import FarmError
from coordinator.settings import Settings
from protocols.diagnosis import Finding, fail, ok, warn

_BROKER_S = 5.0
_START = "farmhand coordinator"


def database(settings: Settings) -> Sequence[Finding]:
    """Look whether the PostgreSQL server answers, with what the settings say."""
    from coordinator.adapters.db import postgresql

    named = postgresql.named(settings.database_url.get_secret_value())
    engine = named.reader()
    try:
        with named.told_plainly(), engine.connect() as connection:
            version = connection.exec_driver_sql("SHOW server_version").scalar()
    except FarmError as error:
        return [fail("database", str(error), "check database_url, and the server")]
    finally:
        engine.dispose()
    return [ok("database", f"{named} answers, PostgreSQL {version}")]


async def services(settings: Settings) -> AsyncIterator[Finding]:
    """Yield what is wrong with what the coordinator speaks to, and with itself where it runs."""
    running = await asyncio.to_thread(_running, settings)
    if running is None:
        yield warn("coordinator", "does not run on this folder", _START)
        for finding in _ports(settings):
            yield finding
    else:
        for finding in await asyncio.to_thread(_itself, running):
            yield finding
    if settings.broker_url:
        yield await _broker(settings)
    for finding in await asyncio.to_thread(_slicers):
        yield finding
    async for finding in doctor_providers.providers(settings, running):
        yield finding


def _running(settings: Settings) -> FarmClient | None:
    """Return the coordinator that runs on the folder, None where none does."""
    folder = settings.state_dir
    try:
        url = str(json.loads((folder / "coordinator.json").read_text())["api_url"])
        token = settings.token.get_secret_value() or (folder / "token").read_text().strip()
        authority = folder / "tls" / "authority.pem"
        place = Place(url=url, token=token, ca_file=str(authority) if authority.is_file() else "")
        farm = FarmClient(place)
        farm.health()
    except (OSError, ValueError, KeyError, CommandFailed):
        return None
    return farm


def _itself(farm: FarmClient) -> list[Finding]:
    """Ask a coordinator that runs."""
    try:
        health = farm.health()
        found = [ok("coordinator", f"{farm.url} answers, version {health['version']}")]
        troubles = health["troubles"] or ()
        found += [fail(each["part"], each["words"], "see the text") for each in troubles]
        well = ("database", "history", "broker", "slicer", "disk", "webhooks", "providers")
        named = {each["part"] for each in troubles}
        found.append(ok("parts", ", ".join(part for part in well if part not in named)))
        return found + _agents(farm, str(health["version"]))
    except CommandFailed as error:
        return [warn("coordinator", f"does not say how it is: {error}", "farmhand logs")]


def _agents(farm: FarmClient, version: str) -> list[Finding]:
    agents = farm.agents()
    if not agents:
        return [warn("agents", "there are none", "farmhand agent token")]
    away = [each["id"] for each in agents if each["online"] is False and not each["revoked_at"]]
    odd = [each for each in agents if each["build"] not in (None, "", version)]
    found = [
        warn("agents", f"{name} is away", f"on its machine: journalctl -u farmhand-agent; {name}")
        for name in away
    ]
    found += [
        warn(
            "agents",
            f"{each['id']} runs {each['build']}, the coordinator {version}",
            "upgrade the older one",
        )
        for each in odd
    ]
    unheard = farm.ask("GET", "logs?event=agent.unsupported&limit=1")["items"]
    if unheard:
        words = f"{unheard[0]['facts'].get('agent_id', 'one')} speaks another protocol"
        found.append(fail("agents", words, "upgrade it"))
    return found or [ok("agents", f"{len(agents)}, all here, of the same version")]


def _ports(settings: Settings) -> list[Finding]:
    wanted = [("API", settings.host, settings.port, "port")]
    if not settings.broker_url:
        wanted.append(("broker", settings.broker_host, settings.broker_port, "broker_port"))
    return [_port(*each) for each in wanted]


def _port(who: str, host: str, port: int, setting: str) -> Finding:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind((host, port))
        except OSError as error:
            words = f"{host}:{port} for the {who} can't be used: {error.strerror}"
            return fail("ports", words, f"ss -ltnp 'sport = :{port}', or set {setting}")
    return ok("ports", f"{host}:{port} is free for the {who}")


async def _broker(settings: Settings) -> Finding:
    """Log in at the broker elsewhere, and see that it keeps what it is told to keep."""
    address = address_of(settings, None)
    topic = f"farmhand/v1/coordinator/doctor-{secrets.token_hex(4)}"
    try:
        async with asyncio.timeout(_BROKER_S):
            async with _client(address) as client:
                await client.publish(topic, b"doctor", qos=1, retain=True)
            async with _client(address) as client:
                await client.subscribe(topic, qos=1)
                message = await anext(aiter(client.messages))
                await client.publish(topic, b"", qos=1, retain=True)
    except TimeoutError:
        words = f"{address} did not give back what it was told to keep within {_BROKER_S:.0f} s"
        return fail("broker", words, "check that it is up, retains, and its access list")
    except (aiomqtt.MqttError, OSError) as error:
        return fail("broker", f"{address} can't be used: {error}", "check broker_url and its user")
    assert message.retain, "nobody said it anew"
    return ok("broker", f"{address} takes us, and keeps what it is told to keep")


def _client(address: BrokerAddress) -> aiomqtt.Client:
    return aiomqtt.Client(
        address.host,
        address.port,
        username=address.username,
        password=address.password,
        tls_context=address.tls_context(),
        timeout=_BROKER_S,
    )


def _slicers() -> list[Finding]:
    """Ask slicing which engines are here."""
    mend = "sudo apt install prusa-slicer, or: farmhand setup wasm"
    try:
        engines = ask({"kind": "list", "versions": True})["engines"]
    except CommandFailed as error:
        return [warn("slicer", str(error), mend)]
    here = [f"{each['name']} {each['version']}" for each in engines if each["installed"]]
    if not here:
        return [warn("slicer", "none is installed: only G-code is taken", mend)]
    return [ok("slicer", ", ".join(here))]
