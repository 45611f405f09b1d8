"""The only wiring: settings in, a running agent out."""

import asyncio
import time
from importlib.metadata import PackageNotFoundError, version
from urllib.parse import urlsplit
from uuid import uuid4

import structlog

from agent.commands import Answers, Order
from agent.draining import Drain, words_of
from agent.files import FileStore
from agent.host import Host
from agent.journal import Journal
from agent.link import Broker, Link, Listener
from agent.own_commands import OwnCommands
from agent.reports import sample
from agent.roster import OpenDriver, Roster, keep
from agent.running import DRAINED, Lock
from agent.settings import AgentSettings
from agent.supervisor import Supervisor
from agent.surroundings import Surroundings
from agent.updating import Updates
from protocols.wire.compat import OURS, PROTOCOL_MINOR
from protocols.wire.from_agent import FoundPlace, Presence, Telemetry, UpdateReport
from protocols.wire.to_agent import Command, Desired
from protocols.wire.vocabulary import AgentId, JournalId

log = structlog.get_logger(__name__)


class App:
    """One agent. `run` ends only when cancelled; a print in progress is left to the printer.

    Attributes:
        drain: to have no new run taken, and to know when nothing prints any more.
        updates: of the agent itself; where one is `due` at the end, the launcher goes on.
    """

    def __init__(
        self,
        settings: AgentSettings,
        open_driver: OpenDriver,
        supervisor: Supervisor | None = None,
    ) -> None:
        """Open what needs no loop.

        Args:
            settings: all of them.
            open_driver: makes the drivers.
            supervisor: told when we are up, and for as long as all loops turn.

        Raises:
            SettingsInvalid: a printer's own settings are wrong.
        """
        self.drain = Drain()
        self._settings = settings
        self._supervisor = supervisor or Supervisor({})
        self._agent_id = AgentId(settings.agent_id)
        self._boot_id = uuid4().hex
        self._roster = Roster(settings, open_driver)
        self._host = Host(settings.state_dir)
        self._link: Link | None = None
        self.updates = Updates(
            settings,
            self.drain,
            build=build(),
            printers=lambda: self._roster.loops,
            say=self._say_update,
        )

    async def run(self) -> None:
        """Look after every printer until cancelled.

        Raises:
            JournalDamaged: the journal can't be used; nothing was begun.
        """
        settings = self._settings
        journal = await Journal.open(settings.state_dir / "journal.sqlite")
        running = Lock(settings.state_dir)
        try:
            link = Link(
                broker_of(settings),
                self._presence(journal.journal_id),
                Listener(desired=self._desired, command=self._command, turned=self._turned),
            )
            self._link = link
            self._answers = Answers(self._agent_id, link.answer)
            around = Surroundings(
                agent_id=self._agent_id,
                boot_id=self._boot_id,
                journal=journal,
                files=_files(settings),
                outlet=link,
                host_findings=lambda: self._host.findings.now,
                drain=self.drain,
            )
            self._roster.prepare(around)
            self._own = OwnCommands(
                self._roster,
                settings.state_dir,
                lambda: link.present(self._roster.descriptions),
                self.updates,
            )
            log.info("agent.started", agent_id=self._agent_id, journal_id=journal.journal_id)
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(keep("link", link.run), name="link")
                tasks.create_task(keep("host", self._host.run), name="host")
                tasks.create_task(keep("telemetry", lambda: self._sample(link)), name="telemetry")
                draining = self.drain.watch(
                    lambda: self._roster.loops, link.drain, lambda: running.note(self._waited_for())
                )
                tasks.create_task(draining, name="drain")
                tasks.create_task(keep("own", self._own.run), name="own")
                tasks.create_task(keep("updates", self.updates.run), name="updates")
                self._roster.begin(tasks)
                self._supervisor.ready(self._how())
                beating = self._supervisor.watch(self._roster.turn, self._how)
                tasks.create_task(beating, name="beat")
        finally:
            self._supervisor.stopping()
            self._roster.close()
            journal.close()
            if self.drain.empty.is_set():
                running.note(DRAINED)
            running.release()
            log.info("agent.ended", agent_id=self._agent_id)

    def _how(self) -> str:
        """Return in a few words how it is."""
        members = self._roster.members.values()
        begun = sum(member.driver.observation.run is not None for member in members)
        drains = ", draining" if self.drain.asked else ""
        return f"printers: {len(members)}, printing: {begun}{drains}"

    def _waited_for(self) -> str:
        """Return what draining waits for, in words."""
        runs = {
            printer_id: member.driver.observation.run
            for printer_id, member in self._roster.members.items()
            if member.loop is not None and member.loop.begun
        }
        return words_of({id_: run.progress if run else None for id_, run in runs.items()})

    def _presence(self, journal_id: JournalId) -> Presence:
        return Presence(
            agent_id=self._agent_id,
            online=True,
            boot_id=self._boot_id,
            connection_id="",
            journal_id=journal_id,
            protocol_min=OURS.lowest,
            protocol_max=OURS.highest,
            protocol_minor=PROTOCOL_MINOR,
            build=build(),
            printers=self._roster.descriptions,
            draining=self.drain.on,
            update=self.updates.report,
        )

    def _say_update(self, draining: bool, update: UpdateReport) -> None:
        if self._link is not None:
            self._link.drain(draining, update)

    def _desired(self, document: Desired) -> None:
        task = self._roster.loop(document.printer_id)
        if task is None:
            log.warning("document.for_nobody", printer_id=document.printer_id)
        else:
            task.desire(document)

    def _command(self, command: Command) -> None:
        if not self._answers.is_new(command):
            return

        def answer(ok: bool, code: str, message: str, found: tuple[FoundPlace, ...] = ()) -> None:
            self._answers.give(command, ok, code, message, found)

        if command.printer_id is None:
            self._own.put(command, answer)
        elif (task := self._roster.loop(command.printer_id)) is None:
            answer(False, "unknown_printer", f"there is no printer {command.printer_id}")
        else:
            expires_at_s = time.monotonic() + command.expires_s
            order = Order(command=command, expires_at_s=expires_at_s, answer=answer)
            if not task.orders.put(order):
                answer(False, "busy", "too many commands wait for this printer")

    def _turned(self) -> None:
        for task in self._roster.loops:
            task.wake()

    async def _sample(self, link: Link) -> None:
        while True:
            printers = tuple(
                sample(printer_id, member.driver.observation)
                for printer_id, member in self._roster.members.items()
            )
            link.sample(
                Telemetry(
                    agent_id=self._agent_id,
                    at_unix_s=time.time(),
                    printers=printers,
                    host=self._host.sample,
                )
            )
            await asyncio.sleep(self._settings.telemetry_s)


def build() -> str:
    """Return the version of this installation."""
    try:
        return version("farmhand")
    except PackageNotFoundError:
        return "0+source"


def broker_of(settings: AgentSettings) -> Broker:
    """Return where the broker is and how to enter."""
    parts = urlsplit(settings.mqtt_url)
    tls = parts.scheme == "mqtts"
    ca_file = settings.mqtt_ca_file or settings.ca_file
    password = settings.mqtt_password.get_secret_value() or parts.password
    username = settings.mqtt_username or parts.username or (settings.agent_id if password else None)
    return Broker(
        host=parts.hostname or "",
        port=parts.port or (8883 if tls else 1883),
        username=username,
        password=password,
        tls=tls,
        ca_file=str(ca_file) if ca_file else None,
    )


def _files(settings: AgentSettings) -> FileStore:
    return FileStore(
        settings.state_dir / "plates",
        coordinator_url=settings.coordinator_url,
        token=settings.token.get_secret_value(),
        ca_file=settings.ca_file,
        cache_bytes_max=settings.cache_bytes_max,
    )
