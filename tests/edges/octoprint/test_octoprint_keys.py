"""An owner allows a key, or refuses it."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from agent.errors import NotPossible
from agent.printers.octoprint_key import obtain
from tests.edges.octoprint.bench import HostBench
from tests.fakes.processes import started, until

pytestmark = pytest.mark.slow


def pending(bench: HostBench) -> Any:
    return bench.server.ask("api/plugin/appkeys").get("pending")


async def test_a_key_that_its_owner_allows_in_the_browser_opens_octoprint(
    bench: HostBench, tmp_path: Path
) -> None:
    owner = await asyncio.to_thread(bench.server.make_owner)
    out, log = tmp_path / "octoprint.key", tmp_path / "log"
    command = ["octoprint-key", bench.server.url, "--out", str(out)]
    with started("agent", *command, log=log) as process:
        [asked] = await asyncio.to_thread(until, lambda: pending(bench), "the request")
        decision = f"plugin/appkeys/decision/{asked}"
        await asyncio.to_thread(bench.server.ask, decision, {"decision": True}, key=owner)
        assert await asyncio.to_thread(process.wait, 20) == 0, log.read_text()
    assert out.stat().st_mode & 0o077 == 0
    del bench.settings["api_key"]
    bench.settings["api_key_file"] = str(out)
    bench.driver = bench.fresh()
    await bench.connect()
    await bench.start(bench.short, "run-with-own-key")


async def test_a_key_that_its_owner_refuses_is_not_given(bench: HostBench) -> None:
    asking = asyncio.create_task(obtain(bench.server.url, within_s=20))
    [asked] = await asyncio.to_thread(until, lambda: pending(bench), "the request")
    await bench.person(f"plugin/appkeys/decision/{asked}", {"decision": False})
    with pytest.raises(NotPossible, match="refused"):
        await asking
