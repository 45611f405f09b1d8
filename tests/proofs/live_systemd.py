"""Prove the units under a systemd that runs: installed from packages, shut in, killed, upgraded.

Usage: ./farmhand prove systemd [--tree FOLDER] [--out FOLDER] [--before COMMIT]

As root: a fresh Debian tree is booted with systemd as its first process, in namespaces of its own
and without any network. Both packages are installed there, the agent is let in by a credential,
and a simulated printer prints one long plate. Meanwhile both daemons are killed, frozen until
their watchdogs bite, stopped, and upgraded; what the firmware executed is the plate, line by line.
What the units forbid is tried from inside of them, and once without them.
"""

import argparse
import json
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from protocols.gcode.program import read_program
from tests.proofs.booted_tree import Machine, booted
from tests.proofs.crash import difference, is_own, say
from tests.proofs.debian_tree import Broken, call, hold, make_tree, missing
from tests.proofs.packages_built import PACKAGES, built, version_of

AGENT, COORDINATOR = "farmhand-agent.service", "farmhand-coordinator.service"
USERS = {AGENT: "farmhand-agent", COORDINATOR: "farmhand"}
STATE = {AGENT: "/var/lib/farmhand/agent", COORDINATOR: "/var/lib/farmhand/coordinator"}
EXPOSURE_MAX = 2.0
PATIENCE_S = 300.0
GOES_ON_LINES = 50
# Tried without the units as well: what is refused there too tells nothing of them.
REFUSED_MIN = 8
SETTINGS = """
agent_id = "pi-1"
coordinator_url = "http://127.0.0.1:8150"
[[printers]]
id = "p1"
driver = "marlin_serial"
printer_class = "prusa-mk3s"
material = "PLA"
settings = { port = "/run/printer/port" }
"""
BEGINNING = "M140 S60", "M104 S200", "G28", "G90", "M83", "M190 S60", "M109 S200", "G1 Z0.2 F600"
# Ten a second: an upgrade and a watchdog take minutes where a machine does other things too.
LINES = (f"G1 X{100 + n % 50} Y{50 + n // 50} E0.05 F600" for n in range(6000))
PLATE = "\n".join((*BEGINNING, *LINES, "M104 S0", "M140 S0", "M84", ""))


class Farm:
    """The farm in the machine: one coordinator, one agent, one printer."""

    def __init__(self, machine: Machine, tree: Path) -> None:
        self.machine = machine
        self.tree = tree

    def ask(self, *words: str) -> Any:
        """Return what the command answers, as an administrator of the machine."""
        return json.loads(self.machine.call("farmhand", *words, "--json"))

    def executed(self) -> list[str]:
        """Return the commands that the firmware executed, but for an agent's own."""
        log = self.tree / "var/log/printer/executed.log"
        entries = [line.partition("\t")[2] for line in log.read_text().splitlines()]
        return [text for text in entries if text and not is_own(text)]

    def pid(self, unit: str) -> str:
        return self.machine.show(unit, "MainPID")["MainPID"]

    def signal(self, unit: str, name: str) -> None:
        self.machine.call("systemctl", "kill", f"--signal={name}", "--kill-whom=main", unit)

    def restarts(self, unit: str) -> int:
        return int(self.machine.show(unit, "NRestarts")["NRestarts"])

    def until(self, holds: Callable[[], Any], what: str) -> Any:
        """Return what holds once it is true.

        Raises:
            Broken: it never was.
        """
        ends = time.monotonic() + PATIENCE_S
        while time.monotonic() < ends:
            try:
                if found := holds():
                    return found
            except (Broken, OSError):
                pass  # a daemon that starts anew does not answer yet
            time.sleep(0.2)
        log = self.machine.call("journalctl", "--no-pager", "--lines=40", "--output=cat")
        raise Broken(f"never {what}; the journal ends with\n{log}")

    def comes_back(self, unit: str, came: int) -> None:
        """Wait until systemd has started a daemon once more; it is up only when it says so."""
        self.until(lambda: self.restarts(unit) > came and self.up(unit), f"{unit} again")
        hold(self.restarts(unit) == came + 1, f"{unit} needed {self.restarts(unit) - came} starts")

    def goes_on(self, what: str) -> None:
        """Hold that the print goes on after something happened."""
        before = len(self.executed())
        hold(
            before < len(PLATE.splitlines()) - 2 * GOES_ON_LINES,
            f"{what}: the plate was too short for this",
        )
        wanted = before + GOES_ON_LINES
        self.until(lambda: len(self.executed()) > wanted, f"printing on after {what}")
        say(f"  printed on after {what}")

    def status(self) -> str:
        found = self.ask("printer", "ls")
        return str(found[0]["status"]) if found else ""

    def up(self, unit: str) -> bool:
        return self.machine.show(unit, "ActiveState")["ActiveState"] == "active"


