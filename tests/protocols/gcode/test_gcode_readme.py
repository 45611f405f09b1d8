import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
README = ROOT / "protocols" / "gcode" / "README.md"


TESTS = ROOT / "tests"


@pytest.mark.parametrize(
    ("heading", "folders", "count_min"),
    [
        ("| habit | test |", [TESTS / "protocols" / "gcode"], 70),
        ("| habit | test of the driver |", [TESTS / "agent", TESTS / "edges"], 30),
    ],
)
def test_every_habit_in_the_readme_has_the_tests_that_it_names(
    heading: str, folders: list[Path], count_min: int
) -> None:
    table = README.read_text().partition(heading)[2].partition("\n\n")[0]
    named = re.findall(
        r"`([\w.]+)`", "\n".join(row.split("|")[2] for row in table.splitlines()[2:])
    )
    there = {path.name for path in (TESTS / "storyboards").iterdir()}
    files = [path for folder in folders for path in folder.rglob("test_*.py")]
    tests = re.findall(r"def (test_\w+)", "\n".join(path.read_text() for path in files))
    assert len(named) > count_min
    assert [n for n in named if n not in there and not any(n in test for test in tests)] == []
