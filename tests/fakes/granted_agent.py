"""A coordinator that grants what it is asked for, and whole agents: real broker, real files."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiomqtt
from aiohttp import web
from aiohttp.test_utils import TestServer

from agent.app import App
from agent.settings import AgentSettings
from protocols.wire.codec import encode, receive
from protocols.wire.from_agent import (
    CommandResult,
    Presence,
    Reported,
    RunEvent,
    Telemetry,
    UpdateReport,
)
from protocols.wire.to_agent import (
    Acknowledged,
    Assignment,
    BedClearance,
    Command,
    Desired,
    PlateReference,
)
from protocols.wire.topics import Topic, build, subscription
from protocols.wire.vocabulary import (
    AgentId,
    Epoch,
    JobId,
    PrinterId,
    RunId,
)
from tests.fakes.mosquitto import start_mosquitto
from tests.fakes.scripted_driver import ScriptedDriver

AGENT, PRINTER = AgentId("pi-1"), PrinterId("p1")
CONTENT = b"G28\nG1 X1\n"
PLATE = PlateReference(
    sha256=hashlib.sha256(CONTENT).hexdigest(), size_bytes=len(CONTENT), url="/plate", name="cube"
)
RUN = Assignment(run_id=RunId("r1"), job_id=JobId("j1"), plate=PLATE)


class Coordinator:
    """Grants what it is asked for, and keeps the history; tests turn its knobs."""

    def __init__(self, client: aiomqtt.Client) -> None:
        self._client = client
        self.desired = Desired(printer_id=PRINTER, epoch=Epoch(1), revision=1, assignment=RUN)
        self.grants = True
        self.last: Reported | None = None
        self.draining = False
        self.online = False
        self.build = ""
        self.updates: list[UpdateReport] = []
        self.printers: list[PrinterId] = []
        self.events: list[RunEvent] = []
        self.results: list[CommandResult] = []
        self.samples: list[Telemetry] = []

    async def want(self, **changes: Any) -> None:
        revision = self.desired.revision + 1
        self.desired = replace(self.desired, revision=revision, **changes)
        await self._say(Topic.DESIRED, self.desired, PRINTER)

    async def command(self, name: str, id_: str) -> None:
        command = Command(id=id_, agent_id=AGENT, printer_id=PRINTER, name=name)
        await self._say(Topic.COMMANDS, command)

    async def command_agent(self, name: str, **arguments: Any) -> CommandResult:
        """Have the agent itself do something; return its answer."""
        await self.until(lambda: self.online)
        id_ = f"own-{len(self.results)}-{name}"
        command = Command(id=id_, agent_id=AGENT, name=name, arguments=arguments)
        await self._say(Topic.COMMANDS, command)
        await self.until(lambda: any(result.id == id_ for result in self.results))
        return self.results[-1]

    async def _say(self, topic: Topic, message: Any, printer_id: PrinterId | None = None) -> None:
        name = build(topic, AGENT, printer_id)
        await self._client.publish(name, encode(message), topic.qos, topic.retain)

    async def until(self, is_so: Callable[[], bool], within_s: float = 20.0) -> None:
        """Do a coordinator's work until something is so."""
        async with asyncio.timeout(within_s):
            while not is_so():
                arrived = await anext(self._client.messages)
                message = receive(arrived.topic.value, bytes(arrived.payload))  # type: ignore[arg-type]
                if isinstance(message, Reported) and message.printer_id == PRINTER:
                    await self._absorb(message)
                elif isinstance(message, RunEvent):
                    await self._store(message)
                elif isinstance(message, Presence):
                    self.draining = message.draining
                    self.online, self.build = message.online, message.build
                    if message.update is not None and message.update not in self.updates[-1:]:
                        self.updates.append(message.update)
                    self.printers = [each.printer_id for each in message.printers]
                elif isinstance(message, CommandResult):
                    self.results.append(message)
                elif isinstance(message, Telemetry):
                    self.samples.append(message)

    async def work_until(self, happened: asyncio.Event) -> None:
        """Do a coordinator's work until something happens that nobody reports."""
        work = asyncio.create_task(self.until(lambda: False), name="coordinator")
        async with asyncio.timeout(20):
            await happened.wait()
        work.cancel()
        await asyncio.wait((work,))

    async def _absorb(self, reported: Reported) -> None:
        self.last = reported
        run = reported.run
        if "bed clear" in reported.waits_for:
            cleared = BedClearance(journal_id=reported.journal_id, occupation=reported.occupation)
            await self.want(cleared=cleared)
        if self.grants and run and run.nonce and run.nonce != self.desired.permit:
            await self.want(permit=run.nonce)

    async def _store(self, event: RunEvent) -> None:
        if event.number == len(self.events) + 1:
            self.events.append(event)
            mark = Acknowledged(journal_id=event.journal_id, number=event.number)
            await self.want(acknowledged=mark)

    @property
    def update_phases(self) -> list[str]:
        """How far the agent said that its update is, in order."""
        return [each.phase.value for each in self.updates]

    def phase(self, phase: str) -> Callable[[], bool]:
        return lambda: (
            self.last is not None and self.last.run is not None and (self.last.run.phase == phase)
        )

    def waits_for(self, words: str) -> bool:
        return self.last is not None and words in self.last.waits_for

    def has(self, *events: str) -> Callable[[], bool]:
        return lambda: [event.event for event in self.events] == list(events)


@asynccontextmanager
async def farm(tmp_path: Path) -> AsyncIterator[tuple[AgentSettings, Coordinator]]:
    """A broker, a file server and a coordinator; agents come and go."""

    async def give(_: web.Request) -> web.Response:
        return web.Response(body=CONTENT)

    async def give_release(request: web.Request) -> web.FileResponse:
        return web.FileResponse(tmp_path / "releases" / request.match_info["name"])

    app = web.Application()
    app.router.add_get("/plate", give)
    app.router.add_get("/releases/{name}", give_release)
    with start_mosquitto(tmp_path) as port:
        async with (
            TestServer(app, host="127.0.0.1") as server,
            aiomqtt.Client("127.0.0.1", port) as client,
        ):
            for topic in (
                Topic.PRESENCE,
                Topic.REPORTED,
                Topic.EVENTS,
                Topic.RESULTS,
                Topic.TELEMETRY,
            ):
                await client.subscribe(subscription(topic), 1)
            settings = AgentSettings.model_validate(
                {
                    "agent_id": AGENT,
                    "mqtt_url": f"mqtt://127.0.0.1:{port}",
                    "coordinator_url": str(server.make_url("/")),
                    "state_dir": tmp_path / "state",
                    "printers": [{"id": PRINTER, "printer_class": "test"}],
                }
            )
            yield settings, Coordinator(client)


@asynccontextmanager
async def agent(settings: AgentSettings, driver: ScriptedDriver) -> AsyncIterator[App]:
    app = App(settings, lambda *_words, **_named: driver)
    task = asyncio.create_task(app.run(), name="app")
    try:
        yield app
    finally:
        task.cancel()
        await asyncio.wait((task,), timeout=10)
        assert task.cancelled()
