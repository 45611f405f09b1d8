"""Prove that the Debian packages install, print, upgrade and go; and what wheels' extras bring.

Usage: ./farmhand prove packages [--before COMMIT] [--processor arm64] [--debian trixie]
           [--tree DIR] [--out DIR] [--no-extras]

In a fresh Debian tree (debootstrap, from the mirror that this machine uses) without any network,
as root: both packages are installed, their units verified, and a plate is printed by the
coordinator, the agent and a simulated printer that they brought. Both are upgraded in the middle of
another print, from the packages of an earlier commit where one is named, the coordinator first:
settings, jobs and history stay, and the firmware executes exactly what was sliced. A plate is
printed by the new versions; then they are removed, which leaves settings and state, and purged,
which leaves nothing. Tells installed sizes, and of the agent memory, start and idling.

Another processor's programs run by qemu's emulation (apt-get install qemu-user-static), where the
kernel has binfmt_misc: so the agent's package is proved, without a coordinator or an upgrade.
`prove systemd` has the units, and what becomes of a print while systemd upgrades.
"""

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from coordinator.cli.demo_oracle import commands_of_log, commands_of_plate, difference
from slicing.pipeline import make_plate
from slicing.request import SliceRequest
from tests.fakes.solids import write_box
from tests.proofs.crash import say
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
from tests.proofs.packages_built import PROCESSORS, ROOT, built, version_of

UNITS = ("farmhand-agent.service", "farmhand-agent@one.service", "farmhand-coordinator.service")
SETTINGS = Path("etc/farmhand/agent.toml")
EXTRAS = "tests/edges/test_wheel.py", "tests/edges/test_wheel_extras.py"
BARN = ROOT / "configs" / "dev" / "barn.stl"
# Told of by name, of what lies in an environment.
HEAVY_MOST = 5
BEGINNING = "M140 S60", "M104 S200", "G28", "G90", "M83", "M190 S60", "M109 S200", "G1 Z0.2 F600"
LINES = (f"G1 X{100 + n % 50} Y{100 + n // 50} E0.05 F3000" for n in range(1500))
FIRST = "\n".join((*BEGINNING, *LINES, "M104 S0", "M140 S0", "M84", "")).encode()
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


def plates(folder: Path) -> dict[str, bytes]:
    """Return what is printed: one of moves alone, and two models sliced as people would."""
    write_box(folder / "box.stl", 30, 20, 3)
    found = {"first": FIRST}
    for name, model in (("under_way", BARN), ("next", folder / "box.stl")):
        request = SliceRequest(
            kind="slice",
            model_path=model,
            printer="farmhand-220",
            material="PLA",
            quality="draft",
            output_path=folder / f"{name}.gcode",
            pictures=False,
        )
        make_plate(request, lambda _ratio, _stage: None)
        found[name] = request.output_path.read_bytes()
    return found


def print_all(tree: Path, wanted: Mapping[str, bytes], after: Sequence[Path]) -> dict[str, Any]:
    """Print with what is installed, upgrading meanwhile; hold that plates are executed exactly.

    Args:
        wanted: the plates; of these the first alone without an upgrade.
        after: what is upgraded to; nothing for no upgrade.

    Returns:
        what packaged_print.py tells, and how many commands each plate has.
    """
    shutil.copyfile(Path(__file__).with_name("packaged_print.py"), tree / "print.py")
    copy_in(tree, after)
    (tree / "plates").mkdir()
    for name, plate in wanted.items():
        (tree / "plates" / f"{name}.gcode").write_bytes(plate)
    told: dict[str, Any] = json.loads(inside(tree, "python3", "/print.py").splitlines()[-1])
    printed = list(wanted.values())[: len(wanted) if after else 1]
    commands = [list(commands_of_plate(plate.decode().splitlines())) for plate in printed]
    log = (tree / "var/log/farmhand-executed/executed.log").read_text().splitlines()
    found = difference([text for each in commands for text in each], list(commands_of_log(log)))
    hold(found is None, f"what was executed is not what was ordered: {found}")
    hold(told["jobs"] == ["finished"] * len(printed), f"jobs in the end: {told['jobs']}")
    return told | {"commands": [len(each) for each in commands]}


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
    executed = list(commands_of_log((tree / "tmp/executed.log").read_text().splitlines()))
    found = difference(PLATE.splitlines(), executed)
    hold(found is None, f"{found}; {said}")
    return {"version": version, "processor": processor, "executed": len(executed)}


def copy_in(tree: Path, packages: Sequence[Path]) -> list[str]:
    """Copy packages into the tree; return what they are called there."""
    folder = tree / "packages"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return [f"/packages/{shutil.copyfile(each, folder / each.name).name}" for each in packages]


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


def prove(
    tree: Path, before: Sequence[Path], after: Sequence[Path], wanted: Mapping[str, bytes]
) -> None:
    """Install, print, upgrade, print, remove and purge; tell how it went.

    Args:
        after: what is upgraded to; nothing for no upgrade, nor a coordinator.

    Raises:
        Broken: a promise is.
    """
    names = [each.name.partition("_")[0] for each in before]
    # As `apt install ./FILE` does, without a network.
    inside(tree, "dpkg", "--install", *copy_in(tree, before))
    prove_installed(tree, names)
    say(f"installed: {words_of(before)}; files, owners and units are as they should be")
    if not after:
        say(f"printed: {print_alone(tree)}")
    else:
        old = {package: os.readlink(tree / "usr/lib" / package / "venv") for package in names}
        tell_of_prints(print_all(tree, wanted, after), before, after)
        prove_upgraded(tree, old)
    for package in names:
        say(f"{package}: {weight(tree / 'usr/lib' / package)}")
    prove_gone(tree, names)
    say("removed, which left settings and state; purged, which left nothing")


