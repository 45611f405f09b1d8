"""Signatures as minisign writes them: https://jedisct1.github.io/minisign/, "ED", prehashed.

So who wants to can sign a release, and check one, with that tool, on any machine. A file is signed
by the BLAKE2b-512 of all its bytes: nothing of it need be read before.
"""

import base64
import binascii
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from protocols.errors import ReleaseUntrusted
from protocols.release.ed25519 import is_good

_KEY = b"Ed"
_PREHASHED = b"ED"
_TRUSTED = "trusted comment: "
# A signature is some 300 characters; what is longer is none.
SIGNATURE_CHARACTERS_MAX = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicKey:
    """What a signature is checked with; `key_id` is 8 bytes, `key` 32."""

    key_id: bytes
    key: bytes

    @property
    def name(self) -> str:
        """What people and minisign call it: its id in hexadecimal digits."""
        return name_of(self.key_id)

    @property
    def text(self) -> str:
        """How it stands in settings."""
        return base64.b64encode(_KEY + self.key_id + self.key).decode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """A signature: `over_file` is of the file's hash, `over_comment` of that and the comment."""

    key_id: bytes
    over_file: bytes
    comment: str
    over_comment: bytes

    @property
    def text(self) -> str:
        """The four lines that minisign writes."""
        first = base64.b64encode(_PREHASHED + self.key_id + self.over_file).decode()
        second = base64.b64encode(self.over_comment).decode()
        signer = f"untrusted comment: signature from Farmhand key {name_of(self.key_id)}"
        return f"{signer}\n{first}\n{_TRUSTED}{self.comment}\n{second}\n"

    def is_by(self, key: PublicKey, digest: bytes) -> bool:
        """Whether this key signed a file with this `digest_of`, and the comment with it."""
        return is_good(self.over_file, digest, key.key) and is_good(
            self.over_comment, self.over_file + self.comment.encode(), key.key
        )


def name_of(key_id: bytes) -> str:
    """Return a key's id as minisign writes it."""
    return f"{int.from_bytes(key_id, 'little'):016X}"


def digest_of(chunks: Iterable[bytes]) -> bytes:
    """Return what is signed of a file, given in pieces."""
    hashed = hashlib.blake2b(digest_size=64)
    for chunk in chunks:
        hashed.update(chunk)
    return hashed.digest()


def public_key(text: str) -> PublicKey:
    """Return a key as it stands in settings, or in minisign's file of two lines.

    Raises:
        ReleaseUntrusted: it is none.
    """
    raw = _decoded(text.strip().splitlines()[-1] if text.strip() else "")
    if len(raw) != 42 or raw[:2] != _KEY:
        raise ReleaseUntrusted(f"{text[:60]!r} is no public key of minisign's kind")
    return PublicKey(key_id=raw[2:10], key=raw[10:])


def signature(text: str) -> Signature:
    """Return a signature as minisign writes it.

    Raises:
        ReleaseUntrusted: it is none, or one of the older kind, which hashes nothing beforehand.
    """
    lines = text[:SIGNATURE_CHARACTERS_MAX].strip().splitlines()
    if len(lines) != 4 or not lines[2].startswith(_TRUSTED):
        raise ReleaseUntrusted("this is no signature: minisign's has four lines")
    first, second = _decoded(lines[1]), _decoded(lines[3])
    if len(first) != 74 or len(second) != 64 or first[:2] != _PREHASHED:
        raise ReleaseUntrusted(
            "this is no signature of a kind that is taken: minisign's, prehashed"
        )
    return Signature(
        key_id=first[2:10],
        over_file=first[10:],
        comment=lines[2].removeprefix(_TRUSTED),
        over_comment=second,
    )


def require_trusted(text: str, digest: bytes, keys: Iterable[PublicKey]) -> PublicKey:
    """Return which of these keys signed a file.

    Raises:
        ReleaseUntrusted: none of them did, and in which way not.
    """
    given = signature(text)
    known = [key for key in keys if key.key_id == given.key_id]
    if not known:
        name = name_of(given.key_id)
        raise ReleaseUntrusted(f"it is signed by {name}, which is none of the keys trusted here")
    for key in known:
        if given.is_by(key, digest):
            return key
    raise ReleaseUntrusted("the signature is not of this file: one of the two was changed")


def _decoded(line: str) -> bytes:
    try:
        return base64.b64decode(line.strip(), validate=True)
    except (binascii.Error, ValueError) as error:
        raise ReleaseUntrusted(f"{line[:60]!r} is no base64") from error
