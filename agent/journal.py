"""Facts that survive a power cut, and the outbox of events that nobody has acknowledged yet.

One SQLite file. Every change of a memory and the events it makes are one transaction, on the card
before anything is done about it. Write-ahead log with `synchronous=FULL`: one fsync per commit,
and a commit that returned is never rolled back (a rollback journal would need EXTRA, and three
fsyncs, for the same promise). Exclusive locking keeps a second agent off the same directory.

An fsync on an SD card may take hundreds of milliseconds. It happens in one worker thread, so that
the loop goes on feeding the other printers; one, so that writes keep their order.
"""

import asyncio
import errno
import json
import os
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Self, TypeVar
from uuid import uuid4

from agent.core.memory import Change, Ejection, EjectionStage, Memory
from agent.core.run import Run
from agent.errors import JournalDamaged
from protocols.wire.codec import encode
from protocols.wire.to_agent import PlateReference
from protocols.wire.vocabulary import (
    AgentId,
    Epoch,
    JobId,
    JournalId,
    Nonce,
    PrinterId,
    RunId,
    RunPhase,
)

SCHEMA_VERSION = 2

_SCHEMA = """
CREATE TABLE journal (id TEXT NOT NULL);
CREATE TABLE memory (
    printer_id TEXT PRIMARY KEY,
    epoch INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    occupation INTEGER NOT NULL,
    foreign_prints INTEGER NOT NULL,
    events_stored INTEGER NOT NULL,
    run TEXT,
    staged TEXT NOT NULL,
    staged_epoch INTEGER NOT NULL,
    ejection TEXT
) WITHOUT ROWID;
CREATE TABLE outbox (
    printer_id TEXT NOT NULL,
    number INTEGER NOT NULL,
    payload BLOB NOT NULL,
    PRIMARY KEY (printer_id, number)
) WITHOUT ROWID;
"""

# Version 1 knew the term of a coordinator, and no leases in advance.
_FROM_1 = """
ALTER TABLE memory RENAME TO memory_1;
CREATE TABLE memory (
    printer_id TEXT PRIMARY KEY,
    epoch INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    occupation INTEGER NOT NULL,
    foreign_prints INTEGER NOT NULL,
    events_stored INTEGER NOT NULL,
    run TEXT,
    staged TEXT NOT NULL,
    staged_epoch INTEGER NOT NULL,
    ejection TEXT
) WITHOUT ROWID;
INSERT INTO memory SELECT printer_id, epoch, revision, occupation, foreign_prints, events_stored,
    run, '[]', 0, NULL FROM memory_1;
DROP TABLE memory_1;
PRAGMA user_version = 2;
"""

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """One event of the outbox: the same bytes each time it is said."""

    number: int
    payload: bytes


