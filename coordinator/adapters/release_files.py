"""Releases of the agent made and signed; by cryptography, and in minisign's formats.

What is packed is the agent's code of this very installation, so that a farm that has a new
coordinator can bring its agents along. https://jedisct1.github.io/minisign/ has the formats.
"""

import base64
import hashlib
import os
import re
import secrets
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import Distribution, distribution
from importlib.util import find_spec
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from coordinator.errors import SettingsInvalid
from protocols.release.manifest import (
    COMMON,
    MANIFEST,
    WHEELS,
    Manifest,
    Need,
    is_version,
    normal,
)
from protocols.release.signing import PublicKey, Signature, digest_of, name_of
from protocols.wire.compat import OURS, PROTOCOL_MINOR

PYTHON_MIN = "3.11"
SIGNATURE_SUFFIX = ".minisig"
PUBLIC_SUFFIX = ".pub"
CHUNK_BYTES = 1024 * 1024
_PACKAGES = ("agent", "protocols")
# Built on each machine, or by Python itself.
_LEFT_OUT = re.compile(r"(^|/)__pycache__(/|$)|\.pyc$|/libpump\.")
_EPOCH = (1980, 1, 1, 0, 0, 0)
_REQUIREMENT = re.compile(r"([A-Za-z0-9._-]+)(?:\[[^]]*\])?\s*\(?([^;)]*)\)?\s*(?:;(.*))?")
_EXTRA = re.compile(r"""extra\s*==\s*['"]([^'"]+)['"]""")

# minisign's secret key without a password: algorithm, no key derivation, BLAKE2b checksum.
_SECRET_HEAD = b"Ed" + b"\0\0" + b"B2" + bytes(32 + 8 + 8)


def make_release(
    to: Path,
    *,
    version: str = "",
    words: str = "",
    downgrade: bool = False,
    wheels: Sequence[Path] = (),
) -> Manifest:
    """Pack the agent of this installation; the same code gives the same bytes.

    Args:
        version: what it is to be called; the installed version where nothing is said.
        words: what is new.
        downgrade: agents of a newer version may take it.
        wheels: of libraries, for machines that lack them.

    Raises:
        SettingsInvalid: the version is none, or the file can't be written.
    """
    installed = distribution("farmhand")
    version = version or installed.version
    if not is_version(version):
        raise SettingsInvalid(f"{version!r} can't be a release's version: N.N.N, or N.N.NrcN")
    files = {f"{COMMON}{name}": path.read_bytes() for name, path in _code()}
    for name, text in _described(installed, version).items():
        files[f"{COMMON}farmhand-{version}.dist-info/{name}"] = text.encode()
    files |= {f"{WHEELS}{path.name}": path.read_bytes() for path in wheels}
    return pack(
        to,
        files,
        Manifest(
            version=version,
            protocol_min=OURS.lowest,
            protocol_max=OURS.highest,
            protocol_minor=PROTOCOL_MINOR,
            python=PYTHON_MIN,
            needs=_needs(installed),
            downgrade=downgrade,
            words=words,
        ),
    )


def pack(to: Path, files: Mapping[str, bytes], manifest: Manifest) -> Manifest:
    """Write a release of these files; returns the manifest with their hashes.

    Raises:
        SettingsInvalid: the file can't be written.
    """
    hashes = {name: hashlib.sha256(data).hexdigest() for name, data in sorted(files.items())}
    whole = Manifest(
        **{
            field: getattr(manifest, field)
            for field in Manifest.__dataclass_fields__
            if field != "files"
        },
        files=hashes,
    )
    try:
        with zipfile.ZipFile(to, "w", zipfile.ZIP_DEFLATED) as release:
            release.writestr(_entry(MANIFEST), whole.encoded())
            for name in hashes:
                release.writestr(_entry(name), files[name])
    except OSError as error:
        raise SettingsInvalid(f"{to} can't be written: {error.strerror}") from error
    return whole


