"""Each extra of the wheel brings what its part needs and no more; what lacks one says which."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from coordinator.dashboard import build_page
from tests.edges.test_wheel import UV, called, wheel
from tests.fakes.mosquitto import free_port
from tests.fakes.processes import PATIENCE_S, environment, stop, until
from tests.fakes.solids import write_box

__all__ = ["wheel"]
END_S_MAX = 20.0
# What a Pi beside printers must not have to carry.
HEAVY = {
    "alembic", "amqtt", "apscheduler", "cryptography", "lxml", "manifold3d", "numpy", "obstore",
    "pillow", "psycopg", "rich", "scipy", "sqlalchemy", "sqlmodel", "trimesh", "typer",
}  # fmt: skip
OF_SLICING = {"lxml", "manifold3d", "numpy", "pillow", "scipy", "trimesh"}
AGENT_MIB_MAX = 60.0
PLATE = "M104 S200\nG28\n" + "".join(f"G1 X{10 + n} Y20 E{n} F6000\n" for n in range(20))
PRINTER = """
[[printers]]
id = "mk3"
driver = "marlin_serial"
printer_class = "farmhand-220"
material = "PLA"
settings = { port = "socket://127.0.0.1:%d" }
"""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(UV is None, reason="uv is not installed"),
    pytest.mark.skipif(not build_page.is_built(), reason="the page is not built"),
]


@dataclass(frozen=True)
class Installation:
    """A virtual environment with the wheel and what its extras bring."""

    folder: Path

    def program(self, name: str) -> str:
        return str(self.folder / "bin" / name)

    def environment(self, **changes: str) -> dict[str, str]:
        """Return ours, without the checkout's packages."""
        ours = environment(**changes)
        return {name: value for name, value in ours.items() if name != "PYTHONPATH"}

    def run(self, name: str, *arguments: str | Path, **changes: str) -> tuple[int, str]:
        done = subprocess.run(
            [self.program(name), *map(str, arguments)],
            cwd=self.folder,
            env=self.environment(**changes),
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
        )
        return done.returncode, done.stdout + done.stderr

    @contextmanager
    def started(self, log: Path, name: str, *arguments: str | Path) -> Iterator[None]:
        with log.open("wb") as words:
            process = subprocess.Popen(
                [self.program(name), *map(str, arguments)],
                cwd=self.folder,
                env=self.environment(),
                stdout=words,
                stderr=words,
            )
        try:
            yield
            assert process.poll() is None, log.read_text()
        finally:
            stop(process, within_s=END_S_MAX)

    def projects(self) -> set[str]:
        listed = subprocess.run(
            [
                "uv",
                "pip",
                "list",
                "--quiet",
                "--format",
                "json",
                "--python",
                self.program("python"),
            ],
            capture_output=True,
            check=True,
        )
        return {each["name"].lower() for each in json.loads(listed.stdout)}

    def mebibytes(self) -> float:
        files = (path for path in self.folder.rglob("*") if path.is_file())
        return sum(path.stat().st_size for path in files if not path.is_symlink()) / 2**20


def installed(wheel: Path, folder: Path, extras: str) -> Installation:
    called("uv", "venv", "--quiet", "--python", sys.executable, folder)
    python = folder / "bin" / "python"
    # As pip does; else the first start compiles all of it, for a minute on a slow machine.
    command = ("uv", "pip", "install", "--quiet", "--compile-bytecode", "--python", python)
    called(*command, f"{wheel}{extras}")
    return Installation(folder)


