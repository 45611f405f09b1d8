"""Both daemons do all their work while they are shut in as their units say."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.fakes import confined
from tests.fakes.confined import NOBODY, ROOT
from tests.fakes.processes import Coordinator, environment, started, until

UNITS = ROOT / "systemd"
PLATE = "M104 S200\nG28\n" + "".join(f"G1 X{10 + n} Y20 E{n} F6000\n" for n in range(20))
WAY_IN = "from coordinator.adapters.sandbox import levels; print(levels.find().level.value)"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not confined.possible(), reason="wants root, bwrap, setpriv, systemd"),
]


@contextmanager
def shut_in(
    unit: str, module: str, *arguments: str | Path, state: Path, readable: list[Path], log: Path
) -> Iterator[subprocess.Popen[bytes]]:
    state.mkdir(mode=0o700)
    os.chown(state, NOBODY, NOBODY)
    before = confined.command([UNITS / unit], [state], readable)
    with log.open("wb") as words:
        process = subprocess.Popen(
            [*before, sys.executable, "-m", module, *map(str, arguments)],
            stdin=subprocess.DEVNULL,
            stdout=words,
            stderr=words,
            cwd=ROOT,
            env=environment(HOME=str(state.parent / "none")),
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def ordered(farm: Coordinator, file: Path, *options: str) -> None:
    done = farm.farmhand("job", "submit", file, *options)
    assert done.code == 0, done.out + done.err + farm.log.read_text()


def test_plates_are_printed_and_models_sliced_by_daemons_that_are_shut_in() -> None:
    # Outside of pytest's folders, which are nobody's business.
    with TemporaryDirectory(prefix="farmhand-") as name:
        folder = Path(name)
        farm_dir, state, port = folder / "farm", folder / "agent", folder / "port"
        config = folder / "agent.toml"
        flags = ("--state-dir", farm_dir, "--port", "0", "--broker-port", "0")
        with (
            started("agent.simulator", "--pty", port, "--speed", "1000", log=folder / "p.log"),
            shut_in(
                "farmhand-coordinator.service",
                "coordinator",
                *flags,
                state=farm_dir,
                readable=[],
                log=folder / "farm.log",
            ) as process,
        ):
            told = farm_dir / "coordinator.json"
            until(told.exists, "the coordinator: " + (folder / "farm.log").read_text())
            farm = Coordinator(process, farm_dir, folder / "farm.log", json.loads(told.read_text()))
            until(port.exists, "the printer")
            os.chmod(os.path.realpath(port), 0o666)
            config.write_text(
                f'agent_id = "pi"\nmqtt_url = "{farm.facts["mqtt_url"]}"\n'
                f'coordinator_url = "{farm.url}"\ntoken = "{farm.token}"\n[[printers]]\n'
                f'id = "mk3"\nprinter_class = "farmhand-220"\nmaterial = "PLA"\n'
                f'settings = {{ port = "{os.path.realpath(port)}" }}\n'
            )
            with shut_in(
                "farmhand-agent.service",
                "agent",
                *("--config", config, "--state-dir", state),
                state=state,
                readable=[config],
                log=folder / "agent.log",
            ):
                clear = "printers/mk3/clear"
                until(lambda: farm.ask(clear, method="POST")[0] == 200, "the printer to be idle")
                plate = folder / "plate.gcode"
                plate.write_text(PLATE)
                ordered(farm, plate, "--class", "farmhand-220")
                until(lambda: farm.jobs()[-1]["state"] == "finished", "the plate")
                until(lambda: farm.ask(clear, method="POST")[0] == 200, "the bed to be cleared")
                model = ROOT / "configs" / "dev" / "barn.stl"
                ordered(farm, model, "--material", "PLA", "--quality", "draft")
                until(lambda: farm.jobs()[-1]["state"] == "printing", "the model to be sliced")
            journal = state / "journal.sqlite"
            assert journal.stat().st_uid == NOBODY


@pytest.mark.parametrize(
    ("units", "level"),
    [
        (["farmhand-coordinator.service"], "rlimits"),
        (["farmhand-coordinator.service", "sandbox.conf"], "bwrap+seccomp"),
    ],
)
def test_code_of_strangers_is_shut_in_where_the_unit_lets_it_be(
    units: list[str], level: str
) -> None:
    before = confined.command([UNITS / each for each in units], [])
    program = [*before, sys.executable, "-c", WAY_IN]
    done = subprocess.run(program, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == level
