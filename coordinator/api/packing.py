"""Documents as bytes, and what tells one version of them from another."""

import hashlib
import zlib

from pydantic_core import to_json

# Of a hash: enough that two versions of one thing never have the same.
_DIGITS = 16


def packed(document: object) -> bytes:
    """Return a document's bytes; several times as fast as the standard library."""
    return to_json(document)


def digest(data: bytes) -> str:
    """Return what tells one version from another."""
    return hashlib.sha256(data).hexdigest()[:_DIGITS]


def gzipped(data: bytes) -> bytes:
    """Return bytes as gzip has them, quickly rather than small."""
    squeezer = zlib.compressobj(1, wbits=31)
    return squeezer.compress(data) + squeezer.flush()
