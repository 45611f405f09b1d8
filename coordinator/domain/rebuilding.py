"""The history, taken apart again: is it whole, does it make sense, and does it tell what is stored?

Theory. Every line is checked for its place in the chain. Then it is played: its changes are put
over the row that the lines before it made, and where they move a machine, the machine's table must
have that move. What comes out are all rows there are, and they must equal the tables. So a line
that was altered, taken out, put in or moved shows in the chain; a decision that broke the rules,
as a move that no table has; and a table that was changed behind history's back, as a difference.

What was sealed (`sealing.py`) is not read again: the rows at the checkpoint stand for it. They must
be those that the event about it vouches for, and that event must be among the lines that are left.

Whoever can write to the database can also write a whole new history: against that only a head that
is kept elsewhere helps. A history that still leads to it is the one that was.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from coordinator.domain import jobs, runs
from coordinator.domain.history import (
    FOUND,
    NO_HASH,
    FarmEvent,
    Head,
    Line,
    Plain,
    Row,
    Thing,
    digest,
    event_of,
)
from coordinator.domain.machine import Event, Machine, State
from coordinator.domain.printers import BED
from coordinator.domain.rebuilt import Rebuilt, RebuiltInMemory, rows_digest
from coordinator.domain.sealing import SEALED, Checkpoint

# More faults than this are counted, but not told one by one: the first is what matters.
FAULTS_TOLD_MAX = 20


class FaultCode(StrEnum):
    """What may be wrong with a history."""

    MISSING = "missing"
    ALTERED = "altered"
    ADDED = "added"
    CUT = "cut"
    OTHER_HEAD = "other_head"
    UNREADABLE = "unreadable"
    UNLAWFUL = "unlawful"
    DIFFERS = "differs"
    CHECKPOINT = "checkpoint"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that is wrong; `number` is the line's, None where it is about a table's row."""

    code: FaultCode
    words: str
    number: int | None = None


@dataclass(frozen=True, slots=True)
class _Life:
    """The moves of a machine's table, whatever event makes them, and the field they are made in."""

    field: str
    start: str
    moves: frozenset[tuple[str, str]]


def _life(name: str, machine: Machine[State, Event]) -> _Life:
    moves = {(state.value, target.value) for (state, _), target in machine.table.items()}
    return _Life(name, machine.start.value, frozenset(moves))


_LIVES: Mapping[str, _Life] = MappingProxyType(
    {
        "job": _life("state", jobs.MACHINE),
        "run": _life("state", runs.MACHINE),
        "printer": _life("bed_state", BED),
    }
)

# What only grows, by subject.
_GROWING: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "job": ("version",),
        "printer": ("epoch", "revision"),
        "project": ("version",),
        "model": ("version", "latest"),
        "spool": ("version",),
        "maintenance": ("version",),
    }
)


