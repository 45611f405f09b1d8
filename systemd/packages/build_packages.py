"""`./farmhand package`: Debian packages of agent and coordinator, installed without a network.

A package brings its Python packages as wheels, pinned by the locks beside this file, and makes a
virtual environment of them with the Python of the system that it is installed on. It needs nothing
of Debian but python3. Building asks the package index for the wheels; nothing is compiled but the
pump, where there is a C compiler for the wanted processor.
"""

import argparse
import gzip
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from dataclasses import dataclass
from pathlib import Path

from lighter_wheel import lighter
from machine_code import unfit

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
SYSTEMD = ROOT / "systemd"
# Debian 12 and 13, and Raspberry Pi OS made of them.
PYTHONS = ("3.11", "3.13")
# The C library of Debian 12; what asks for a newer one would not start there.
GLIBC_MINOR_MAX, GLIBC_MINOR_MIN = 36, 17
# They come as source alone, in Python alone; a wheel of theirs is made here.
SOURCES = ("rectpack",)
MAINTAINER = "The Farmhand developers <farmhand@localhost>"


@dataclass(frozen=True, slots=True)
class Processor:
    """What one of Debian's architectures is called elsewhere."""

    machine: str
    compiler: str


PROCESSORS = {
    "amd64": Processor("x86_64", "x86_64-linux-gnu-gcc"),
    "arm64": Processor("aarch64", "aarch64-linux-gnu-gcc"),
    "armhf": Processor("armv7l", "arm-linux-gnueabihf-gcc"),
}


@dataclass(frozen=True, slots=True)
class Package:
    """One package.

    Attributes:
        extras: of `farmhand`, that are installed.
        rooms: of Farmhand's own code, that come along.
        commands: of the environment, that people type.
        files: of `systemd/` and `configs/`, and where they go.
        user: who runs it and may read its settings.
        keeps: globs of what is its own on a machine, gone only after a purge.
    """

    name: str
    summary: str
    extras: str
    rooms: tuple[str, ...]
    commands: tuple[str, ...]
    files: dict[str, str]
    units: tuple[str, ...]
    user: str
    settings: str
    keeps: tuple[str, ...]
    recommends: tuple[str, ...]
    processors: tuple[str, ...]


def _units(*names: str) -> dict[str, str]:
    return {f"systemd/{name}": f"usr/lib/systemd/system/{name}" for name in names}


PACKAGES = {
    "agent": Package(
        name="farmhand-agent",
        summary="prints what a 3D-print farm assigns, beside the printers",
        extras="agent",
        rooms=("agent", "protocols"),
        commands=("farmhand-agent", "farmhand-printer"),
        files={
            **_units("farmhand-agent.service", "farmhand-agent@.service"),
            "systemd/sysusers.d/farmhand-agent.conf": "usr/lib/sysusers.d/farmhand-agent.conf",
            "systemd/tmpfiles.d/farmhand-agent.conf": "usr/lib/tmpfiles.d/farmhand-agent.conf",
            "systemd/udev/70-farmhand.rules": "usr/lib/udev/rules.d/70-farmhand.rules",
            "configs/agent.toml": "etc/farmhand/agent.toml",
        },
        units=("farmhand-agent.service", "farmhand-agent@*.service"),
        user="farmhand-agent",
        settings="/etc/farmhand/agent.toml",
        keeps=("/var/lib/farmhand/agent", "/var/lib/farmhand/agent-*"),
        recommends=("udev",),
        processors=("amd64", "arm64", "armhf"),
    ),
    "coordinator": Package(
        name="farmhand-coordinator",
        summary="runs a 3D-print farm: slices models, assigns plates, shows it all",
        extras="coordinator,postgresql,slicing",
        # The agent too: trial printers, and releases for agents, are made of it.
        rooms=("agent", "coordinator", "protocols", "slicing"),
        commands=("farmhand",),
        files={
            **_units(
                "farmhand-coordinator.service",
                "farmhand-mosquitto.path",
                "farmhand-mosquitto.service",
            ),
            "systemd/sysusers.d/farmhand-coordinator.conf": (
                "usr/lib/sysusers.d/farmhand-coordinator.conf"
            ),
            "systemd/tmpfiles.d/farmhand-coordinator.conf": (
                "usr/lib/tmpfiles.d/farmhand-coordinator.conf"
            ),
            "systemd/sandbox.conf": "usr/share/farmhand-coordinator/sandbox.conf",
            "configs/coordinator.toml": "etc/farmhand/coordinator.toml",
        },
        units=("farmhand-coordinator.service", "farmhand-mosquitto.path"),
        user="farmhand",
        settings="/etc/farmhand/coordinator.toml",
        keeps=("/var/lib/farmhand/coordinator",),
        recommends=("mosquitto", "prusa-slicer", "bubblewrap", "openscad", "openscad-mcad"),
        processors=("amd64", "arm64"),
    ),
}


