"""JSON pointers (RFC 6901): where in somebody's answer a thing stands, as configuration says it."""

from typing import Any

# JSON here has numbers of a thousand digits, and NaN, which is not less than anything.
_NUMBER_MAX = 1e15
_ESCAPES = (("~1", "/"), ("~0", "~"))


def check_pointer(pointer: str) -> str:
    """Return a pointer that is one: empty for the whole document, else `/a/0/b`.

    Raises:
        ValueError: it is none.
    """
    if pointer and not pointer.startswith("/"):
        raise ValueError("a JSON pointer is empty or begins with a slash: /data/id")
    return pointer


def value_at(document: Any, pointer: str) -> Any:
    """Return what stands at a place, None where nothing does."""
    here = document
    for part in pointer.split("/")[1:]:
        for escape, sign in _ESCAPES:
            part = part.replace(escape, sign)
        if isinstance(here, dict):
            here = here.get(part)
        elif isinstance(here, list) and part.isdecimal() and len(part) < 10:
            here = here[int(part)] if int(part) < len(here) else None
        else:
            return None
    return here


def text_at(document: Any, pointer: str) -> str:
    """Return the text at a place; a number as text; empty where there is neither.

    What no database holds, halves of signs and NUL, becomes U+FFFD.
    """
    found = value_at(document, pointer)
    if isinstance(found, str):
        return _whole(found)
    return str(found) if isinstance(found, int | float) and not isinstance(found, bool) else ""


def number_at(document: Any, pointer: str) -> float | None:
    """Return the number at a place, None where there is none, or one beyond all measure."""
    found = value_at(document, pointer)
    if not isinstance(found, int | float) or isinstance(found, bool):
        return None
    return float(found) if abs(found) < _NUMBER_MAX else None


def size_at(document: Any, pointer: str) -> int | None:
    """Return the length in bytes at a place, None where there is none that a file has."""
    found = number_at(document, pointer)
    return int(found) if found is not None and found >= 1 else None


def _whole(text: str) -> str:
    if text.isascii() and "\0" not in text:
        return text
    return "".join(
        "\N{REPLACEMENT CHARACTER}" if sign == "\0" or "\ud800" <= sign <= "\udfff" else sign
        for sign in text
    )
