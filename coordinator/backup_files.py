"""Backups as files: read to the end, and every byte held against what they tell of themselves."""

import hashlib
import os
import tarfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from coordinator.domain import backups
from coordinator.domain.backups import Contents, Piece
from coordinator.errors import Refused

_CHUNK_BYTES = 1 << 20
# What tells of a backup is short; a text that is longer is none.
_TOLD_BYTES_MAX = 1 << 28


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupRead:
    """A backup that is whole; `told` is what it says of itself."""

    told: Mapping[str, Any]
    contents: Contents


def read_backup(file: Path, put: Callable[[str], Path | None]) -> BackupRead:
    """Read a whole backup.

    Args:
        put: returns where a file of the backup is to be written, None for nowhere.

    Raises:
        Refused: it is none, a part of one, or damaged; what was written is no good then.
        OSError: a file can't be read or written.
    """
    try:
        with tarfile.open(file, "r|", bufsize=_CHUNK_BYTES) as archive:
            return _read(archive, put)
    except (tarfile.TarError, EOFError, ValueError, KeyError) as error:
        raise _no_backup(f"{file} is no backup, or only a part of one ({error})") from error


def _read(archive: tarfile.TarFile, put: Callable[[str], Path | None]) -> BackupRead:
    told: Mapping[str, Any] | None = None
    found: dict[str, Piece] = {}
    for member in archive:
        name = member.name
        opened = archive.extractfile(member) if member.isfile() else None
        if opened is None or name in found:
            raise ValueError(f"it has {name!r}, which no backup has")
        if told is None and name != backups.HEAD:
            raise ValueError(f"it does not begin with {backups.HEAD}")
        if name == backups.CONTENTS:
            contents = backups.contents_of(opened.read(_TOLD_BYTES_MAX))
            _compare(found, contents)
            return BackupRead(told=told or {}, contents=contents)
        if name == backups.HEAD:
            text = opened.read(_TOLD_BYTES_MAX)
            told = backups.check_head(text)
            found[name] = Piece(sha256=hashlib.sha256(text).hexdigest(), size_bytes=len(text))
            continue
        if not backups.target_of(name):
            raise ValueError(f"it has {name!r}, which no backup has")
        found[name] = _written(opened, put(name))
    raise ValueError("its end is missing")


def _written(opened: IO[bytes], to: Path | None) -> Piece:
    """Read one file, and write it durably where it is wanted."""
    digest, size_bytes = hashlib.sha256(), 0
    if to is None:
        while chunk := opened.read(_CHUNK_BYTES):
            digest.update(chunk)
            size_bytes += len(chunk)
        return Piece(sha256=digest.hexdigest(), size_bytes=size_bytes)
    to.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle = os.open(to, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        while chunk := opened.read(_CHUNK_BYTES):
            digest.update(chunk)
            size_bytes += len(chunk)
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())
    return Piece(sha256=digest.hexdigest(), size_bytes=size_bytes)


def _compare(found: Mapping[str, Piece], contents: Contents) -> None:
    for name in found.keys() | contents.files.keys():
        if found.get(name) != contents.files.get(name):
            raise ValueError(f"{name} is not what was written")
    if backups.DATABASE not in found:
        raise ValueError("it has no database")
    for name, piece in found.items():
        sha256 = backups.artifact_of(name)
        if sha256 and piece.sha256 != sha256 and sha256 not in contents.damaged:
            raise ValueError(f"{name} is not what its name says")


def _no_backup(words: str) -> Refused:
    return Refused("no_backup", words)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable, where its file system can do that."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
