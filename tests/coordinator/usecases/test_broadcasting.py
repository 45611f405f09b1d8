import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from coordinator.domain.automation.topics import Topics
from coordinator.domain.homeassistant.discovery import Discovery
from coordinator.usecases import broadcasting, controlling, photographing
from coordinator.usecases.absorbing import absorb
from coordinator.usecases.broadcasting import LIVELY_FOR_S, LIVELY_S, Broadcaster
from coordinator.usecases.discovering import Discovering
from coordinator.usecases.retiring import retire_agent, retire_printer
from coordinator.usecases.updating import RolloutWish, begin_rollout
from protocols.wire.from_agent import PrinterSample, Telemetry
from protocols.wire.vocabulary import PrinterId, PrinterState, RunId, Temperature, Tuning
from tests.fakes.fake_farm import order_gcode
from tests.fakes.pictures import JPEG
from tests.fakes.recording_automation import RecordingAutomation
from tests.fakes.served_farm import AGENT, ServedFarm
from tests.fakes.values import RELEASE

TOPICS = Topics("farmhand/farm")
DEVICE = "homeassistant/device/farmhand_farm/{}/config"


class Told:
    """A farm that is told to a broker in memory."""

    def __init__(self, folder: Path) -> None:
        self.served = ServedFarm(folder)
        self.farm = self.served.farm
        self.link = RecordingAutomation()
        discovering = Discovering(self.farm, Discovery(topics=TOPICS), ("cancel",))
        self.broadcaster = Broadcaster(
            self.farm, self.link, TOPICS, discovering, version="1.2.3", chance=lambda: 0.0
        )

    async def is_told(self) -> None:
        """Return once the session's beginning was told."""
        await self.link.until(lambda: self.link.now(TOPICS.status) == "online")

    async def measures(self, celsius: float, **fields: Any) -> None:
        sample = PrinterSample(
            printer_id=PrinterId("p1"),
            state=PrinterState.IDLE,
            temperatures={"tool0": Temperature(celsius, 0.0)},
            **fields,
        )
        await absorb(self.farm, Telemetry(agent_id=AGENT, at_unix_s=0.0, printers=(sample,)))

    def printer(self) -> Any:
        return self.link.now(TOPICS.printer("p1"))

    def live(self) -> Any:
        return self.link.now(TOPICS.live("p1"))


@pytest.fixture
async def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Told]:
    """A farm with one printer, told; time between two looks is nought."""
    for name in ("GATHER_S", "TICK_S", "LIVE_S", "FARM_S", "AGENTS_S", "RETRY_S"):
        monkeypatch.setattr(broadcasting, name, 0.0)
    monkeypatch.setattr(broadcasting, "LOOK_S", 0.01)
    farm = Told(tmp_path)
    await farm.served.printers_arrive("p1")
    async with running(farm):
        farm.link.connect()
        await farm.is_told()
        yield farm


