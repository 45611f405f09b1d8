"""How the page looks does not depend on where one was before."""

import re
from pathlib import Path

STYLES = Path(__file__).parents[2] / "coordinator/dashboard/page/source/styles"
MAIN = STYLES.parent / "main.tsx"
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
# On paper only what is printed counts.
_PRINT = re.compile(r"@media print \{(?:[^{}]|\{[^{}]*\})*\}")
_RULE = re.compile(r"([^{};]+)\{[^{}]*\}")
_CLASS = re.compile(r"\.([a-zA-Z][\w-]*)")


def selectors(sheet: Path) -> list[str]:
    """Return what a sheet gives looks to, each selector by itself."""
    text = _PRINT.sub("", _COMMENT.sub("", sheet.read_text()))
    found = [each for rule in _RULE.findall(text) for each in re.split(r",(?![^(]*\))", rule)]
    return [each.strip() for each in found if each.strip() and not each.strip().startswith("@")]


def test_what_a_view_loads_late_gives_looks_to_its_own_classes_only() -> None:
    """A sheet that came with one view stays, and would change the next one's looks."""
    at_once = set(re.findall(r"styles/(\w+)\.css", MAIN.read_text()))
    sheets = {sheet.stem: selectors(sheet) for sheet in STYLES.glob("*.css")}
    assert at_once < set(sheets)
    classes = {name: set(_CLASS.findall(" ".join(rules))) for name, rules in sheets.items()}
    for name in set(sheets) - at_once:
        others = set().union(*(known for other, known in classes.items() if other != name))
        strays = [rule for rule in sheets[name] if not set(_CLASS.findall(rule)) - others]
        assert not strays, f"{name}.css gives looks to what is not its own: {strays}"
