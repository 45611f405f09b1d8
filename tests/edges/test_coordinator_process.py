"""The coordinator as a process: its start, its end, and what it says when it can't."""

import asyncio
import hashlib
import json
import os
import select
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import aiomqtt
import pytest

from coordinator.adapters.folder_lock import hold_folder
from protocols.wire.codec import decode, encode
from protocols.wire.from_agent import Presence, PrinterDescription, Reported
from protocols.wire.to_agent import Desired
from protocols.wire.topics import Topic, build, subscription
from protocols.wire.vocabulary import AgentId, Epoch, JournalId, PrinterId, PrinterState
from tests.fakes.mosquitto import start_mosquitto
from tests.fakes.processes import Process, coordinator, run

START_S = 60.0  # the libraries take seconds on a machine that does other things too


@dataclass
class Running:
    """A coordinator that is up."""

    process: Process
    folder: Path
    api_url: str
    mqtt_url: str

    async def ends(self) -> int:
        return await asyncio.to_thread(self.process.wait, START_S)


async def spawn(folder: Path, *flags: str, **environment: str) -> asyncio.subprocess.Process:
    """Start one truly, with nothing loaded."""
    command = [sys.executable, "-m", "coordinator", "--state-dir", str(folder), *flags]
    return await asyncio.create_subprocess_exec(
        *command,
        env={**os.environ, **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


@asynccontextmanager
async def running(folder: Path, *flags: str) -> AsyncIterator[Running]:
    with coordinator(folder, *flags) as farm:
        yield Running(farm.process, folder, farm.url, str(farm.facts["mqtt_url"]))


async def outcome(process: asyncio.subprocess.Process) -> tuple[int | None, str]:
    async with asyncio.timeout(START_S):
        _, words = await process.communicate()
    return process.returncode, words.decode()


async def test_it_starts_tells_where_it_is_and_stops_cleanly(tmp_path: Path) -> None:
    process = await spawn(tmp_path, "--port", "0", "--broker-port", "0")
    assert process.stderr is not None
    said: dict[str, str] = {}
    async with asyncio.timeout(START_S):
        async for line in process.stderr:
            said = json.loads(line)
            if said["event"] == "coordinator.ready":
                break
    facts = json.loads((tmp_path / "coordinator.json").read_text())
    where = {"api_url": said["api_url"], "mqtt_url": said["mqtt_url"]}
    assert facts == {**where, "pid": process.pid}
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{said['api_url']}/api/v1/health") as answer,
    ):
        assert answer.status == 200
    process.send_signal(signal.SIGTERM)
    code, _ = await outcome(process)
    assert code == 0
    assert not (tmp_path / "coordinator.json").exists()
    port = int(said["mqtt_url"].rpartition(":")[2])
    with pytest.raises(aiomqtt.MqttError):
        async with aiomqtt.Client("127.0.0.1", port):
            pass


async def test_the_token_is_made_once_and_is_nobody_elses_business(tmp_path: Path) -> None:
    token_file = tmp_path / "token"
    tokens = []
    for _ in range(2):
        async with running(tmp_path) as farm:
            tokens.append(token_file.read_text().strip())
            async with aiohttp.ClientSession() as session:
                jobs = f"{farm.api_url}/api/v1/jobs"
                async with session.get(jobs) as answer:
                    assert answer.status == 401
                headers = {"Authorization": f"Bearer {tokens[-1]}"}
                async with session.get(jobs, headers=headers) as answer:
                    assert answer.status == 200
    assert tokens[0] == tokens[1]
    for private in (token_file, tmp_path / "farm.sqlite3"):
        assert private.stat().st_mode & 0o077 == 0


async def log_in(farm: Running, password: str) -> int:
    body = {"name": "admin", "password": password}
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{farm.api_url}/api/v1/tokens", json=body) as answer,
    ):
        return answer.status


