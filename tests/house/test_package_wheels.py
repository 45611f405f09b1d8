"""What a package brings of Farmhand itself is what its daemon runs, and pip takes it."""

import csv
import importlib.util
import subprocess
import sys
import zipfile
from pathlib import Path
from types import ModuleType

import pytest

FOLDER = Path(__file__).parents[2] / "systemd" / "packages"
ENTRY_POINTS = """[console_scripts]
farmhand = coordinator.cli.start:main
farmhand-agent = agent.launcher:main

[farmhand.drivers]
OctoPrint = agent.printers.octoprint:OctoPrint

[farmhand.engines]
prusaslicer = slicing.prusaslicer:PrusaSlicer
"""
ABOUT = "farmhand-1.0.dist-info"
FILES = {
    "agent/__init__.py": "",
    "agent/launcher.py": "def main():\n    print('agent')\n",
    "protocols/__init__.py": "",
    "coordinator/__init__.py": "",
    "slicing/_configs/materials/pla.toml": "",
    f"{ABOUT}/METADATA": "Metadata-Version: 2.1\nName: farmhand\nVersion: 1.0\n",
    f"{ABOUT}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    f"{ABOUT}/entry_points.txt": ENTRY_POINTS,
}


def loaded(name: str) -> ModuleType:
    """Return a module of the builder, which is no package of ours."""
    spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def light(tmp_path: Path) -> Path:
    """Return a wheel of which agent and protocols were kept."""
    whole = tmp_path / "farmhand-1.0-py3-none-any.whl"
    with zipfile.ZipFile(whole, "w") as wheel:
        for name, text in FILES.items():
            wheel.writestr(name, text)
        rows = [f"{name},," for name, text in FILES.items()]
        wheel.writestr(f"{ABOUT}/RECORD", "\n".join([*rows, f"{ABOUT}/RECORD,,", ""]))
    (tmp_path / "light").mkdir()
    found = loaded("lighter_wheel").lighter(whole, ("agent", "protocols"), tmp_path / "light")
    assert isinstance(found, Path)
    return found


def test_it_brings_the_wanted_rooms_and_lists_just_these(light: Path) -> None:
    with zipfile.ZipFile(light) as wheel:
        names = set(wheel.namelist())
        listed = {row[0] for row in csv.reader(wheel.read(f"{ABOUT}/RECORD").decode().split())}
    assert names == listed
    assert {name.partition("/")[0] for name in names} == {"agent", "protocols", ABOUT}


def test_commands_and_drivers_stay_whose_code_does(light: Path) -> None:
    with zipfile.ZipFile(light) as wheel:
        text = wheel.read(f"{ABOUT}/entry_points.txt").decode()
    assert "farmhand-agent = agent.launcher:main" in text
    assert "OctoPrint = agent.printers.octoprint:OctoPrint" in text
    assert "coordinator" not in text
    assert "slicing" not in text


def test_pip_installs_it(light: Path, tmp_path: Path) -> None:
    target = tmp_path / "installed"
    pip = (sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps")
    done = subprocess.run(
        [*pip, "--disable-pip-version-check", "--target", target, light],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert (target / "bin" / "farmhand-agent").is_file()
    assert not (target / "bin" / "farmhand").exists()
