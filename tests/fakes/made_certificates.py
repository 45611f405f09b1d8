"""Certificates as `farmhand tls make` makes them, good and bad."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from coordinator.adapters.certificates import make_authority, make_certificate


@dataclass(frozen=True)
class Made:
    """An authority, and a certificate from it."""

    authority: Path
    certificate: Path
    key: Path


def certificates(folder: Path, *names: str, days: int = 2) -> Made:
    """Make both; with negative days the certificate has expired."""
    now = datetime.now(UTC)
    authority, authority_key = folder / "authority.pem", folder / "authority-key.pem"
    made = Made(authority, folder / "certificate.pem", folder / "key.pem")
    make_authority(authority, authority_key, now=now)
    make_certificate(
        made.certificate,
        made.key,
        authority=authority,
        authority_key=authority_key,
        names=names or ("127.0.0.1", "localhost"),
        now=now,
        days=days,
    )
    return made