class JournalFile:
    """The file itself. Every call blocks, and belongs to one thread at a time."""

    def __init__(self, path: Path) -> None:
        """Open the journal, or begin a new one.

        Raises:
            JournalDamaged: it can't be read, another agent holds it, or it is of a newer version.
        """
        self._path = path
        with _blaming(path):
            self._database = _opened(path)
        try:
            self.journal_id = self._prepare()
        except BaseException:
            self._database.close()
            raise

    def _prepare(self) -> JournalId:
        with _blaming(self._path):
            self._database.execute("BEGIN IMMEDIATE")
            version = self._database.execute("PRAGMA user_version").fetchone()[0]
            if version > SCHEMA_VERSION:
                raise JournalDamaged(
                    f"{self._path} is of version {version}, this agent knows {SCHEMA_VERSION}: "
                    "install the newer agent again"
                )
            if version == 0:
                self._begin()
            elif version == 1:
                self._run_all(_FROM_1)
            sound = self._database.execute("PRAGMA quick_check(1)").fetchone()[0]
            if sound != "ok":
                raise sqlite3.DatabaseError(sound)
            row = self._database.execute("SELECT id FROM journal").fetchone()
            self._database.execute("COMMIT")
        return JournalId(row[0])

    def _begin(self) -> None:
        self._run_all(_SCHEMA)
        self._database.execute("INSERT INTO journal VALUES (?)", (uuid4().hex,))
        self._database.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")

    def _run_all(self, statements: str) -> None:
        for statement in statements.split(";"):
            self._database.execute(statement)

    def load(self, agent_id: AgentId, printer_id: PrinterId) -> Memory:
        """Return what is remembered of a printer; a new printer has a blank memory."""
        with _blaming(self._path):
            row = self._database.execute(
                "SELECT epoch, revision, occupation, foreign_prints, events_stored, run, staged,"
                " staged_epoch, ejection FROM memory WHERE printer_id = ?",
                (printer_id,),
            ).fetchone()
            if row is None:
                return Memory(agent_id=agent_id, printer_id=printer_id, journal_id=self.journal_id)
            return Memory(
                agent_id=agent_id,
                printer_id=printer_id,
                journal_id=self.journal_id,
                epoch=Epoch(row[0]),
                revision=row[1],
                occupation=row[2],
                foreign=bool(row[3]),
                events_stored=row[4],
                run=_run_from(json.loads(row[5])) if row[5] is not None else None,
                staged=tuple(_run_from(fields) for fields in json.loads(row[6])),
                staged_epoch=Epoch(row[7]),
                ejection=_ejection_from(row[8]),
            )

    def save(self, change: Change) -> None:
        """Write a memory and its events, all or nothing, and return once they are on the card.

        Raises:
            JournalDamaged: nothing was written: no room, or a broken card.
        """
        memory = change.memory
        with _blaming(self._path), self._transaction():
            self._database.execute(
                "INSERT OR REPLACE INTO memory VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    memory.printer_id,
                    memory.epoch,
                    memory.revision,
                    memory.occupation,
                    memory.foreign,
                    memory.events_stored,
                    json.dumps(_run_as_fields(memory.run)) if memory.run else None,
                    json.dumps([_run_as_fields(run) for run in memory.staged]),
                    memory.staged_epoch,
                    json.dumps(asdict(memory.ejection)) if memory.ejection else None,
                ),
            )
            self._database.executemany(
                "INSERT INTO outbox VALUES (?, ?, ?)",
                [(memory.printer_id, event.number, encode(event)) for event in change.events],
            )

    def outbox(self, printer_id: PrinterId, after: int, limit: int) -> list[StoredEvent]:
        """Return up to `limit` events with a number above `after`, in order."""
        with _blaming(self._path):
            rows = self._database.execute(
                "SELECT number, payload FROM outbox WHERE printer_id = ? AND number > ?"
                " ORDER BY number LIMIT ?",
                (printer_id, after, limit),
            ).fetchall()
        return [StoredEvent(number, payload) for number, payload in rows]

    def acknowledge(self, printer_id: PrinterId, number: int) -> None:
        """Forget the events up to and with this number."""
        with _blaming(self._path), self._transaction():
            self._database.execute(
                "DELETE FROM outbox WHERE printer_id = ? AND number <= ?", (printer_id, number)
            )

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def _transaction(self) -> "_Transaction":
        return _Transaction(self._database)