@asynccontextmanager
async def running(farm: Told) -> AsyncIterator[None]:
    task = asyncio.create_task(farm.broadcaster.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_session_begins_with_all_of_the_farm_and_ends_with_that_it_is_there(
    told: Told,
) -> None:
    assert told.printer()["status"] == "needs_clearing"
    assert told.live()["temperatures"]["tool0"] == {"actual": 21.5, "target": 0.0}
    assert told.link.now(TOPICS.online("p1")) == "online"
    assert told.link.now(TOPICS.agent_online("pi-1")) == "online"
    assert told.link.now(TOPICS.farm)["printers"]["needs_clearing"] == 1
    assert told.link.now(DEVICE.format("printer_p1"))["components"]["cancel"]
    topics = [each.topic for each in told.link.said]
    # Home Assistant makes a nameless device of one that hangs on another that is not there yet.
    farm, agent, printer = (DEVICE.format(each) for each in ("farm", "agent_pi_1", "printer_p1"))
    assert topics.index(farm) < topics.index(agent) < topics.index(printer)
    assert topics.index(printer) < topics.index(TOPICS.printer("p1"))
    assert topics[-1] == TOPICS.status


async def test_what_changes_is_told_and_what_stays_is_not(told: Told) -> None:
    before = len(told.link.said)
    await controlling.clear_printer(told.farm, PrinterId("p1"), "user:anna")
    await told.link.until(lambda: told.printer()["bed"] == "clear")
    await told.link.until(lambda: told.link.now(TOPICS.farm)["printers"]["idle"] == 1)
    said = {each.topic for each in told.link.said[before:]}
    assert said == {TOPICS.printer("p1"), TOPICS.farm, TOPICS.events, TOPICS.happened("p1")}
    (event,) = told.link.on(TOPICS.happened("p1"))
    assert (event["event_type"], event["actor"]) == ("cleared", "user:anna")
    assert not any(each.retain for each in told.link.said if each.topic == TOPICS.happened("p1"))


async def test_what_is_decided_does_not_wait_for_what_is_looked_up_now_and_then(
    told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that does not answer, say, is looked at for the farm's troubles."""
    looked = asyncio.Event()

    async def hangs(_: object) -> None:
        looked.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(broadcasting, "health", hangs)
    monkeypatch.setattr(broadcasting, "TROUBLES_S", 0.0)
    async with asyncio.timeout(10):
        await looked.wait()
    await controlling.clear_printer(told.farm, PrinterId("p1"), "user:anna")
    await told.link.until(lambda: told.printer()["bed"] == "clear")
    await told.link.until(lambda: told.link.on(TOPICS.happened("p1")))


async def test_a_sensor_that_flickers_is_not_told(told: Told) -> None:
    for celsius in (21.6, 21.4, 21.8):
        await told.measures(celsius)
    await told.measures(60.0)
    await told.link.until(lambda: told.live()["temperatures"]["tool0"]["actual"] == 60.0)
    told_of = [each["temperatures"]["tool0"]["actual"] for each in told.link.on(TOPICS.live("p1"))]
    assert told_of == [21.5, 60.0]


async def test_what_comes_of_a_deed_is_told_sooner_than_what_creeps(
    told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broadcasting, "LIVE_S", 60.0)
    await told.measures(21.5, tuning=Tuning(speed_ratio=0.8))
    await controlling.clear_printer(told.farm, PrinterId("p1"), "user:anna")
    await told.link.until(lambda: told.printer()["bed"] == "clear")
    told.served.clock.advance(LIVELY_S)
    await told.link.until(lambda: told.live()["speed"] == 80.0)
    told.served.clock.advance(LIVELY_FOR_S)
    before = len(told.link.on(TOPICS.live("p1")))
    await told.measures(21.5, tuning=Tuning(speed_ratio=0.9))
    await controlling.pause_job(told.farm, (await order_gcode(told.farm)).job_id, "user:anna")
    await told.link.until(lambda: told.link.now(TOPICS.farm)["jobs_waiting"] == 1)
    assert len(told.link.on(TOPICS.live("p1"))) == before


async def test_an_agent_that_goes_resets_no_value(told: Told) -> None:
    run = {"run_id": RunId("run-1"), "progress": 0.5, "remaining_s": 600.0}
    await told.measures(215.0, **run, layer=3, layer_count=9)
    await told.link.until(lambda: told.live()["progress"] == 50.0)
    live = told.live()
    await told.served.agent_leaves()
    await told.link.until(lambda: told.link.now(TOPICS.online("p1")) == "offline")
    await told.link.until(lambda: told.link.now(TOPICS.agent_online("pi-1")) == "offline")
    assert told.printer()["status"] == "offline"
    assert told.live() == live
    assert told.link.on(TOPICS.happened("p1"))[-1]["event_type"] == "offline"


async def test_a_printer_that_is_lost_for_a_moment_resets_no_value(told: Told) -> None:
    await told.measures(215.0)
    await told.link.until(lambda: told.live()["temperatures"]["tool0"]["actual"] == 215.0)
    live = told.live()
    lost = PrinterSample(printer_id=PrinterId("p1"), state=PrinterState.OFFLINE)
    await absorb(told.farm, Telemetry(agent_id=AGENT, at_unix_s=0.0, printers=(lost,)))
    await told.measures(60.0)
    await told.link.until(lambda: told.live()["temperatures"]["tool0"]["actual"] == 60.0)
    assert told.link.on(TOPICS.live("p1"))[-2:] == [live, told.live()]


async def test_a_coordinator_that_began_anew_resets_no_value(told: Told) -> None:
    """What it does not know yet it leaves as it was told."""
    run = {"run_id": RunId("run-1"), "progress": 0.5}
    await told.measures(215.0, **run)
    await told.link.until(lambda: told.live()["progress"] == 50.0)
    before = dict(told.link.retained)
    told.link.lose()
    for memory in (told.farm.live.samples, told.farm.live.commands, told.farm.live.hosts):
        memory.clear()  # type: ignore[attr-defined]
    discovering = Discovering(told.farm, Discovery(topics=TOPICS), ("cancel",))
    other = Broadcaster(told.farm, told.link, TOPICS, discovering, version="1.2.3")
    task = asyncio.create_task(other.run())
    said = len(told.link.said)
    told.link.connect()
    await told.link.until(lambda: TOPICS.status in {each.topic for each in told.link.said[said:]})
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    device = DEVICE.format("printer_p1")
    assert told.link.retained[device] == before[device]
    assert told.link.retained[TOPICS.live("p1")] == before[TOPICS.live("p1")]
    # Whatever is taken back, even for a moment, loses what people set about it.
    assert all(each.payload for each in told.link.said[said:])


async def test_a_broker_that_forgot_everything_is_told_everything(told: Told) -> None:
    before = dict(told.link.retained)
    told.link.lose()
    told.link.retained.clear()
    told.link.connect()
    await told.is_told()
    assert told.link.retained == before


async def test_what_is_gone_is_taken_back_from_the_broker(told: Told) -> None:
    gone = [*TOPICS.of_printer("p9"), DEVICE.format("printer_p9"), *TOPICS.of_agent("pi-9")]
    told.link.lose()
    told.link.retained.update(dict.fromkeys(gone, b"{}"))
    told.link.connect()
    await told.link.until(lambda: not told.link.retained.keys() & set(gone))
    await told.is_told()
    assert told.printer()["id"] == "p1"


async def test_a_printer_and_an_agent_that_are_retired_are_taken_back(told: Told) -> None:
    await told.served.agent_leaves()
    await retire_printer(told.farm, PrinterId("p1"), "user:anna")
    await told.link.until(lambda: TOPICS.printer("p1") not in told.link.retained)
    assert DEVICE.format("printer_p1") not in told.link.retained
    assert not {*TOPICS.of_printer("p1")} & told.link.retained.keys()
    await retire_agent(told.farm, AGENT, "user:anna")
    await told.link.until(lambda: DEVICE.format("agent_pi_1") not in told.link.retained)
    assert not {*TOPICS.of_agent("pi-1")} & told.link.retained.keys()


async def test_home_assistant_that_comes_is_told_everything_again(told: Told) -> None:
    before = len(told.link.said)
    told.broadcaster.is_born()
    topics = {TOPICS.printer("p1"), TOPICS.live("p1"), DEVICE.format("printer_p1")}
    await told.link.until(lambda: topics <= {each.topic for each in told.link.said[before:]})


async def test_a_new_picture_is_told_as_it_is(told: Told) -> None:
    await photographing.keep(told.farm, AGENT, PrinterId("p1"), JPEG, None)
    await told.link.until(lambda: told.link.retained.get(TOPICS.picture("p1")) == JPEG)


async def test_a_printer_of_which_more_becomes_known_is_discovered_anew(told: Told) -> None:
    bed = Temperature(21.0, 60.0)
    sample = PrinterSample(
        printer_id=PrinterId("p1"), state=PrinterState.IDLE, temperatures={"chamber": bed}
    )
    await absorb(told.farm, Telemetry(agent_id=AGENT, at_unix_s=0.0, printers=(sample,)))

    def components() -> Any:
        return told.link.now(DEVICE.format("printer_p1"))["components"]

    await told.link.until(lambda: "temperature_chamber" in components())
    # One that is not told of for a while was not taken away.
    assert "temperature_tool0" in components()


async def test_a_warning_is_told_of_the_machine_and_is_no_reason_to_go_there(told: Told) -> None:
    await told.served.something_is_wrong("p1")
    await told.link.until(
        lambda: told.link.now(TOPICS.agent("pi-1"))["findings"] == ["the supply is too weak"]
    )
    assert told.link.now(TOPICS.agent("pi-1"))["under_voltage"] is True
    assert told.printer()["needs_attention"] is False


async def test_fan_and_factors_are_told_and_discovered_once_somebody_knows_them(
    told: Told,
) -> None:
    def components() -> Any:
        return told.link.now(DEVICE.format("printer_p1"))["components"]

    assert told.live()["speed"] is None
    assert "speed" not in components()
    await told.measures(21.5, tuning=Tuning(speed_ratio=0.8, fan_rpm=4000.0))
    await told.link.until(lambda: "speed" in components())
    assert (told.live()["speed"], told.live()["fan"]) == (80.0, None)
    assert "fan" not in components()
    # Fans waver; that one stands still is told.
    await told.measures(21.5, tuning=Tuning(speed_ratio=0.8, fan_rpm=4100.0))
    await told.measures(60.0, tuning=Tuning(speed_ratio=0.8, fan_rpm=0.0))
    await told.link.until(lambda: told.live()["fan_rpm"] == 0.0)
    assert {each.get("fan_rpm") for each in told.link.on(TOPICS.live("p1"))} == {None, 4000.0, 0.0}


async def test_an_agent_is_told_with_the_release_that_it_could_have(told: Told) -> None:
    agent = TOPICS.agent("pi-1")
    assert told.link.now(agent)["latest_version"] is None
    async with told.farm.store.write() as unit:
        for version in ("0.9.0", "0.10.0"):
            await unit.save_release(replace(RELEASE, version=version))
    await begin_rollout(told.farm, RolloutWish(version="0.10.0"), "user:anna")
    await told.link.until(lambda: told.link.now(agent)["latest_version"] == "0.10.0")
    assert told.link.now(agent)["update_words"] == "0.10.0: waiting"
    assert told.link.now(agent)["updating"] is False
    component = told.link.now(DEVICE.format("agent_pi_1"))["components"]["update"]
    assert component["state_topic"] == agent
    # It is not armed.
    assert "command_topic" not in component
