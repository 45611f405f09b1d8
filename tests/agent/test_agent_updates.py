"""An agent takes a release once nothing prints, and runs it on trial. Real broker, real files."""

import hashlib
import json
import zipfile
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from agent import installing, launching
from agent.app import build
from agent.launcher import VARIABLE, Launched
from agent.printers.driver import RunState
from agent.settings import AgentSettings
from coordinator.adapters.release_files import pack, sign
from protocols.errors import ReleaseUnfit, ReleaseUntrusted
from protocols.release.manifest import Machine, Manifest, Need
from protocols.release.signing import public_key
from tests.fakes.granted_agent import agent, farm
from tests.fakes.releases import APP, Workshop, contents, kinds, signature_of
from tests.fakes.scripted_driver import ScriptedDriver

NEW = "9.0.0"


@pytest.fixture
def untried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spare the process in which a version tells what it is."""
    monkeypatch.setattr(installing, "_try", lambda home, wanted: None)


def launched(
    settings: AgentSettings, monkeypatch: pytest.MonkeyPatch, key: str = ""
) -> AgentSettings:
    """Have an agent believe that the launcher started it, and trust a key."""
    how = Launched(
        state_dir=str(settings.state_dir), installed=build(), command=("x",), python_path=None
    )
    monkeypatch.setenv(VARIABLE, json.dumps(asdict(how)))
    return settings.model_copy(update={"update_keys": [key] if key else []})


def asked(file: Path, version: str, **changes: Any) -> dict[str, Any]:
    data = file.read_bytes()
    return {
        "version": version,
        "sha256": hashlib.sha256(data).hexdigest(),
        "size_bytes": len(data),
        "url": f"/releases/{file.name}",
        "signature": signature_of(file),
        "trial_s": 60.0,
        **changes,
    }


async def test_a_release_is_taken_when_the_print_is_over_and_no_other_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop, driver = Workshop(tmp_path / "releases"), ScriptedDriver()
    file = shop.good(NEW)
    async with farm(tmp_path) as (settings, other):
        settings = launched(settings, monkeypatch, shop.key)
        async with agent(settings, driver) as app:
            await other.want()
            await other.until(other.phase("printing"))
            result = await other.command_agent("update", **asked(file, NEW))
            assert result.ok, result.message
            await other.until(lambda: "draining" in other.update_phases)
            assert other.draining
            again = await other.command_agent("update", **asked(file, NEW))
            assert again.ok
            assert not app.updates.due
            driver.proceed(RunState.FINISHED)
            await other.until(other.has("started", "finished"))
            await other.work_until(app.drain.empty)
            assert app.updates.due
        assert other.update_phases == ["fetching", "draining"]
        standing = launching.read(settings.state_dir)
        assert (standing.trial, standing.trial_s, standing.over) == (NEW, 60.0, build())
        assert launching.is_whole(settings.state_dir, NEW)
        assert driver.starts == ["r1"]


async def test_a_version_on_trial_takes_no_run_before_it_is_said_to_be_sound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    driver = ScriptedDriver()
    async with farm(tmp_path) as (settings, other):
        settings = launched(settings, monkeypatch)
        trial = launching.try_out(
            launching.Standing(current="0.0.9"), build(), trial_s=60.0, over=build()
        )
        launching.write(settings.state_dir, replace(trial, starts=1))
        async with agent(settings, driver):
            await other.want()
            await other.until(lambda: other.draining and other.waits_for("drained"))
            assert other.update_phases == ["trial"]
            refused = await other.command_agent("settle_update", version="8.8.8")
            assert (refused.ok, refused.code) == (False, "update_refused")
            assert (await other.command_agent("settle_update", version=build())).ok
            await other.until(other.phase("printing"))
            assert not other.draining
            assert (await other.command_agent("settle_update", version=build())).ok
        standing = launching.read(settings.state_dir)
        assert (standing.current, standing.previous) == (build(), "0.0.9")


async def test_an_update_that_waits_for_a_print_can_be_called_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, untried: None
) -> None:
    shop, driver = Workshop(tmp_path / "releases"), ScriptedDriver()
    file = shop.good(NEW)
    async with farm(tmp_path) as (settings, other):
        settings = launched(settings, monkeypatch, shop.key)
        async with agent(settings, driver) as app:
            await other.want()
            await other.until(other.phase("printing"))
            await other.command_agent("update", **asked(file, NEW))
            await other.until(lambda: "draining" in other.update_phases)
            assert (await other.command_agent("cancel_update", version=NEW)).ok
            await other.until(lambda: not other.draining)
            assert not app.drain.on
            assert not (await other.command_agent("cancel_update", version=NEW)).ok


@pytest.mark.parametrize("case", ["no key", "not launched", "another folder", "nonsense"])
async def test_an_agent_that_can_take_no_update_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    shop = Workshop(tmp_path / "releases")
    said: dict[str, Any] = {"version": NEW, "size_bytes": 1}
    async with farm(tmp_path) as (settings, other):
        key = "" if case == "no key" else shop.key
        settings = launched(settings, monkeypatch, key)
        if case == "not launched":
            monkeypatch.delenv(VARIABLE)
        if case == "another folder":
            settings = settings.model_copy(update={"state_dir": tmp_path / "elsewhere"})
        if case == "nonsense":
            said["version"] = "../../etc"
        async with agent(settings, ScriptedDriver()):
            result = await other.command_agent("update", **said)
            assert (result.ok, result.code) == (False, "update_refused")
            await other.until(lambda: other.update_phases == ["refused"])
            assert other.updates[-1].words == result.message != ""


async def test_a_file_that_is_another_release_than_was_said_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, untried: None
) -> None:
    shop = Workshop(tmp_path / "releases")
    file = shop.good(NEW)
    async with farm(tmp_path) as (settings, other):
        settings = launched(settings, monkeypatch, shop.key)
        async with agent(settings, ScriptedDriver()) as app:
            await other.command_agent("update", **asked(file, "9.0.1"))
            await other.until(lambda: "refused" in other.update_phases)
            assert "is release 9.0.0" in other.updates[-1].words
            assert not app.drain.on
        assert launching.read(settings.state_dir).trial is None


def installed(file: Path, shop: Workshop, tmp_path: Path, running: str = "0.1.0") -> Manifest:
    return installing.install(
        file, signature_of(file), [public_key(shop.key)], state_dir=tmp_path, running=running
    )


@pytest.mark.parametrize("kind", ["tampered with", "signed by a stranger"])
def test_what_nobody_trusted_signed_is_not_even_unpacked(tmp_path: Path, kind: str) -> None:
    shop = Workshop(tmp_path / "releases")
    file = shop.bad(NEW, kinds(0.0)[kind])
    with pytest.raises(ReleaseUntrusted):
        installed(file, shop, tmp_path)
    assert not (tmp_path / launching.FOLDER).exists()


def test_a_release_that_can_not_be_loaded_is_refused_before_anything_stops(
    tmp_path: Path,
) -> None:
    shop = Workshop(tmp_path / "releases")
    file = shop.bad(NEW, kinds(0.0)["can't be imported"])
    with pytest.raises(ReleaseUnfit, match="no_such_module"):
        installed(file, shop, tmp_path)
    assert not launching.is_whole(tmp_path, NEW)


def test_an_older_release_is_refused_unless_it_was_signed_for_that(
    tmp_path: Path, untried: None
) -> None:
    shop = Workshop(tmp_path / "releases")
    with pytest.raises(ReleaseUnfit, match="older"):
        installed(shop.good("1.0.0"), shop, tmp_path, running="2.0.0")
    manifest = installed(shop.good("1.0.1", downgrade=True), shop, tmp_path, running="2.0.0")
    assert manifest.version == "1.0.1"


def spoilt(shop: Workshop, tmp_path: Path, files: dict[str, bytes], **changes: Any) -> Path:
    """Return a release with other files, or another manifest, that was signed all the same."""
    file = tmp_path / "releases" / "spoilt.zip"
    manifest = Manifest(version=NEW, protocol_min=1, protocol_max=1)
    pack(file, files, replace(manifest, **changes))
    sign(file, tmp_path / "releases" / "key", "spoilt")
    return file


def test_a_library_that_is_missing_is_named_and_one_that_is_brought_is_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, untried: None
) -> None:
    shop = Workshop(tmp_path / "releases")
    monkeypatch.setattr(installing, "here", lambda: Machine(python=(3, 11), platform="aarch64"))
    files, manifest = contents(shop.good(NEW))
    needs = {**manifest.needs, "nonesuch": Need(lowest="1.2", below="2")}
    with pytest.raises(ReleaseUnfit, match=r"nonesuch from 1\.2 and below 2, here is none"):
        installed(spoilt(shop, tmp_path, files, needs=needs), shop, tmp_path)
    wheel = tmp_path / "wheel"
    with zipfile.ZipFile(wheel, "w") as made:
        made.writestr("nonesuch/__init__.py", "")
        made.writestr("nonesuch-1.2.data/purelib/more.py", "")
        made.writestr("nonesuch-1.2.data/scripts/run", "")
    files["wheels/nonesuch-1.2-py3-none-any.whl"] = wheel.read_bytes()
    files["wheels/nonesuch-1.2-cp39-cp39-manylinux1_x86_64.whl"] = b"not looked at"
    installed(spoilt(shop, tmp_path, files, needs=needs), shop, tmp_path)
    home = launching.home_of(tmp_path, NEW)
    assert (home / "nonesuch" / "__init__.py").exists()
    assert (home / "more.py").exists()
    assert not (home / "run").exists()


def test_a_release_whose_parts_are_not_what_it_says_is_refused(tmp_path: Path) -> None:
    shop = Workshop(tmp_path / "releases")
    file = shop.good(NEW)
    with zipfile.ZipFile(file) as release:
        said = {name: release.read(name) for name in release.namelist()}
    for change in ({APP: b"other"}, {"any/more.py": b""}, {"../outside": b""}):
        with zipfile.ZipFile(file, "w") as release:
            for name, data in {**said, **change}.items():
                release.writestr(name, data)
        sign(file, tmp_path / "releases" / "key", "spoilt")
        with pytest.raises(ReleaseUnfit):
            installed(file, shop, tmp_path)
    file.write_bytes(b"PK no zip")
    sign(file, tmp_path / "releases" / "key", "spoilt")
    with pytest.raises(ReleaseUnfit):
        installed(file, shop, tmp_path)
    assert not (tmp_path / "outside").exists()


async def test_old_versions_go_once_a_new_one_has_lasted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launching, "LASTING_S", 0.05)
    async with farm(tmp_path) as (settings, other):
        settings = launched(settings, monkeypatch)
        for version in ("0.0.1", "0.0.2", "0.0.3"):
            launching.home_of(settings.state_dir, version).mkdir(parents=True)
        standing = launching.Standing(
            current="0.0.3", previous="0.0.2", lasting=False, starts=2, over=build()
        )
        launching.write(settings.state_dir, standing)
        async with agent(settings, ScriptedDriver()):
            await other.until(lambda: not launching.home_of(settings.state_dir, "0.0.1").exists())
        assert launching.read(settings.state_dir).lasting
        assert launching.home_of(settings.state_dir, "0.0.2").exists()
