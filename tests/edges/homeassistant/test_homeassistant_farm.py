"""A real Home Assistant, its MQTT integration and a real farm with one printer, on one broker."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiomqtt
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from coordinator.domain.automation.documents import UpdateSeen, agent_document
from coordinator.domain.automation.topics import Message
from coordinator.domain.homeassistant.farm_entities import agent_entities, farm_entities
from coordinator.domain.homeassistant.printer_entities import (
    PRINTER_EVENTS,
    Abilities,
    printer_entities,
)
from coordinator.domain.homeassistant.verbs import ARMED, verbs_of
from coordinator.domain.messages import TYPES
from coordinator.domain.printers import Agent
from protocols.wire.vocabulary import AgentId
from tests.benchmarks.installing import NotInstallable
from tests.fakes.homeassistant_devices import TOPICS, said
from tests.fakes.homeassistant_server import HomeAssistant
from tests.fakes.mosquitto import free_port, start_mosquitto
from tests.fakes.one_printer_farm import Place, one_printer_farm
from tests.fakes.pictures import JPEG
from tests.fakes.values import JOURNAL, NOW

pytestmark = pytest.mark.slow

# An agent's session is missed after one and a half of its keep-alives; more on a loaded machine.
GONE_S_MAX = 60.0
P1 = "farmhand_farm_printer_p1_"
UPDATE = "farmhand_farm_agent_pi_1_update"
# Some minutes, of which no command takes longer than a second: it can be stopped at any time.
MOVES = "".join(f"G1 X{10 + n % 90} Y{20 + n % 70} F6000\nG4 S20\n" for n in range(300))
PLATE = f"M104 S200\nG28\n{MOVES}G1 X1 Y1 E1\n"


def expected() -> set[str]:
    """Return the unique ids of all entities of the farm."""
    can = Abilities(
        verbs=verbs_of(can_pause=True, commands=("send", "emergency_stop", "picture"), armed=ARMED),
        heaters=("bed", "tool0"),
        tuned=frozenset({"speed", "flow"}),
        materials=("PLA",),
        camera=True,
    )
    devices = {
        "printer_p1": printer_entities(TOPICS, "p1", can),
        "agent_pi_1": agent_entities(TOPICS, "pi-1", armed=True, told=True),
        "farm": farm_entities(TOPICS, tuple(TYPES)),
    }
    return {
        f"farmhand_farm_{name}_{each.key}"
        for name, entities in devices.items()
        for each in entities
        if each.platform != "device_automation"
    }


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A farm whose broker keeps its port, so that Home Assistant finds it again."""
    folder = tmp_path_factory.mktemp("farm")
    settings = {
        "FARMHAND_HOMEASSISTANT": "device",
        "FARMHAND_HOMEASSISTANT_ARMED": str(sorted(ARMED)).replace("'", '"'),
        "FARMHAND_BROKER_PORT": str(free_port()),
    }
    with one_printer_farm(folder, settings=settings) as here:
        (folder / "plate.gcode").write_text(PLATE)
        yield here


@asynccontextmanager
async def home_at(folder: Path, port: int) -> AsyncIterator[HomeAssistant]:
    try:
        home = HomeAssistant(folder, port)
    except NotInstallable as reason:
        pytest.skip(f"no Home Assistant can be had here: {reason}")
    async with home:
        yield home


@pytest.fixture
async def camera() -> AsyncIterator[str]:
    """What an agent's settings say of a camera."""

    async def give(_: web.Request) -> web.Response:
        return web.Response(body=JPEG, content_type="image/jpeg")

    app = web.Application()
    app.router.add_get("/", give)
    async with TestServer(app) as server:
        yield f'camera = "{server.make_url("/")}"'


@pytest.fixture
async def home(place: Place, tmp_path: Path) -> AsyncIterator[HomeAssistant]:
    port = urlsplit(place.farm.facts["mqtt_url"]).port
    assert port is not None
    async with home_at(tmp_path, port) as home:
        yield home


async def test_every_kind_of_entity_is_taken_one_by_one_too(tmp_path: Path) -> None:
    """The form that versions before 2024.12 know, and the newer ones still do."""
    messages = said("component")
    with start_mosquitto(tmp_path) as port:
        async with home_at(tmp_path, port) as home, aiomqtt.Client("127.0.0.1", port) as mqtt:
            for message in messages:
                await mqtt.publish(message.topic, message.payload, qos=1, retain=True)
            documents = [json.loads(each.payload) for each in messages]
            wanted = {each["unique_id"] for each in documents if "unique_id" in each}

            async def has_all() -> bool:
                return wanted <= (await home.entities()).keys()

            await home.until(has_all, "every entity", GONE_S_MAX)
            await mqtt.publish(TOPICS.status, b"online", qos=1, retain=True)
            await mqtt.publish(TOPICS.picture("p1"), JPEG, qos=1, retain=True)

            async def is_seen() -> bool:
                return await home.picture(P1 + "camera") == JPEG

            await home.until(is_seen, "the picture", GONE_S_MAX)
            await mqtt.subscribe(TOPICS.press("pi-1", "update"), qos=1)
            agent = Agent(
                agent_id=AgentId("pi-1"),
                online=True,
                boot_id="boot-1",
                connection_id="con-1",
                journal_id=JOURNAL,
                build="0.1.0",
                seen_at=NOW,
            )
            could = UpdateSeen(latest="0.10.0", words="faster")
            going = replace(could, going=True, said="0.10.0: draining")
            for seen, in_progress in ((could, False), (going, True)):
                document = agent_document(agent, None, draining=False, update=seen)
                payload = json.dumps(document)
                await mqtt.publish(TOPICS.agent("pi-1"), payload, qos=1, retain=True)

                async def is_offered(in_progress: bool = in_progress) -> bool:
                    found = await home.entity(UPDATE)
                    shown = found["attributes"] if found and found["state"] == "on" else {}
                    return shown.get("in_progress") is in_progress

                await home.until(is_offered, "the update", GONE_S_MAX)
                if not in_progress:
                    await home.press(UPDATE, "update.install")
                    async for pressed in mqtt.messages:
                        assert pressed.payload == b"install"
                        break
            for message in (*messages, Message(TOPICS.agent("pi-1"), b"")):
                await mqtt.publish(message.topic, b"", qos=1, retain=True)

            async def has_none() -> bool:
                return not wanted & (await home.entities()).keys()

            await home.until(has_none, "all of it to be gone", GONE_S_MAX)
            assert home.complaints() == []


