"""The operators' handbook tells what each state means, and what to do about all that waits."""

import re
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path

import pytest

from coordinator.domain.generations import GenerationState
from coordinator.domain.jobs import JobState
from coordinator.domain.notices import MATTERS
from coordinator.domain.printers import BedState, PrinterStatus
from coordinator.domain.runs import RunState
from coordinator.domain.updates import RolloutState, UpdateState

ROOT = Path(__file__).parents[2]
HANDBOOK = (ROOT / "coordinator" / "handbook.md").read_text()
WORDS = (ROOT / "coordinator/dashboard/page/source/words.ts").read_text()

# What people are told of a matter, as the handbook has it.
SAID = {
    "printer.needs_clearing": "clear the bed",
    "run.paused": "paused by itself",
    "run.lost": "say how it ended",
    "run.failed": "the print failed",
    "job.failed": "the job failed",
    "printer.offline": "no word from its agent while it prints",
    "printer.faulted": "it stopped and needs a person",
    "printer.quarantined": "not used until somebody has looked",
    "job.material_wanted": "waits for material",
    "generation.awaiting_approval": "approve or reject what was made",
    "generation.unsure": "settle whether it was made",
    "generation.held_up": "requests wait",
    "generation.failed": "was not asked",
    "rollout.halted": "the update of agents halted",
    "rollout.finished": "agents run a version now",
    "webhook.disabled": "a webhook was disabled",
}


def section(title: str) -> str:
    [text] = re.findall(rf"^## {title}.*?\n(.*?)(?=^## |\Z)", HANDBOOK, re.DOTALL | re.MULTILINE)
    return str(text).lower()


def first_cells(text: str) -> str:
    """Return what stands in the first column of tables."""
    return "\n".join(line.split("|")[1] for line in text.splitlines() if line.startswith("|"))


@pytest.mark.parametrize(
    ("title", "states"),
    [
        ("What a printer is", PrinterStatus),
        ("What a printer is", BedState),
        ("What a job is", JobState),
        ("What a generation is", GenerationState),
        ("What an update of agents is", RolloutState),
        ("What an update of agents is", UpdateState),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_every_state_stands_in_a_table_with_what_to_do(
    title: str, states: Iterable[StrEnum]
) -> None:
    told = first_cells(section(title))
    for state in states:
        assert re.search(rf"\b{state.value.replace('_', ' ')}\b", told), state


def test_every_state_of_a_run_is_told() -> None:
    told = section("What a run is")
    assert all(state.value in told for state in RunState)


def test_every_finding_of_an_agent_is_told_with_what_to_do() -> None:
    told = first_cells(section("When a print goes wrong"))
    files = [*(ROOT / "agent" / "core").glob("watch*.py"), ROOT / "agent/printers/host_contact.py"]
    rules = {rule for file in files for rule in re.findall(r'rule=f?"(\w+)', file.read_text())}
    assert len(rules) >= 10
    assert all(f"`{rule}`" in told for rule in rules)


def test_what_people_are_told_of_is_there_with_what_to_do() -> None:
    assert MATTERS.keys() == SAID.keys()
    told = first_cells(section("What waits for you"))
    assert all(words in told for words in SAID.values())


@pytest.mark.parametrize(
    ("table", "title"),
    [
        ("STATUS", "What a printer is"),
        ("JOB", "What a job is"),
        ("GENERATION", "What a generation is"),
    ],
)
def test_the_words_of_the_page_are_those_of_the_handbook(table: str, title: str) -> None:
    [rows] = re.findall(
        rf"export const {table}: .*?= \{{(.*?)^\}};", WORDS, re.DOTALL | re.MULTILINE
    )
    said = re.findall(r'words: "([^"]+)"', rows)
    assert len(said) > 5
    assert all(words in section(title) for words in said)
