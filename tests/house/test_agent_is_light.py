"""The agent stays small enough for a Pi with 512 MiB."""

import subprocess
import sys

HEAVY = [
    *["slicing", "coordinator", "sqlmodel", "sqlalchemy", "apscheduler", "numpy", "trimesh"],
    *["typer", "rich", "psutil", "yaml", "uvloop", "msgspec", "aiohttp"],
]

PROGRAM = """
import sys
import agent.__main__
print(*[name for name in {heavy!r} if sys.modules.get(name)])
"""


def test_the_agent_loads_nothing_heavy() -> None:
    program = PROGRAM.format(heavy=HEAVY)
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.split() == []
