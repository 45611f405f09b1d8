"""A farm in a machine that was booted: both daemons, a printer, and what is asked of them."""

import json
import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tests.proofs.booted_tree import Machine
from tests.proofs.crash import is_own, say
from tests.proofs.debian_tree import Broken, hold

AGENT, COORDINATOR = "farmhand-agent.service", "farmhand-coordinator.service"
USERS = {AGENT: "farmhand-agent", COORDINATOR: "farmhand"}
STATE = {AGENT: "/var/lib/farmhand/agent", COORDINATOR: "/var/lib/farmhand/coordinator"}
# Where udev would put a board on USB; the simulated one's own port lies there.
PORT = "/dev/farmhand/by-port/printer"
PATIENCE_S = 300.0
GOES_ON_LINES = 50
BEGINNING = "M140 S60", "M104 S200", "G28", "G90", "M83", "M190 S60", "M109 S200", "G1 Z0.2 F600"
# Ten a second: an upgrade and a watchdog take minutes where a machine does other things too.
LINES = (f"G1 X{100 + n % 50} Y{50 + n // 90} E0.05 F600" for n in range(9000))
PLATE = "\n".join((*BEGINNING, *LINES, "M104 S0", "M140 S0", "M84", ""))


class Farm:
    """The farm in the machine: one coordinator, one agent, one printer."""

    def __init__(self, machine: Machine, tree: Path) -> None:
        self.machine = machine
        self.tree = tree
        # The documentation is for administrators who are not root.
        sudo = tree / "usr/bin/sudo"
        sudo.write_text('#!/bin/sh\nexec "$@"\n')
        sudo.chmod(0o755)

    def ask(self, *words: str) -> Any:
        """Return what the command answers, as an administrator of the machine."""
        return json.loads(self.machine.call("farmhand", *words, "--json"))

    def type(self, command: str) -> str:
        """Run a command of the documentation as it stands there, by a shell; return what it said.

        Raises:
            Broken: it failed.
        """
        return self.machine.call("sh", "-c", command)

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


def start_printer(farm: Farm, *, speed: int) -> None:
    """Begin a simulated printer as a service of its own, from the copy of an environment."""
    folder = PORT.rpartition("/")[0]
    farm.machine.call("install", "-d", "-o", USERS[AGENT], folder)
    program = "/usr/local/printer/bin/python", "-m", "agent.simulator", "--speed", str(speed)
    flags = "--pty", PORT, "--log", "/var/log/printer/executed.log"
    user = f"--property=User={USERS[AGENT]}"
    logs = "--property=LogsDirectory=printer"
    farm.machine.call("systemd-run", "--unit=printer", user, logs, *program, *flags)


def journal(farm: Farm, unit: str) -> list[str]:
    """Return what was logged of a unit, by it and by systemd."""
    told = farm.machine.call("journalctl", "--unit", unit, "--output=json", "--no-pager")
    return [str(json.loads(line).get("MESSAGE", "")) for line in told.splitlines() if line]
