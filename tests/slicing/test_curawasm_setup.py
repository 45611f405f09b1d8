"""What npm brings is kept only where it is what was expected."""

from pathlib import Path

import pytest

from slicing import curawasm_setup
from slicing.curawasm import CuraWasm, engine_file
from slicing.errors import EngineMissing


def test_another_package_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.tgz").write_bytes(b"something else")
    with pytest.raises(EngineMissing, match="not the cura-wasm that is expected"):
        curawasm_setup.check(tmp_path / "a.tgz")


def test_a_package_that_cannot_be_had_is_told_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FARMHAND_ENGINES_FOLDER", str(tmp_path / "engines"))
    monkeypatch.setattr(
        curawasm_setup, "_npm", lambda _node: ["sh", "-c", "echo no network; exit 1"]
    )
    with pytest.raises(EngineMissing, match="npm can't fetch cura-wasm: no network"):
        curawasm_setup.fetch()
    assert list((tmp_path / "engines").iterdir()) == []
    with pytest.raises(EngineMissing, match="farmhand setup wasm"):
        CuraWasm().installation()


def test_what_is_there_is_not_fetched_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FARMHAND_ENGINES_FOLDER", str(tmp_path))
    engine_file().parent.mkdir()
    engine_file().write_text("here")
    monkeypatch.setattr(curawasm_setup, "node", lambda: None)
    assert curawasm_setup.fetch() == engine_file()