async def test_the_first_administrator_is_made_once_and_finds_the_password_in_a_private_file(
    tmp_path: Path,
) -> None:
    file, other = tmp_path / "admin-password", "another one altogether"
    async with running(tmp_path) as farm:
        first = file.read_text().strip()
        assert file.stat().st_mode & 0o077 == 0
        assert await log_in(farm, first) == 201
        async with (
            person_at(farm) as session,
            session.post("/api/v1/users/admin/password", json={"password": other}) as answer,
        ):
            assert answer.status == 200
    async with running(tmp_path) as farm:
        assert not file.exists(), "it is of no use any more"
        assert await log_in(farm, first) == 401
        assert await log_in(farm, other) == 201


async def test_it_starts_again_after_it_was_killed(tmp_path: Path) -> None:
    async with running(tmp_path) as farm:
        farm.process.kill()
        await farm.ends()
        assert (tmp_path / "coordinator.json").exists()
    async with running(tmp_path) as farm:
        assert json.loads((tmp_path / "coordinator.json").read_text())["pid"] == farm.process.pid


async def test_it_uses_a_broker_that_runs_elsewhere(tmp_path: Path) -> None:
    with start_mosquitto(tmp_path) as port:
        url = f"mqtt://127.0.0.1:{port}"
        async with running(tmp_path / "state", "--broker-url", url) as farm:
            assert farm.mqtt_url == url
        assert not (tmp_path / "state" / "broker").exists()


async def test_a_taken_http_port_is_one_sentence_and_leaves_nothing_running(
    tmp_path: Path,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        flags = ("--port", str(port), "--broker-port", "0", "--log-level", "error")
        code, words = await outcome(await spawn(tmp_path, *flags))
    assert code == 1
    assert words == (
        f"farmhand coordinator: port {port} for the HTTP API is taken by another program: "
        "stop that one, or set port to another\n"
    )
    assert not (tmp_path / "coordinator.json").exists()


def test_a_second_coordinator_on_the_same_folder_is_refused(tmp_path: Path) -> None:
    with hold_folder(tmp_path):
        refused = run("coordinator", "--state-dir", tmp_path)
    assert refused.code == 1
    words = refused.sentence("farmhand coordinator")
    assert words.startswith(f"another coordinator (process {os.getpid()})")


def test_a_damaged_database_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "farm.sqlite3").write_bytes(b"no database at all " * 400)
    refused = run("coordinator", "--state-dir", tmp_path)
    assert refused.code == 1
    assert "is damaged" in refused.sentence("farmhand coordinator")


def test_an_unknown_setting_is_named_and_ends_with_2(tmp_path: Path) -> None:
    state = ("--state-dir", tmp_path)
    for refused, name in (
        (run("coordinator", *state, FARMHAND_BROKR="auto"), "FARMHAND_BROKR"),
        (run("coordinator", *state, "--brokr", "auto"), "--brokr"),
    ):
        assert refused.code == 2
        assert name in refused.err


PRESENCE = Presence(
    agent_id=AgentId("pi-1"),
    online=True,
    boot_id="b1",
    connection_id="c1",
    journal_id=JournalId("j1"),
    protocol_min=1,
    protocol_max=1,
    printers=(
        PrinterDescription(
            printer_id=PrinterId("p1"),
            name="first",
            printer_class="farmhand-220",
            driver="marlin_serial",
            material="PLA",
        ),
    ),
)
REPORTED = Reported(
    agent_id=AgentId("pi-1"),
    printer_id=PrinterId("p1"),
    journal_id=JournalId("j1"),
    boot_id="b1",
    sequence=1,
    epoch=Epoch(0),
    revision=0,
    state=PrinterState.IDLE,
)


@pytest.mark.parametrize("broker", ["mosquitto", "amqtt"])
async def test_a_plate_sent_over_http_is_desired_of_a_printer_over_mqtt(
    tmp_path: Path, broker: str
) -> None:
    async with (
        asyncio.timeout(START_S),
        running(tmp_path, "--broker", broker) as farm,
        person_at(farm) as person,
    ):
        async with agent_at(farm) as agent:
            job_id = await order(person)
            desired = await desired_assignment(agent)
        assert (desired.epoch, desired.permit) == (1, None)
        assert desired.assignment is not None
        assert desired.assignment.job_id == job_id
        async with person.get(desired.assignment.plate.url) as answer:
            assert await answer.read() == GCODE


