"""PostgreSQL as a farm's database: its connections, and what it complains about.

Imported only where the settings name such a database: the driver is an extra.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError

from coordinator.adapters.db.engines import PATIENCE_S, READERS_MAX
from coordinator.errors import Refused, SettingsInvalid, StoreUnusable, Unavailable

# Transactions that write wait for each other at this lock, as those of SQLite do at its file: of
# several coordinators too. The number stands for Farmhand and must never change.
_LOCK = 0x6661726D68616E64

# As for SQLite: a lease is said to its agent right after its commit. Whoever turned this off for a
# whole server did not think of that.
_OPTIONS = "-c synchronous_commit=on -c timezone=UTC -c client_min_messages=warning"

_LOCKED = "55P03"
_FULL = ("53100", "53200")
_FORBIDDEN = ("28", "3D", "42501")  # who may log in, where to, and do what there
_DATA = "22"


@dataclass(frozen=True)
class PostgresqlServer:
    """Implements `Database`; made by `named`."""

    url: URL = field(repr=False)
    patience_s: float = PATIENCE_S

    @property
    def gather_s(self) -> float:
        """None: other coordinators wait for the lock that a transaction holds."""
        return 0.0

    def __str__(self) -> str:
        return f"database {self.url.render_as_string(hide_password=True)}"

    def require_sound(self) -> None:
        """Trust the server: it checks its pages itself."""

    def migrator(self) -> Engine:
        """Return an engine for migrations."""
        return self.writer()

    def writer(self) -> Engine:
        """Return the engine that writes: one connection, whose transactions lock at once."""
        engine = self._engine(pool_size=1)

        @event.listens_for(engine, "begin")
        def _begin(connection: Connection) -> None:
            milliseconds = int(self.patience_s * 1000)
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = {milliseconds}")
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")

        return engine

    def reader(self) -> Engine:
        """Return the engine that reads."""
        engine = self._engine(pool_size=READERS_MAX, isolation_level="REPEATABLE READ")
        return engine.execution_options(postgresql_readonly=True)

    def copy_to(self, path: Path) -> None:
        """Copy all rows of one repeatable read into a file of SQLite's."""
        from coordinator.adapters.db import copying  # all tables, which a connection needs not

        engine = self.reader()
        try:
            with engine.connect() as connection:
                copying.copy_into_file(connection, path)
        finally:
            engine.dispose()

    def _engine(self, **more: Any) -> Engine:
        patience_s = max(2, int(self.patience_s))
        return create_engine(
            self.url,
            connect_args={
                "connect_timeout": patience_s,
                # Statements hold up the loop: a server that is gone must not do so for long.
                "tcp_user_timeout": patience_s * 1000,
                "options": _OPTIONS,
            },
            max_overflow=0,
            pool_pre_ping=True,
            **more,
        )

    @contextmanager
    def told_plainly(self) -> Iterator[None]:
        """Turn the server's complaints into sentences."""
        try:
            yield
        except DBAPIError as error:
            if told := self._sentence(error):
                raise told from error
            raise

    def _sentence(self, error: DBAPIError) -> Unavailable | StoreUnusable | Refused | None:
        state = getattr(error.orig, "sqlstate", None)
        said = " ".join(str(error.orig).split())
        if state == _LOCKED:
            return Unavailable("store_locked", f"another program holds the {self}: try again")
        if state in _FULL:
            return Unavailable("disk_full", f"the {self} can't be written ({said}): make room")
        if state is not None and state.startswith(_FORBIDDEN):
            return StoreUnusable(f"the {self} can't be used ({said}): check user and database")
        if _is_data(error, state):
            return Refused("text_not_stored", f"the database can't store that ({said})")
        if error.connection_invalidated or _is_about_connection(error, state):
            return Unavailable("store_unreachable", f"the {self} does not answer ({said})")
        return None


def named(url: str, *, patience_s: float = PATIENCE_S) -> PostgresqlServer:
    """Return the database that an address names: postgresql://user:password@host/name.

    Raises:
        SettingsInvalid: it is no such address, or the driver is not installed.
    """
    try:
        parts = make_url(url).set(drivername="postgresql+psycopg")
    except ArgumentError:
        raise SettingsInvalid(
            "database_url is no address: write postgresql://user:password@host/name"
        ) from None  # what it complains about may be the password
    try:
        import psycopg  # noqa: F401
    except ImportError as error:
        raise SettingsInvalid(
            f"PostgreSQL's driver can't be loaded ({error}): install libpq5"
        ) from error
    return PostgresqlServer(parts, patience_s)


def _is_data(error: DBAPIError, state: str | None) -> bool:
    """Whether a value is none for its column; a text with a NUL the driver refuses by itself."""
    if state is None:
        return type(error.orig).__name__ == "DataError"
    return state.startswith(_DATA)


def _is_about_connection(error: DBAPIError, state: str | None) -> bool:
    if state is None:
        return type(error.orig).__name__ in ("OperationalError", "ConnectionTimeout")
    return state.startswith(("08", "57P", "53300"))
