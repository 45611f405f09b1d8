"""The only wiring: settings in, a running agent out."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit
from uuid import uuid4

import structlog

from agent.cameras import open_camera
from agent.commands import Answers, Order
from agent.draining import Drain, words_of
from agent.errors import SettingsInvalid
from agent.files import FileStore
from agent.host import Host
from agent.journal import Journal
from agent.line_thread import LineThread, OnLineThread
from agent.link import Broker, Link, Listener
from agent.pictures import Photographer, Post
from agent.printer_task import PrinterTask
from agent.printers.driver import Driver
from agent.reports import sample
from agent.running import DRAINED, Lock
from agent.settings import AgentSettings, PrinterSettings
from agent.surroundings import Surroundings
from protocols.wire.compat import OURS, PROTOCOL_MINOR
from protocols.wire.from_agent import Presence, PrinterDescription, Telemetry
from protocols.wire.to_agent import Command, Desired
from protocols.wire.vocabulary import AgentId, JournalId, PrinterId

log = structlog.get_logger(__name__)


class OpenDriver(Protocol):
    """What makes a driver: see `agent.printers.registry.open_driver`."""

    def __call__(
        self, kind: str, printer_id: PrinterId, settings: Mapping[str, Any], *, state_dir: Path
    ) -> Driver:
        """Return a driver, not yet running."""


RESTART_S_MAX = 60.0
SOUND_S = 60.0  # a task that lived so long has earned a quick restart


class App:
    """One agent. `run` ends only when cancelled; a print in progress is left to the printer.

    Attributes:
        drain: to have no new run taken, and to know when nothing prints any more.
    """

    def __init__(self, settings: AgentSettings, open_driver: OpenDriver) -> None:
        """Open what needs no loop.

        Args:
            settings: all of them.
            open_driver: makes the drivers.

        Raises:
            SettingsInvalid: a printer's own settings are wrong.
        """
        self.drain = Drain()
        self._settings = settings
        self._agent_id = AgentId(settings.agent_id)
        self._boot_id = uuid4().hex
        self._drivers: dict[PrinterId, Driver] = {
            PrinterId(printer.id): open_driver(
                printer.driver,
                PrinterId(printer.id),
                printer.settings,
                state_dir=settings.state_dir / "printers" / printer.id,
            )
            for printer in settings.printers
        }
        self._photographers: dict[PrinterId, Photographer] = {}
        post = _post(settings)
        for printer in settings.printers:
            printer_id = PrinterId(printer.id)
            _can_eject(printer, self._drivers[printer_id])
            if camera := open_camera(printer.camera, self._drivers[printer_id]):
                self._photographers[printer_id] = Photographer(
                    printer_id, camera, post, monotonic_s=time.monotonic
                )
        self._lines = LineThread()
        for printer_id, driver in self._drivers.items():
            if driver.capabilities.streams:
                self._drivers[printer_id] = OnLineThread(driver, self._lines)
        self._tasks: dict[PrinterId, PrinterTask] = {}
        self._host = Host(settings.state_dir)

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
            for printer in settings.printers:
                printer_id = PrinterId(printer.id)
                self._tasks[printer_id] = PrinterTask(
                    printer_id,
                    self._drivers[printer_id],
                    around,
                    ejection=printer.ejection,
                    photographer=self._photographers.get(printer_id),
                )
            log.info("agent.started", agent_id=self._agent_id, journal_id=journal.journal_id)
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(_keep("link", link.run), name="link")
                tasks.create_task(_keep("host", self._host.run), name="host")
                tasks.create_task(_keep("telemetry", lambda: self._sample(link)), name="telemetry")
                draining = self.drain.watch(
                    self._tasks.values(), link.drain, lambda: running.note(self._waited_for())
                )
                tasks.create_task(draining, name="drain")
                for printer_id, task in self._tasks.items():
                    # Apart, so that a mistake in the one does not cut the line of the other.
                    driving = f"driver.{printer_id}"
                    tasks.create_task(_keep(driving, self._drivers[printer_id].run), name=driving)
                    looking = f"printer.{printer_id}"
                    tasks.create_task(_keep(looking, task.run), name=looking)
        finally:
            self._lines.close()
            journal.close()
            if self.drain.empty.is_set():
                running.note(DRAINED)
            running.release()
            log.info("agent.ended", agent_id=self._agent_id)

    def _waited_for(self) -> str:
        """Return what draining waits for, in words."""
        runs = {
            id_: self._drivers[id_].observation.run for id_, t in self._tasks.items() if t.begun
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
            printers=tuple(
                _described(
                    printer,
                    self._drivers[PrinterId(printer.id)],
                    self._photographers.get(PrinterId(printer.id)),
                )
                for printer in self._settings.printers
            ),
        )

    def _desired(self, document: Desired) -> None:
        task = self._tasks.get(document.printer_id)
        if task is None:
            log.warning("document.for_nobody", printer_id=document.printer_id)
        else:
            task.desire(document)

    def _command(self, command: Command) -> None:
        if not self._answers.is_new(command):
            return

        def answer(ok: bool, code: str, message: str) -> None:
            self._answers.give(command, ok, code, message)

        if command.printer_id is None:
            answer(False, "unknown_command", f"the agent itself does not know {command.name!r}")
        elif (task := self._tasks.get(command.printer_id)) is None:
            answer(False, "unknown_printer", f"there is no printer {command.printer_id}")
        else:
            expires_at_s = time.monotonic() + command.expires_s
            order = Order(command=command, expires_at_s=expires_at_s, answer=answer)
            if not task.orders.put(order):
                answer(False, "busy", "too many commands wait for this printer")

    def _turned(self) -> None:
        for task in self._tasks.values():
            task.wake()

    async def _sample(self, link: Link) -> None:
        while True:
            printers = tuple(
                sample(printer_id, driver.observation)
                for printer_id, driver in self._drivers.items()
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


async def _keep(name: str, work: Callable[[], Awaitable[None]]) -> None:
    """Do work that should never end, and begin it again when it does: the one broad catch."""
    wait_s = 1.0
    while True:
        began_s = time.monotonic()
        try:
            await work()
            log.error("task.ended", task=name, again_s=wait_s)
        except Exception:
            log.exception("task.failed", task=name, again_s=wait_s)
        if time.monotonic() - began_s > SOUND_S:
            wait_s = 1.0
        await asyncio.sleep(wait_s)
        wait_s = min(2 * wait_s, RESTART_S_MAX)


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


def _post(settings: AgentSettings) -> Post:
    return Post(
        AgentId(settings.agent_id),
        coordinator_url=settings.coordinator_url,
        token=settings.token.get_secret_value(),
        ca_file=settings.ca_file,
    )


def _described(
    printer: PrinterSettings, driver: Driver, photographer: Photographer | None
) -> PrinterDescription:
    looks = photographer.commands if photographer is not None else frozenset[str]()
    return PrinterDescription(
        printer_id=PrinterId(printer.id),
        name=printer.name or printer.id,
        printer_class=printer.printer_class,
        driver=printer.driver,
        material=printer.material,
        can_pause=driver.capabilities.pause,
        commands=tuple(sorted(driver.capabilities.commands | looks)),
        bed_policy=printer.bed_policy,
    )


def _can_eject(printer: PrinterSettings, driver: Driver) -> None:
    """Refuse an ejection routine that a driver could not perform.

    Raises:
        SettingsInvalid: it takes no G-code.
    """
    if printer.ejection and "send" not in driver.capabilities.commands:
        raise SettingsInvalid(
            f"printer {printer.id}: its driver {printer.driver} can't send the lines of `ejection`"
        )
