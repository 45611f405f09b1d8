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
from collections.abc import Sequence
from pathlib import Path

from protocols.gcode.program import read_program
from tests.proofs.booted_tree import booted, cgroup2
from tests.proofs.crash import difference, say
from tests.proofs.debian_tree import Broken, add_packages, call, hold, make_tree, missing
from tests.proofs.documented import commands
from tests.proofs.live_doctor import ask_doctor
from tests.proofs.live_farm import (
    AGENT,
    COORDINATOR,
    GOES_ON_LINES,
    PLATE,
    PORT,
    STATE,
    USERS,
    Farm,
    install,
    journal,
    start_printer,
)
from tests.proofs.live_readme import walk
from tests.proofs.live_work import look_at_the_page, render, slice_a_model
from tests.proofs.packages_built import PACKAGES, ROOT, built, version_of
from tests.proofs.swept import swept

EXPOSURE_MAX = 2.0
# Tried without the units as well: what is refused there too tells nothing of them.
REFUSED_MIN = 8
# What the packages recommend: apt brings it along.
BESIDE = ("mosquitto", "prusa-slicer", "bubblewrap", "openscad")
SETTINGS = f"""
agent_id = "pi-1"
coordinator_url = "http://127.0.0.1:8150"
[[printers]]
id = "p1"
driver = "marlin_serial"
printer_class = "prusa-mk3s"
material = "PLA"
settings = {{ port = "{PORT}" }}
"""


def begin(farm: Farm) -> None:
    """Hold that the coordinator is up by its package; let the agent in, begin a printer."""
    in_the_way = "port 1883 for the MQTT broker is taken"
    farm.until(
        lambda: any(in_the_way in line for line in journal(farm, COORDINATOR)),
        "a word of Debian's Mosquitto, which is where the farm's own wants to be",
    )
    for command in commands(ROOT / "systemd/README.md", "From packages"):
        if "mosquitto" in command:
            farm.type(command)
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
    start_printer(farm, speed=1)
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
    # What is left of it, five times as fast: the firmware is asked between two of its lines.
    farm.machine.call("farmhand", "printer", "send", "p1", "M220 S500")
    farm.until(lambda: farm.status() == "needs_clearing", "the end of the print")
    [state] = [each["state"] for each in farm.ask("job", "ls") if each["name"] == "plate.gcode"]
    hold(state == "finished", f"the job is {state}")
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
    say("  removed and purged: nothing runs, no state is left")


def prove(folder: Path, group: Path, before: Sequence[Path], after: Sequence[Path]) -> None:
    """Hold all of it, in the tree that is in the folder.

    Raises:
        Broken: something is broken, or the kernel does not let us.
    """
    tree = folder / "tree"
    with booted(tree, group, folder / "boot.log") as machine:
        farm = Farm(machine, tree)
        say(f"systemd: up; {machine.call('systemctl', '--version').splitlines()[0]}")
        install(farm, before)
        say(f"  installed {version_of(before[0])}")
        begin(farm)
        order(farm)
        look_at_the_page(farm)
        slice_a_model(farm)
        render(farm)
        ask_doctor(farm)
        kill(farm)
        freeze(farm)
        stop_and_start(farm)
        try_what_is_forbidden(farm)
        read_log(farm)
        upgrade(farm, after)
        finish(farm)
        walk(farm, after)


def main(arguments: Sequence[str] | None = None) -> int:
    """Prove it; return 0 where all holds."""
    asked = argparse.ArgumentParser(prog="farmhand prove systemd", description=__doc__)
    asked.add_argument("--tree", type=Path, help="a Debian tree to copy, made where there is none")
    asked.add_argument("--out", type=Path, help="where packages are, or are built (default: /tmp)")
    asked.add_argument("--before", help="upgrade from the packages of this commit")
    told = asked.parse_args(arguments)
    if lacking := missing(programs=("nsenter", "setpriv", "chromium")):
        sys.stdout.write(f"not proved: {lacking}\n")
        return 1
    began = time.monotonic()
    try:
        cgroups = cgroup2()
        with swept("farmhand-systemd-", cgroups) as folder:
            pattern, out = told.tree or folder / "pattern", told.out or folder
            if not (pattern / "usr").is_dir():
                make_tree(pattern)
                add_packages(pattern, *BESIDE)
            call("cp", "-a", str(pattern), str(folder / "tree"))
            before = built(out, "1", commit=told.before)
            prove(folder, cgroups / folder.name, before, built(out, "2"))
    except Broken as error:
        sys.stdout.write(f"broken: {error}\n")
        return 1
    minutes = (time.monotonic() - began) / 60
    say(f"all held, in {minutes:.0f} minutes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
