"""The demo's parts: its processes die with it, its files are valid, its figures add up."""

import asyncio
import json
import os
import signal
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

import coordinator.settings
from agent.settings import load as load_agent
from coordinator.cli import demo_setup
from coordinator.cli.demo_processes import ChildDied, Children
from coordinator.cli.demo_proof import Verdict, explain, summary
from coordinator.cli.exits import CommandFailed


@pytest.fixture
async def children(tmp_path: Path) -> AsyncIterator[Children]:
    started = Children(tmp_path, {**os.environ, "PYTHONPATH": str(tmp_path)})
    yield started
    await started.stop()


def module(folder: Path, name: str, code: str) -> str:
    (folder / f"{name}.py").write_text(code)
    return name


async def words_from(pipe: Path) -> str:
    """Return what was written to a named pipe, once all its writers have closed it or died."""
    async with asyncio.timeout(20):
        return await asyncio.to_thread(pipe.read_text)


async def test_the_death_of_a_process_is_told_with_its_last_words(
    children: Children, tmp_path: Path
) -> None:
    name = module(tmp_path, "dying", "print('the slicer is missing'); raise SystemExit(7)")
    child = await children.start("coordinator", name, [])
    await child.process.wait()
    with pytest.raises(ChildDied, match=r"coordinator ended with code 7[\s\S]*slicer is missing"):
        children.require_alive()


