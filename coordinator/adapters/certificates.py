"""An authority of the farm's own, and the coordinator's certificate from it; by cryptography.

The library is loaded where something is made or looked at, not with the coordinator.
"""

import ipaddress
import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from coordinator.errors import SettingsInvalid

AUTHORITY_DAYS = 3650
# What browsers take at most from an authority that somebody added.
CERTIFICATE_DAYS = 825
# Clocks of small machines are late until they have asked somebody.
_BEFORE = timedelta(days=1)

Key = ec.EllipticCurvePrivateKey


def make_authority(certificate: Path, key: Path, *, now: datetime) -> None:
    """Make an authority, and write both files.

    Raises:
        SettingsInvalid: they can't be written.
    """
    its_key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Farmhand's own authority")])
    its_id = x509.SubjectKeyIdentifier.from_public_key(its_key.public_key())
    made = (
        _begun(name, name, its_key, now, AUTHORITY_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(its_id, critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(its_id), critical=False
        )
        .sign(its_key, hashes.SHA256())
    )
    _write(key, _pem_of(its_key), mode=0o600)
    _write(certificate, made.public_bytes(serialization.Encoding.PEM), mode=0o644)


def make_certificate(
    certificate: Path,
    key: Path,
    *,
    authority: Path,
    authority_key: Path,
    names: Sequence[str],
    now: datetime,
    days: int = CERTIFICATE_DAYS,
) -> None:
    """Make a certificate for these names and addresses, and write both files.

    Raises:
        SettingsInvalid: the authority's files can't be used, or these not be written.
    """
    try:
        issuer = x509.load_pem_x509_certificate(authority.read_bytes())
        issuers_key = serialization.load_pem_private_key(authority_key.read_bytes(), None)
    except (OSError, ValueError, TypeError) as error:
        raise SettingsInvalid(
            f"the authority in {authority} and {authority_key} can't be used ({error}): move both "
            "away to have a new one made; agents then have to enrol again"
        ) from error
    assert isinstance(issuers_key, Key), "we make no others"
    its_key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0][:64])])
    issuers_id = x509.SubjectKeyIdentifier.from_public_key(issuers_key.public_key())
    made = (
        _begun(name, issuer.subject, its_key, now, days)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName([_name(each) for each in names]), critical=False)
        .add_extension(
            x509.SubjectKeyIdentifier.from_public_key(its_key.public_key()), critical=False
        )
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(issuers_id),
            critical=False,
        )
        .sign(issuers_key, hashes.SHA256())
    )
    _write(key, _pem_of(its_key), mode=0o600)
    _write(certificate, made.public_bytes(serialization.Encoding.PEM), mode=0o644)


def valid_until(certificate: Path) -> datetime:
    """Return when a certificate expires.

    Raises:
        SettingsInvalid: the file has none.
    """
    try:
        return x509.load_pem_x509_certificate(certificate.read_bytes()).not_valid_after_utc
    except (OSError, ValueError) as error:
        raise SettingsInvalid(f"{certificate} is no certificate: {error}") from error


def names_in(certificate: Path) -> list[str]:
    """Return the names and addresses that a certificate is for.

    Raises:
        SettingsInvalid: the file has none.
    """
    try:
        found = x509.load_pem_x509_certificate(certificate.read_bytes())
        names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (OSError, ValueError, x509.ExtensionNotFound) as error:
        raise SettingsInvalid(f"{certificate} is no certificate: {error}") from error
    return [str(each.value) for each in names]


def _begun(
    subject: x509.Name, issuer: x509.Name, key: Key, now: datetime, days: int
) -> x509.CertificateBuilder:
    now = now.astimezone(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(min(now, now + timedelta(days=days)) - _BEFORE)
        .not_valid_after(now + timedelta(days=days))
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _name(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        pass
    try:
        return x509.DNSName(text)
    except ValueError as error:
        raise SettingsInvalid(f"{text!r} can't stand in a certificate") from error


def _pem_of(key: Key) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _write(path: Path, data: bytes, *, mode: int) -> None:
    """Write a file at once.

    Raises:
        SettingsInvalid: it can't be written.
    """
    draft = path.with_name(f"{path.name}.draft")
    try:
        # The state folder too, where the coordinator never ran yet: nobody else looks into it.
        for folder in (path.parent.parent, path.parent):
            if not folder.exists():
                folder.mkdir(parents=True, mode=0o700)
                _give_away(folder)
        draft.unlink(missing_ok=True)
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        _give_away(draft)
        draft.replace(path)
    except OSError as error:
        raise SettingsInvalid(f"{path} can't be written: {error.strerror}") from error


def _give_away(path: Path) -> None:
    """Give what an administrator made to whom the folder around it belongs: the service's user."""
    if os.geteuid() == 0:
        owner = path.parent.stat()
        os.chown(path, owner.st_uid, owner.st_gid)