def install(farm: Farm, packages: Sequence[Path]) -> None:
    """Install packages, as `apt install ./FILE` would without a network."""
    folder = farm.tree / "var/tmp/packages"
    folder.mkdir(exist_ok=True)
    for each in packages:
        shutil.copyfile(each, folder / each.name)
    names = [f"/var/tmp/packages/{each.name}" for each in packages]
    farm.machine.call("dpkg", "--install", *names)
    shutil.rmtree(folder)


def begin(farm: Farm) -> None:
    """Hold that the coordinator is up by its package alone; let the agent in, have it print."""
    farm.until(lambda: farm.up(COORDINATOR), "a coordinator that is up after the installation")
    for unit, folder in STATE.items():
        owner = farm.machine.call("stat", "-c", "%a %U", folder).strip()
        hold(owner == f"700 {USERS[unit]}", f"{folder} is {owner}")
        enabled = farm.machine.call("systemctl", "is-enabled", unit).strip()
        hold(enabled == "enabled", f"{unit} is {enabled}")
    token = farm.ask("agent", "token")["token"]
    credential = farm.tree / "etc/credstore/farmhand-agent.enroll_token"
    credential.parent.mkdir(mode=0o700, exist_ok=True)
    credential.write_text(token)
    credential.chmod(0o600)
    (farm.tree / "etc/farmhand/agent.toml").write_text(SETTINGS)
    home = farm.machine.call("readlink", "-f", "/usr/lib/farmhand-agent/venv").strip()
    farm.machine.call("cp", "-a", home, "/usr/local/printer")  # an upgrade is not the printer's
    folders = "--property=RuntimeDirectory=printer", "--property=LogsDirectory=printer"
    program = "/usr/local/printer/bin/python", "-m", "agent.simulator"
    flags = "--pty", "/run/printer/port", "--log", "/var/log/printer/executed.log"
    user = f"--property=User={USERS[AGENT]}"
    farm.machine.call("systemd-run", "--unit=printer", user, *folders, *program, *flags)
    farm.machine.call("systemctl", "restart", AGENT)


def order(farm: Farm) -> None:
    """Have the plate printed; hold that systemd is told of it."""
    farm.until(lambda: farm.status() in ("needs_clearing", "idle"), "a printer that answers")
    if farm.status() == "needs_clearing":
        farm.machine.call("farmhand", "printer", "clear", "p1")
    (farm.tree / "root/plate.gcode").write_text(PLATE)
    farm.machine.call("farmhand", "job", "submit", "/root/plate.gcode")
    farm.until(lambda: len(farm.executed()) > GOES_ON_LINES, "a print")
    words = farm.machine.show(AGENT, "StatusText", "NotifyAccess")
    hold("print" in words["StatusText"], f"systemctl status tells of the agent: {words}")
    say(f"  let in by a credential, prints; systemctl status: {words['StatusText']!r}")


def kill(farm: Farm) -> None:
    """Kill either daemon; hold that it comes back and the print goes on."""
    for unit in (AGENT, COORDINATOR):
        came = farm.restarts(unit)
        farm.signal(unit, "KILL")
        farm.comes_back(unit, came)
        farm.goes_on(f"kill -9 of {unit}")


def freeze(farm: Farm) -> None:
    """Freeze both daemons; hold that the watchdog ends them, and tells where they stood."""
    before = {unit: farm.restarts(unit) for unit in (AGENT, COORDINATOR)}
    began = time.monotonic()
    for unit in before:
        farm.signal(unit, "STOP")
    for unit, came in before.items():
        farm.comes_back(unit, came)
        log = journal(farm, unit)
        hold(any("Watchdog timeout" in line for line in log), f"{unit}: no word of the watchdog")
        hold(
            any(line.startswith(("Fatal Python error: Aborted", "Current thread")) for line in log),
            f"{unit}: the log does not tell where its threads were",
        )
    say(f"  frozen ones were ended and came back, within {time.monotonic() - began:.0f} s")
    farm.goes_on("both daemons frozen")


