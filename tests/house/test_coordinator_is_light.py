"""What a running coordinator does not need stays unloaded: it shares a Pi with agents."""

import subprocess
import sys
from pathlib import Path

UNNEEDED = [
    # The programs beside it: the command, slicing, the broker in Python.
    *["rich", "typer", "slicing", "numpy", "trimesh", "agent", "amqtt", "yaml"],
    # What only some farms use, or only once.
    *["alembic", "sqlalchemy.dialects.postgresql", "psycopg", "zeroconf", "aiosmtplib"],
    *["joserfc", "cryptography", "jsonschema"],
]

PROGRAM = """
import sys
import coordinator.__main__
import coordinator.app
print(*[name for name in {unneeded!r} if sys.modules.get(name)])
"""


def test_the_coordinator_loads_nothing_that_it_does_not_need() -> None:
    program = PROGRAM.format(unneeded=UNNEEDED)
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.split() == []


FIRST_START = """
import asyncio, sys
from pathlib import Path
from coordinator.adapters.db.store import open_store

async def main():
    async with open_store(Path(sys.argv[1])):
        pass

asyncio.run(main())
print(*[name for name in ("alembic", "sqlalchemy.dialects.postgresql") if name in sys.modules])
"""


def test_a_first_start_runs_no_migrations(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FIRST_START, f"{tmp_path}/farm.sqlite3"],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout.split() == []