def words_of(packages: Sequence[Path]) -> str:
    """Return packages by name and version."""
    return ", ".join(f"{each.name.partition('_')[0]} {version_of(each)}" for each in packages)


def weight(home: Path) -> str:
    """Return in words what an installation takes of the disk, and what most of it is."""
    [packages] = home.glob("venv/lib/python3*/site-packages")
    sizes = {each.name: mebibytes(each) for each in packages.iterdir() if each.is_dir()}
    heavy = sorted(sizes, key=lambda name: -sizes[name])[:HEAVY_MOST]
    most = ", ".join(f"{name} {sizes[name]:.1f}" for name in heavy)
    environment, wheels = mebibytes((home / "venv").resolve()), mebibytes(home / "wheels")
    return (
        f"{environment + wheels:.1f} MiB installed, {wheels:.1f} of it wheels for the next Python, "
        f"{environment:.1f} the environment ({most})"
    )


def tell_of_prints(told: dict[str, Any], before: Sequence[Path], after: Sequence[Path]) -> None:
    """Hold what an upgrade promises; tell of it, and what the agent takes."""
    first, under_way, following = told["commands"]
    agent, upgrade = told["agent"], told["upgrade"]
    say(f"printed: {first} commands, exactly the plate's")
    hold(upgrade["jobs_kept"], "an upgrade changed jobs that were over")
    hold(upgrade["settings_kept"], "an upgrade took changes of the settings")
    hold(upgrade["status_after"] == "busy", "the plate was too short: it ended before the upgrade")
    came_from = before[0].parent.name
    say(f"upgraded from {came_from}'s {version_of(before[0])} to {version_of(after[0])}")
    say(f"  in the middle of a print: {under_way} commands executed, exactly those sliced")
    say(f"  by the new versions: {following} commands, exactly those sliced")
    say(f"  history: its {upgrade['history_before']} lines stand among {upgrade['history_after']}")
    say("  jobs that were over and settings stayed as they were")
    say(
        f"agent: up in {agent['starts_s']:.2f} s, {agent['starts_cpu_s']:.2f} of a processor's; "
        f"{agent['idle_cpu']:.2%} of a processor idle; "
        f"{agent['idle_resident_mb']:.1f} MB resident idle, "
        f"{agent['printed_resident_mb']:.1f} after a print"
    )
    say(f"coordinator: up in {upgrade['coordinator_starts_s']:.2f} s, its first start upgraded")


def prove_upgraded(tree: Path, old: Mapping[str, str]) -> None:
    """Hold that each package runs a new environment, and that the old one is gone."""
    for package, link in old.items():
        home = tree / "usr/lib" / package
        environments = [path.name for path in home.glob("venv.*")]
        hold(environments == [os.readlink(home / "venv")], f"environments: {environments}")
        hold(environments != [link], f"{package} runs the old environment")


def prove_gone(tree: Path, names: Sequence[str]) -> None:
    """Remove and purge; hold what stays and what does not."""
    inside(tree, "dpkg", "--remove", *names)
    for package in names:
        hold(not (tree / "usr/lib" / package).exists(), f"{package} left something in /usr/lib")
        hold(not (tree / "usr/bin" / package).is_symlink(), f"{package} left its command")
    hold((tree / SETTINGS).is_file(), "a removal took the settings")
    if "farmhand-coordinator" in names:
        for kept in ("agent/credential.json", "coordinator/farm.sqlite3"):
            hold((tree / "var/lib/farmhand" / kept).is_file(), f"a removal took {kept}")
    inside(tree, "dpkg", "--purge", *names)
    folders = "etc/farmhand", "var/lib/farmhand", "usr/lib/farmhand"
    left = [folder for folder in folders if (tree / folder).exists()]
    hold(not left, f"a purge left {left}")


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
    asked.add_argument("--no-extras", action="store_true", help="the packages alone")
    told = asked.parse_args(arguments)
    foreign = told.processor != own_processor()
    if lacking := missing(told.processor, () if foreign else ("prusa-slicer",)):
        sys.stdout.write(f"not proved: {lacking}\n")
        return 1
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="farmhand-packages-")))
        pattern, tree, out = told.tree or folder / "pattern", folder / "tree", told.out or folder
        wanted = {"processor": told.processor, "suite": told.debian, "agent_only": foreign}
        try:
            if not foreign and not told.no_extras:
                prove_extras()
            stack.enter_context(emulated(told.processor))
            if not (pattern / "usr").is_dir():
                make_tree(pattern, suite=told.debian, processor=told.processor)
            call("cp", "-a", str(pattern), str(tree))
            before = built(out, "1", commit=told.before, **wanted)
            # An installation takes emulation a quarter of an hour, and its scripts are the same.
            after = [] if foreign else built(out, "2", **wanted)
            prove(tree, before, after, {} if foreign else plates(folder))
        except Broken as error:
            sys.stdout.write(f"broken: {error}\n")
            return 1
    sys.stdout.write(f"Debian {told.debian}, {told.processor}: all held\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
