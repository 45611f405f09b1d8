"""Simulated printers beside a real coordinator: gone with it, back with it, and taken away."""

from pathlib import Path

import pytest

from tests.fakes.processes import Coordinator, coordinator, descendants, ended, stop, until

pytestmark = pytest.mark.slow


def online(farm: Coordinator) -> list[str]:
    _, said = farm.ask("printers")
    return [each["id"] for each in said["items"] if each["status"] != "offline"]


def test_simulated_printers_end_and_come_back_with_the_coordinator_until_they_are_removed(
    tmp_path: Path,
) -> None:
    with coordinator(tmp_path / "farm") as farm:
        assert farm.farmhand("simulated", "start", "--printers", "2").code == 0
        until(lambda: online(farm) == ["simulated-1", "simulated-2"], "simulated printers")
        children = descendants(farm.process.pid)
        stop(farm.process, within_s=20)
        until(lambda: ended(children), "the end of all that it started")
    with coordinator(tmp_path / "farm") as farm:
        until(lambda: online(farm) == ["simulated-1", "simulated-2"], "them to come back")
        assert farm.farmhand("simulated", "stop").code == 0
        assert farm.ask("printers")[1]["total"] == 0
        assert not (tmp_path / "farm" / "simulated").exists()
        assert farm.ask("events/verify")[1]["ok"]


def test_a_coordinator_whose_settings_forbid_them_starts_none(tmp_path: Path) -> None:
    with coordinator(tmp_path / "farm", FARMHAND_DEMO_FARM="false") as farm:
        refused = farm.farmhand("simulated", "start")
        assert refused.code != 0
        assert "demo_farm" in refused.err
