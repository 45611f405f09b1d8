"""The documentation as an installing person walks it, command by command."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.fakes.solids import write_box
from tests.proofs.crash import say
from tests.proofs.debian_tree import hold
from tests.proofs.documented import commands, filled
from tests.proofs.live_farm import (
    AGENT,
    COORDINATOR,
    PORT,
    Farm,
    install,
    journal,
    start_printer,
)
from tests.proofs.packages_built import ROOT

FIRST_PRINT = "From a bare Pi to the first print, under systemd"
BACKUP = ROOT / "coordinator/backup-and-restore.md"
TROUBLES = ROOT / "coordinator/troubleshooting.md"
TOKEN = "sudo farmhand agent token"
SPEED = 100  # of the printer against the clock: nobody doubts that it prints


def walk(farm: Farm, packages: Sequence[Path]) -> None:
    """Install anew; print by the README, then do what the pages on backups and troubles say."""
    farm.machine.call("systemctl", "stop", "printer")
    start_printer(farm, speed=SPEED)
    install(farm, packages)
    with (farm.tree / "etc/hosts").open("a") as hosts:
        hosts.write("127.0.0.1 farm.local\n")
    write_box(farm.tree / "root/part.stl", 20, 20, 4)
    first_print(farm)
    restore(farm)
    look_for_troubles(farm)


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


def look_for_troubles(farm: Farm) -> None:
    """Type all of the page on troubles; bring one about that keeps a coordinator from starting."""
    [job] = farm.ask("job", "ls")
    farm.machine.call("systemctl", "stop", AGENT)  # as the page wants before `check`
    typed = commands(TROUBLES, "Troubleshooting, by symptom")
    _type(farm, typed, {"JOB": job["id"]})
    farm.machine.call("systemctl", "start", AGENT)
    settings = farm.tree / "etc/farmhand/coordinator.toml"
    own = settings.read_text()
    settings.write_text(f"prot = 1\n{own}")
    farm.machine.call("sh", "-c", f"systemctl restart {COORDINATOR} || true")
    came = farm.restarts(COORDINATOR)
    told = journal(farm, COORDINATOR)
    hold(any("there is no setting 'prot'" in line for line in told), f"its last words: {told[-5:]}")
    result = farm.machine.show(COORDINATOR, "Result", "ExecMainStatus")
    hold(result == {"Result": "exit-code", "ExecMainStatus": "2"}, f"a wrong setting is {result}")
    settings.write_text(own)
    farm.machine.call("systemctl", "restart", COORDINATOR)
    hold(came == farm.restarts(COORDINATOR) == 0, "a wrong setting was tried again")
    say(f"  troubleshooting: {len(typed)} commands as written; a wrong setting is named, once")


def _type(farm: Farm, typed: Sequence[str], values: Mapping[str, str]) -> None:
    known = dict(values)
    for command in typed:
        said = farm.type(filled(command, known))
        if command.startswith(TOKEN):
            known["TOKEN"] = said.split()[0]


def _state(farm: Farm, name: str) -> str:
    return (farm.tree / "var/lib/farmhand/coordinator" / name).read_text()
