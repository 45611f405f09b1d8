"""What `farmhand doctor` says of providers: their settings, what shuts code in, how they are."""

from pathlib import Path
from typing import Any

import pytest

from coordinator.adapters.sandbox.levels import Found, Level
from coordinator.cli import doctor_providers
from coordinator.cli.client import FarmClient
from coordinator.cli.place import Place
from coordinator.domain.breaker import Call
from coordinator.domain.providing import Blame, Health, ProviderFault
from coordinator.settings import Settings
from coordinator.usecases.sources import Source, Sources
from protocols.diagnosis import Finding
from tests.coordinator.cli.conftest import Farmhand
from tests.fakes.scripted_provider import ScriptedProvider
from tests.fakes.served_farm import TOKEN, ServedFarm, served

SECRET = "msy_a-secret-of-ours"
NO_KEY = ProviderFault(Blame.AUTH_CONFIG, "http_401", "the key is not taken: mend it")


async def found(settings: Settings, running: FarmClient | None = None) -> dict[str, list[Finding]]:
    said: dict[str, list[Finding]] = {}
    async for each in doctor_providers.providers(settings, running):
        said.setdefault(each.about, []).append(each)
    return said


def naming(tmp_path: Path, **providers: dict[str, Any]) -> Settings:
    return Settings(state_dir=tmp_path / "farm", providers=providers)


async def test_they_are_told_with_the_names_of_their_keys_and_not_with_what_these_hold(
    tmp_path: Path,
) -> None:
    key = tmp_path / "meshy.key"
    key.write_text(SECRET)
    mesh = {"service": "meshy", "api_key_file": str(key)}
    said = await found(naming(tmp_path, mesh=mesh, scad={"service": "openscad"}))
    assert said["provider mesh"][0].words == "Meshy, keys: api_key_file"
    assert "OpenSCAD" in said["provider scad"][0].words
    assert said["sandbox"][0].words.startswith("bwrap")
    assert SECRET not in str(said)
    key.write_text(f"{SECRET} {SECRET}")
    [broken] = (await found(naming(tmp_path, mesh=mesh)))["providers"]
    assert (broken.level, SECRET in broken.words) == ("fail", False)
    assert not (tmp_path / "farm").exists(), "it only looks"


@pytest.mark.parametrize(
    ("level", "service", "verdict"),
    [
        (Level.BWRAP_SECCOMP, "openscad", "ok"),
        (Level.BWRAP, "openscad", "warn"),
        (Level.RLIMITS, "openscad", "warn"),
        (Level.RLIMITS, "link", "ok"),  # no code is run for it
    ],
)
async def test_a_machine_that_shuts_code_in_badly_is_told_where_code_is_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, level: Level, service: str, verdict: str
) -> None:
    weak = Found(level=level, words="the kernel refuses")
    monkeypatch.setattr(doctor_providers.levels, "find", lambda: weak)
    [sandbox] = (await found(naming(tmp_path, one={"service": service})))["sandbox"]
    assert (sandbox.level, bool(sandbox.mend)) == (verdict, verdict != "ok")
    assert sandbox.words.startswith(level.value)


async def test_a_coordinator_that_runs_asks_them_how_they_are(tmp_path: Path) -> None:
    well, ill, shut = ScriptedProvider(), ScriptedProvider(ready=False), ScriptedProvider()
    sources = [
        Source(name=name, provider=provider)
        for name, provider in (("well", well), ("ill", ill), ("shut", shut))
    ]
    farm = ServedFarm(tmp_path, sources=Sources(sources))
    sources[2].provider.health = unready  # type: ignore[method-assign]
    sources[2].failed(NO_KEY, farm.farm.clock)
    settings = naming(tmp_path, **{each.name: {"service": "link"} for each in sources})
    async with served(farm) as session:
        client = FarmClient(Place(url=str(session._base_url).rstrip("/"), token=TOKEN))
        said = await found(settings, client)
        assert said["provider well"][1].words == "ready, balance 9 USD"
        assert [said[f"provider {name}"][1].level for name in ("ill", "shut")] == ["fail", "fail"]


async def unready() -> Health:
    return Health(ready=False, words="no credit is left")


@pytest.fixture
def source() -> Source:
    return Source(name="mesh", provider=ScriptedProvider(), keys=("api_key",))


@pytest.fixture
def farm(tmp_path: Path, source: Source) -> ServedFarm:
    return ServedFarm(tmp_path, sources=Sources([source]))


async def test_health_names_the_providers_that_are_left_alone_and_why(
    farm: ServedFarm, source: Source, farmhand: Farmhand
) -> None:
    assert "providers: 1 of 1 well" in (await farmhand("health")).out
    source.failed(NO_KEY, farm.farm.clock)
    said = (await farmhand("health")).out
    assert "providers: mesh: the key is not taken: mend it" in said
    assert "providers: 0 of 1 well" in said
    shown = (await farmhand("provider", "show", "mesh", "--json")).json
    assert (shown["keys"], shown["last_fault"]["code"]) == (["api_key"], "http_401")
    assert shown["health"]["balance"] == "9 USD"
    again = (await farmhand("provider", "ls", "--json")).json
    assert again[0]["last_health"]["balance"] == "9 USD"
    assert source.stand(Call.SUBMIT, farm.farm.clock) == "closed"  # who is asked and well is used
