"""Documents as bytes, and what tells one version of them from another."""

import hashlib
import json

# Of a hash: enough that two versions of one thing never have the same.
_DIGITS = 16


def packed(document: object) -> bytes:
    """Return a document's bytes."""
    return json.dumps(document, separators=(",", ":")).encode()


def digest(data: bytes) -> str:
    """Return what tells one version from another."""
    return hashlib.sha256(data).hexdigest()[:_DIGITS]