class Journal:
    """The journal for a loop: the same calls, awaited, one after the other in one thread."""

    def __init__(self, file: JournalFile, thread: ThreadPoolExecutor) -> None:
        """Take over an open file and the thread it is used in; use `open` instead."""
        self._file = file
        self._thread = thread
        self.journal_id = file.journal_id

    @classmethod
    async def open(cls, path: Path) -> Self:
        """Open the journal, or begin a new one.

        Raises:
            JournalDamaged: it can't be used.
        """
        thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="journal")
        try:
            file = await asyncio.get_running_loop().run_in_executor(thread, JournalFile, path)
        except BaseException:
            thread.shutdown(wait=False)
            raise
        return cls(file, thread)

    async def load(self, agent_id: AgentId, printer_id: PrinterId) -> Memory:
        """Return what is remembered of a printer."""
        return await self._do(lambda: self._file.load(agent_id, printer_id))

    async def save(self, change: Change) -> None:
        """Write a memory and its events, all or nothing. Raises JournalDamaged."""
        await self._do(lambda: self._file.save(change))

    async def outbox(self, printer_id: PrinterId, after: int, limit: int) -> list[StoredEvent]:
        """Return events that nobody acknowledged, in order."""
        return await self._do(lambda: self._file.outbox(printer_id, after, limit))

    async def acknowledge(self, printer_id: PrinterId, number: int) -> None:
        """Forget the events up to and with this number."""
        await self._do(lambda: self._file.acknowledge(printer_id, number))

    def close(self) -> None:
        """Finish what was begun, and close the file."""
        self._thread.submit(self._file.close)
        self._thread.shutdown(wait=True)

    async def _do(self, work: Callable[[], Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)


class _Transaction:
    """BEGIN ... COMMIT, or ROLLBACK when anything is raised."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database

    def __enter__(self) -> None:
        self._database.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            try:
                self._database.execute("COMMIT")
            except sqlite3.Error:
                self._roll_back()
                raise
        else:
            self._roll_back()

    def _roll_back(self) -> None:
        with suppress(sqlite3.Error):  # SQLite may have rolled back by itself
            self._database.execute("ROLLBACK")


class _blaming:  # noqa: N801 - reads as a verb where it is used
    """Turn what SQLite raises into JournalDamaged, with words for a person."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        return None

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if isinstance(error, (sqlite3.Error, OSError)):
            raise JournalDamaged(_advice(self._path, error)) from error


def _advice(path: Path, error: Exception) -> str:
    text = str(error)
    if "locked" in text:
        return f"{path} is held by another agent: stop it, or give this one its own state_dir"
    if isinstance(error, OSError) and error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EIO):
        return f"{path.parent} can't be used ({error.strerror}): set state_dir to a folder of ours"
    if "unable to open" in text or "readonly" in text:
        return f"{path} can't be written ({text}): check owner and permissions of it and its folder"
    if "full" in text or "disk I/O" in text or isinstance(error, OSError):
        return f"{path} can't be written ({text}): free some room or replace the card"
    return (
        f"{path} is damaged ({text}): move it away and start again; "
        "running prints become lost, and every bed has to be declared clear"
    )


def _opened(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)  # the state folder: secrets follow
    is_new = not path.exists()
    database = sqlite3.connect(path, timeout=2.0, isolation_level=None, check_same_thread=False)
    try:
        database.execute("PRAGMA locking_mode = EXCLUSIVE")
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = FULL")
    except BaseException:
        database.close()
        raise
    if is_new:
        _sync_directory(path.parent)
    return database


def _sync_directory(folder: Path) -> None:
    """Make a new name in a directory survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _ejection_from(text: str | None) -> Ejection | None:
    if text is None:
        return None
    fields: dict[str, Any] = json.loads(text)
    return Ejection(occupation=fields["occupation"], stage=EjectionStage(fields["stage"]))


def _run_as_fields(run: Run) -> dict[str, Any]:
    at = run.committed_at
    return asdict(run) | {"committed_at": at.isoformat() if at else None}


def _run_from(fields: dict[str, Any]) -> Run:
    at = fields["committed_at"]
    return Run(
        run_id=RunId(fields["run_id"]),
        job_id=JobId(fields["job_id"]),
        epoch=Epoch(fields["epoch"]),
        plate=PlateReference(**fields["plate"]),
        phase=RunPhase(fields["phase"]),
        nonce=Nonce(fields["nonce"]) if fields["nonce"] is not None else None,
        nonces_before=tuple(Nonce(nonce) for nonce in fields["nonces_before"]),
        pause_asked=fields["pause_asked"],
        committed_at=datetime.fromisoformat(at) if at else None,
        reason=fields["reason"],
    )
