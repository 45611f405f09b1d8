"""Where commands look for the coordinator and its token, and what they say when there is none."""

import json
from pathlib import Path

import pytest

from coordinator.cli.exits import Exit, NotAllowed, NotReachable, UsageWrong
from coordinator.cli.place import Place, locate


@pytest.fixture(autouse=True)
def state_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("FARMHAND_URL", "FARMHAND_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("FARMHAND_STATE_DIR", str(tmp_path))
    return tmp_path


def running(state_dir: Path) -> None:
    (state_dir / "coordinator.json").write_text(json.dumps({"api_url": "http://127.0.0.1:8150"}))
    (state_dir / "token").write_text("from-the-folder\n")


def test_a_coordinator_on_this_machine_is_found_by_its_folder(state_dir: Path) -> None:
    running(state_dir)
    assert locate("", None) == Place(url="http://127.0.0.1:8150", token="from-the-folder")


def test_what_is_typed_wins_over_the_environment_and_that_over_the_folder(
    state_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    running(state_dir)
    monkeypatch.setenv("FARMHAND_URL", "https://farm.example/")
    monkeypatch.setenv("FARMHAND_TOKEN", "from-the-environment")
    assert locate("", None) == Place(url="https://farm.example", token="from-the-environment")
    file = state_dir / "typed"
    file.write_text("from-the-file\n")
    assert locate("http://typed", file) == Place(url="http://typed", token="from-the-file")


def test_without_a_coordinator_the_command_that_starts_one_is_named() -> None:
    with pytest.raises(NotReachable, match="farmhand coordinator") as caught:
        locate("", None)
    assert caught.value.exit_code == Exit.NOT_REACHABLE


def test_without_a_token_the_ways_to_give_one_are_named() -> None:
    with pytest.raises(NotAllowed, match="FARMHAND_TOKEN"):
        locate("http://farm", None)


def test_an_address_without_a_scheme_is_refused() -> None:
    with pytest.raises(UsageWrong, match="http://"):
        locate("farm.local:8150", None)


def test_a_damaged_announcement_is_told_with_its_path(state_dir: Path) -> None:
    (state_dir / "coordinator.json").write_text("{")
    with pytest.raises(NotReachable, match=r"coordinator\.json"):
        locate("", None)
