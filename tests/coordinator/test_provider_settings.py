"""Providers in the settings: named, limited, and never shown with their keys."""

from decimal import Decimal
from pathlib import Path

import pytest

from coordinator.app_providers import sources_of, worker_of
from coordinator.errors import SettingsInvalid
from coordinator.settings import load
from tests.fakes.fake_artifacts import FakeArtifacts
from tests.fakes.fake_outside import FakeOutside
from tests.fakes.manual_clock import ManualClock

KEY = "msy_a-key-for-tests-only"
MESHY = f"""
state_dir = "FOLDER"
[providers.mesh]
service = "meshy"
api_key = "{KEY}"
budget_per_request = 1.5
budget_per_day = 20
at_once_max = 3
[budget_per_user_day]
credits = 7.25
"""


def written(folder: Path, text: str) -> list[str]:
    path = folder / "coordinator.toml"
    path.write_text(text.replace("FOLDER", str(folder)))
    return ["--config", str(path)]


async def test_what_the_settings_name_is_made_with_its_limits(tmp_path: Path) -> None:
    settings = load(written(tmp_path, MESHY))
    artifacts = FakeArtifacts(tmp_path)
    async with sources_of(
        settings, clock=ManualClock(), artifacts=artifacts, outside=FakeOutside()
    ) as sources:
        [source] = sources
        assert (source.name, source.offer.service, source.at_once_max) == ("mesh", "meshy", 3)
        assert (source.budget.request, source.budget.day) == (Decimal("1.5"), 20)
        assert source.budget.user_day is None
        assert len(source.callback) >= 32


async def test_a_key_stands_in_nothing_that_settings_say_of_themselves(tmp_path: Path) -> None:
    settings = load(written(tmp_path, MESHY))
    assert KEY not in repr(settings)
    assert KEY not in str(settings)


def test_an_option_may_come_from_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FARMHAND_PROVIDERS__MESH__API_KEY", "msy_another")
    settings = load(written(tmp_path, MESHY))
    assert settings.providers["mesh"]["api_key"] == "msy_another"
    assert settings.providers["mesh"]["service"] == "meshy"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[providers.mesh]\napi_key = "x"', "service"),
        ('[providers."a b"]\nservice = "meshy"', "can't name a provider"),
        ('[providers.mesh]\nservice = "mesh-y"', "there is no service 'mesh-y'"),
        ('[providers.mesh]\nservice = "meshy"\nbudget_per_day = -1', "budget_per_day"),
        ('[providers.mesh]\nservice = "meshy"\nshade = "blue"', "shade"),
        ("[budget_per_day]\nUSD = -1", "budget_per_day"),
    ],
)
async def test_what_makes_no_sense_is_refused_by_name(
    tmp_path: Path, text: str, words: str
) -> None:
    with pytest.raises(SettingsInvalid, match=words):
        async with sources_of(
            load(written(tmp_path, f'state_dir = "FOLDER"\n{text}')),
            clock=ManualClock(),
            artifacts=FakeArtifacts(tmp_path),
            outside=FakeOutside(),
        ):
            raise AssertionError("it was taken")


def test_a_worker_is_called_the_same_after_a_restart(tmp_path: Path) -> None:
    settings = load(written(tmp_path, 'state_dir = "FOLDER"'))
    assert worker_of(settings) == worker_of(settings)
