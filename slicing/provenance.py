r"""Where a part came from, as comments at the end of its G-code.

    ; farmhand.prompt = "a hook for a rail"
    ; farmhand.prompt + " of 25 mm"

One fact is one line or more; each holds a JSON string in ASCII, so that what a stranger wrote can
neither end a line nor begin a command. What other programs look for within comments (`;`, `=`) and
what firmwares look for in lines (`*`, `(`, `%`) is escaped as well. No line is longer than slicers'
own, and all are comments to every firmware.
"""

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path

LINE_CHARACTERS_MAX = 78
VALUE_CHARACTERS_MAX = 2000

_PREFIX = "; farmhand."
_LINE = re.compile(
    rb'^; farmhand\.([a-z][a-z0-9_]*) ([=+]) ("[^"\r\n]*(?:\\"[^"\r\n]*)*")\r?$', re.M
)
_TAIL_BYTES = 512 * 1024
_ESCAPED = {one: f"\\u{ord(one):04x}" for one in ";=*()%\x7f"}


def put(path: Path, facts: Mapping[str, str]) -> None:
    """Append facts to a file of G-code; what is longer than `VALUE_CHARACTERS_MAX` is cut.

    Args:
        facts: name -> what it holds; names are small letters, digits and underscores.
    """
    text = "".join(
        f"{line}\n" for name, value in facts.items() if value for line in _lines(name, value)
    )
    with path.open("r+b") as file:
        file.seek(0, os.SEEK_END)
        if file.tell():
            file.seek(-1, os.SEEK_END)
            if file.read(1) != b"\n":
                text = f"\n{text}"
        file.write(text.encode("ascii"))
        file.flush()
        os.fsync(file.fileno())


def read(path: Path) -> dict[str, str]:
    """Return the facts that a file of G-code ends with; none where it has none."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - _TAIL_BYTES))
        tail = file.read()
    found: dict[str, str] = {}
    for name, sign, value in _LINE.findall(tail):
        key = name.decode()
        try:
            said = json.loads(value)
        except ValueError:
            continue  # not written by us
        found[key] = found.get(key, "") + said if sign == b"+" else said
    return {key: _sayable(value) for key, value in found.items()}


def _lines(name: str, value: str) -> list[str]:
    """Return a fact as lines, cut between characters."""
    value = _sayable(value)
    if len(value) > VALUE_CHARACTERS_MAX:
        value = value[: VALUE_CHARACTERS_MAX - 1] + "…"
    head = f"{_PREFIX}{name} "
    room = LINE_CHARACTERS_MAX - len(head) - len('= ""')
    parts = [""]
    for one in value:
        escaped = _ESCAPED.get(one) or json.dumps(one)[1:-1]
        if len(parts[-1]) + len(escaped) > room:
            parts.append("")
        parts[-1] += escaped
    return [f'{head}{"+" if number else "="} "{part}"' for number, part in enumerate(parts)]


def _sayable(value: str) -> str:
    """Return a text that can be written anywhere: halves of letters become question marks."""
    return value.encode("utf-8", "replace").decode()
