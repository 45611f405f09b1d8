"""The journal: what it promised survives, and what it can't read it says."""

import shutil
import sqlite3
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent.core.memory import Change, Memory, record
from agent.core.run import Happened, Run
from agent.errors import JournalDamaged
from agent.journal import Journal, JournalFile
from protocols.wire.codec import decode
from protocols.wire.from_agent import RunEvent
from protocols.wire.to_agent import PlateReference
from protocols.wire.vocabulary import AgentId, Epoch, JobId, Nonce, PrinterId, RunId

AT = datetime(2026, 1, 1, tzinfo=UTC)
AGENT, PRINTER = AgentId("a"), PrinterId("p")
RUN = Run(
    run_id=RunId("r1"),
    job_id=JobId("j1"),
    epoch=Epoch(7),
    plate=PlateReference(sha256="0" * 64, size_bytes=1, url="/p", name="Ärmel"),
)
STAGED = replace(RUN, run_id=RunId("r2"), epoch=Epoch(8), nonce=Nonce("boot.n2"))
LIFE = (
    Happened.FETCHED,
    Happened.ARMED,
    Happened.COMMITTED,
    Happened.STARTED,
    Happened.PAUSED,
    Happened.RESUMED,
    Happened.FINISHED,
)


def life_of(memory: Memory) -> list[Change]:
    """Every change of one run from its lease to its end."""
    given = Change(
        memory=replace(
            memory, epoch=Epoch(7), revision=3, run=RUN, staged=(STAGED,), staged_epoch=Epoch(8)
        )
    )
    changes = [given]
    for happened in LIFE:
        nonce = Nonce("n1") if happened is Happened.ARMED else None
        changes.append(record(changes[-1].memory, happened, at=AT, nonce=nonce))
    return changes


def copy_as_after_a_crash(path: Path, to: Path) -> Path:
    """What lies on the card at this instant, while the journal is still open."""
    to.mkdir()
    for file in path.parent.glob(f"{path.name}*"):
        shutil.copy(file, to / file.name)
    return to / path.name


def test_every_instant_of_a_life_is_found_again_after_a_crash(tmp_path: Path) -> None:
    path = tmp_path / "live" / "journal.sqlite"
    journal = JournalFile(path)
    numbers: list[int] = []
    for index, change in enumerate(life_of(journal.load(AGENT, PRINTER))):
        journal.save(change)
        numbers += [event.number for event in change.events]
        again = JournalFile(copy_as_after_a_crash(path, tmp_path / str(index)))
        assert again.load(AGENT, PRINTER) == change.memory
        assert [event.number for event in again.outbox(PRINTER, 0, 99)] == numbers
        assert again.journal_id == journal.journal_id
        again.close()
    assert numbers == [1, 2, 3, 4]


def test_a_write_that_never_reached_the_card_leaves_what_was_before(tmp_path: Path) -> None:
    path = tmp_path / "live" / "journal.sqlite"
    journal = JournalFile(path)
    *_, before, last = life_of(journal.load(AGENT, PRINTER))
    journal.save(before)
    log = path.with_name("journal.sqlite-wal")
    length = log.stat().st_size
    journal.save(last)
    torn = copy_as_after_a_crash(path, tmp_path / "torn")
    torn_log = torn.with_name("journal.sqlite-wal")
    torn_log.write_bytes(torn_log.read_bytes()[: length + 100])
    again = JournalFile(torn)
    assert again.load(AGENT, PRINTER) == before.memory
    assert again.outbox(PRINTER, 3, 99) == []


def test_a_memory_and_its_events_are_written_together_or_not_at_all(tmp_path: Path) -> None:
    journal = JournalFile(tmp_path / "journal.sqlite")
    changes = life_of(journal.load(AGENT, PRINTER))
    started, paused = changes[4], changes[5]
    journal.save(started)
    twice = replace(paused, events=started.events)  # a number that is taken
    with pytest.raises(JournalDamaged):
        journal.save(twice)
    assert journal.load(AGENT, PRINTER) == started.memory