def journal(farm: Farm, unit: str) -> list[str]:
    """Return what was logged of a unit, by it and by systemd."""
    told = farm.machine.call("journalctl", "--unit", unit, "--output=json", "--no-pager")
    return [str(json.loads(line).get("MESSAGE", "")) for line in told.splitlines() if line]


def read_log(farm: Farm) -> None:
    """Hold that each line of the agent's log is JSON with an event, under its unit's name."""
    matches = f"_SYSTEMD_UNIT={AGENT}", f"_PID={farm.pid(AGENT)}"
    told = farm.machine.call("journalctl", *matches, "--output=json", "--no-pager")
    lines = [json.loads(line)["MESSAGE"] for line in told.splitlines() if line]
    hold(len(lines) > 3, f"the agent's log has {len(lines)} lines")
    for line in lines:
        hold(line.startswith("{") and "event" in json.loads(line), f"no JSON: {line!r}")
    say(f"  {len(lines)} lines of the agent's log, each JSON with its event")


def stop_and_start(farm: Farm) -> None:
    """Stop the agent, start it anew."""
    farm.machine.call("systemctl", "stop", AGENT)
    result = farm.machine.show(AGENT, "Result", "ExecMainStatus")
    hold(result == {"Result": "success", "ExecMainStatus": "0"}, f"a stop is {result}")
    farm.machine.call("systemctl", "start", AGENT)
    farm.goes_on("a stop and a start")


def upgrade(farm: Farm, packages: Sequence[Path]) -> None:
    """Upgrade both in the middle of the print; hold that settings stay and new versions run."""
    before = {unit: farm.pid(unit) for unit in USERS}
    began = time.monotonic()
    install(farm, packages)
    took_s = time.monotonic() - began
    for unit, user in USERS.items():
        hold(farm.up(unit), f"{unit} is not up after an upgrade")
        hold(farm.pid(unit) != before[unit], f"{unit} was not started anew by an upgrade")
        package = f"farmhand-{'agent' if user != 'farmhand' else 'coordinator'}"
        home = farm.machine.call("readlink", "-f", f"/usr/lib/{package}/venv").strip()
        loaded = farm.machine.call("cat", f"/proc/{farm.pid(unit)}/maps")
        hold(home in loaded, f"{unit} does not run what was installed")
    settings = (farm.tree / "etc/farmhand/agent.toml").read_text()
    hold(settings == SETTINGS, "an upgrade took changes of the settings")
    say(f"  upgraded both in {took_s:.0f} s: {version_of(packages[0])}")
    farm.goes_on("an upgrade of both")


def try_what_is_forbidden(farm: Farm) -> None:
    """Try it from inside of each unit and, to see that it can be done at all, beside it."""
    tree = farm.tree
    shutil.copyfile(Path(__file__).with_name("sandbox_probe.py"), tree / "usr/local/probe.py")
    for shared in ("usr/lib/shared", "etc/shared", "var/cache/shared"):
        (tree / shared).mkdir()
        (tree / shared).chmod(0o777)
    (tree / "home/anna").mkdir()
    (tree / "home/anna/secret").write_text("a secret\n")
    farm.machine.call("mkdir", "-m", "1777", "/tmp/shared")
    farm.machine.call("mknod", "-m", "666", "/dev/foreign", "c", "10", "229")
    for unit, user in USERS.items():
        [other] = [folder for each, folder in STATE.items() if each != unit]
        own = STATE[unit]
        probe = "/usr/bin/python3", "/usr/local/probe.py", own, other
        free = json.loads(
            farm.machine.call(
                "systemd-run", "--wait", "--pipe", "--quiet", f"--property=User={user}", *probe
            )
        )["probe"]
        drop_in = tree / f"etc/systemd/system/{unit}.d/probe.conf"
        drop_in.parent.mkdir()
        drop_in.write_text(f"[Service]\nExecStartPre={' '.join(probe)}\n")
        farm.machine.call("systemctl", "daemon-reload")
        farm.machine.call("systemctl", "restart", unit)
        told = [line for line in journal(farm, unit) if line.startswith('{"probe"')]
        hold(len(told) == 1, f"{unit}: the probe told {told}")
        _judge(unit, free, json.loads(told[0])["probe"])
        shutil.rmtree(drop_in.parent)
        farm.machine.call("systemctl", "daemon-reload")
        exposure = farm.machine.call("systemd-analyze", "security", "--no-pager", unit)
        rated = float(exposure.rpartition("exposure level for")[2].split()[1])
        hold(rated <= EXPOSURE_MAX, f"{unit} is rated {rated}")
        say(f"  systemd-analyze security, of the unit as it runs: {unit} {rated}")
    farm.goes_on("starts with what was tried")


