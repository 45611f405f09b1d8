"""Prove that the Debian packages install, print, upgrade and go.

Usage: ./farmhand prove packages [--tree FOLDER] [--out FOLDER]

In a fresh Debian tree (debootstrap, from the mirror that this machine uses) without any network,
as root: both packages are installed, their units verified, and a plate is printed by the
coordinator, the agent and a simulated printer that they brought. Then both are upgraded with the
settings that an administrator changed, and print again; removed, which leaves settings and state;
and purged, which leaves nothing. Tells installed sizes, and of the agent memory, start and idling.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parents[2]
BUILDER = ROOT / "systemd" / "packages" / "build_packages.py"
PACKAGES = ("farmhand-agent", "farmhand-coordinator")
# What every Debian and Raspberry Pi OS has and the smallest tree has not.
PRESENT = ("python3", "systemd", "udev")
UNITS = ("farmhand-agent.service", "farmhand-agent@one.service", "farmhand-coordinator.service")
SETTINGS = Path("etc/farmhand/agent.toml")


class Broken(Exception):
    """A promise of the packages is broken; the text says which."""


def missing() -> str:
    """Return what this machine lacks for the proof, in words; nothing where it can be done."""
    if os.geteuid() != 0:
        return "a Debian tree is made by root"
    lacking = [each for each in ("debootstrap", "unshare", "dpkg-deb") if not shutil.which(each)]
    return f"not here: {', '.join(lacking)} (apt-get install debootstrap)" if lacking else ""


def make_tree(tree: Path) -> None:
    """Make a Debian 12 of the smallest kind with what every machine has."""
    command = ("apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages")
    found = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    include = f"--include={','.join(PRESENT)}"
    _call("debootstrap", "--variant=minbase", include, "bookworm", str(tree), *found[:1])


def _call(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Broken(f"{' '.join(command[:8])} ...:\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
    return done.stdout + done.stderr


_INSIDE = """
mount --bind "$1" "$1" && mount -t proc proc "$1/proc" && mount --rbind /dev "$1/dev" || exit 1
ip link set lo up 2>/dev/null || python3 -c '
import fcntl, socket, struct
SIOCSIFFLAGS, UP = 0x8914, 0x49
fcntl.ioctl(socket.socket(), SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", UP))'
tree=$1; shift
exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive \
    chroot "$tree" "$@"
"""


def inside(tree: Path, *command: str) -> str:
    """Run something in the tree with no network but loopback; return what it said."""
    alone = ("unshare", "--mount", "--pid", "--net", "--fork", "--kill-child", "--mount-proc")
    return _call(*alone, "sh", "-c", _INSIDE, "sh", str(tree), *command)


def print_something(tree: Path, *, jobs: int) -> dict[str, object]:
    """Print a plate with what is installed; return what was measured of the agent."""
    shutil.copyfile(Path(__file__).with_name("packaged_print.py"), tree / "print.py")
    told = json.loads(inside(tree, "python3", "/print.py").splitlines()[-1])
    _hold(told["finished"] == told["jobs"] == jobs, f"jobs after the print: {told}")
    measured: dict[str, object] = told["agent"]
    return measured


def _hold(true: bool, what: str) -> None:
    if not true:
        raise Broken(what)


def mebibytes(folder: Path) -> float:
    """Return what a folder takes of the disk."""
    return int(_call("du", "-sk", str(folder)).split()[0]) / 1024


def install(tree: Path, packages: Path, revision: str) -> None:
    """Install both packages of a revision, as `apt install ./FILE` would without a network."""
    folder = tree / "packages"
    folder.mkdir(exist_ok=True)
    names = []
    for each in packages.glob(f"*-{revision}_*.deb"):
        shutil.copyfile(each, folder / each.name)
        names.append(f"/packages/{each.name}")
    _hold(len(names) == len(PACKAGES), f"no packages of revision {revision} in {packages}")
    inside(tree, "dpkg", "--install", *sorted(names))
    shutil.rmtree(folder)


def prove_installed(tree: Path) -> None:
    """Hold that files lie where they should, are whose they should be, and units are clean."""
    for package in PACKAGES:
        _hold(not inside(tree, "dpkg", "--verify", package).strip(), f"{package}: files differ")
    owner = inside(tree, "stat", "-c", "%a %U %G", f"/{SETTINGS}").strip()
    _hold(owner == "640 root farmhand-agent", f"{SETTINGS} is {owner}")
    for unit in UNITS[::2]:
        _hold(inside(tree, "systemctl", "is-enabled", unit).strip() == "enabled", f"{unit} is off")
    said = inside(
        tree, "systemd-analyze", "verify", *(f"/usr/lib/systemd/system/{u}" for u in UNITS)
    )
    _hold(not said.strip(), f"systemd-analyze verify: {said}")


def prove(tree: Path, packages: Path) -> dict[str, object]:
    """Install, print, upgrade, print, remove and purge; return what was measured.

    Raises:
        Broken: a promise is.
    """
    install(tree, packages, "1")
    prove_installed(tree)
    agent = print_something(tree, jobs=1)
    sizes = {package: round(mebibytes(tree / "usr/lib" / package), 1) for package in PACKAGES}
    (tree / SETTINGS).open("a").write("# mine\n")
    before = {package: os.readlink(tree / "usr/lib" / package / "venv") for package in PACKAGES}
    install(tree, packages, "2")
    prove_upgraded(tree, before)
    print_something(tree, jobs=2)
    inside(tree, "dpkg", "--remove", *PACKAGES)
    for package in PACKAGES:
        _hold(not (tree / "usr/lib" / package).exists(), f"{package} left something in /usr/lib")
        _hold(not (tree / "usr/bin" / package).is_symlink(), f"{package} left its command")
    _hold((tree / SETTINGS).is_file(), "a removal took the settings")
    _hold(
        (tree / "var/lib/farmhand/agent/credential.json").is_file(), "a removal took the identity"
    )
    inside(tree, "dpkg", "--purge", *PACKAGES)
    left = [
        str(path) for path in (tree / "etc/farmhand", tree / "var/lib/farmhand") if path.exists()
    ]
    _hold(not left, f"a purge left {left}")
    return {"agent": agent, "usr_lib_mib": sizes}


def prove_upgraded(tree: Path, before: dict[str, str]) -> None:
    """Hold that an upgrade kept the settings, and took the old environment away."""
    _hold("# mine" in (tree / SETTINGS).read_text(), "an upgrade took changes of the settings")
    for package in PACKAGES:
        home = tree / "usr/lib" / package
        environments = [path.name for path in home.glob("venv.*")]
        _hold(environments == [os.readlink(home / "venv")], f"environments: {environments}")
        _hold(environments != [before[package]], f"{package} runs the old environment")


def main(arguments: Sequence[str] | None = None) -> int:
    """Prove it; return 0 where all holds."""
    asked = argparse.ArgumentParser(prog="farmhand prove packages", description=__doc__)
    asked.add_argument("--tree", type=Path, help="a Debian tree to copy, made where there is none")
    asked.add_argument("--out", type=Path, help="where packages are, or are built (default: /tmp)")
    told = asked.parse_args(arguments)
    if lacking := missing():
        sys.stdout.write(f"not proved: {lacking}\n")
        return 1
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="farmhand-packages-")))
        pattern, tree, out = told.tree or folder / "pattern", folder / "tree", told.out or folder
        try:
            if not (pattern / "usr").is_dir():
                make_tree(pattern)
            _call("cp", "-a", str(pattern), str(tree))
            for revision in ("1", "2"):
                if not list(out.glob(f"*-{revision}_*.deb")):
                    build = ("--python", version, "--revision", revision, "--out", str(out))
                    _call(sys.executable, str(BUILDER), *build)
            measured = prove(tree, out)
        except Broken as error:
            sys.stdout.write(f"broken: {error}\n")
            return 1
    sys.stdout.write(f"installed, printed, upgraded, printed, removed, purged: {measured}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
