"""`farmhand printer retire`, `agent retire`, `config set` and `simulated` against a served farm."""

from pathlib import Path

import pytest

from coordinator.api.app import build_app
from coordinator.api.operating import Machine
from coordinator.chosen import ChosenSettings
from coordinator.cli.exits import Exit
from coordinator.setting_origins import origins
from coordinator.settings import load
from tests.coordinator.api.test_api_equipping import agent_takes
from tests.coordinator.cli.conftest import Farmhand
from tests.fakes.served_farm import AGENT, ServedFarm


@pytest.fixture
def farm(tmp_path: Path) -> ServedFarm:
    farm = ServedFarm(tmp_path)
    machine = Machine(settings=origins([]), choices=ChosenSettings(load([]), origins([])))
    farm.app = build_app(farm.gate, upload_bytes_max=1, version="", machine=machine)
    return farm


async def test_printers_and_agents_leave_and_come_back(
    farm: ServedFarm, farmhand: Farmhand
) -> None:
    await farm.printers_arrive("p-1", "p-2")
    agent_takes(farm, ok=False, code="printer_configured")
    gone = await farmhand("printer", "retire", "p-1")
    assert gone.code == Exit.OK, gone.err
    assert "printer restore p-1" in gone.out
    assert "[[printers]]" in gone.out
    assert "p-1" in (await farmhand("printer", "retired")).out
    assert (await farmhand("printer", "retire", "p-1")).code == Exit.FAILED
    assert "of the farm again" in (await farmhand("printer", "restore", "p-1")).out
    assert "stop it on its machine" in (await farmhand("agent", "retire", AGENT)).out
    assert "no printers" in (await farmhand("printer", "ls")).out
    assert "heard again" in (await farmhand("agent", "restore", AGENT)).out


async def test_settings_are_set_unset_and_told(farmhand: Farmhand) -> None:
    assert "true" in (await farmhand("config", "set", "approve_jobs", "true")).out
    shown = (await farmhand("config", "show", "--origin")).out
    assert "page" in next(line for line in shown.splitlines() if "approve_jobs" in line)
    assert "false, by default" in (await farmhand("config", "unset", "approve_jobs")).out
    assert (await farmhand("config", "set", "port", "1")).code == Exit.FAILED


async def test_where_nobody_may_simulate_printers_it_is_said(farmhand: Farmhand) -> None:
    assert "forbids them" in (await farmhand("simulated", "show")).out
    assert (await farmhand("simulated", "start")).code != Exit.OK
    assert "no simulated printers" in (await farmhand("simulated", "stop")).out