@dataclass(slots=True)
class Audit:
    """A reading of the history from its first line on; lines are taken in as they are stored.

    Attributes:
        known: a line that must be there, as somebody kept its number and hash.
        head: the last line that was read.
        rows: what the lines so far amount to; for a long history not in memory.
        faults: the first ones; `faults_count` counts all.
    """

    known: Head | None = None
    head: Head = field(default_factory=Head)
    rows: Rebuilt = field(default_factory=RebuiltInMemory)
    faults: list[Fault] = field(default_factory=list)
    faults_count: int = 0
    _unvouched: Checkpoint | None = None

    def begin(self, checkpoint: Checkpoint) -> None:
        """Begin where the sealed part ends; `rows` must hold what is kept of it."""
        if rows_digest(self.rows.in_order()) != checkpoint.rows_sha256:
            words = f"the rows kept for event {checkpoint.number} are not those that were sealed"
            self.found(FaultCode.CHECKPOINT, words, checkpoint.number)
        self.head, self._unvouched = checkpoint.head, checkpoint
        if self.known is not None and self.known.number == checkpoint.number:
            self._must_be_known(self.known)

    def take(self, line: Line) -> None:
        """Read the next line."""
        self._link(line)
        try:
            event = event_of(line)
        except ValueError as error:
            self.found(FaultCode.UNREADABLE, f"event {line.number}: {error}", line.number)
            return
        self._play(event, line.number)

    def _link(self, line: Line) -> None:
        """Check the line's place; after a wrong one the next is held against what it says."""
        for fault in link(self.head, line):
            self.found(fault.code, fault.words, fault.number)
        self.head = Head(number=line.number, hash=line.hash)
        if self.known is not None and self.known.number == line.number:
            self._must_be_known(self.known)

    def _must_be_known(self, known: Head) -> None:
        if self.head != known:
            words = f"event {known.number} is not the one whose hash was kept: {known.hash}"
            self.found(FaultCode.OTHER_HEAD, words, known.number)

    def _play(self, event: FarmEvent, number: int) -> None:
        if event.name == SEALED and self._unvouched is not None:
            self._unvouched = None if event.facts == self._unvouched.facts else self._unvouched
        if not event.changes:
            return
        thing = (event.subject, event.subject_id)
        told, changes = self.rows.get(thing), dict(event.changes)
        before = told[0] if told is not None else None
        found = event.name == event.subject + FOUND
        if not found:
            for words in self._broken_rules(event.subject, before, changes):
                self.found(FaultCode.UNLAWFUL, f"event {number}: {' '.join(thing)} {words}", number)
        self.rows.put(thing, (changes if before is None else before | changes, number))

    def _broken_rules(self, subject: str, before: Row | None, changes: Row) -> list[str]:
        """Return what can't be by the machines' tables, in words."""
        words = []
        life = _LIVES.get(subject)
        if life is not None and life.field in changes:
            now = changes[life.field]
            if before is None:
                if now != life.start:
                    words.append(f"begins as {now}, not as {life.start}")
            elif (before.get(life.field), now) not in life.moves:
                words.append(f"can't go from {before.get(life.field)} to {now}")
        for name in _GROWING.get(subject, ()):
            known = changes if before is None or name not in before else before
            if name in changes and not _grows(known[name], changes[name]):
                words.append(f"{name} falls from {known[name]} to {changes[name]}")
        return words

    def finish(self, kept: Head) -> None:
        """Hold the end against where the history is known to end, by what stands beside it."""
        if self.known is not None and self.known.number > self.head.number:
            self._must_be_known(self.known)
        for fault in end(self.head, kept):
            self.found(fault.code, fault.words, fault.number)
        if self._unvouched is not None:
            words = f"no event tells that all up to event {self._unvouched.number} was archived"
            self.found(FaultCode.CHECKPOINT, words, self._unvouched.number)

    def compare(self, stored: Iterable[tuple[Thing, Row]]) -> None:
        """Hold every row of the tables, once and in any order, against what history amounts to.

        What is compared is taken out of `rows`.
        """
        for thing, row in stored:
            told = self.rows.pop(thing)
            self._differs(thing, *(told or (None, None)), stored=row)

    def compare_rest(self) -> None:
        """After all rows of the tables were compared: what history tells of is in none of them."""
        for thing, (row, number) in self.rows.in_order():
            self._differs(thing, row, number, stored=None)

    def _differs(
        self, thing: Thing, told: Row | None, number: int | None, *, stored: Row | None
    ) -> None:
        since = f" (event {number})" if number is not None else ""
        for words in _differences(told, stored):
            self.found(FaultCode.DIFFERS, f"{' '.join(thing)}: {words}{since}")

    def found(self, code: FaultCode, words: str, number: int | None = None) -> None:
        """Count a fault; the first ones are kept."""
        self.faults_count += 1
        if len(self.faults) < FAULTS_TOLD_MAX:
            self.faults.append(Fault(code=code, words=words, number=number))


def link(head: Head, line: Line) -> list[Fault]:
    """Return what is wrong with the place of a line that comes after `head`."""
    number = line.number
    if number != head.number + 1:
        gone = (
            f"event {number - 1} is"
            if number == head.number + 2
            else f"events {head.number + 1} to {number - 1} are"
        )
        return [Fault(code=FaultCode.MISSING, words=f"{gone} missing", number=head.number + 1)]
    if digest(head.hash, line) == line.hash:
        return []
    words = f"event {number} is not what was written"
    words += f" after event {head.number}" if head.hash != NO_HASH else ""
    return [Fault(code=FaultCode.ALTERED, words=words, number=number)]


def end(read: Head, kept: Head) -> list[Fault]:
    """Return what is wrong with the end of a history that was read up to `read`."""
    if read == kept:
        return []
    if read.number < kept.number:
        words = f"the history ends at event {read.number}, but {kept.number} were written"
        return [Fault(code=FaultCode.CUT, words=words, number=read.number + 1)]
    if read.number > kept.number:
        words = f"only {kept.number} events were written, but there are {read.number}"
        return [Fault(code=FaultCode.ADDED, words=words, number=kept.number + 1)]
    words = f"event {read.number}, the last, is not the one that was written last"
    return [Fault(code=FaultCode.OTHER_HEAD, words=words, number=read.number)]


def _grows(before: Plain, now: Plain) -> bool:
    numbers = isinstance(before, int) and isinstance(now, int)
    return numbers and now >= before  # type: ignore[operator]


def _differences(told: Row | None, stored: Row | None) -> list[str]:
    """Return how a row differs from what was told; fields that no table has any more are left."""
    if stored is None:
        return ["history tells of it, but no table has it"]
    if told is None:
        return ["a table has it, but history never told of it"]
    return [
        f"{name} is {value!r} in the table, but {told.get(name)!r} by history"
        for name, value in stored.items()
        if name not in told or told[name] != value
    ]
