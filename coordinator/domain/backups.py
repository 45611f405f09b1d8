"""A backup's bytes: one tar archive of a whole farm, which every tool can open.

In this order: `farmhand-backup.json` tells what it is; `farm.sqlite3` is the database as it was at
one moment, whichever database the farm has; `secrets/` what of the state folder agents and people
hold the other half of; `artifacts/ab/HASH` the files; `contents.json` the hash and length of each
file before it. Who is without that last one has only a part.
"""

import json
import re
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

FORMAT = 1

HEAD = "farmhand-backup.json"
DATABASE = "farm.sqlite3"
CONTENTS = "contents.json"
# What of a state folder goes along, where secrets may.
SECRET_FILES = (
    "token",
    "signing-key",
    "tls/certificate.pem",
    "tls/key.pem",
    "tls/authority.pem",
    "tls/authority-key.pem",
)
_SECRETS = "secrets/"
_ARTIFACT = re.compile(r"artifacts/([0-9a-f]{2})/(\1[0-9a-f]{62})")

_BLOCK_BYTES = tarfile.BLOCKSIZE
_END = bytes(2 * _BLOCK_BYTES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """One file of a backup: its SHA-256 and its length in bytes."""

    sha256: str
    size_bytes: int


@dataclass(slots=True, kw_only=True)
class Contents:
    """What a backup holds.

    Attributes:
        missing: hashes of artifacts without their files: the farm had removed them.
        damaged: of those whose bytes were no longer what their name says.
    """

    files: dict[str, Piece] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)

    def document(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        pieces = {
            name: {"sha256": piece.sha256, "size_bytes": piece.size_bytes}
            for name, piece in self.files.items()
        }
        return {"files": pieces, "missing": self.missing, "damaged": self.damaged}


def contents_of(text: str | bytes) -> Contents:
    """Return the contents that a backup tells.

    Raises:
        ValueError: that is none.
    """
    try:
        said = json.loads(text)
        return Contents(
            files={name: Piece(**piece) for name, piece in said["files"].items()},
            missing=[str(each) for each in said["missing"]],
            damaged=[str(each) for each in said["damaged"]],
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{CONTENTS} lacks {error}") from error


def head(*, version: str, made_at: datetime, secrets: bool) -> bytes:
    """Return what a backup says of itself."""
    told = {"format": FORMAT, "farmhand": version, "made_at": made_at.isoformat()}
    return json.dumps(told | {"secrets": secrets}).encode() + b"\n"


def check_head(text: str | bytes) -> Mapping[str, Any]:
    """Return what a backup says of itself.

    Raises:
        ValueError: it is none, or of a newer version.
    """
    told = json.loads(text)
    if not isinstance(told, dict) or not isinstance(told.get("format"), int):
        raise ValueError(f"{HEAD} names no format")
    if told["format"] > FORMAT:
        raise ValueError(f"a newer version of Farmhand ({told.get('farmhand')}) made it")
    return told


def place_of(sha256: str) -> str:
    """Return an artifact's name in a backup, which is its place below the state folder."""
    return f"artifacts/{sha256[:2]}/{sha256}"


def secret_name(file: str) -> str:
    """Return the name in a backup of a file of the state folder."""
    return _SECRETS + file


def artifact_of(name: str) -> str:
    """Return the hash of the artifact that a file is; empty for other files."""
    found = _ARTIFACT.fullmatch(name)
    return found[2] if found else ""


def target_of(name: str) -> str:
    """Return where below a state folder a file of a backup goes; empty for what goes nowhere.

    Nothing else than what a backup may hold has a place, so that no name leads elsewhere.
    """
    if name == DATABASE or artifact_of(name):
        return name
    file = name.removeprefix(_SECRETS)
    return file if name.startswith(_SECRETS) and file in SECRET_FILES else ""


def header(name: str, size_bytes: int, made_at: datetime) -> bytes:
    """Return what stands before a file in a tar archive."""
    told = tarfile.TarInfo(name)
    told.size, told.mode, told.mtime = size_bytes, 0o600, int(made_at.timestamp())
    return told.tobuf(format=tarfile.USTAR_FORMAT if size_bytes < 8**11 else tarfile.PAX_FORMAT)


def padding(size_bytes: int) -> bytes:
    """Return what stands behind a file."""
    return bytes(-size_bytes % _BLOCK_BYTES)


def end(contents: Contents, made_at: datetime) -> bytes:
    """Return an archive's last file, and its end."""
    text = json.dumps(contents.document()).encode() + b"\n"
    return header(CONTENTS, len(text), made_at) + text + padding(len(text)) + _END
