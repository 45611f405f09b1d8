"""The printers of this agent: those of its configuration, and those that the farm added.

Each has a driver, a loop and perhaps a camera, which live and end together; one that comes or goes
disturbs no other.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import structlog

from agent.cameras import open_camera
from agent.errors import SettingsInvalid
from agent.line_thread import LineThread, OnLineThread
from agent.pictures import Photographer, Post
from agent.printer_task import PrinterTask
from agent.printers.driver import Driver
from agent.settings import AgentSettings, PrinterSettings
from agent.surroundings import Surroundings
from protocols.wire.from_agent import PrinterDescription
from protocols.wire.vocabulary import AgentId, PrinterId

log = structlog.get_logger(__name__)

RESTART_S_MAX = 60.0
SOUND_S = 60.0  # a task that lived so long has earned a quick restart


class OpenDriver(Protocol):
    """What makes a driver: see `agent.printers.registry.open_driver`."""

    def __call__(
        self, kind: str, printer_id: PrinterId, settings: Mapping[str, Any], *, state_dir: Path
    ) -> Driver:
        """Return a driver, not yet running."""


@dataclass(slots=True)
class Member:
    """One printer, and what lives for it once the agent runs."""

    settings: PrinterSettings
    driver: Driver
    photographer: Photographer | None
    loop: PrinterTask | None = None
    living: list[asyncio.Task[None]] = field(default_factory=list)

    @property
    def description(self) -> PrinterDescription:
        """What is said of it to the farm."""
        printer, driver = self.settings, self.driver
        looks = self.photographer.commands if self.photographer is not None else frozenset[str]()
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


class Roster:
    """All printers by id; `begin` lets them live within a group of tasks."""

    def __init__(self, settings: AgentSettings, open_driver: OpenDriver) -> None:
        """Open the drivers of all that is configured.

        Raises:
            SettingsInvalid: a printer's own settings are wrong.
        """
        self._settings = settings
        self._open_driver = open_driver
        self._post = _post(settings)
        self._lines = LineThread()
        self._around: Surroundings | None = None
        self._group: asyncio.TaskGroup | None = None
        self.members: dict[PrinterId, Member] = {}
        for printer in settings.printers:
            self._open(printer)

    @property
    def loops(self) -> Iterator[PrinterTask]:
        """The loops of all that live."""
        return (member.loop for member in self.members.values() if member.loop is not None)

    @property
    def descriptions(self) -> tuple[PrinterDescription, ...]:
        """What is said of them to the farm."""
        return tuple(member.description for member in self.members.values())

    def loop(self, printer_id: PrinterId) -> PrinterTask | None:
        """Return a printer's loop, None where it is not ours."""
        member = self.members.get(printer_id)
        return member.loop if member is not None else None

    def prepare(self, around: Surroundings) -> None:
        """Make all loops, before any runs."""
        self._around = around
        for member in self.members.values():
            self._prepare(member, around)

    def begin(self, group: asyncio.TaskGroup) -> None:
        """Let all live."""
        self._group = group
        for member in self.members.values():
            self._begin(member, group)

    def add(self, printer: PrinterSettings) -> None:
        """Let one more live; the others go on.

        Raises:
            SettingsInvalid: its settings are wrong, or there is one of that name.
        """
        assert self._around is not None
        assert self._group is not None
        if PrinterId(printer.id) in self.members:
            raise SettingsInvalid(f"printer {printer.id}: this agent has one of that name")
        member = self._open(printer)
        self._prepare(member, self._around)
        self._begin(member, self._group)

    async def remove(self, printer_id: PrinterId) -> None:
        """End what lives for one; what the journal knows of it stays."""
        member = self.members.pop(printer_id)
        for task in member.living:
            task.cancel()
        await asyncio.wait(member.living)

    async def turn(self) -> None:
        """Come back once the loop that all lines live on came round."""
        await self._lines.turn()

    def close(self) -> None:
        """Close what all share; blocks for seconds at worst."""
        self._lines.close()

    def _open(self, printer: PrinterSettings) -> Member:
        printer_id = PrinterId(printer.id)
        driver = self._open_driver(
            printer.driver,
            printer_id,
            printer.settings,
            state_dir=self._settings.state_dir / "printers" / printer.id,
        )
        _can_eject(printer, driver)
        camera = open_camera(printer.camera, driver)
        photographer = (
            Photographer(printer_id, camera, self._post, monotonic_s=time.monotonic)
            if camera
            else None
        )
        if driver.capabilities.streams:
            driver = OnLineThread(driver, self._lines)
        member = Member(printer, driver, photographer)
        self.members[printer_id] = member
        return member

    def _prepare(self, member: Member, around: Surroundings) -> None:
        member.loop = PrinterTask(
            PrinterId(member.settings.id),
            member.driver,
            around,
            ejection=member.settings.ejection,
            photographer=member.photographer,
        )

    def _begin(self, member: Member, group: asyncio.TaskGroup) -> None:
        assert member.loop is not None
        # Apart, so that a mistake in the one does not cut the line of the other.
        driving, looking = f"driver.{member.settings.id}", f"printer.{member.settings.id}"
        member.living = [
            group.create_task(keep(driving, member.driver.run), name=driving),
            group.create_task(keep(looking, member.loop.run), name=looking),
        ]


async def keep(name: str, work: Callable[[], Awaitable[None]]) -> None:
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


def _post(settings: AgentSettings) -> Post:
    return Post(
        AgentId(settings.agent_id),
        coordinator_url=settings.coordinator_url,
        token=settings.token.get_secret_value(),
        ca_file=settings.ca_file,
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
