"""What a running coordinator does not need stays unloaded: it shares a Pi with agents."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

UNNEEDED = [
    # The programs beside it: the command, slicing, the broker in Python.
    *[
        "rich",
        "typer",
        "coordinator.cli.main",
        "slicing",
        "numpy",
        "trimesh",
        "agent",
        "amqtt",
        "yaml",
    ],
    # What only some farms use, or only once.
    *["alembic", "sqlalchemy.dialects.postgresql", "psycopg", "zeroconf", "aiosmtplib"],
    *["joserfc", "cryptography", "jsonschema"],
    # Statements are SQLAlchemy's Core; files are read when a plate or a model is.
    *["sqlalchemy.orm", "sqlalchemy.ext.asyncio", "sqlmodel", "greenlet", "obstore"],
]

# Of a farm without printers: 71 MiB; it was 83 before it gave back what only the start needed.
RESIDENT_MIB_MAX = 78.0

# A real start, one question, and the end; written last is what is in memory then.
FIRST_QUESTION = """
import gc, http.client, json, os, signal, ssl, sys, threading, time
from pathlib import Path

folder = Path(sys.argv[1])

def ask():
    file = folder / "coordinator.json"
    while not file.exists():
        time.sleep(0.05)
    token = (folder / "token").read_text().strip()
    host = json.loads(file.read_text())["api_url"].removeprefix("http://")
    asking = http.client.HTTPConnection(host)
    asking.request("GET", "/api/v1/printers", headers={"Authorization": "Bearer " + token})
    assert asking.getresponse().status == 200
    told["resident_mib"] = int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 2**20
    gc.unfreeze()
    contexts = [each for each in gc.get_objects() if isinstance(each, ssl.SSLContext)]
    told["authorities"] = sum(each.cert_store_stats()["x509_ca"] for each in contexts)
    os.kill(os.getpid(), signal.SIGTERM)

told = {}
threading.Thread(target=ask, daemon=True).start()
sys.argv[:] = ["farmhand", "coordinator", "--state-dir", str(folder), "--port", "0"]
sys.argv += ["--broker-port", "0"]
from coordinator.cli.start import main
try:
    main()
except SystemExit as end:
    told["code"] = end.code

from coordinator.api.app import ROUTES
forms = {form for route in ROUTES for form in (route.asks, route.takes, route.form) if form}
told["loaded"] = sorted(name for name, module in sys.modules.items() if module is not None)
told["built"] = sorted(form.__name__ for form in forms if form.__pydantic_complete__)
print(json.dumps(told))
"""


@pytest.fixture(scope="module")
def after_a_question(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("light") / "farm"
    folder.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", FIRST_QUESTION, str(folder)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    assert found["code"] == 0
    return found


def test_the_coordinator_loads_nothing_that_it_does_not_need(
    after_a_question: dict[str, Any],
) -> None:
    assert "coordinator.api.printers" in after_a_question["loaded"]
    assert set(UNNEEDED) & set(after_a_question["loaded"]) == set()


def test_a_form_is_built_by_the_first_request_that_brings_it(
    after_a_question: dict[str, Any],
) -> None:
    # Its own; one more has forgotten `defer_build`.
    assert after_a_question["built"] == ["PrintersQuery"]


def test_what_only_the_start_needed_is_given_back(after_a_question: dict[str, Any]) -> None:
    assert after_a_question["resident_mib"] < RESIDENT_MIB_MAX


def test_nobody_s_certificates_are_read_before_somebody_is_asked(
    after_a_question: dict[str, Any],
) -> None:
    assert after_a_question["authorities"] == 0


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
