import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
README = ROOT / "protocols" / "gcode" / "README.md"


def test_every_habit_in_the_readme_has_the_tests_that_it_names() -> None:
    table = README.read_text().partition("| habit | test |")[2].partition("\n\n")[0]
    named = re.findall(
        r"`([\w.]+)`", "\n".join(row.split("|")[2] for row in table.splitlines()[2:])
    )
    there = {path.name for path in (ROOT / "tests" / "storyboards").iterdir()}
    source = "\n".join(path.read_text() for path in Path(__file__).parent.glob("test_*.py"))
    tests = re.findall(r"def (test_\w+)", source)
    assert len(named) > 50
    assert [n for n in named if n not in there and not any(n in test for test in tests)] == []