class NotPackaged(Exception):
    """A package can't be made; the text says what to do."""


def build(
    package: Package,
    own: Path,
    *,
    processor: str,
    pythons: tuple[str, ...],
    revision: str,
    out: Path,
) -> Path:
    """Make one package; return its file.

    Args:
        own: Farmhand's own wheel for this processor.
        processor: Debian's word for it: amd64, arm64, armhf.
        pythons: minor versions of Python that it can be installed beside.
        revision: of the packaging; a larger one of the same version is an upgrade.

    Raises:
        NotPackaged: it can't be made here.
    """
    if processor not in package.processors:
        raise NotPackaged(f"there is no {package.name} for {processor}: its libraries have none")
    version = f"{_project_version()}-{revision}"
    out.mkdir(parents=True, exist_ok=True)
    made = out / f"{package.name}_{version}_{processor}.deb"
    with tempfile.TemporaryDirectory(prefix="farmhand-package-") as folder:
        tree = Path(folder) / "tree"
        wheels = tree / "usr/lib" / package.name / "wheels"
        wheels.mkdir(parents=True)
        lighter(own, package.rooms, wheels)
        ready, sources = _split(_lock(package), Path(folder))
        for python in pythons:
            _download(ready, wheels, PROCESSORS[processor].machine, python)
        if sources.read_text():
            _pip("wheel", "--no-deps", "--require-hashes", "-w", str(wheels), "-r", str(sources))
        if faults := unfit(wheels, processor, glibc_minor_max=GLIBC_MINOR_MAX):
            raise NotPackaged(f"for {processor} it would not start: {'; '.join(faults)}")
        _lay_out(package, tree)
        _describe(package, tree, version, processor, pythons)
        # Wheels are packed already: to pack them again takes minutes and wins nothing.
        draft = made.with_suffix(".part")
        _run("dpkg-deb", "--root-owner-group", "-Znone", "--build", str(tree), str(draft))
        draft.replace(made)
    return made


def _project_version() -> str:
    found = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    return str(found)


def _lock(package: Package) -> Path:
    return HERE / "locks" / f"{package.name.removeprefix('farmhand-')}.txt"


def _build_own_wheel(processor: Processor, folder: Path) -> Path:
    """Build Farmhand's own wheel, in a copy: the working copy's pump is for this machine."""
    copy = folder / "source"
    # All of the page's source goes along: without its .npmrc it would be built anew.
    unwanted = shutil.ignore_patterns(
        ".[!n]*", "node_modules", "dist", "build", "tests", "__pycache__", "libpump.*"
    )
    shutil.copytree(ROOT, copy, ignore=unwanted)
    environment = dict(os.environ, _PYTHON_HOST_PLATFORM=f"linux-{processor.machine}")
    compiler = shutil.which(processor.compiler)
    if compiler is None and os.uname().machine == processor.machine:
        compiler = shutil.which("cc")
    if compiler is None:
        sys.stderr.write(
            f"package: no {processor.compiler} here: printing will take more of the processor\n"
        )
    environment |= {"CC": compiler} if compiler else {"FARMHAND_PUMP": "off"}
    command = (sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder))
    _run(*command, cwd=copy, env=environment)
    [made] = folder.glob("*.whl")
    return made


def _split(lock: Path, folder: Path) -> tuple[Path, Path]:
    """Write a lock as two: what there are wheels of, and what comes as source."""
    pins = re.split(r"^(?=[a-z0-9])", lock.read_text(), flags=re.MULTILINE)[1:]
    sources = [pin for pin in pins if pin.partition("==")[0] in SOURCES]
    ready, rest = folder / "ready.txt", folder / "sources.txt"
    ready.write_text("".join(pin for pin in pins if pin not in sources))
    rest.write_text("".join(sources))
    return ready, rest


def _download(lock: Path, wheels: Path, machine: str, python: str) -> None:
    """Fetch the wheels that a lock pins, checked by their hashes."""
    minors = range(GLIBC_MINOR_MAX, GLIBC_MINOR_MIN - 1, -1)
    platforms = [*(f"manylinux_2_{minor}_{machine}" for minor in minors), f"linux_{machine}"]
    where = [
        word for each in (*platforms, f"manylinux2014_{machine}") for word in ("--platform", each)
    ]
    pinned = ("--no-deps", "--require-hashes", "--only-binary", ":all:", "-r", str(lock))
    _pip("download", *pinned, "--dest", str(wheels), "--python-version", python, *where)


def _pip(*arguments: str) -> None:
    _run(sys.executable, "-m", "pip", *arguments, "--quiet", "--disable-pip-version-check")