def make_key(to: Path) -> PublicKey:
    """Make a key to sign with; its public part lies beside it, with the suffix `.pub`.

    Raises:
        SettingsInvalid: one is there already, or the files can't be written.
    """
    secret, key_id = Ed25519PrivateKey.generate(), secrets.token_bytes(8)
    public = PublicKey(key_id=key_id, key=secret.public_key().public_bytes_raw())
    both = key_id + secret.private_bytes_raw() + public.key
    checksum = hashlib.blake2b(b"Ed" + both, digest_size=32).digest()
    text = base64.b64encode(_SECRET_HEAD + both + checksum).decode()
    try:
        handle = os.open(to, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(f"untrusted comment: Farmhand secret key {public.name}\n{text}\n")
        to.with_name(to.name + PUBLIC_SUFFIX).write_text(
            f"untrusted comment: Farmhand public key {public.name}\n{public.text}\n"
        )
    except FileExistsError:
        raise SettingsInvalid(f"{to} is there already: a key is not replaced") from None
    except OSError as error:
        raise SettingsInvalid(f"{to} can't be written: {error.strerror}") from error
    return public


def sign(file: Path, key: Path, comment: str) -> Signature:
    """Sign a file; the signature lies beside it, with the suffix `.minisig`.

    Args:
        comment: signed as well, for people.

    Raises:
        SettingsInvalid: the key is none, or has a password; a file can't be read or written.
    """
    key_id, secret = _secret(key)
    try:
        with file.open("rb") as opened:
            digest = digest_of(iter(lambda: opened.read(CHUNK_BYTES), b""))
        over_file = secret.sign(digest)
        signed = Signature(
            key_id=key_id,
            over_file=over_file,
            comment=comment,
            over_comment=secret.sign(over_file + comment.encode()),
        )
        file.with_name(file.name + SIGNATURE_SUFFIX).write_text(signed.text)
    except OSError as error:
        raise SettingsInvalid(f"{error.filename}: {error.strerror}") from error
    return signed


def _secret(path: Path) -> tuple[bytes, Ed25519PrivateKey]:
    try:
        raw = base64.b64decode(path.read_text().strip().splitlines()[-1], validate=True)
    except OSError as error:
        raise SettingsInvalid(f"{path} can't be read: {error.strerror}") from error
    except (ValueError, IndexError) as error:
        raise SettingsInvalid(f"{path} is no secret key of minisign's kind") from error
    if len(raw) != 158 or raw[:2] != b"Ed":
        raise SettingsInvalid(f"{path} is no secret key of minisign's kind")
    if raw[2:4] != b"\0\0":
        raise SettingsInvalid(f"{path} has a password: sign with `minisign -S -s {path} -m FILE`")
    both, checksum = raw[54:126], raw[126:]
    if hashlib.blake2b(b"Ed" + both, digest_size=32).digest() != checksum:
        raise SettingsInvalid(f"{path} is damaged: {name_of(both[:8])}")
    return both[:8], Ed25519PrivateKey.from_private_bytes(both[8:40])


def _code() -> Iterator[tuple[str, Path]]:
    for package in _PACKAGES:
        spec = find_spec(package)
        assert spec is not None, "it is part of this installation"
        assert spec.origin is not None, "it is a package"
        root = Path(spec.origin).parent
        for path in sorted(root.rglob("*")):
            name = f"{package}/{path.relative_to(root).as_posix()}"
            if path.is_file() and not _LEFT_OUT.search(name):
                yield name, path


def _described(installed: Distribution, version: str) -> dict[str, str]:
    drivers = [each for each in installed.entry_points if each.group == "farmhand.drivers"]
    lines = "".join(f"{each.name} = {each.value}\n" for each in sorted(drivers))
    return {
        "METADATA": f"Metadata-Version: 2.1\nName: farmhand\nVersion: {version}\n",
        "entry_points.txt": f"[farmhand.drivers]\n{lines}",
    }


def _needs(installed: Distribution) -> dict[str, Need]:
    needs = {}
    for requirement in installed.requires or ():
        found = _REQUIREMENT.fullmatch(requirement.strip())
        assert found is not None, "a requirement has a name"
        name, bounds, marker = found.groups()
        extra = _EXTRA.search(marker or "")
        if extra is not None and extra[1] != "agent":
            continue
        said = [each.strip() for each in bounds.split(",") if each.strip()]
        lowest = next((each[2:] for each in said if each.startswith(">=")), "0")
        below = next((each[1:] for each in said if each[:1] == "<" and each[1:2] != "="), "")
        needs[normal(name)] = Need(lowest=lowest.strip(), below=below.strip())
    return needs


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _EPOCH)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = 0o644 << 16
    return entry
