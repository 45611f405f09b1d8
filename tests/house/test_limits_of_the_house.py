"""Files and functions stay short enough to be read at one sitting."""

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path
from textwrap import dedent

ROOT = Path(__file__).parents[2]
FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 60
PYTHON = sorted(
    path
    for room in ("agent", "coordinator", "protocols", "slicing", "tests", "configs")
    for path in (ROOT / room).rglob("*.py")
)

# What may be longer, each with its reason.
EXEMPT_FILES: dict[str, str] = {}
EXEMPT_FUNCTIONS: dict[str, str] = {}


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_every_file_is_short() -> None:
    lengths = {name_of(path): len(path.read_text().splitlines()) for path in PYTHON}
    long = {name: length for name, length in lengths.items() if length > FILE_LINES_MAX}
    assert long.keys() <= EXEMPT_FILES.keys()


def functions(within: Iterable[ast.AST]) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Yield the functions that statements define, however deep; expressions define none."""
    for node in within:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node
        for block in ("body", "orelse", "finalbody", "handlers", "cases"):
            inner = getattr(node, block, ())
            yield from functions(inner if isinstance(inner, list) else ())


def test_every_function_is_short() -> None:
    long = [
        f"{name_of(path)}:{node.name}: {length}"
        for path in PYTHON
        if (text := path.read_text()).count("\n") > FUNCTION_LINES_MAX
        for node in functions(ast.parse(text).body)
        if (length := (node.end_lineno or 0) - node.lineno + 1) > FUNCTION_LINES_MAX
        and f"{name_of(path)}:{node.name}" not in EXEMPT_FUNCTIONS
    ]
    assert not long


def test_a_function_is_found_however_deep_it_is() -> None:
    text = """
        if True:
            try:
                pass
            except OSError:
                match 1:
                    case 1:
                        class A:
                            async def b():
                                def c(): pass
            finally:
                def d(): pass
        else:
            def e(): pass
    """
    tree = ast.parse(dedent(text))
    assert sorted(node.name for node in functions(tree.body)) == ["b", "c", "d", "e"]


def test_every_package_tells_its_purpose_in_a_readme() -> None:
    for package in ("agent", "coordinator", "protocols", "slicing", "tests", "configs", "systemd"):
        assert (ROOT / package / "README.md").is_file(), package


def test_no_limit_is_lifted_for_something_that_is_gone() -> None:
    functions = {name.partition(":")[0] for name in EXEMPT_FUNCTIONS}
    assert (set(EXEMPT_FILES) | functions) <= {name_of(path) for path in PYTHON}