def test_events_keep_their_bytes_and_go_when_they_are_acknowledged(tmp_path: Path) -> None:
    journal = JournalFile(tmp_path / "journal.sqlite")
    for change in life_of(journal.load(AGENT, PRINTER)):
        journal.save(change)
    stored = journal.outbox(PRINTER, 1, 2)
    assert [event.number for event in stored] == [2, 3]
    assert decode(stored[0].payload, RunEvent).event == "paused"
    journal.acknowledge(PRINTER, 3)
    assert [event.number for event in journal.outbox(PRINTER, 0, 99)] == [4]
    assert journal.load(AGENT, PRINTER).events_stored == 4


def test_a_state_folder_that_is_made_is_for_its_owner_only(tmp_path: Path) -> None:
    JournalFile(tmp_path / "state" / "journal.sqlite").close()
    assert (tmp_path / "state").stat().st_mode & 0o777 == 0o700


def test_a_second_agent_is_kept_off(tmp_path: Path) -> None:
    first = JournalFile(tmp_path / "journal.sqlite")
    with pytest.raises(JournalDamaged, match="held by another agent"):
        JournalFile(tmp_path / "journal.sqlite")
    first.close()


@pytest.mark.parametrize(
    "content", [b"this is no database" * 200, b"SQLite format 3\0" + b"\xff" * 5000]
)
def test_a_damaged_file_is_named_with_what_to_do(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "journal.sqlite"
    path.write_bytes(content)
    with pytest.raises(JournalDamaged, match="move it away"):
        JournalFile(path)


def test_a_file_cut_in_half_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    journal = JournalFile(path)
    for change in life_of(journal.load(AGENT, PRINTER)):
        journal.save(change)
    journal.close()
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(JournalDamaged, match="move it away"):
        JournalFile(path)


def test_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    JournalFile(path).close()
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA user_version = 99")
    database.close()
    with pytest.raises(JournalDamaged, match="of version 99"):
        JournalFile(path)


async def test_an_agent_that_ends_has_written_what_it_began(tmp_path: Path) -> None:
    journal = await Journal.open(tmp_path / "journal.sqlite")
    changes = life_of(await journal.load(AGENT, PRINTER))
    await journal.save(changes[1])
    journal.close()
    again = await Journal.open(tmp_path / "journal.sqlite")
    assert await again.load(AGENT, PRINTER) == changes[1].memory
    again.close()


def test_a_journal_of_the_first_version_is_taken_over(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    database = sqlite3.connect(path)
    database.executescript(
        """
        CREATE TABLE journal (id TEXT NOT NULL);
        CREATE TABLE memory (printer_id TEXT PRIMARY KEY, epoch INTEGER NOT NULL,
            revision INTEGER NOT NULL, term INTEGER NOT NULL, occupation INTEGER NOT NULL,
            foreign_prints INTEGER NOT NULL, events_stored INTEGER NOT NULL, run TEXT)
            WITHOUT ROWID;
        CREATE TABLE outbox (printer_id TEXT NOT NULL, number INTEGER NOT NULL,
            payload BLOB NOT NULL, PRIMARY KEY (printer_id, number)) WITHOUT ROWID;
        INSERT INTO journal VALUES ('old');
        INSERT INTO memory VALUES ('p', 7, 3, 2, 5, 1, 9, NULL);
        PRAGMA user_version = 1;
        """
    )
    database.close()
    journal = JournalFile(path)
    memory = journal.load(AGENT, PRINTER)
    assert journal.journal_id == "old"
    assert (memory.epoch, memory.revision, memory.occupation) == (7, 3, 5)
    assert (memory.foreign, memory.events_stored) == (True, 9)
    assert (memory.staged, memory.staged_epoch, memory.ejection) == ((), 0, None)
    for change in life_of(memory):
        journal.save(change)
    journal.close()
    again = JournalFile(path)
    assert again.load(AGENT, PRINTER) == change.memory
    again.close()
