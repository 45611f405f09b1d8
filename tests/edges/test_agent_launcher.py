"""The launcher and real agents as processes: what is good stays, what is bad is gone back from."""

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from agent import launching
from agent.app import build
from agent.settings import AgentSettings
from tests.agent.test_agent_updates import asked
from tests.fakes.granted_agent import Coordinator, farm
from tests.fakes.processes import environment
from tests.fakes.releases import Workshop, kinds

TRIAL_S = 5.0
# Several starts of an agent, on a machine that does other things too.
STARTS_S_MAX = 90.0


@asynccontextmanager
async def launcher(settings: AgentSettings, shop: Workshop, ends: list[int]) -> AsyncIterator[None]:
    """Start an agent, and start it again whenever it ends, as a service manager does."""
    config = settings.state_dir.with_name("agent.toml")
    config.write_text(
        f'agent_id = "{settings.agent_id}"\nmqtt_url = "{settings.mqtt_url}"\n'
        f'coordinator_url = "{settings.coordinator_url}"\nstate_dir = "{settings.state_dir}"\n'
        f"update_keys = {json.dumps([shop.key])}\n"
    )
    process: asyncio.subprocess.Process | None = None

    async def keep_running() -> None:
        nonlocal process
        while True:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "agent.launcher", "--config", str(config)),
                env=environment(),
                cwd=config.parent,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
            )
            ends.append(await process.wait())

    keeping = asyncio.create_task(keep_running())
    try:
        yield
    finally:
        keeping.cancel()
        await asyncio.wait((keeping,))
        if process is not None and process.returncode is None:
            process.kill()
            await process.wait()


async def settle(other: Coordinator, version: str) -> None:
    await other.until(lambda: other.update_phases[-1:] == ["trial"], STARTS_S_MAX)
    assert other.build == version
    assert (await other.command_agent("settle_update", version=version)).ok
    await other.until(lambda: other.update_phases[-1:] == ["settled"], STARTS_S_MAX)


async def test_a_good_version_takes_over_in_the_same_process(tmp_path: Path) -> None:
    shop, ends = Workshop(tmp_path / "releases"), list[int]()
    async with farm(tmp_path) as (settings, other), launcher(settings, shop, ends):
        await other.until(lambda: other.build == build(), STARTS_S_MAX)
        good = shop.good("9.0.0")
        assert (await other.command_agent("update", **asked(good, "9.0.0"))).ok
        await settle(other, "9.0.0")
        assert ends == []


@pytest.mark.slow
async def test_a_version_that_dies_is_gone_back_from_and_the_one_before_goes_on(
    tmp_path: Path,
) -> None:
    shop, ends = Workshop(tmp_path / "releases"), list[int]()
    async with farm(tmp_path) as (settings, other), launcher(settings, shop, ends):
        await other.until(lambda: other.build == build(), STARTS_S_MAX)
        good = shop.good("9.0.0")
        assert (await other.command_agent("update", **asked(good, "9.0.0"))).ok
        await settle(other, "9.0.0")
        bad = shop.bad("9.1.0", kinds(0.0)["dies at its start"])
        assert (await other.command_agent("update", **asked(bad, "9.1.0"))).ok
        await other.until(lambda: other.update_phases[-1:] == ["rolled_back"], STARTS_S_MAX)
        assert ends == [1] * launching.TRIES_MAX
        assert (other.build, other.updates[-1].version) == ("9.0.0", "9.1.0")


@pytest.mark.slow
async def test_a_version_that_hangs_and_hears_no_signal_is_ended_by_the_kernel(
    tmp_path: Path,
) -> None:
    shop, ends = Workshop(tmp_path / "releases"), list[int]()
    async with farm(tmp_path) as (settings, other), launcher(settings, shop, ends):
        await other.until(lambda: other.build == build(), STARTS_S_MAX)
        bad = shop.bad("9.1.0", kinds(0.0)["hangs"])
        said = asked(bad, "9.1.0", trial_s=TRIAL_S)
        assert (await other.command_agent("update", **said)).ok
        await other.until(lambda: "draining" in other.update_phases)
        await other.until(lambda: other.update_phases[-1:] == ["rolled_back"], STARTS_S_MAX)
        assert ends == [-signal.SIGALRM] * launching.TRIES_MAX
        assert other.build == build()