@pytest.fixture(scope="module")
def agent(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    return installed(wheel, tmp_path_factory.mktemp("agent") / "venv", "[agent]")


@pytest.fixture(scope="module")
def coordinator(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    return installed(wheel, tmp_path_factory.mktemp("coordinator") / "venv", "[coordinator]")


@pytest.fixture(scope="module")
def slicing(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    return installed(wheel, tmp_path_factory.mktemp("slicing") / "venv", "[coordinator,slicing]")


class Farm:
    """A coordinator and an agent of two installations, with a simulated printer."""

    def __init__(self, centre: Installation, folder: Path) -> None:
        self.centre, self.folder = centre, folder
        self.state = folder / "farm"

    def try_to(self, *words: str | Path) -> tuple[int, str]:
        return self.centre.run("farmhand", *words, FARMHAND_STATE_DIR=str(self.state))

    def ask(self, *words: str | Path) -> Any:
        code, said = self.try_to(*words)
        assert code == 0, said
        return json.loads(said) if "--json" in words else said

    def printer(self) -> str:
        found = self.ask("printer", "ls", "--json")
        return str(found[0]["status"]) if found else ""

    def cleared(self) -> None:
        until(lambda: self.printer() in ("needs_clearing", "idle"), "the printer to be known")
        if self.printer() == "needs_clearing":
            self.ask("printer", "clear", "mk3")

    def newest(self) -> Any:
        """Return the job that was ordered last."""
        return max(self.ask("job", "ls", "--json"), key=lambda job: str(job["created_at"]))


@contextmanager
def farm_of(centre: Installation, beside: Installation, folder: Path) -> Iterator[Farm]:
    farm, port = Farm(centre, folder), free_port()
    told = farm.state / "coordinator.json"
    flags = ("--state-dir", farm.state, "--port", "0", "--broker-port", "0")
    with ExitStack() as stack:
        log = folder / "coordinator.log"
        stack.enter_context(centre.started(log, "farmhand", "coordinator", *flags))
        until(told.exists, "the coordinator to start")
        facts = json.loads(told.read_text())
        settings = folder / "agent.toml"
        settings.write_text(
            f'agent_id = "pi"\nmqtt_url = "{facts["mqtt_url"]}"\n'
            f'coordinator_url = "{facts["api_url"]}"\n'
            f'token = "{(farm.state / "token").read_text().strip()}"\n{PRINTER % port}'
        )
        printer = ("--tcp", str(port), "--speed", "1000")
        stack.enter_context(beside.started(folder / "printer.log", "farmhand-printer", *printer))
        running = ("--config", settings, "--state-dir", folder / "agent")
        stack.enter_context(beside.started(folder / "agent.log", "farmhand-agent", *running))
        farm.cleared()
        yield farm


def test_the_agents_extra_is_light_and_brings_nothing_of_the_centre(agent: Installation) -> None:
    assert agent.projects() & HEAVY == set()
    assert agent.mebibytes() < AGENT_MIB_MAX


def test_the_coordinators_extra_brings_nothing_of_slicing(coordinator: Installation) -> None:
    assert coordinator.projects() & OF_SLICING == set()


@pytest.fixture(scope="module")
def light(
    agent: Installation, coordinator: Installation, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Farm]:
    with farm_of(coordinator, agent, tmp_path_factory.mktemp("light")) as farm:
        yield farm


def test_an_agent_and_a_coordinator_of_their_extras_print_a_plate(light: Farm) -> None:
    plate = light.folder / "plate.gcode"
    plate.write_text(PLATE)
    light.ask("job", "submit", plate, "--class", "farmhand-220")
    until(lambda: light.newest()["state"] == "finished", "the plate")


def test_a_coordinator_without_slicing_says_what_to_install(light: Farm, tmp_path: Path) -> None:
    write_box(tmp_path / "box.stl", 20, 20, 2)
    code, said = light.try_to("job", "submit", tmp_path / "box.stl", "--material", "PLA")
    assert code == 1
    assert "pip install 'farmhand[slicing]'" in said


def test_with_slicing_a_model_is_sliced_and_printed(
    agent: Installation, slicing: Installation, tmp_path: Path
) -> None:
    write_box(tmp_path / "box.stl", 20, 20, 2)
    with farm_of(slicing, agent, tmp_path) as farm:
        farm.ask("job", "submit", tmp_path / "box.stl", "--material", "PLA", "--quality", "draft")
        until(lambda: farm.newest()["state"] in ("finished", "failed"), "the slicing and the print")
        assert farm.newest()["state"] == "finished"


def test_the_bare_wheel_says_which_extra_to_install(wheel: Path, tmp_path: Path) -> None:
    bare = installed(wheel, tmp_path / "venv", "")
    for program, extra in (("farmhand", "[coordinator]"), ("farmhand-agent", "[agent]")):
        code, said = bare.run(program, "--help")
        assert code == 2
        assert f"pip install 'farmhand{extra}'" in said
        assert "Traceback" not in said
