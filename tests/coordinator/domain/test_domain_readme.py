"""The room's page tells what the tables say."""

from pathlib import Path

import pytest

from coordinator.domain import generations, jobs, plates, printers, runs, updates

README = Path(__file__).parents[3] / "coordinator" / "README.md"


@pytest.mark.parametrize(
    "diagram",
    [
        jobs.MACHINE.diagram(),
        plates.MACHINE.diagram(),
        runs.MACHINE.diagram(),
        generations.MACHINE.diagram(),
        printers.BED.diagram(),
        updates.ROLLOUT.diagram(),
        updates.UPDATE.diagram(),
    ],
    ids=["job", "plate", "run", "generation", "bed", "rollout", "update"],
)
def test_the_diagrams_are_those_of_the_tables(diagram: str) -> None:
    assert f"```mermaid\n{diagram}\n```" in README.read_text(encoding="utf-8")


def test_the_order_of_statuses_is_that_of_the_table() -> None:
    names = dict.fromkeys(status.value for status, _ in printers.STATUS)
    assert ", ".join(f"`{name}`" for name in names) in README.read_text(encoding="utf-8")
