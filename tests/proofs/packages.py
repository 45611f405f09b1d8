"""Prove that the Debian packages install, print, upgrade and go; and what the wheel's extras bring.

Usage: ./farmhand prove packages [--processor arm64] [--debian trixie] [--tree DIR] [--out DIR]

In a fresh Debian tree (debootstrap, from the mirror that this machine uses) without any network,
as root: both packages are installed, their units verified, and a plate is printed by the
coordinator, the agent and a simulated printer that they brought. Then both are upgraded with the
settings that an administrator changed, and print again; removed, which leaves settings and state;
and purged, which leaves nothing. Tells installed sizes, and of the agent memory, start and idling.

Another processor's programs run by qemu's emulation (apt-get install qemu-user-static), where the
kernel has binfmt_misc: so the agent's package is proved, without a coordinator or an upgrade.
`prove systemd` has the units, and upgrades in the middle of a print.
"""

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.proofs.crash import difference, is_own
from tests.proofs.debian_tree import (
    PYTHONS,
    Broken,
    call,
    emulated,
    hold,
    inside,
    make_tree,
    mebibytes,
    missing,
    own_processor,
)
from tests.proofs.packages_built import PROCESSORS, ROOT, built

UNITS = ("farmhand-agent.service", "farmhand-agent@one.service", "farmhand-coordinator.service")
SETTINGS = Path("etc/farmhand/agent.toml")
EXTRAS = "tests/edges/test_wheel.py", "tests/edges/test_wheel_extras.py"
PLATE = "G28\n" + "".join(f"G1 X{10 + n} Y20 E{n} F6000\n" for n in range(100))
PRINTER = """
[[printers]]
id = "p1"
driver = "marlin_serial"
printer_class = "prusa-mk3s"
settings = { port = "/tmp/port" }
"""
# The agent's own parts print a plate, without a coordinator (agent_process.py), as its user.
_ALONE = """
set -e
mkdir -p /tmp/state/plates && cp /plate.gcode "/tmp/state/plates/$1"
farmhand-printer --pty /tmp/port --log /tmp/executed.log --speed 100 --log-level error &
printer=$!
until [ -e /tmp/port ]; do sleep 0.1; done
farmhand-agent check --config /alone.toml --state-dir /tmp/checked
/usr/lib/farmhand-agent/venv/bin/python /print.py /tmp/state /tmp/port "$1" '{}'
kill $printer
"""


def print_something(tree: Path, *, jobs: int) -> dict[str, object]:
    """Print a plate with what is installed; return what was measured of the agent."""
    if not (tree / "usr/bin/farmhand").exists():
        return print_alone(tree)
    shutil.copyfile(Path(__file__).with_name("packaged_print.py"), tree / "print.py")
    said = inside(tree, "python3", "/print.py")
    told = json.loads(said.splitlines()[-1])
    hold(told["finished"] == told["jobs"] == jobs, f"jobs after the print: {told}")
    measured: dict[str, object] = told["agent"]
    return measured


def print_alone(tree: Path) -> dict[str, object]:
    """Have the agent check its printer and print a plate; hold that it was executed exactly."""
    shutil.copyfile(Path(__file__).with_name("agent_process.py"), tree / "print.py")
    (tree / "plate.gcode").write_text(PLATE)
    (tree / "alone.toml").write_text(PRINTER)
    for left in (tree / "tmp").iterdir():
        call("rm", "-rf", str(left))
    version = inside(tree, "farmhand-agent", "--version").strip()
    processor = inside(tree, "uname", "-m").strip()
    said = inside(tree, "sh", "-c", _ALONE, "sh", hashlib.sha256(PLATE.encode()).hexdigest())
    log = (tree / "tmp/executed.log").read_text().splitlines()
    entries = [line.partition("\t")[2] for line in log]
    executed = [text for text in entries if text and not is_own(text)]
    words = difference(PLATE.splitlines(), executed)
    hold(not words, f"{words}; {said}")
    return {"version": version, "processor": processor, "executed": len(executed)}


def install(tree: Path, packages: Sequence[Path]) -> None:
    """Install packages, as `apt install ./FILE` would without a network."""
    folder = tree / "packages"
    folder.mkdir(exist_ok=True)
    for each in packages:
        shutil.copyfile(each, folder / each.name)
    inside(tree, "dpkg", "--install", *(f"/packages/{each.name}" for each in packages))
    shutil.rmtree(folder)


