"""Where the simulator's settings come from, and who wins."""

from pathlib import Path

import pytest

from agent.errors import SettingsInvalid
from agent.simulator.settings import load


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_the_nearest_source_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "p.toml").write_text('tcp = "1"\nname = "toml"\nspeed = 2\nseed = 2\nbed = "1,1,1"')
    (tmp_path / ".env").write_text(
        "OTHER=1\nFARMHAND_PRINTER_SPEED=3\nFARMHAND_PRINTER_SEED=3\nFARMHAND_PRINTER_BED=2,2,2\n"
    )
    monkeypatch.setenv("FARMHAND_PRINTER_SPEED", "4")
    monkeypatch.setenv("FARMHAND_PRINTER_SEED", "4")
    settings = load(["--config", "p.toml", "--seed", "5"])
    assert (settings.name, settings.bed, settings.speed, settings.seed) == ("toml", "2,2,2", 4, 5)


def test_faults_can_be_said_more_than_once() -> None:
    settings = load(["--tcp", "1", "--fault", "corrupt:every=3", "--fault", "reset:line=2"])
    assert settings.fault == ["corrupt:every=3", "reset:line=2"]


def test_an_unknown_key_is_named_wherever_it_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "p.toml").write_text("misspelt = 1")
    with pytest.raises(SettingsInvalid, match="misspelt"):
        load(["--tcp", "1", "--config", "p.toml"])
    (tmp_path / ".env").write_text("FARMHAND_PRINTER_BDE=1,1,1\n")
    with pytest.raises(SettingsInvalid, match="bde"):
        load(["--tcp", "1"])
    (tmp_path / ".env").unlink()
    monkeypatch.setenv("FARMHAND_PRINTER_SPED", "1")
    with pytest.raises(SettingsInvalid, match="SPED"):
        load(["--tcp", "1"])
