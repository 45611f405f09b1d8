"""Addresses on labels: what a phone's camera opens beside a printer."""

from urllib.parse import quote, urlsplit

from protocols.wire.vocabulary import PrinterId

# Longer ones make a code that no camera reads from a small label.
BASE_CHARACTERS_MAX = 200


def address(base: str, printer_id: PrinterId) -> str:
    """Return the address of a printer's own page: no secret in it, so that anybody may see it."""
    return f"{base.rstrip('/')}/p/{quote(printer_id, safe='')}"


def is_base(text: str) -> bool:
    """Whether a text is an address that a farm may have: http or https, a host, perhaps a path."""
    if len(text) > BASE_CHARACTERS_MAX or not text.isascii() or not text.isprintable():
        return False
    try:
        parts = urlsplit(text)
        named = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        return False
    plain = not (parts.query or parts.fragment or parts.username or parts.password or " " in text)
    return named and plain and parts.scheme in ("http", "https")
