"""TLS: which certificate this coordinator shows."""

import ssl
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from coordinator.errors import SettingsInvalid
from coordinator.settings import Settings

# Where `farmhand tls make` puts what it makes, below the state folder.
FOLDER = "tls"
CERTIFICATE, KEY = "certificate.pem", "key.pem"
AUTHORITY, AUTHORITY_KEY = "authority.pem", "authority-key.pem"

SOON = timedelta(days=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What this coordinator shows.

    Attributes:
        authority: the certificate of the farm's own authority, PEM; empty for one that every
            machine knows.
    """

    certificate: Path
    key: Path
    authority: str

    @property
    def pair(self) -> tuple[Path, Path]:
        """Certificate and key."""
        return self.certificate, self.key

    def context(self) -> ssl.SSLContext:
        """Return what a server needs.

        Raises:
            SettingsInvalid: the files are none, or do not belong together.
        """
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        try:
            context.load_cert_chain(self.certificate, self.key)
        except (OSError, ssl.SSLError) as error:
            raise SettingsInvalid(
                f"the certificate {self.certificate} and the key {self.key} can't be used "
                f"({_reason(error)}): set tls_certificate_file and tls_key_file, or make new ones "
                "with `farmhand tls make`"
            ) from error
        return context


def expiry_trouble(shown: Shown, now: datetime) -> str:
    """Return what is wrong with how long the certificate is good; empty for a month and more.

    Raises:
        SettingsInvalid: it is none.
    """
    from coordinator.adapters.certificates import valid_until  # some MiB that plain HTTP spares

    until = valid_until(shown.certificate)
    if until > now + SOON:
        return ""
    word = "has expired" if until <= now else "expires soon"
    return (
        f"the certificate {shown.certificate} {word} ({until:%Y-%m-%d}): make a new one "
        "(`farmhand tls make`) and restart the coordinator"
    )


def shown_by(settings: Settings) -> Shown | None:
    """Return what the settings name, else what `farmhand tls make` made; None for no TLS.

    Raises:
        SettingsInvalid: the authority's file can't be read, or is none.
    """
    made = settings.state_dir / FOLDER
    if settings.tls_certificate_file and settings.tls_key_file:
        certificate, key = Path(settings.tls_certificate_file), Path(settings.tls_key_file)
        authority = Path(settings.tls_ca_file) if settings.tls_ca_file else None
    elif (made / CERTIFICATE).exists():
        certificate, key, authority = made / CERTIFICATE, made / KEY, made / AUTHORITY
    else:
        return None
    try:
        known = authority.read_text() if authority is not None else ""
    except OSError as error:
        raise SettingsInvalid(f"tls_ca_file {authority} can't be read: {error.strerror}") from error
    if authority is not None and known.count("-----BEGIN CERTIFICATE-----") != 1:
        raise SettingsInvalid(f"tls_ca_file {authority} must hold one certificate, the authority's")
    return Shown(certificate=certificate.absolute(), key=key.absolute(), authority=known)


def check_ca_file(ca_file: str) -> None:
    """Refuse a file that has no authority's certificate; none at all is the system's.

    Raises:
        SettingsInvalid: it can't be used.
    """
    try:
        ssl.create_default_context(cafile=ca_file or None)
    except (OSError, ssl.SSLError) as error:
        raise SettingsInvalid(
            f"broker_ca_file {ca_file} can't be used: {_reason(error)}"
        ) from error


def _reason(error: OSError) -> str:
    return error.strerror or str(error)
