"""Archives of history on this machine: made so that nothing can get lost, and proved."""

import hashlib
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from coordinator.adapters.db.scratch import scratch
from coordinator.cli.client import Document, FarmClient
from coordinator.cli.exits import CommandFailed, UsageWrong
from coordinator.domain.history import Head
from coordinator.domain.rebuilding import Audit, Fault
from coordinator.domain.rebuilt import rows_digest
from coordinator.domain.sealing import Checkpoint, begun_after, read_back

_CHUNK_BYTES = 1 << 20


def make(farm: FarmClient, before: str, path: Path) -> Document:
    """Fetch the archive of what happened before a time, and have that removed.

    Raises:
        CommandFailed: the file is there already or can't be written: nothing was removed. Once it
            is whole it stays, whatever is answered: the answer may tell less than was done.
    """
    with _new(path) as file:
        upto = farm.archive_events(before, file)
        file.flush()
        os.fsync(file.fileno())
    _sync(path.parent)
    try:
        return farm.seal_events(upto, _sha256(path))
    except CommandFailed as error:
        words = f"{error}\n{path} is whole; `farmhand events verify` tells whether it is needed"
        raise type(error)(words) from error


@dataclass(frozen=True, kw_only=True)
class Proved:
    """What archives turned out to be.

    Attributes:
        end: what stands in their place in a farm that made them.
        has_head: the head that somebody kept is among their lines, or was looked for in vain.
    """

    end: Checkpoint
    faults: Sequence[Fault]
    faults_count: int
    has_head: bool

    def hold_against(self, verdict: Document) -> None:
        """Put what is wrong with the archives, or that they are others, into a farm's verdict."""
        faults = [
            {"code": fault.code.value, "number": fault.number, "words": fault.words}
            for fault in self.faults
        ]
        count = self.faults_count
        if verdict["checkpoint"] != self.end.facts:
            there = verdict["checkpoint"]
            words = (
                f"the archives end with event {self.end.number}, "
                + (f"the farm's with event {there['number']}" if there else "the farm made none")
                if there is None or there["number"] != self.end.number
                else f"the archives up to event {self.end.number} are not those that the farm made"
            )
            faults.append({"code": "checkpoint", "number": self.end.number, "words": words})
            count += 1
        verdict["faults"] = faults + verdict["faults"]
        verdict["faults_count"] += count
        verdict["ok"] = not verdict["faults_count"]


def prove(paths: Sequence[Path], head: str) -> Proved:
    """Read archives from the first line of history on.

    Args:
        head: NUMBER:HASH of a line that must be there, if it is not a later one; or empty.

    Raises:
        CommandFailed: a file can't be read, is no archive, or one is missing between them.
    """
    number, _, hashed = head.partition(":")
    known = (
        Head(number=int(number), hash=hashed) if number.isascii() and number.isdecimal() else None
    )
    with scratch() as rows:
        audit, sha256 = Audit(known=known, rows=rows), ""
        for path in sorted(paths, key=lambda path: _begun_after(path).number):
            sha256 = _take(audit, path)
        end = Checkpoint(
            number=audit.head.number,
            hash=audit.head.hash,
            rows_sha256=rows_digest(rows.in_order()),
            archive_sha256=sha256,
        )
    return Proved(
        end=end,
        faults=tuple(audit.faults),
        faults_count=audit.faults_count,
        has_head=known is not None and known.number <= end.number,
    )


def _take(audit: Audit, path: Path) -> str:
    """Have an archive read that follows those before; return its hash."""
    after = _begun_after(path)
    if after.number != audit.head.number:
        raise CommandFailed(
            f"{path} follows event {after.number}, but what is given before it ends with event "
            f"{audit.head.number}: give each archive once, and none less"
        )
    hashed = hashlib.sha256()
    with _opened(path) as file:
        hashed.update(file.readline())
        for number, text in enumerate(file, start=2):
            hashed.update(text)
            try:
                line = read_back(text)
            except ValueError as error:
                raise CommandFailed(f"line {number} of {path} is damaged: {error}") from error
            audit.take(line)
    return hashed.hexdigest()


def _begun_after(path: Path) -> Head:
    with _opened(path) as file:
        try:
            return begun_after(file.readline())
        except ValueError as error:
            raise CommandFailed(f"{path}: {error}") from error


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    try:
        with path.open("rb") as file:
            yield file
    except OSError as error:
        raise CommandFailed(f"{path} can't be read: {error.strerror}") from error


@contextmanager
def _new(path: Path) -> Iterator[BinaryIO]:
    """Lend a new file, gone where its block fails."""
    try:
        file = path.open("xb")
    except FileExistsError as error:
        raise UsageWrong(f"{path} is there already: archives are written to new files") from error
    except OSError as error:
        raise CommandFailed(f"{path} can't be written: {error.strerror}") from error
    try:
        with file:
            yield file
    except BaseException:
        path.unlink()
        raise


def _sha256(path: Path) -> str:
    """Return the hash of what is in the file now, not of what was meant to get there."""
    hashed = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            hashed.update(chunk)
    return hashed.hexdigest()


def _sync(folder: Path) -> None:
    """Have the folder remember its new file."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
