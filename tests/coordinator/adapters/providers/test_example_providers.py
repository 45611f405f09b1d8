"""The example of providers in configs: each loads as it stands there, once it is uncommented."""

import json
import re
import tomllib
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from coordinator.adapters.providers.own_server.presets import PRESETS
from coordinator.ports_providers import ProviderMaker, Tools
from tests.contracts.own_benches import WORKFLOW
from tests.fakes.fake_artifacts import FakeArtifacts
from tests.fakes.manual_clock import ManualClock

ROOT = Path(__file__).parents[4]
# What is the farm's in each table, and not the service's.
COMMON = re.compile("service|budget_.*|at_once_max|webhook_token|delete_there")
# A setting, or the head of a table; words have a space behind their sign.
SETTING = re.compile(r"^#(\S.*)$", re.MULTILINE)


def examples() -> dict[str, dict[str, Any]]:
    text = (ROOT / "configs" / "providers.toml").read_text()
    found: dict[str, dict[str, Any]] = tomllib.loads(SETTING.sub(r"\1", text))["providers"]
    return found


def maker(service: str) -> ProviderMaker:
    """Return what stands behind a service in pyproject.toml, installed or not."""
    told = tomllib.loads((ROOT / "pyproject.toml").read_text())
    module, _, name = told["project"]["entry-points"]["farmhand.providers"][service].partition(":")
    made: ProviderMaker = getattr(import_module(module), name)
    return made


@pytest.mark.parametrize("name", sorted(examples()))
def test_an_example_loads_as_it_stands_there(name: str, tmp_path: Path) -> None:
    table = examples()[name]
    text = json.dumps(table).replace("/etc/farmhand", str(tmp_path))
    for file in re.findall(rf"{tmp_path}/([\w.-]+)", text):
        content = json.dumps(WORKFLOW | {"3": {"class_type": "KSampler", "inputs": {}}})
        (tmp_path / file).write_text(content if file.endswith(".json") else "a-key")
    options = {key: value for key, value in json.loads(text).items() if not COMMON.fullmatch(key)}
    tools = Tools(clock=ManualClock(), artifacts=FakeArtifacts(tmp_path), folder=tmp_path)
    offer = maker(table["service"])(name, options, tools).offer
    assert offer.service in (table["service"], table.get("preset"))


def test_every_preset_that_differs_in_more_than_an_option_has_an_example() -> None:
    shown = {table.get("preset") for table in examples().values()}
    assert set(PRESETS) - shown == {"hunyuan3d-2-sync"}
