"""What people do: they allow a key, speak to the printer, look at its dialogue."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from agent.errors import NotPossible
from agent.printers.octoprint_key import obtain
from tests.edges.octoprint.bench import HostBench
from tests.fakes.processes import started, until


def pending(bench: HostBench) -> Any:
    return bench.server.ask("api/plugin/appkeys").get("pending")


@pytest.mark.slow
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
    bench.settings = {"url": bench.server.url, "api_key_file": str(out)}
    bench.driver = bench.fresh()
    await bench.connect()
    await bench.start(bench.short, "run-with-own-key")


@pytest.mark.slow
async def test_a_key_that_its_owner_refuses_is_not_given(bench: HostBench) -> None:
    asking = asyncio.create_task(obtain(bench.server.url, within_s=20))
    [asked] = await asyncio.to_thread(until, lambda: pending(bench), "the request")
    await bench.person(f"plugin/appkeys/decision/{asked}", {"decision": False})
    with pytest.raises(NotPossible, match="refused"):
        await asking


async def test_a_line_is_answered_by_the_printer_and_stands_in_the_dialogue(
    bench: HostBench,
) -> None:
    await bench.connect()
    assert "Virtual Marlin" in await bench.driver.command("send", {"line": "M115"})
    said = (await bench.driver.command("dialogue", {"lines": 100})).splitlines()
    assert any("M115" in line for line in said if line.startswith(">"))
    await bench.start(bench.long, "run-talked-to")
    with pytest.raises(NotPossible):
        await bench.driver.command("send", {"line": "G28"})
    assert await bench.driver.command("send", {"line": "M117 hello"}) == "echo:hello"


async def test_the_webcam_is_told_as_an_address(bench: HostBench) -> None:
    await bench.connect()
    address = await bench.driver.command("webcam", {})
    assert address == f"{bench.server.url}/webcam/?action=stream"
