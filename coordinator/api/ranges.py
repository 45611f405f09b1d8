"""Which bytes of an artifact are asked for, after RFC 9110, sections 13 and 14."""

import re
from dataclasses import dataclass

# More digits than any file has bytes, fewer than Python refuses to read as a number.
_RANGE = re.compile(r"\s*bytes\s*=\s*(\d{0,30})\s*-\s*(\d{0,30})\s*", re.IGNORECASE)
_ETAG = re.compile(r'(?:W/)?"([^"]*)"')


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Bytes from `start` up to, not including, `stop`."""

    start: int
    stop: int


class Unsatisfiable(Exception):
    """The range lies wholly outside."""


def span_of(header: str | None, size_bytes: int) -> Span | None:
    """Return the part that a Range header asks for, or None for the whole.

    A header that is malformed, of another unit or with several ranges counts as absent, which the
    standard allows: the whole is always a right answer.

    Raises:
        Unsatisfiable: well-formed, but nothing of it exists.
    """
    found = _RANGE.fullmatch(header or "")
    if found is None:
        return None
    first, last = found.groups()
    if first:
        start = int(first)
        stop = int(last) + 1 if last else size_bytes
        if last and stop <= start:
            return None
    elif last:
        start, stop = max(0, size_bytes - int(last)), size_bytes
    else:
        return None
    if start >= size_bytes or start >= stop:
        raise Unsatisfiable
    return Span(start=start, stop=min(stop, size_bytes))


def etag_matches(header: str | None, sha256: str) -> bool:
    """Whether an If-None-Match header names this artifact."""
    if header is None:
        return False
    return header.strip() == "*" or sha256 in _ETAG.findall(header)
