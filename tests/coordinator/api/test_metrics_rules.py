"""What a monitor is told keeps to Prometheus' rules; what is asked and watched is told.

Where there is no promtool (`./farmhand prove metrics` fetches it), names and labels are held
against what is told, and syntax is not.
"""

import asyncio
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from tests.coordinator.api.test_api_counted_metrics import counts
from tests.coordinator.api.test_api_metrics import finishes, prints
from tests.fakes import promtool
from tests.fakes.fake_farm import order_gcode
from tests.fakes.served_farm import ServedFarm, served

CONFIGS = Path(__file__).parents[3] / "configs"
RULES = CONFIGS / "prometheus" / "farmhand.rules.yml"
CASES = CONFIGS / "prometheus" / "farmhand.rules.test.yml"
BOARD = CONFIGS / "grafana" / "farmhand.json"

BASE_UNITS = ("seconds", "bytes", "celsius", "ratio", "grams", "joules")
OTHER_UNITS = re.compile(
    r"_(ms|milliseconds|minutes?|hours?|days?|percent|fahrenheit|[kmg]i?b|kilobytes|s)(_|$)"
)
LABELS = {
    "agent", "direction", "driver", "engine", "heater", "le", "level", "location", "material",
    "method", "name", "part", "printer", "printer_class", "printer_group", "reason", "result",
    "route", "rule", "state", "status", "type", "version",
}  # fmt: skip
# Prometheus gives these to all that it scrapes.
ITS_OWN = frozenset({"instance", "job"})
SCHEMA_VERSION = 39
GRID_WIDTH = 24