def _judge(unit: str, free: dict[str, str | None], shut_in: dict[str, str | None]) -> None:
    own = "write its own state"
    hold(shut_in.pop(own) is None, f"{unit} can't write its own state")
    possible = {name for name, refusal in free.items() if refusal is None and name != own}
    if unit == COORDINATOR:  # CuraEngine as WebAssembly is compiled at run time
        possible.discard("make memory that is written and run")
    allowed = sorted(name for name in possible if shut_in[name] is None)
    hold(not allowed, f"{unit} may {', '.join(allowed)}")
    hold(len(possible) >= REFUSED_MIN, f"only {sorted(possible)} can be tried on this kernel")
    say(f"  {unit} is refused what its user could do without it: {', '.join(sorted(possible))}")


def finish(farm: Farm) -> None:
    """Hold that the plate was printed exactly, and that a purge leaves nothing that runs."""
    farm.until(lambda: farm.status() == "needs_clearing", "the end of the print")
    [job] = farm.ask("job", "ls")
    hold(job["state"] == "finished", f"the job is {job['state']}")
    lines = PLATE.encode().splitlines(keepends=True)
    wanted = [item.command for item in read_program(lines)]
    words = difference(wanted, farm.executed())
    hold(not words, f"what was executed is not the plate: {words}")
    say(f"  finished: the firmware executed {len(wanted)} commands, exactly the plate's")
    farm.machine.call("dpkg", "--remove", *PACKAGES)
    for unit in USERS:
        hold(not farm.up(unit), f"{unit} runs on after a removal")
    farm.machine.call("dpkg", "--purge", *PACKAGES)
    hold(not (farm.tree / "var/lib/farmhand").exists(), "a purge left state")


def prove(tree: Path, before: Sequence[Path], after: Sequence[Path], log: Path) -> None:
    """Hold all of it.

    Raises:
        Broken: something is broken, or the kernel does not let us.
    """
    with booted(tree, log) as machine:
        farm = Farm(machine, tree)
        say(f"systemd: up; {machine.call('systemctl', '--version').splitlines()[0]}")
        install(farm, before)
        say(f"  installed {version_of(before[0])}")
        begin(farm)
        order(farm)
        kill(farm)
        freeze(farm)
        stop_and_start(farm)
        try_what_is_forbidden(farm)
        read_log(farm)
        upgrade(farm, after)
        finish(farm)


def main(arguments: Sequence[str] | None = None) -> int:
    """Prove it; return 0 where all holds."""
    asked = argparse.ArgumentParser(prog="farmhand prove systemd", description=__doc__)
    asked.add_argument("--tree", type=Path, help="a Debian tree to copy, made where there is none")
    asked.add_argument("--out", type=Path, help="where packages are, or are built (default: /tmp)")
    asked.add_argument("--before", help="upgrade from the packages of this commit")
    told = asked.parse_args(arguments)
    if lacking := missing(programs=("nsenter",)):
        sys.stdout.write(f"not proved: {lacking}\n")
        return 1
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="farmhand-systemd-")))
        pattern, tree, out = told.tree or folder / "pattern", folder / "tree", told.out or folder
        try:
            if not (pattern / "usr").is_dir():
                make_tree(pattern)
            call("cp", "-a", str(pattern), str(tree))
            before = built(out, "1", commit=told.before)
            prove(tree, before, built(out, "2"), folder / "boot.log")
        except Broken as error:
            sys.stdout.write(f"broken: {error}\n")
            return 1
    sys.stdout.write("installed, printed, killed, frozen, upgraded, shut in: all held\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
