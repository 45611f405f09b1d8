"""History, sealed: its oldest lines leave for an archive, and a checkpoint stands in their place.

Theory. A checkpoint says where the archive ends (number and hash), what file it is (its hash), and
what the lines in it amount to: the rebuilt rows are kept beside it, and their hash stands in it.
The event `history.sealed`, which is written in the same transaction, says all of that in the chain
itself. So the lines that are left prove the tables as all lines did: from the rows that were kept,
which the chain vouches for. And whoever has the archives proves the rest, from the first line on.

An archive is text, a JSON array a line. The first is `["farmhand history", "1", number, hash]`, of
the line that its first one follows. Each further one is a line of history: the ten strings that
are hashed (`history.py`) and, as the eleventh, the hash. The same lines make the same bytes.
"""

import json
from dataclasses import asdict, dataclass, fields

from coordinator.domain.history import FarmEvent, Head, Line, Row

SEALED = "history.sealed"

_KIND, _VERSION = "farmhand history", "1"
_FIELDS = tuple(each.name for each in fields(Line))


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """What stands in the place of the lines up to a number.

    Attributes:
        number: of the last line in the archive; `hash` is that line's.
        rows_sha256: of the rows that all lines up to there amount to, see `rebuilt.rows_digest`.
        archive_sha256: of the archive that ends there.
    """

    number: int
    hash: str
    rows_sha256: str
    archive_sha256: str

    @property
    def head(self) -> Head:
        """Where the sealed part ends."""
        return Head(number=self.number, hash=self.hash)

    @property
    def facts(self) -> Row:
        """What the event about it says."""
        return dict(asdict(self))


def sealed(checkpoint: Checkpoint, like: FarmEvent) -> FarmEvent:
    """Return the event that vouches for a checkpoint.

    Args:
        like: has its time, actor, origin and cause.
    """
    return FarmEvent(
        subject="history",
        subject_id="checkpoint",
        name=SEALED,
        at=like.at,
        actor=like.actor,
        origin=like.origin,
        cause=like.cause,
        facts=checkpoint.facts,
    )


def first_line(after: Head) -> bytes:
    """Return how an archive begins whose first line of history follows `after`."""
    return _text([_KIND, _VERSION, str(after.number), after.hash])


def archived(line: Line) -> bytes:
    """Return a line of history as an archive has it."""
    return _text([str(getattr(line, name)) for name in _FIELDS])


def begun_after(text: bytes) -> Head:
    """Return what an archive's lines follow, from how it begins.

    Raises:
        ValueError: it is no archive, or one of a later version.
    """
    kind, version, number, hashed = _texts(text, 4)
    if (kind, version) != (_KIND, _VERSION):
        raise ValueError("it is no archive of a history, or one of a later version")
    return Head(number=int(number), hash=hashed)


def read_back(text: bytes) -> Line:
    """Return the line of history that an archive's line is.

    Raises:
        ValueError: it is none.
    """
    number, *texts = _texts(text, len(_FIELDS))
    return Line(number=int(number), **dict(zip(_FIELDS[1:], texts, strict=True)))


def _text(texts: list[str]) -> bytes:
    return json.dumps(texts, ensure_ascii=True, separators=(",", ":")).encode("ascii") + b"\n"


def _texts(text: bytes, count: int) -> list[str]:
    found = json.loads(text)
    if not (
        isinstance(found, list)
        and len(found) == count
        and all(isinstance(each, str) for each in found)
    ):
        raise ValueError(f"an array of {count} strings is wanted")
    return found
