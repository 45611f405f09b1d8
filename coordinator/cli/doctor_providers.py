"""What may be wrong with providers of models: settings, keys, the sandbox, and what they say."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import quote

from coordinator.adapters.clock import SystemClock
from coordinator.adapters.sandbox import levels
from coordinator.adapters.sandbox.levels import Found, Level
from coordinator.adapters.storage.obstore_artifacts import open_artifacts
from coordinator.app_providers import sources_of
from coordinator.cli.client import FarmClient
from coordinator.cli.exits import CommandFailed
from coordinator.errors import SettingsInvalid
from coordinator.ports_outward import Nowhere
from coordinator.settings import Settings
from coordinator.usecases.sources import Source
from protocols.diagnosis import Finding, fail, ok, warn

# A provider may take half a minute to say how it is.
_ASK_S = 40.0


async def providers(settings: Settings, running: FarmClient | None) -> AsyncIterator[Finding]:
    """Yield how the providers are that the settings name; no key is told, nor any part of it.

    Args:
        running: the coordinator, which asks them how they are: calls that cost nothing. Where
            none runs their settings are looked at, and how this machine shuts code in. A service
            may do less than this command may: where one runs, its word counts.
    """
    if not settings.providers:
        yield ok("providers", "none: models are brought")
        return
    found = await asyncio.to_thread(levels.find)
    try:
        with TemporaryDirectory(prefix="farmhand-doctor-") as folder:
            async for finding in _settled(settings, Path(folder), found, alone=running is None):
                yield finding
    except SettingsInvalid as error:
        yield fail("providers", str(error), "farmhand config show --origin")
        return
    if running is not None:
        for name in settings.providers:
            yield await asyncio.to_thread(_asked, running, name)


async def _settled(
    settings: Settings, folder: Path, found: Found, *, alone: bool
) -> AsyncIterator[Finding]:
    """Make the providers as a coordinator does, in a folder of their own, and ask nobody."""
    elsewhere = settings.model_copy(update={"state_dir": folder})
    async with (
        open_artifacts(folder / "artifacts") as artifacts,
        sources_of(
            elsewhere, clock=SystemClock(), artifacts=artifacts, outside=Nowhere()
        ) as sources,
    ):
        made = list(sources)
    needed = any(each.offer.language for each in made)
    if alone or not needed:
        yield _sandbox(found, needed=needed)
    for each in made:
        yield _configured(each, alone=alone)


def _sandbox(found: Found, *, needed: bool) -> Finding:
    """Tell how well code of strangers can be shut in here."""
    if found.level.holds(Level.BWRAP_SECCOMP) or not needed:
        spare = "" if needed else "; no provider here runs code"
        return ok("sandbox", f"{found.level.value}{spare}")
    if found.level.holds(Level.BWRAP):
        return warn("sandbox", f"{found.level.value}: {found.words}", "install what it names")
    words = f"{found.level.value}: {found.words}; only OpenSCAD as WebAssembly runs, no Python"
    return warn("sandbox", words, "install what it names, or: farmhand setup openscad")


def _configured(source: Source, *, alone: bool) -> Finding:
    about = f"provider {source.name}"
    keys = f"keys: {', '.join(source.keys)}" if source.keys else "no key"
    tool = source.offer.tool if alone else ""
    words = ", ".join(each for each in (source.offer.title, keys, tool) if each)
    if alone and source.offer.trouble:
        return fail(about, source.offer.trouble, "install what it names")
    return ok(about, words)


def _asked(farm: FarmClient, name: str) -> Finding:
    """Have the coordinator ask one how it is."""
    about, mend = f"provider {name}", f"farmhand provider show {name}"
    path = f"providers/{quote(name, safe='')}"
    try:
        health: dict[str, Any] = farm.ask("GET", f"{path}/health", answer_s=_ASK_S)
        known: dict[str, Any] = farm.ask("GET", path)
    except CommandFailed as error:
        return warn(about, f"the coordinator does not tell of it: {error}", "restart it")
    balance = f", balance {health['balance']}" if health["balance"] else ""
    if not health["ready"]:
        return fail(about, f"not ready: {health['words']}{balance}", mend)
    shut = [call for call, stand in known["calls"].items() if stand != "closed"]
    if shut:
        words = f"{', '.join(shut)} left alone for a while: {known['trouble']}{balance}"
        return warn(about, words, mend)
    fault = known["last_fault"]
    last = f"; last fault {fault['at']}: {fault['message']}" if fault else ""
    tool = f", {known['tool']}" if known["tool"] else ""
    return ok(about, f"ready{tool}{balance}{last}")