def _lay_out(package: Package, tree: Path) -> None:
    """Put every file where it belongs on the machine."""
    for source, target in package.files.items():
        path = tree / target
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / source, path)
        # Its reader is given to it by the tmpfiles rule, its name by the package's scripts.
        path.chmod(0o640 if target.startswith("etc/") else 0o644)
    for command in package.commands:
        _link(tree / "usr/lib/farmhand/bin" / command, f"../../{package.name}/venv/bin/{command}")
        _link(tree / "usr/bin" / command, f"../lib/farmhand/bin/{command}")
    papers = tree / "usr/share/doc" / package.name
    papers.mkdir(parents=True)
    shutil.copyfile(ROOT / "README.md", papers / "README.md")
    shutil.copyfile(ROOT / "LICENSE", papers / "copyright")
    changes = gzip.compress((ROOT / "CHANGELOG.md").read_bytes(), mtime=0)
    (papers / "changelog.gz").write_bytes(changes)


def _link(path: Path, target: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(target)


def _describe(
    package: Package, tree: Path, version: str, processor: str, pythons: tuple[str, ...]
) -> None:
    """Write what dpkg reads: control, conffiles, sums and the scripts."""
    files = [path for path in tree.rglob("*") if path.is_file() and not path.is_symlink()]
    about = tree / "DEBIAN"
    about.mkdir()
    (about / "control").write_text(
        f"Package: {package.name}\nVersion: {version}\nArchitecture: {processor}\n"
        f"Maintainer: {MAINTAINER}\nSection: misc\nPriority: optional\n"
        f"Installed-Size: {sum(path.stat().st_size for path in files) // 1024}\n"
        f"Depends: python3 (>= {pythons[0]}), passwd\n"
        f"Recommends: {', '.join(package.recommends)}\n"
        f"Description: {package.summary}\n"
        " Farmhand runs farms of 3D printers: a coordinator assigns sliced plates to agents.\n"
    )
    (about / "conffiles").write_text(f"{package.settings}\n")
    sums = (f"{hashlib.md5(p.read_bytes()).hexdigest()}  {p.relative_to(tree)}" for p in files)
    (about / "md5sums").write_text("\n".join(sums) + "\n")
    words = {
        "package": package.name,
        "requirement": f"farmhand[{package.extras}]=={_project_version()}",
        "pythons": " ".join(pythons),
        "units": " ".join(f"'{unit}'" for unit in package.units),
        "unit": package.units[0],
        "user": package.user,
        "settings": package.settings,
        "keeps": " ".join(package.keeps),
    }
    for script in ("postinst", "prerm", "postrm"):
        text = (HERE / "scripts" / script).read_text()
        for name, value in words.items():
            text = text.replace(f"@{name}@", value)
        (about / script).write_text(text)
        (about / script).chmod(0o755)


def _run(*command: str, cwd: Path = ROOT, env: dict[str, str] | None = None) -> None:
    done = subprocess.run(
        command, cwd=cwd, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        check=False,
    )  # fmt: skip
    if done.returncode:
        raise NotPackaged(f"{' '.join(command[:4])} ... failed:\n{done.stdout.strip()[-2000:]}")


def _own_processor() -> str:
    machine = os.uname().machine
    return next((name for name, each in PROCESSORS.items() if each.machine == machine), "amd64")


def main(arguments: list[str] | None = None) -> int:
    """Build what is asked for; return 0, or 1 with what to do."""
    asked = argparse.ArgumentParser(prog="farmhand package", description=__doc__)
    asked.add_argument("packages", nargs="*", help="agent, coordinator (default: both)")
    asked.add_argument("--processor", choices=PROCESSORS, default=_own_processor())
    asked.add_argument("--python", action="append", help=f"default: {' and '.join(PYTHONS)}")
    asked.add_argument("--revision", default="1", help="of the packaging (default: 1)")
    asked.add_argument("--out", type=Path, default=ROOT / "dist")
    told = asked.parse_args(arguments)
    if unknown := set(told.packages) - set(PACKAGES):
        asked.error(
            f"there is no package {', '.join(sorted(unknown))}; there are agent and coordinator"
        )
    try:
        with tempfile.TemporaryDirectory(prefix="farmhand-wheel-") as folder:
            own = _build_own_wheel(PROCESSORS[told.processor], Path(folder))
            for name in told.packages or PACKAGES:
                made = build(
                    PACKAGES[name],
                    own,
                    processor=told.processor,
                    pythons=tuple(told.python or PYTHONS),
                    revision=told.revision,
                    out=told.out,
                )
                sys.stdout.write(f"{made} ({made.stat().st_size / 1e6:.1f} MB)\n")
    except NotPackaged as error:
        sys.stderr.write(f"farmhand package: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
