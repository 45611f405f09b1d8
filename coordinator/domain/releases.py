"""A release of the agent, as the coordinator keeps it: it hands it on, and trusts nobody's word.

Whether a release is trusted, each agent decides by keys of its own. What stands here is for people.
"""

from dataclasses import dataclass
from datetime import datetime

from coordinator.domain.effects import Note
from protocols.release.manifest import Manifest


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """One release that agents can be given.

    Attributes:
        sha256: of its file, an artifact.
        signature: as minisign writes it; `key_name`: by whom it says it is.
        protocol_min: lowest and `protocol_max` highest major version of the wire that it speaks.
        words: what is new.
    """

    version: str
    sha256: str
    size_bytes: int
    signature: str
    key_name: str
    protocol_min: int
    protocol_max: int
    words: str
    added_by: str
    added_at: datetime


def release_of(
    manifest: Manifest,
    *,
    sha256: str,
    size_bytes: int,
    signature: str,
    key_name: str,
    added_by: str,
    added_at: datetime,
) -> Release:
    """Return a release by what it says of itself."""
    return Release(
        version=manifest.version,
        sha256=sha256,
        size_bytes=size_bytes,
        signature=signature,
        key_name=key_name,
        protocol_min=manifest.protocol_min,
        protocol_max=manifest.protocol_max,
        words=manifest.words,
        added_by=added_by,
        added_at=added_at,
    )


def note(release: Release, name: str) -> Note:
    """Return a line of history about a release."""
    facts = {"sha256": release.sha256, "signed_by": release.key_name}
    return Note(subject="release", subject_id=release.version, name=name, facts=facts)