def prove_installed(tree: Path, names: Sequence[str]) -> None:
    """Hold that files lie where they should, are whose they should be, and units are clean."""
    for package in names:
        hold(not inside(tree, "dpkg", "--verify", package).strip(), f"{package}: files differ")
    owner = inside(tree, "stat", "-c", "%a %U %G", f"/{SETTINGS}").strip()
    hold(owner == "640 root farmhand-agent", f"{SETTINGS} is {owner}")
    units = [unit for unit in UNITS if (tree / "usr/lib/systemd/system" / unit).is_file()]
    for unit in units:
        hold(inside(tree, "systemctl", "is-enabled", unit).strip() == "enabled", f"{unit} is off")
    told = [unit for unit in UNITS if unit in units or "@" in unit]
    paths = " ".join(f"/usr/lib/systemd/system/{unit}" for unit in told)
    said = inside(tree, "sh", "-c", f"systemd-analyze verify {paths} 2>&1")
    hold(not said.strip(), f"systemd-analyze verify: {said}")


def prove(tree: Path, before: Sequence[Path], after: Sequence[Path]) -> dict[str, object]:
    """Install, print, upgrade, print, remove and purge; return what was measured.

    Args:
        after: what is upgraded to; nothing for no upgrade.

    Raises:
        Broken: a promise is.
    """
    names = [each.name.partition("_")[0] for each in before]
    install(tree, before)
    prove_installed(tree, names)
    agent = print_something(tree, jobs=1)
    sizes = {package: round(mebibytes(tree / "usr/lib" / package), 1) for package in names}
    if after:
        prove_upgraded(tree, after, names)
    inside(tree, "dpkg", "--remove", *names)
    for package in names:
        hold(not (tree / "usr/lib" / package).exists(), f"{package} left something in /usr/lib")
        hold(not (tree / "usr/bin" / package).is_symlink(), f"{package} left its command")
    hold((tree / SETTINGS).is_file(), "a removal took the settings")
    if "farmhand-coordinator" in names:
        identity = tree / "var/lib/farmhand/agent/credential.json"
        hold(identity.is_file(), "a removal took the identity")
    inside(tree, "dpkg", "--purge", *names)
    left = [
        str(path) for path in (tree / "etc/farmhand", tree / "var/lib/farmhand") if path.exists()
    ]
    hold(not left, f"a purge left {left}")
    return {"agent": agent, "usr_lib_mib": sizes}


def prove_upgraded(tree: Path, after: Sequence[Path], names: Sequence[str]) -> None:
    """Upgrade; hold that it keeps the settings, takes the old environment away, and prints."""
    (tree / SETTINGS).open("a").write("# mine\n")
    before = {package: os.readlink(tree / "usr/lib" / package / "venv") for package in names}
    install(tree, after)
    hold("# mine" in (tree / SETTINGS).read_text(), "an upgrade took changes of the settings")
    for package, old in before.items():
        home = tree / "usr/lib" / package
        environments = [path.name for path in home.glob("venv.*")]
        hold(environments == [os.readlink(home / "venv")], f"environments: {environments}")
        hold(environments != [old], f"{package} runs the old environment")
    print_something(tree, jobs=2)


def prove_extras() -> None:
    """Run the tests of the wheel and its extras, in fresh environments.

    Raises:
        Broken: one failed.
    """
    command = (sys.executable, "-m", "pytest", "-q", "-m", "slow", *EXTRAS)
    done = subprocess.run(command, cwd=ROOT, check=False)
    hold(done.returncode == 0, "the wheel's extras: see above")


def main(arguments: Sequence[str] | None = None) -> int:
    """Prove it; return 0 where all holds."""
    asked = argparse.ArgumentParser(prog="farmhand prove packages", description=__doc__)
    asked.add_argument("--processor", choices=PROCESSORS, default=own_processor())
    asked.add_argument("--debian", choices=PYTHONS, default="bookworm")
    asked.add_argument("--tree", type=Path, help="a Debian tree to copy, made where there is none")
    asked.add_argument("--out", type=Path, help="where packages are, or are built (default: /tmp)")
    asked.add_argument("--before", help="upgrade from the packages of this commit")
    told = asked.parse_args(arguments)
    if lacking := missing(told.processor):
        sys.stdout.write(f"not proved: {lacking}\n")
        return 1
    foreign = told.processor != own_processor()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="farmhand-packages-")))
        pattern, tree, out = told.tree or folder / "pattern", folder / "tree", told.out or folder
        wanted = {"processor": told.processor, "suite": told.debian, "agent_only": foreign}
        try:
            if not foreign:
                prove_extras()
            stack.enter_context(emulated(told.processor))
            if not (pattern / "usr").is_dir():
                make_tree(pattern, suite=told.debian, processor=told.processor)
            call("cp", "-a", str(pattern), str(tree))
            before = built(out, "1", commit=told.before, **wanted)
            # An installation takes emulation a quarter of an hour, and its scripts are the same.
            after = [] if foreign else built(out, "2", **wanted)
            measured = prove(tree, before, after)
        except Broken as error:
            sys.stdout.write(f"broken: {error}\n")
            return 1
    upgraded = "" if foreign else "upgraded, printed, "
    sys.stdout.write(f"installed, printed, {upgraded}removed, purged: {measured}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
