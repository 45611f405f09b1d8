"""Commands to the agent itself: printers come and go beside a print. Real broker."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from agent import own_commands
from agent.added import FOLDER, with_added
from agent.app import App
from agent.errors import SettingsInvalid
from agent.own_commands import OwnCommands
from agent.printers.driver import RunState
from agent.roster import Roster
from agent.settings import AgentSettings
from protocols.wire.to_agent import Command
from tests.fakes.granted_agent import AGENT, PRINTER, Coordinator, farm
from tests.fakes.scripted_driver import ScriptedDriver

Drivers = dict[str, ScriptedDriver]
MORE: Mapping[str, Any] = {
    "id": "p2",
    "driver": "prusalink",
    "printer_class": "mk4",
    "settings.url": "http://mk4.local",
    "settings.api_key": "s3cret",
}


@asynccontextmanager
async def agent(settings: AgentSettings) -> AsyncIterator[Drivers]:
    """An agent whose drivers are scripted; one for `none` can't be made."""
    drivers: Drivers = {}

    def made(
        kind: str, printer_id: str, settings: Mapping[str, Any], *, state_dir: Path
    ) -> ScriptedDriver:
        if kind == "none":
            raise SettingsInvalid(f"printer {printer_id}: no driver {kind!r}")
        return drivers.setdefault(printer_id, ScriptedDriver())

    running = asyncio.create_task(App(with_added(settings), made).run())
    try:
        yield drivers
    finally:
        running.cancel()
        await asyncio.wait((running,))


async def print_on(other: Coordinator) -> None:
    await other.want()
    await other.until(other.phase("printing"))


async def test_a_printer_comes_and_goes_beside_a_print(tmp_path: Path) -> None:
    async with farm(tmp_path) as (settings, other), agent(settings) as drivers:
        await print_on(other)
        assert (await other.command_agent("add_printer", **MORE)).ok
        await other.until(lambda: other.printers == [PRINTER, "p2"])
        [kept] = (settings.state_dir / FOLDER).iterdir()
        assert kept.stat().st_mode & 0o077 == 0
        refused = await other.command_agent("add_printer", **MORE)
        assert (refused.ok, refused.code) == (False, "printer_invalid")
        assert (await other.command_agent("remove_printer", id="p2")).ok
        await other.until(lambda: other.printers == [PRINTER])
        assert list((settings.state_dir / FOLDER).iterdir()) == []
        drivers[PRINTER].proceed(RunState.FINISHED)
        await other.until(other.has("started", "finished"))
        assert drivers[PRINTER].starts == ["r1"]


async def test_what_was_added_is_there_after_a_restart(tmp_path: Path) -> None:
    async with farm(tmp_path) as (settings, other):
        async with agent(settings):
            assert (await other.command_agent("add_printer", **MORE)).ok
        async with agent(settings) as drivers:
            await other.until(lambda: other.printers == [PRINTER, "p2"] and "p2" in drivers)
        kept = with_added(settings).printers[1]
        assert kept.settings == {"url": "http://mk4.local", "api_key": "s3cret"}


@pytest.mark.parametrize(
    ("name", "arguments", "code"),
    [
        ("add_printer", {**MORE, "driver": "none"}, "printer_invalid"),
        ("add_printer", {**MORE, "id": "No!"}, "printer_invalid"),
        ("add_printer", {**MORE, "colour": "red"}, "printer_invalid"),
        ("remove_printer", {"id": "p9"}, "unknown_printer"),
        ("remove_printer", {"id": PRINTER}, "printer_configured"),
        ("dance", {}, "unknown_command"),
    ],
)
async def test_what_can_t_be_is_refused_and_nothing_is_kept(
    tmp_path: Path, name: str, arguments: dict[str, Any], code: str
) -> None:
    async with farm(tmp_path) as (settings, other), agent(settings):
        refused = await other.command_agent(name, **arguments)
    assert (refused.ok, refused.code) == (False, code)
    assert "s3cret" not in refused.message
    assert not (settings.state_dir / FOLDER).exists()


async def test_what_prints_is_not_let_go(tmp_path: Path) -> None:
    async with farm(tmp_path) as (settings, other):
        alone = settings.model_copy(update={"printers": []})
        async with agent(alone):
            assert (await other.command_agent("add_printer", **{**MORE, "id": PRINTER})).ok
            await print_on(other)
            refused = await other.command_agent("remove_printer", id=PRINTER)
    assert (refused.ok, refused.code) == (False, "printer_busy")


async def test_what_is_found_is_told_with_whose_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program, said = tmp_path / "python", tmp_path / "python.said"
    program.write_text(
        '#!/bin/sh\necho "$@" > "$0.said"\n'
        'echo \'[{"address": "http://mk4.local", "driver": "prusalink", "setting": "url",'
        ' "names": [], "missing": {"api_key": "?"}}]\'\n'
    )
    program.chmod(0o755)
    monkeypatch.setattr(own_commands.sys, "executable", str(program))
    async with farm(tmp_path) as (settings, other), agent(settings):
        assert (await other.command_agent("add_printer", **MORE)).ok
        answer = await other.command_agent("discover")
    [place] = answer.found
    assert (place.address, place.printer_id) == ("http://mk4.local", "p2")
    assert "--skip http://mk4.local" in said.read_text()


async def test_nothing_waits_for_a_search(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "python"
    program.write_text("#!/bin/sh\nexec sleep 60\n")
    program.chmod(0o755)
    monkeypatch.setattr(own_commands.sys, "executable", str(program))
    answered: asyncio.Queue[tuple[str, str]] = asyncio.Queue()
    none = AgentSettings.model_validate({"state_dir": tmp_path})
    own = OwnCommands(Roster(none, lambda *_, **__: ScriptedDriver()), tmp_path, lambda: None)
    running = asyncio.create_task(own.run())
    for name in ("discover", "remove_printer"):

        def answer(_ok: bool, code: str, _words: str, _found: object, name: str = name) -> None:
            answered.put_nowait((name, code))

        own.put(Command(id=name, agent_id=AGENT, name=name), answer)
    assert await asyncio.wait_for(answered.get(), 20) == ("remove_printer", "unknown_printer")
    running.cancel()
    await asyncio.wait((running,))
