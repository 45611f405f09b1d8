"""A serving coordinator reads the tables' classes without SQLModel, and makes the same of them."""

import json
import subprocess
import sys

import pytest

DESCRIBE = """
import json, sys
if sys.argv[1] == "bare":
    sys.modules["sqlmodel"] = None
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.schema import CreateIndex, CreateTable
import coordinator.adapters.db.store
from coordinator.adapters.db.shape import SQLModel

found = {}
for name, table in SQLModel.metadata.tables.items():
    found[name] = [
        str(make(part).compile(dialect=dialect.dialect()))
        for dialect in (sqlite, postgresql)
        for make, parts in (
            (CreateTable, [table]),
            (CreateIndex, sorted(table.indexes, key=lambda index: index.name)),
        )
        for part in parts
    ]
    # What turns values into what is stored, and back; SQLModel's AutoString is a String.
    found[name] += [type(column.type).__name__.removeprefix("Auto") for column in table.columns]
    found[name] += [str(column.default) for column in table.columns]
print(json.dumps({"orm": "sqlalchemy.orm" in sys.modules, "tables": found}))
"""


def described(how: str) -> dict[str, dict[str, list[str]]]:
    done = subprocess.run(
        [sys.executable, "-c", DESCRIBE, how],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, dict[str, list[str]]] = json.loads(done.stdout)
    return found


@pytest.fixture(scope="module")
def both() -> tuple[dict[str, dict[str, list[str]]], ...]:
    return described("bare"), described("sqlmodel")


def test_the_stand_in_makes_the_tables_that_sqlmodel_makes(
    both: tuple[dict[str, dict[str, list[str]]], ...],
) -> None:
    bare, real = both
    assert len(real["tables"]) > 20
    assert list(bare["tables"]) == list(real["tables"])
    for name, told in real["tables"].items():
        assert bare["tables"][name] == told, name


def test_the_stand_in_loads_no_orm(both: tuple[dict[str, dict[str, list[str]]], ...]) -> None:
    bare, real = both
    assert real["orm"]
    assert not bare["orm"]