async def test_processes_that_ignore_a_kind_word_are_ended_all_the_same(
    children: Children, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("coordinator.cli.demo_processes.STOP_PATIENCE_S", 0.2)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    stubborn = module(
        tmp_path,
        "stubborn",
        "import signal, sys\nfrom pathlib import Path\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "Path(sys.argv[1]).write_text('deaf')\nwhile True: signal.pause()",
    )
    child = await children.start("one", stubborn, [str(pipe)])
    assert await words_from(pipe) == "deaf"
    await children.stop()
    assert child.process.returncode == -signal.SIGKILL


@pytest.mark.skipif(sys.platform != "linux", reason="prctl is Linux's")
async def test_processes_die_with_a_demo_that_is_killed(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    module(
        tmp_path,
        "sleeper",
        "import signal, sys\npipe = open(sys.argv[1], 'w')\n"
        "pipe.write('up')\npipe.flush()\nsignal.pause()",
    )
    parent = module(
        tmp_path,
        "parent",
        "import asyncio, os, sys, time\nfrom pathlib import Path\n"
        "from coordinator.cli.demo_processes import Children\n"
        "async def main():\n"
        "    children = Children(Path(sys.argv[1]), dict(os.environ))\n"
        "    await children.start('sleeper', 'sleeper', sys.argv[2:])\n"
        "    await asyncio.sleep(60)\n"
        "asyncio.run(main())",
    )
    environment = {**demo_setup.environment(), "PYTHONPATH": f"{tmp_path}:{os.getcwd()}"}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", parent, str(tmp_path), str(pipe), env=environment
    )
    with pipe.open() as opened:  # waits for the sleeper
        assert opened.read(1)
        process.kill()
        await process.wait()
        async with asyncio.timeout(20):
            await asyncio.to_thread(opened.read)  # ends with its last writer


def test_the_agents_file_is_a_valid_configuration_with_every_printer(tmp_path: Path) -> None:
    with demo_setup.folder(tmp_path) as home:
        ids = demo_setup.printer_ids(3)
        for printer_id in ids:
            home.camera(printer_id).write_text("http://127.0.0.1:8080/\n")
        home.agent_config.write_text(
            demo_setup.agent_toml(
                home, ids, api_url="http://127.0.0.1:8150", mqtt_url="mqtt://127.0.0.1:1883"
            )
        )
        settings = load_agent(["--config", str(home.agent_config)])
    assert [printer.id for printer in settings.printers] == ids
    assert settings.printers[2].camera == "http://127.0.0.1:8080/"
    assert settings.printers[2].settings == {"port": str(home.port("printer-3"))}


def test_the_coordinators_flags_are_known_to_it(tmp_path: Path) -> None:
    with demo_setup.folder(tmp_path) as home:
        settings = coordinator.settings.load(demo_setup.coordinator_arguments(home))
    assert settings.state_dir == home.coordinator
    assert (settings.port, settings.broker_port) == (0, 0)


def test_a_temporary_folder_is_gone_unless_something_went_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with demo_setup.folder(None) as home:
        assert home.logs.is_dir()
    assert not home.path.exists()
    with pytest.raises(CommandFailed), demo_setup.folder(None) as home:
        raise CommandFailed("a printer died")
    assert home.logs.is_dir()


def test_a_named_folder_stays_without_the_logs_of_an_earlier_demo(tmp_path: Path) -> None:
    with demo_setup.folder(tmp_path / "mine") as home:
        home.executed("printer-1").write_text("1\tG28\n")
    assert home.path.is_dir()
    with demo_setup.folder(tmp_path / "mine"):
        assert not home.executed("printer-1").exists(), "an old log would be held against the file"


def test_the_users_own_farm_does_not_reach_the_demo(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FARMHAND_TOKEN", "of-a-real-farm")
    assert not [name for name in demo_setup.environment() if name.startswith("FARMHAND")]


def providers_of(told: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> dict[str, dict]:
    """Return the providers that a coordinator has with these variables and no others."""
    with monkeypatch.context() as patched:
        for name in [each for each in os.environ if each.startswith("FARMHAND")]:
            patched.delenv(name)
        for name, value in told.items():
            patched.setenv(name, value)
        return coordinator.settings.load([]).providers


def test_a_demo_takes_code_of_ones_own_without_an_account(monkeypatch: pytest.MonkeyPatch) -> None:
    told = demo_setup.provider_settings()
    assert providers_of(told, monkeypatch) == {"code": {"service": "openscad"}}


def test_providers_that_the_user_names_reach_the_demo_with_their_budgets(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    writer = {"service": "openscad", "base_url": "http://127.0.0.1:11434/v1", "model": "coder"}
    monkeypatch.setenv("FARMHAND_PROVIDERS", json.dumps({"writer": writer}))
    monkeypatch.setenv("FARMHAND_PROVIDERS__MESHY__SERVICE", "meshy")
    monkeypatch.setenv("FARMHAND_PROVIDERS__MESHY__API_KEY", "msy_of-the-user")
    monkeypatch.setenv("FARMHAND_BUDGET_PER_DAY", '{"credits": 20}')
    told = demo_setup.provider_settings()
    assert told["FARMHAND_BUDGET_PER_DAY"] == '{"credits": 20}'
    assert providers_of(told, monkeypatch) == {
        "writer": writer,
        "meshy": {"service": "meshy", "api_key": "msy_of-the-user"},
        "code": {"service": "openscad"},
    }


def test_files_of_providers_are_meant_from_where_the_user_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    fal = {"service": "fal", "api_key_file": "keys/fal", "models": {"flux": {"cost": "1"}}}
    monkeypatch.setenv("FARMHAND_PROVIDERS", json.dumps({"fal": fal}))
    monkeypatch.setenv("FARMHAND_PROVIDERS__MESHY__SERVICE", "meshy")
    monkeypatch.setenv("FARMHAND_PROVIDERS__MESHY__API_KEY_FILE", "meshy.key")
    monkeypatch.setenv("FARMHAND_PROVIDERS__CODE__SERVICE", "openscad")
    monkeypatch.setenv("FARMHAND_PROVIDERS__CODE__LIBRARIES_FOLDER", "/srv/scad")
    found = providers_of(demo_setup.provider_settings(), monkeypatch)
    assert found["fal"] == {**fal, "api_key_file": str(tmp_path / "keys" / "fal")}
    assert found["meshy"]["api_key_file"] == str(tmp_path / "meshy.key")
    assert found["code"] == {"service": "openscad", "libraries_folder": "/srv/scad"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("FARMHAND_PROVIDERS", '{"code": {"service": "cad_python"}}'),
        ("FARMHAND_PROVIDERS__CODE__SERVICE", "cad_python"),
    ],
)
def test_a_provider_of_the_users_own_stands_for_the_demos(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    told = demo_setup.provider_settings()
    assert providers_of(told, monkeypatch) == {"code": {"service": "cad_python"}}


def run(printer_id: str, state: str = "finished") -> dict:
    facts = {"duration_s": 10.0, "lines_sent": 100, "resends": 1}
    return {"printer_id": printer_id, "state": state, "facts": facts}


def test_the_summary_adds_up_what_finished() -> None:
    job = {
        "name": "barn",
        "state": "finished",
        "copies": 3,
        "copies_finished": 3,
        "plates": [{"filament_g": 2.0, "filament_mm": 700.0}],
        "runs": [run("p-1"), run("p-2"), run("p-1"), run("p-2", "failed")],
    }
    rows = dict(summary(job, speed=60, wall_s=12.34))
    assert rows["printers used"] == "2"
    assert rows["lines sent"] == "300"
    assert rows["lines sent again"] == "3"
    assert rows["print time"].startswith("30 min")
    assert rows["filament"] == "2.10 m, 6.0 g"


def test_a_proof_with_nothing_to_compare_proves_nothing() -> None:
    assert not Verdict(compared=0, differences={}).proven
    assert explain(Verdict(compared=3, differences={})) == [
        "3 of 3 executed logs equal the sliced file"
    ]
