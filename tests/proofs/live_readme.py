"""The documentation as an installing person walks it, command by command."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.fakes.solids import write_box
from tests.proofs.crash import say
from tests.proofs.debian_tree import hold
from tests.proofs.documented import commands, filled
from tests.proofs.live_farm import COORDINATOR, PORT, Farm, install, start_printer
from tests.proofs.packages_built import ROOT

FIRST_PRINT = "From a bare Pi to the first print, under systemd"
BACKUP = ROOT / "coordinator/backup-and-restore.md"
TOKEN = "sudo farmhand agent token"
SPEED = 100  # of the printer against the clock: nobody doubts that it prints


def walk(farm: Farm, packages: Sequence[Path]) -> None:
    """Install anew; print by the README, back up and restore by its page; hold that it works."""
    farm.machine.call("systemctl", "stop", "printer")
    start_printer(farm, speed=SPEED)
    install(farm, packages)
    with (farm.tree / "etc/hosts").open("a") as hosts:
        hosts.write("127.0.0.1 farm.local\n")
    write_box(farm.tree / "root/part.stl", 20, 20, 4)
    first_print(farm)
    restore(farm)


def first_print(farm: Farm) -> None:
    """Do what the README tells to do on both machines, which are one here."""
    values = {"/dev/farmhand/by-port/...": PORT, "part.stl": "/root/part.stl"}
    typed = commands(ROOT / "README.md", FIRST_PRINT)
    _type(farm, typed, values)
    jobs = farm.ask("job", "ls")
    hold([each["state"] for each in jobs] == ["finished"], f"after the first print: {jobs}")
    url = json.loads(_state(farm, "coordinator.json"))["api_url"]
    hold(url.startswith("https://"), f"the coordinator is at {url}")
    say(f"  README, from a bare Pi to the first print: {len(typed)} commands as written, printed")


def restore(farm: Farm) -> None:
    """Back the farm up, and have it again from that."""
    typed = [
        command
        for heading in ("By hand, while the farm runs", "Try it before you need it", "Back again")
        for command in commands(BACKUP, heading)
    ]
    _type(farm, typed, {})
    farm.until(lambda: farm.up(COORDINATOR), "the restored coordinator")
    [job] = farm.ask("job", "ls")
    hold(job["state"] == "finished", f"the restored farm's job is {job}")
    [agent] = farm.ask("agent", "ls")
    farm.until(lambda: farm.ask("agent", "ls")[0]["online"], f"{agent['id']} at the restored farm")
    say(f"  backup and restore: {len(typed)} commands as written; agent and history are back")


def _type(farm: Farm, typed: Sequence[str], values: Mapping[str, str]) -> None:
    known = dict(values)
    for command in typed:
        said = farm.type(filled(command, known))
        if command.startswith(TOKEN):
            known["TOKEN"] = said.split()[0]


def _state(farm: Farm, name: str) -> str:
    return (farm.tree / "var/lib/farmhand/coordinator" / name).read_text()
