"""A real Mosquitto with the configuration that we give people, and the coordinator's files."""

import asyncio
import getpass
import re
import shutil
import signal
import ssl
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import aiomqtt
import pytest

from coordinator.adapters.broker_files import BrokerFiles
from protocols.wire.topics import Topic, build
from protocols.wire.vocabulary import AgentId
from tests.fakes.enrolled_agents import credential_of, secret_of
from tests.fakes.made_certificates import certificates
from tests.fakes.mosquitto import free_port, wait_for_port

ROOM = Path(__file__).parents[2] / "configs" / "mosquitto"
PATIENCE_S = 20.0
A, B = AgentId("pi-a"), AgentId("pi-b")
PASSWORD = "of the coordinator"


@dataclass
class Mosquitto:
    """It, and who may enter."""

    process: subprocess.Popen[bytes]
    door: BrokerFiles
    agents_port: int
    own_port: int
    authority: Path

    def agent(self, agent_id: str, *, identifier: str = "", tls: bool = True) -> aiomqtt.Client:
        return aiomqtt.Client(
            "localhost",
            self.agents_port,
            username=agent_id,
            password=secret_of(agent_id),
            identifier=identifier or f"farmhand-agent-{agent_id}",
            tls_context=ssl.create_default_context(cafile=self.authority) if tls else None,
            timeout=5.0 if tls else 0.5,
        )

    def coordinator(self) -> aiomqtt.Client:
        return aiomqtt.Client("127.0.0.1", self.own_port, username="farm", password=PASSWORD)

    async def admit(self, *agents: AgentId) -> None:
        """Do what the units do: new files, read again."""
        await self.door.admit([credential_of(each) for each in agents])
        self.process.send_signal(signal.SIGHUP)


@contextmanager
def mosquitto(folder: Path) -> Iterator[Mosquitto]:
    program = shutil.which("mosquitto", path="/usr/sbin:/usr/bin:/usr/local/sbin")
    if program is None:
        pytest.skip("Mosquitto is not installed (Debian: mosquitto)")
    made = certificates(folder, "localhost")
    door = BrokerFiles(folder, username="farm", password=PASSWORD)
    asyncio.run(door.admit([credential_of(A)]))
    ports = {"8883": free_port(), "1883": free_port()}
    text = (ROOM / "farmhand.conf").read_text().replace("/etc/mosquitto/farmhand", str(folder))
    text = re.sub(r"^listener (\d+)", lambda found: f"listener {ports[found[1]]}", text, flags=re.M)
    (folder / "conf.d").mkdir()
    (folder / "conf.d" / "farmhand.conf").write_text(text)
    main = folder / "mosquitto.conf"  # as Debian's
    main.write_text(
        f"user {getpass.getuser()}\npid_file {folder}/pid\npersistence true\n"
        f"persistence_location {folder}/\nlog_dest none\ninclude_dir {folder}/conf.d\n"
    )
    process = subprocess.Popen([program, "-c", str(main)])
    try:
        for port in ports.values():
            wait_for_port(process, port)
        yield Mosquitto(process, door, ports["8883"], ports["1883"], made.authority)
    finally:
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    with mosquitto(tmp_path_factory.mktemp("mosquitto")) as running:
        yield running


async def enters(client: aiomqtt.Client) -> bool:
    try:
        async with client:
            return True
    except aiomqtt.MqttError:
        return False


async def until_enters(client_of: Callable[[], aiomqtt.Client], wanted: bool) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while True:
            if await enters(client_of()) is wanted:
                return
            await asyncio.sleep(0.02)  # it is another process


async def test_agents_enter_with_tls_and_their_own_password_only(broker: Mosquitto) -> None:
    await broker.admit(A)
    await until_enters(lambda: broker.agent(A), wanted=True)
    assert not await enters(broker.agent(A, tls=False))
    assert not await enters(broker.agent(B))
    nobody = aiomqtt.Client("127.0.0.1", broker.own_port)
    assert not await enters(nobody)


async def test_the_coordinator_has_two_connections_by_one_name_and_hears_agents(
    broker: Mosquitto,
) -> None:
    await broker.admit(A)
    await until_enters(lambda: broker.agent(A), wanted=True)
    told = build(Topic.RESULTS, A)
    async with broker.coordinator() as first, broker.coordinator() as second:
        for each in (first, second):
            await each.subscribe("farmhand/v1/#", qos=1)
        async with broker.agent(A) as agent:
            await agent.publish(build(Topic.RESULTS, B), b"forged", qos=1)
            await agent.publish(told, b"{}", qos=1)
        for each in (first, second):
            message = await asyncio.wait_for(anext(aiter(each.messages)), PATIENCE_S)
            assert message.topic.value == told


async def test_an_agent_hears_only_what_is_its_own_and_ends_nobody_elses_connection(
    broker: Mosquitto,
) -> None:
    await broker.admit(A, B)
    await until_enters(lambda: broker.agent(B), wanted=True)
    mine, others = build(Topic.COMMANDS, A), build(Topic.COMMANDS, B)
    async with broker.agent(A) as agent, broker.coordinator() as coordinator:
        await agent.subscribe([("#", 1), (others, 1), (mine, 1)])
        assert await enters(broker.agent(B, identifier=f"farmhand-agent-{A}"))
        await coordinator.publish(others, b"secret", qos=1)
        await coordinator.publish(mine, b"{}", qos=1)
        message = await asyncio.wait_for(anext(aiter(agent.messages)), PATIENCE_S)
        assert message.topic.value == mine


async def test_who_comes_and_goes_does_so_without_a_restart(broker: Mosquitto) -> None:
    await broker.admit(A)
    await until_enters(lambda: broker.agent(B), wanted=False)
    await broker.admit(A, B)
    await until_enters(lambda: broker.agent(B), wanted=True)
    await broker.admit(B)
    await until_enters(lambda: broker.agent(A), wanted=False)
    assert broker.process.poll() is None