@pytest.mark.parametrize("broker", ["mosquitto", "amqtt"])
async def test_what_a_killed_broker_forgot_is_said_again(tmp_path: Path, broker: str) -> None:
    async with (
        asyncio.timeout(START_S),
        running(tmp_path, "--broker", broker) as farm,
        person_at(farm) as person,
    ):
        async with agent_at(farm) as agent:
            job_id = await order(person)
            before = await desired_assignment(agent)
        [child] = [pid for pid in children_of(farm.process.pid) if broker in command_of(pid)]
        ended = os.pidfd_open(child)
        os.kill(child, signal.SIGKILL)
        await asyncio.to_thread(select.select, [ended], [], [], START_S)
        os.close(ended)
        async with agent_again(farm) as agent:
            after = await desired_assignment(agent)
        assert after.assignment == before.assignment
        assert after.assignment is not None
        assert after.assignment.job_id == job_id


async def test_a_model_sent_over_http_becomes_a_plate_that_is_desired(tmp_path: Path) -> None:
    async with (
        asyncio.timeout(START_S * 3),
        running(tmp_path) as farm,
        person_at(farm) as person,
        agent_at(farm) as agent,
    ):
        await order(person, MODEL.read_bytes(), "barn.stl")
        desired = await desired_assignment(agent)
        assert desired.assignment is not None
        plate = desired.assignment.plate
        async with person.get(plate.url) as answer:
            gcode = await answer.read()
        assert len(gcode) == plate.size_bytes
        assert hashlib.sha256(gcode).hexdigest() == plate.sha256
        assert gcode.count(b"\nG1 ") > 1000


def children_of(pid: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def command_of(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_bytes().decode()


MODEL = Path(__file__).resolve().parents[2] / "configs" / "dev" / "barn.stl"
GCODE = b"G28\nM104 S200\nG1 X10 E1\n"


def person_at(farm: Running) -> aiohttp.ClientSession:
    token = (farm.folder / "token").read_text().strip()
    return aiohttp.ClientSession(farm.api_url, headers={"Authorization": f"Bearer {token}"})


async def order(
    person: aiohttp.ClientSession, body: bytes = GCODE, file_name: str = "cube.gcode"
) -> str:
    """Declare the bed clear and send a file."""
    while True:
        async with person.post(f"/api/v1/printers/{REPORTED.printer_id}/clear") as answer:
            if answer.status == 200:
                break
            assert answer.status == 404, await answer.text()
        await asyncio.sleep(0.05)  # the API has no route that waits for a printer to appear
    form = aiohttp.FormData()
    form.add_field("file", body, filename=file_name)
    async with person.post("/api/v1/jobs", data=form) as answer:
        assert answer.status == 201, await answer.text()
        return str((await answer.json())["id"])


@asynccontextmanager
async def agent_at(farm: Running) -> AsyncIterator[aiomqtt.Client]:
    """An agent made of two messages and a subscription."""
    agent_id = PRESENCE.agent_id
    async with aiomqtt.Client("127.0.0.1", int(farm.mqtt_url.rpartition(":")[2])) as agent:
        await agent.subscribe(subscription(Topic.DESIRED, agent_id), 1)
        await agent.publish(build(Topic.PRESENCE, agent_id), encode(PRESENCE), 1, retain=True)
        topic = build(Topic.REPORTED, agent_id, REPORTED.printer_id)
        await agent.publish(topic, encode(REPORTED), 1, retain=True)
        yield agent


@asynccontextmanager
async def agent_again(farm: Running) -> AsyncIterator[aiomqtt.Client]:
    """The same agent, as soon as the broker is back."""
    async with AsyncExitStack() as stack:
        while True:
            try:
                agent = await stack.enter_async_context(agent_at(farm))
            except aiomqtt.MqttError:
                await asyncio.sleep(0.05)  # the broker is another process
            else:
                break
        yield agent


async def desired_assignment(agent: aiomqtt.Client) -> Desired:
    """Wait for a document that wants something."""
    async for message in agent.messages:
        assert isinstance(message.payload, bytes)
        desired = decode(message.payload, Desired)
        if desired.assignment is not None:
            return desired
    raise AssertionError("the messages ended")