async def turn_knobs(home: HomeAssistant) -> None:
    """Set fan, speed and flow, and see each number and sensor follow."""
    for knob, value in (("fan", 40), ("speed", 120), ("flow", 95)):
        await home.press(f"{P1}set_{knob}", "number.set_value", value=value)
        for key in (knob, f"set_{knob}"):
            # A number that was set before anybody told how it stands keeps the form it was set in.
            await home.shows(P1 + key, f"{value}.0", f"{value}", within_s=GONE_S_MAX)


async def look(home: HomeAssistant) -> None:
    """Have a picture taken, and see it."""
    await home.press(P1 + "picture", "button.press")

    async def is_seen() -> bool:
        return await home.picture(P1 + "camera") == JPEG

    await home.until(is_seen, "the picture", GONE_S_MAX)


async def cancel(home: HomeAssistant, stopped: dict[str, Any]) -> None:
    """Cancel what prints, and see an automation begin of it."""
    fires = home.fires(stopped)
    await anext(fires)
    await home.press(P1 + "cancel", "button.press")
    await asyncio.wait_for(anext(fires), GONE_S_MAX)


async def goes_on(home: HomeAssistant) -> None:
    """Pause what prints, and resume it."""
    for button, key in (("pause", "paused"), ("resume", "printing")):
        await home.press(P1 + button, "button.press")
        await home.shows(P1 + key, "on", within_s=GONE_S_MAX)


async def retire(place: Place, home: HomeAssistant) -> None:
    """Take the printer from the farm, and see that nothing of it is left."""
    retired = "printers/p1/retire"
    status, told = await asyncio.to_thread(place.farm.ask, retired, method="POST")
    assert status < 300, told

    async def is_gone() -> bool:
        return not any(each.startswith(P1) for each in await home.entities())

    await home.until(is_gone, "the printer to be gone", GONE_S_MAX)
    port = urlsplit(place.farm.facts["mqtt_url"]).port
    assert port is not None
    async with aiomqtt.Client("127.0.0.1", port) as mqtt, asyncio.timeout(GONE_S_MAX):
        retained = f"{TOPICS.printer('p1')}/#", "homeassistant/device/+/printer_p1/#"
        for each in (*retained, TOPICS.status):
            await mqtt.subscribe(each, qos=1)
        first = await anext(aiter(mqtt.messages))
        assert first.topic.value == TOPICS.status


async def test_home_assistant_shows_a_farm_has_it_obey_and_loses_no_value(
    place: Place, home: HomeAssistant, camera: str
) -> None:
    async def shows(key: str, *states: str) -> None:
        await home.shows(P1 + key, *states, within_s=GONE_S_MAX)

    with place.agent(camera) as agent:

        async def has_all() -> bool:
            return expected() <= (await home.entities()).keys()

        await home.until(has_all, "every entity", GONE_S_MAX)
        found = await home.entities()
        assert set(found) == expected()
        devices = {each["name"]: each for each in await home.devices()}
        assert devices["p1"]["via_device_id"] == devices["Agent pi-1"]["id"]
        assert devices["Agent pi-1"]["via_device_id"] == devices["Farmhand"]["id"]
        triggers = {each["type"]: each for each in await home.triggers(devices["p1"]["id"])}
        assert set(triggers) == set(PRINTER_EVENTS)
        await look(home)

        await shows("status", "needs_clearing")
        await home.press(P1 + "clear", "button.press")
        await shows("bed", "clear")
        await home.press(P1 + "set_nozzle", "number.set_value", value=60)
        await shows("target_tool0", "60.0")
        await turn_knobs(home)
        assert await home.state(UPDATE) == "off"  # the farm has no release
        assert await asyncio.to_thread(
            place.farm.farmhand, "job", "submit", place.folder / "plate.gcode"
        )
        await shows("printing", "on")
        await goes_on(home)

        async def is_under_way() -> bool:
            return (await home.state(P1 + "progress")) not in ("unknown", "0.0")

        await home.until(is_under_way, "progress", GONE_S_MAX)
        progress = float(await home.state(P1 + "progress"))
        agent.kill()
        await shows("online", "off")
        await shows("progress", "unavailable")
        assert await home.state(P1 + "status") == "offline"
        assert await home.state(P1 + "job") == "plate.gcode"

    with place.agent(camera):
        await shows("online", "on")
        await shows("status", "busy")
        assert float(await home.state(P1 + "progress")) >= progress
        await cancel(home, triggers["stopped"])
        await shows("status", "needs_clearing", "idle")
        event = await home.entity(P1 + "event")
        assert event is not None
        assert event["attributes"]["event_type"] in ("stopped", "needs_clearing")
    lines = place.farm.ask("events?limit=500")[1]["items"]
    by_home = {each["name"] for each in lines if each["actor"] == "homeassistant"}
    assert {"bed.clear", "job.paused", "job.resumed", "job.cancelling"} <= by_home
    await retire(place, home)
    assert home.complaints() == []