asked_of_promtool = pytest.mark.skipif(
    promtool.find() is None, reason="promtool is not installed: ./farmhand prove metrics"
)


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return what is told of a farm in which there is something of everything."""
    return asyncio.run(_told(ServedFarm(tmp_path_factory.mktemp("told"))))


async def _told(farm: ServedFarm) -> str:
    async with served(farm) as session:
        return await _told_of_everything(farm, session)


async def _told_of_everything(farm: ServedFarm, session: aiohttp.ClientSession) -> str:
    await counts(farm, session, "a-secret")
    async with session.get("/metrics") as response:
        assert response.status == 200
    farm.clock.advance(15.0)
    await order_gcode(farm.farm, name="a-secret", file_name="a-secret.gcode", owner="a-secret")
    await prints(farm)
    await finishes(farm)
    async with session.get("/api/v1/jobs/a-secret") as response:
        assert response.status == 404
    async with session.get("/metrics") as response:
        return await response.text()


@pytest.fixture(scope="module")
def families(text: str) -> list[Metric]:
    return list(text_string_to_metric_families(text))


def alerts() -> dict[str, Any]:
    [group] = yaml.safe_load(RULES.read_text())["groups"]
    return {rule["alert"]: rule for rule in group["rules"]}


def board() -> Any:
    return json.loads(BOARD.read_text())


def queries() -> Iterator[str]:
    """Yield all that the alerts and the board ask for."""
    yield from (rule["expr"] for rule in alerts().values())
    for panel in board()["panels"]:
        yield from (target["expr"].replace("$printer", ".*") for target in panel["targets"])


QUERIES = list(queries())


def test_every_family_says_what_it_is_once_and_holds_together(text: str) -> None:
    lines = text.splitlines()
    heads = [line.split()[2] for line in lines if line.startswith("# TYPE ")]
    assert heads == [line.split()[2] for line in lines if line.startswith("# HELP ")]
    assert len(set(heads)) == len(heads)
    samples = [line.rpartition(" ")[0] for line in lines if not line.startswith("#")]
    assert len(set(samples)) == len(samples)
    for line in lines:
        if line.startswith("# HELP "):
            assert re.fullmatch(r"# HELP farmhand(_[a-z]+)+ [A-Z0-9].*\.", line)


def test_what_is_told_is_in_base_units_or_counted(families: list[Metric]) -> None:
    for family in families:
        assert not OTHER_UNITS.search(family.name), family.name
        values = [sample.value for sample in family.samples]
        if family.name.endswith("_ratio"):
            assert all(0 <= value <= 1 for value in values), family.name
        if family.name.endswith("_info"):
            assert set(values) <= {1}, family.name
        if not family.name.endswith(BASE_UNITS):
            assert all(value == int(value) for value in values), family.name


def test_only_what_grows_is_called_a_total(text: str) -> None:
    for name, kind in re.findall(r"^# TYPE (\w+) (\w+)$", text, re.MULTILINE):
        assert name.endswith("_total") is (kind == "counter"), name


def test_of_a_set_of_states_one_holds(families: list[Metric]) -> None:
    [states] = [family for family in families if family.name == "farmhand_printer_state"]
    held: dict[str, list[float]] = {}
    for sample in states.samples:
        held.setdefault(sample.labels["printer"], []).append(sample.value)
    assert len(held) == 2
    assert all(sorted(values) == [0] * (len(values) - 1) + [1] for values in held.values())


def test_labels_are_few_and_a_name_stands_in_info_alone(families: list[Metric]) -> None:
    for family in families:
        for sample in family.samples:
            assert sample.labels.keys() <= LABELS, sample
            assert "name" not in sample.labels or family.name.endswith("_info"), sample


def test_no_file_job_or_person_is_told(text: str) -> None:
    assert "secret" not in text


@pytest.mark.parametrize("query", QUERIES)
def test_what_is_asked_for_is_told_with_the_labels_that_are_named(
    query: str, families: list[Metric]
) -> None:
    told = {family.name: family for family in families}
    names = {
        re.sub("_(bucket|sum|count)$", "", each) for each in re.findall(r"farmhand_\w+", query)
    }
    known = ITS_OWN.union(*({*each.labels} for name in names for each in _of(told, name).samples))
    assert names
    asked = set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)\s*\"", query))
    for listed in re.findall(r"\b(?:by|on|ignoring|group_left)\s*\(([^)]*)\)", query):
        asked |= {each.strip() for each in listed.split(",")}
    assert asked <= known


def _of(told: dict[str, Metric], name: str) -> Metric:
    return told.get(name) or told[name.removesuffix("_total")]


def test_each_alert_says_what_to_do_and_is_tried_both_ways() -> None:
    cases = yaml.safe_load(CASES.read_text())
    tried: dict[str, set[bool]] = {name: set() for name in alerts()}
    for test in cases["tests"]:
        for case in test["alert_rule_test"]:
            tried[case["alertname"]].add(bool(case["exp_alerts"]))
    assert tried == {name: {True, False} for name in alerts()}
    for name, rule in alerts().items():
        assert rule["labels"].keys() == {"severity"}, name
        assert rule["annotations"].keys() == {"summary", "description"}, name


def test_grafana_is_given_panels_of_its_version_that_do_not_overlap() -> None:
    assert board()["schemaVersion"] == SCHEMA_VERSION
    panels = board()["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        at = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }
        assert at["x"] + at["w"] <= GRID_WIDTH
        assert not cells & taken, panel["title"]
        taken |= cells
        assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
        assert len({target["refId"] for target in panel["targets"]}) == len(panel["targets"])


@asked_of_promtool
def test_promtool_finds_nothing_wrong_with_what_is_told(text: str) -> None:
    assert promtool.says("check", "metrics", stdin=text) == ""


@asked_of_promtool
def test_promtool_understands_rules_and_configuration() -> None:
    assert promtool.says("check", "rules", RULES) == ""
    asks = CONFIGS / "prometheus" / "prometheus.yml"
    assert promtool.says("check", "config", "--syntax-only", asks) == ""


@asked_of_promtool
def test_promtool_sees_every_alert_come_when_it_should_and_only_then() -> None:
    assert promtool.says("test", "rules", CASES) == ""


@asked_of_promtool
def test_promtool_understands_what_the_board_asks(tmp_path: Path) -> None:
    rules = [{"record": f"asked_{number}", "expr": query} for number, query in enumerate(QUERIES)]
    file = tmp_path / "asked.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "asked", "rules": rules}]}))
    assert promtool.says("check", "rules", file) == ""
