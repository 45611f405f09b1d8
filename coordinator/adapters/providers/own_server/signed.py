"""What a server says by itself, believed only where it is signed."""

import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime

# As long as a message may be on its way, and clocks may differ.
AGE_S_MAX = 300.0


def is_signed(
    headers: Mapping[str, str], body: bytes, *, header: str, secret: str, now: datetime
) -> bool:
    """Return whether a message is signed with a secret, now.

    Args:
        headers: names in lower case; `header` holds `t=SECONDS,v1=HEX`, with one `v1` or several.
    """
    parts = [
        part.strip().partition("=") for part in headers.get(header.lower(), "").split(",")[:10]
    ]
    times = [value for name, _, value in parts if name == "t"]
    if len(times) != 1 or not times[0].isdecimal() or len(times[0]) > 12:
        return False
    if abs(now.timestamp() - int(times[0])) > AGE_S_MAX:
        return False
    meant = hmac.new(secret.encode(), f"{times[0]}.".encode() + body, hashlib.sha256).hexdigest()
    return any(
        hmac.compare_digest(meant.encode(), value.encode())
        for name, _, value in parts
        if name == "v1"
    )
