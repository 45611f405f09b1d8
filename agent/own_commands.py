"""Commands to the agent itself: look for printers, take one more, let one go, take an update.

Looking is done in a child process: it takes up to half a minute and loads what a Pi has no use for
otherwise. Ports that printers of ours hang on are not asked, for opening one may reset its board.
"""

import asyncio
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import structlog

from agent import added
from agent.errors import SettingsInvalid
from agent.roster import Roster
from agent.updating import COMMANDS, Updates
from protocols.wire.from_agent import FoundPlace
from protocols.wire.to_agent import Command
from protocols.wire.vocabulary import PrinterId

log = structlog.get_logger(__name__)

WAITING_MAX = 4
DISCOVER_S_MAX = 60.0

# Takes whether it was done, a code, words, and what was found.
Answer = Callable[[bool, str, str, tuple[FoundPlace, ...]], None]
_Queue: TypeAlias = asyncio.Queue[tuple[Command, float, Answer]]


class OwnCommands:
    """What this agent does with itself, one thing at a time."""

    def __init__(
        self,
        roster: Roster,
        state_dir: Path,
        present: Callable[[], None],
        updates: Updates | None = None,
    ) -> None:
        """Take commands; nothing is done before `run`. `present` says which printers there are."""
        self._updates = updates
        self._roster = roster
        self._state_dir = state_dir
        self._present = present
        self._waiting: _Queue = asyncio.Queue(WAITING_MAX)
        self._looking: _Queue = asyncio.Queue(WAITING_MAX)

    def put(self, command: Command, answer: Answer) -> None:
        """Take a command; it is answered in any case."""
        try:
            expires_at_s = time.monotonic() + command.expires_s
            queue = self._looking if command.name == "discover" else self._waiting
            queue.put_nowait((command, expires_at_s, answer))
        except asyncio.QueueFull:
            answer(False, "busy", "too many commands wait for this agent", ())

    async def run(self) -> None:
        """Do what is asked for until cancelled; nothing waits for a search."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._obey(self._waiting), name="own.waiting")
            tasks.create_task(self._obey(self._looking), name="own.looking")

    async def _obey(self, queue: _Queue) -> None:
        while True:
            command, expires_at_s, answer = await queue.get()
            if time.monotonic() > expires_at_s:
                answer(False, "expired", "the agent was busy for too long", ())
                continue
            try:
                words, found = await self._perform(command)
            except SettingsInvalid as refusal:
                answer(False, "printer_invalid", str(refusal), ())
            except _Refusal as refusal:
                answer(False, refusal.code, str(refusal), ())
            except OSError as error:
                answer(False, "failed", f"it can't be kept: {error.strerror}", ())
            else:
                answer(True, "", words, found)

    async def _perform(self, command: Command) -> tuple[str, tuple[FoundPlace, ...]]:
        match command.name:
            case "discover":
                return "", tuple(await self._discover())
            case "add_printer":
                return await self._add(command), ()
            case "remove_printer":
                return await self._remove(PrinterId(str(command.arguments.get("id", "")))), ()
            case name if self._updates is not None and name in COMMANDS:
                done, words = self._updates.obey(command)
                if not done:
                    raise _Refusal("update_refused", words)
                return words, ()
            case name:
                raise _Refusal("unknown_command", f"the agent itself does not know {name!r}")

    async def _add(self, command: Command) -> str:
        printer = added.asked_for(dict(command.arguments))
        self._roster.add(printer)
        try:
            added.keep(self._state_dir, printer)
        except OSError:
            await self._roster.remove(PrinterId(printer.id))
            raise
        self._present()
        log.info("printer.added", printer_id=printer.id, driver=printer.driver)
        return f"{printer.id} is there"

    async def _remove(self, printer_id: PrinterId) -> str:
        loop = self._roster.loop(printer_id)
        if loop is None:
            raise _Refusal("unknown_printer", f"there is no printer {printer_id}")
        if not added.is_kept(self._state_dir, printer_id):
            raise _Refusal(
                "printer_configured", f"{printer_id} stands in the agent's own configuration"
            )
        if loop.begun:
            raise _Refusal("printer_busy", f"{printer_id} prints; stop that first")
        added.forget(self._state_dir, printer_id)
        await self._roster.remove(printer_id)
        self._present()
        log.info("printer.removed", printer_id=printer_id)
        return f"{printer_id} is gone"

    async def _discover(self) -> list[FoundPlace]:
        held = {
            str(said): printer_id
            for printer_id, member in self._roster.members.items()
            for name, said in member.settings.settings.items()
            if name in ("port", "url")
        }
        return [*await _found_here(held)]


class _Refusal(Exception):
    """A command that is not obeyed; `code` is for programs."""

    def __init__(self, code: str, words: str) -> None:
        super().__init__(words)
        self.code = code


async def _found_here(held: dict[str, PrinterId]) -> list[FoundPlace]:
    """Return what `farmhand-agent discover` finds, told with whose it is already.

    Args:
        held: the printers of ours by the addresses in their settings.
    """
    skips = [argument for address in held for argument in ("--skip", address)]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "agent", "discover", "--json", *skips),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        said, _ = await asyncio.wait_for(process.communicate(), DISCOVER_S_MAX)
    except TimeoutError:
        raise _Refusal("timeout", f"nothing came of it in {DISCOVER_S_MAX:.0f} s") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    try:
        listed = json.loads(said)
    except ValueError:
        raise _Refusal("failed", "the search ended without an answer") from None
    return [_place(each, held) for each in listed]


def _place(found: dict[str, Any], held: dict[str, PrinterId]) -> FoundPlace:
    names: tuple[str, ...] = tuple(found.pop("names"))
    mine = next((held[name] for name in (found["address"], *names) if name in held), "")
    return FoundPlace(names=names, printer_id=mine, **found)
