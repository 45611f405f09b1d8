"""What a peer of another minor version of the protocol says, or makes of what is said to it.

The first golden payload of each kind holds every field of minor version 0. Who speaks it neither
says nor reads any other field. Who speaks a version of the future says more, everywhere.
"""

import json
from functools import cache
from pathlib import Path
from typing import Any

from protocols.wire.codec import Message, decode, encode

GOLDEN = Path(__file__).parents[1] / "golden" / "wire_v1"
# Objects whose keys are data and no fields.
_MAPS = frozenset({"temperatures", "facts", "arguments", "evidence", "missing"})
_FUTURE = {"new_in_minor_99": {"deep": [1, "two"]}}


def older(message: Message) -> Message:
    """Return a message without what minor version 0 did not know."""
    document = json.loads(encode(message))
    known = _first(document["kind"])
    _forget(document, known)
    return decode(json.dumps(document).encode(), type(message))  # type: ignore[type-var]


def newer(message: Message) -> Message:
    """Return a message after it was said with fields that nobody knows yet, in every object."""
    document = json.loads(encode(message))
    _add(document)
    return decode(json.dumps(document).encode(), type(message))  # type: ignore[type-var]


@cache
def _first(kind: str) -> Any:
    return json.loads((GOLDEN / f"{kind}.json").read_text())


def _forget(said: Any, known: Any) -> None:
    match said, known:
        case dict(), dict():
            for name in set(said) - set(known):
                del said[name]
            for name in set(said) - _MAPS:
                _forget(said[name], known[name])
        case list(), [first, *_]:
            for each in said:
                _forget(each, first)


def _add(said: Any) -> None:
    match said:
        case dict():
            for name, value in said.items():
                if name not in _MAPS:
                    _add(value)
            said |= _FUTURE
        case list():
            for each in said:
                _add(each)
