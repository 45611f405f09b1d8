"""A real PostgreSQL server on a socket in a folder of its own, that keeps nothing."""

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from coordinator.adapters.db import schema
from coordinator.adapters.db.postgresql import named
from coordinator.cli.demo_processes import end_with_parent

START_S_MAX = 30.0
_TEMPLATE = "migrated"
# Nothing here has to survive a power cut, and tests have better things to wait for.
_HASTE = ("fsync=off", "full_page_writes=off", "shared_buffers=16MB", "max_connections=60")


@dataclass
class PostgresqlProcess:
    """A running server; whoever can reach its socket is its owner.

    Attributes:
        folder: of its socket.
    """

    folder: Path
    process: "subprocess.Popen[bytes]"
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def url(self, database: str) -> str:
        """Return the address of a database."""
        return f"postgresql://farmhand@/{database}?host={self.folder}"

    def new_database(self, *, empty: bool = False) -> str:
        """Make a database and return its address: Farmhand's with nothing in it, or none."""
        name = f"farm_{next(self._numbers)}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {'template0' if empty else _TEMPLATE}")
        return self.url(name)

    def execute(self, statement: str, *, database: str = "postgres") -> list[tuple[Any, ...]]:
        """Execute a statement as the owner; return the rows, if there are any."""
        import psycopg

        with psycopg.connect(self.url(database), autocommit=True) as connection:
            done = connection.execute(statement)  # type: ignore[call-overload]
            return list(done.fetchall()) if done.description else []


def find() -> Path | None:
    """Return the folder of the server's programs, None where it is not installed."""
    if program := shutil.which("postgres"):
        return Path(program).parent
    return max(
        (path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/postgres")),
        key=lambda folder: int(folder.parent.name),
        default=None,
    )


@contextmanager
def start_postgresql() -> Iterator[PostgresqlProcess]:
    """Run a server while the context lasts; it must be installed."""
    programs = find()
    assert programs is not None, "asked for before"
    # A socket's path has to be short.
    with tempfile.TemporaryDirectory(prefix="farmhand-pg-", dir="/tmp") as name:
        folder, user = Path(name), _unprivileged()
        if user:
            os.chown(folder, pwd.getpwnam(user).pw_uid, -1)
        command = [programs / "initdb", "--pgdata", folder / "data", "--username", "farmhand"]
        command += ["--auth", "trust", "--encoding", "UTF8", "--locale", "C", "--no-sync"]
        subprocess.run(command, check=True, capture_output=True, cwd=folder, **_as(user))
        command = [programs / "postgres", "-D", folder / "data", "-k", folder]
        command += [word for each in ("listen_addresses=", *_HASTE) for word in ("-c", each)]
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                command, stderr=log, cwd=folder, preexec_fn=end_with_parent(), **_as(user)
            )
        try:
            server = PostgresqlProcess(folder, process)
            _await(server)
            server.execute(f"CREATE DATABASE {_TEMPLATE} TEMPLATE template0")
            schema.migrate(named(server.url(_TEMPLATE)))
            yield server
        finally:
            process.terminate()
            try:
                process.wait(1)
            except subprocess.TimeoutExpired:
                process.send_signal(3)  # SIGQUIT: at once, whoever is connected
                process.wait()


def _unprivileged() -> str:
    """Return who is to run the server: root may not."""
    return "postgres" if os.geteuid() == 0 else ""


def _as(user: str) -> dict[str, Any]:
    if not user:
        return {}
    entry = pwd.getpwnam(user)
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


def _await(server: PostgresqlProcess) -> None:
    import psycopg

    until_s = time.monotonic() + START_S_MAX
    while time.monotonic() < until_s:
        if server.process.poll() is not None:
            raise RuntimeError((server.folder / "log").read_text(errors="replace"))
        try:
            server.execute("SELECT 1")
            return
        except psycopg.OperationalError:
            time.sleep(0.05)
    raise TimeoutError("PostgreSQL does not answer")
