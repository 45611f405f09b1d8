"""What the README tells of Farmhand beside the printers' own integrations is what the code has."""

import re
from collections import Counter
from pathlib import Path

from coordinator.domain.automation.topics import Topics
from coordinator.domain.homeassistant.printer_entities import Abilities, printer_entities
from coordinator.domain.homeassistant.verbs import ARMED, verbs_of
from tests.benchmarks.homeassistant import OTHERS

README = Path(__file__).parents[3] / "coordinator/adapters/homeassistant/README.md"
NUMBERS = ("number", "select", "switch", "light", "fan")
# What drivers tell of fan, speed and flow, where it is not the same as of a serial line.
USUAL, PRUSALINK = {"fan", "speed", "flow"}, {"speed", "flow", "fan_rpm", "hotend_fan_rpm"}


def counted(*, armed: frozenset[str] = ARMED, tuned: set[str] = USUAL) -> Counter[str]:
    """Return how many entities of each platform a printer has."""
    commands = ("send", "emergency_stop", "picture")
    can = Abilities(
        verbs=verbs_of(can_pause=True, commands=commands, armed=armed),
        heaters=("bed", "tool0"),
        tuned=frozenset(tuned),
        materials=("PLA",),
        camera=True,
    )
    return Counter(each.platform for each in printer_entities(Topics("f"), "p", can))


def rows() -> dict[str, list[str]]:
    """Return the first table's cells by what its lines begin with."""
    lines = [
        [cell.strip(" *") for cell in line.strip("|").split("|")]
        for line in README.read_text().splitlines()
        if line.count("|") == 7
    ]
    return {first: rest for first, *rest in lines}


def figures(cell: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", cell)]


def test_the_figures_of_the_table_are_those_of_the_code() -> None:
    table, can, unarmed = rows(), counted(), counted(armed=frozenset())
    sensors = [can, counted(tuned=PRUSALINK), counted(tuned=set())]
    assert figures(table["sensors"][-1]) == [each["sensor"] for each in sensors]
    assert figures(table["binary sensors"][-1]) == [can["binary_sensor"]]
    assert figures(table["buttons"][-1]) == [unarmed["button"], can["button"]]
    assert figures(table["numbers, selects, switches, lights, fans"][-1]) == [
        sum(can[platform] for platform in NUMBERS)
    ]
    assert not any(unarmed[platform] for platform in NUMBERS)
    assert figures(table["pictures"][-1]) == [can["camera"]]
    assert figures(table["event, device triggers"][-1]) == [can["event"], can["device_automation"]]
    entities = [each.total() - each["device_automation"] for each in (unarmed, can)]
    assert figures(table["entities"][-1]) == entities


def test_the_sums_of_the_others_are_those_that_the_benchmark_holds_ours_against() -> None:
    table = rows()
    kinds = ("sensors", "binary sensors", "buttons", "numbers, selects, switches, lights, fans")
    for column, name in enumerate(("OctoPrint", "PrusaLink", "Moonraker", "Bambu")):
        sums = sum(sum(figures(table[kind][column])) for kind in (*kinds, "pictures"))
        assert figures(table["entities"][column]) == [sums]
        (told,) = [count for each, count in OTHERS.items() if name.casefold() in each.casefold()]
        assert told == sums
