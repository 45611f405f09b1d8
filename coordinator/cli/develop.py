"""The verbs of those who work on Farmhand itself: test, bench, prove and package.

They run in a checkout, with the development lock installed (the launcher sees to that).
"""

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("agent", "coordinator", "protocols", "slicing")


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that every change has to pass, as a command in the virtual environment."""

    name: str
    command: tuple[str, ...]


CHECKS = (
    Check("lint", ("ruff", "check", ".")),
    Check("format", ("ruff", "format", "--check", ".")),
    Check("types", ("mypy", *(word for package in PACKAGES for word in ("-p", package)))),
    Check("import contracts", ("lint-imports", "--no-cache")),
)

# What runs too long to run at every change, by verb and name: each a module with its own options.
LONG: dict[str, dict[str, str]] = {
    "bench": {
        "serial": "tests.benchmarks.serial",
        "agent": "tests.benchmarks.agent",
        "bytes": "tests.benchmarks.wire_bytes",
        "farm": "tests.benchmarks.farm",
        "front": "tests.benchmarks.front",
        "generate": "tests.benchmarks.generating",
        "history": "tests.benchmarks.history",
        "homeassistant": "tests.benchmarks.homeassistant",
        "metrics": "tests.benchmarks.metrics",
        "page": "tests.benchmarks.page",
        "printable": "tests.benchmarks.printable",
        "sandbox": "tests.benchmarks.sandbox",
        "slicing": "tests.benchmarks.slicing",
        "hosts": "tests.benchmarks.host_drivers",
    },
    "prove": {
        "api": "tests.proofs.api",
        "chaos": "tests.proofs.chaos",
        "containers": "tests.proofs.containers",
        "crash": "tests.proofs.crash",
        "drivers": "tests.proofs.drivers",
        "fleet": "tests.proofs.fleet",
        "generations": "tests.proofs.generations",
        "homeassistant": "tests.proofs.homeassistant",
        "metrics": "tests.proofs.metrics",
        "moonraker": "tests.proofs.moonraker",
        "octoprint": "tests.proofs.octoprint",
        "packages": "tests.proofs.packages",
        "plates": "tests.proofs.plates",
        "presets": "tests.proofs.presets",
        "printable": "tests.proofs.printable",
        "page": "tests.proofs.page",
        "providers": "tests.proofs.providers",
        "prusalink": "tests.proofs.prusalink",
        "simulation": "tests.simulation",
        "systemd": "tests.proofs.live_systemd",
        "uploads": "tests.proofs.uploads",
    },
}

# Three workers for the two cores of the machines that check: the edge tests wait more than they
# compute. A file's tests stay together, so that a broker or a farm is started once a file.
TESTS = (
    "pytest",
    "--quiet",
    "-n",
    "3",
    "--dist",
    "loadfile",
    "--no-loadscope-reorder",
    "--durations",
    "25",
)


def test(arguments: list[str]) -> int:
    """Run every check and all tests, or only the tests that the arguments (pytest's) name.

    Returns:
        0 where all passed, else 1; everything is run whatever failed before.
    """
    failed = []
    if not arguments:
        failed = [check.name for check in CHECKS if not _passes(check)]
    tests = ("pytest", *arguments) if arguments else TESTS
    if not _passes(Check("tests", tests)):
        failed.append("tests")
    if failed:
        sys.stderr.write(f"failed: {', '.join(failed)}\n")
    return 1 if failed else 0


def long(verb: str, arguments: list[str]) -> int:
    """Become a benchmark (`bench`) or a proof (`prove`) by its name, with its own arguments.

    Who ends this process so ends that one, and has its exit code: 0 where nothing was missed.

    Returns:
        2 where there is no such one.
    """
    name, *rest = arguments or [""]
    module = LONG[verb].get(name)
    if module is not None:
        os.chdir(ROOT)
        os.execv(sys.executable, [sys.executable, "-m", module, *rest])
    known = ", ".join(f"{verb} {one}" for one in LONG[verb])
    sys.stderr.write(f"farmhand: there is no {verb} {name!r}; there is {known}\n")
    return 2


def package(arguments: list[str]) -> int:
    """Build the Debian packages; returns 0, or 1 where that failed."""
    builder = ROOT / "systemd" / "packages" / "build_packages.py"
    return subprocess.run([sys.executable, builder, *arguments], cwd=ROOT, check=False).returncode


def _passes(check: Check) -> bool:
    program = Path(sys.executable).with_name(check.command[0])
    sys.stdout.write(f"== {check.name}: {' '.join(check.command)}\n")
    sys.stdout.flush()
    started = time.monotonic()
    done = subprocess.run([program, *check.command[1:]], cwd=ROOT, check=False)
    sys.stdout.write(f"   {check.name} took {time.monotonic() - started:.1f} s\n")
    sys.stdout.flush()
    return done.returncode == 0
