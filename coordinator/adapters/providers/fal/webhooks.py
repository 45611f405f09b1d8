"""fal's webhooks: signed with ED25519, by keys that fal publishes (JWKS, RFC 7517 and 8037)."""

import base64
import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

from coordinator.domain.providing import Blame, Hint, ProviderFault

_HEADERS = ("request-id", "user-id", "timestamp", "signature")
_APART_S = 300
_KEYS_MAX = 20


def keys_of(document: Mapping[str, Any]) -> list[bytes]:
    """Return the public keys in a set of keys; what is no ED25519 key is left out."""
    listed = document.get("keys")
    found = []
    for each in listed if isinstance(listed, list) else []:
        if isinstance(each, dict) and each.get("crv") == "Ed25519":
            try:
                key = base64.urlsafe_b64decode(str(each.get("x")) + "==")
            except ValueError:
                continue
            if len(key) == 32:
                found.append(key)
    return found[:_KEYS_MAX]


def hints_of(
    headers: Mapping[str, str], body: bytes, *, keys: Sequence[bytes], now_s: float
) -> list[Hint]:
    """Return what a webhook hints at.

    Args:
        headers: names in lower case.
        now_s: seconds since 1970.

    Raises:
        ProviderFault: `AUTH_CONFIG`: it is not signed by one of the keys, or not now.
    """
    request_id, user_id, timestamp, signature = (
        headers.get(f"x-fal-webhook-{name}", "") for name in _HEADERS
    )
    if not timestamp.isdecimal() or abs(now_s - int(timestamp[:12])) > _APART_S:
        raise _unsigned("a webhook is not of now: see whether this machine's clock is right")
    signed = "\n".join((request_id, user_id, timestamp, sha256(body).hexdigest())).encode()
    try:
        right = _signed_by_one(keys, bytes.fromhex(signature), signed)
    except ValueError:
        right = False
    if not right:
        raise _unsigned("a webhook is not signed by fal")
    try:
        said = json.loads(body)
        task_id, status = said["request_id"], said.get("status")
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return []
    if not isinstance(task_id, str):
        return []
    return [Hint(task_id=task_id, delivery_id=f"{task_id}:{status}"[:200])]


def _signed_by_one(keys: Sequence[bytes], signature: bytes, signed: bytes) -> bool:
    # Costs some 20 MiB; only farms with webhooks of fal have it.
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    for key in keys:
        try:
            Ed25519PublicKey.from_public_bytes(key).verify(signature, signed)
        except InvalidSignature:
            continue
        return True
    return False


def _unsigned(words: str) -> ProviderFault:
    return ProviderFault(Blame.AUTH_CONFIG, "bad_signature", words)
