"""What `farmhand-agent doctor` says of a machine, held against what was done to it."""

import json

from tests.proofs.crash import say
from tests.proofs.debian_tree import hold
from tests.proofs.live_farm import AGENT, COORDINATOR, STATE, Farm

Findings = dict[str, list[dict[str, str]]]


def ask_doctor(farm: Farm) -> None:
    """Hold that it finds what is well, and each trouble that is brought about, and no other."""
    well = findings(farm)
    wrong = {about for about, each in well.items() if any(one["level"] == "fail" for one in each)}
    hold(not wrong, f"the doctor of a sound machine fails {wrong}: {well}")
    hold(farm.pid(AGENT) in well["agent"][0]["words"], f"of the agent it says {well['agent']}")
    hold("as pi-1" in well["enrolment"][0]["words"], f"of the enrolment {well['enrolment']}")

    (farm.tree / STATE[AGENT].lstrip("/") / "foreign").touch()
    _mends(farm, "state folder", "does not belong to farmhand-agent")
    (farm.tree / STATE[AGENT].lstrip("/") / "foreign").unlink()

    (farm.tree / "etc/udev/rules.d/85-brltty.rules").touch()
    _says(farm, "brltty", "warn", "braille")
    (farm.tree / "etc/udev/rules.d/85-brltty.rules").unlink()

    farm.machine.call("cp", "/usr/bin/sleep", "/usr/local/bin/ModemManager")
    farm.machine.call("systemd-run", "--unit=modems", "/usr/local/bin/ModemManager", "1h")
    _says(farm, "ModemManager", "ok", "told to leave printers alone")
    farm.machine.call("systemctl", "stop", "modems")

    farm.machine.call("systemctl", "stop", COORDINATOR)
    _says(farm, "coordinator", "fail", "does not answer")
    farm.machine.call("systemctl", "start", COORDINATOR)
    _says(farm, "coordinator", "ok", "answers")
    say(f"  the agent's doctor looks at {len(well)} things: tells each trouble made, and no other")
    farm.goes_on("a coordinator that was away")


def findings(farm: Farm) -> Findings:
    """Return what it finds, by what it is about."""
    told = farm.machine.call("sh", "-c", "farmhand-agent doctor --json || true")
    found: Findings = {}
    for line in told.splitlines():
        each = json.loads(line)
        found.setdefault(each["about"], []).append(each)
    return found


def _says(farm: Farm, about: str, level: str, words: str) -> dict[str, str]:
    found = findings(farm)[about]
    for each in found:
        if each["level"] == level and words in each["words"]:
            return each
    hold(False, f"the doctor says of {about}: {found}")
    raise AssertionError


def _mends(farm: Farm, about: str, words: str) -> None:
    """Hold that it finds a trouble, and that what it tells to type ends it."""
    farm.type(_says(farm, about, "fail", words)["mend"])
    again = findings(farm)[about]
    hold(again[0]["level"] == "ok", f"after what it said to do, the doctor says {again}")
