"""JSON pointers (RFC 6901): where in somebody's answer a thing stands, as configuration says it."""

from typing import Any

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
    """Return the text at a place; a number as text; empty where there is neither."""
    found = value_at(document, pointer)
    if isinstance(found, str):
        return found
    return str(found) if isinstance(found, int | float) and not isinstance(found, bool) else ""


def number_at(document: Any, pointer: str) -> float | None:
    """Return the number at a place, None where there is none."""
    found = value_at(document, pointer)
    if isinstance(found, int | float) and not isinstance(found, bool):
        return float(found)
    return None
