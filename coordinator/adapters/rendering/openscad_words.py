"""What OpenSCAD says, as complaints: pure. The texts are those of 2021.01 and 2025.01."""

import re

from coordinator.adapters.rendering.values import Complaint

_SPOKEN = re.compile(
    r"^(ERROR|WARNING|DEPRECATED|PARSER-ERROR|EXPORT-WARNING|FONT-WARNING): ?(.*)$"
)
_PLACE = re.compile(
    r"(?:,? in file (?P<file>.+?))?(?:, import\(\))?,? (?:at )?line (?P<line>\d+)\.?$"
)
# It goes on with status 0 after these, but what it makes is not what the code says.
_MEANT_OTHERWISE = re.compile(
    r"Ignoring unknown (?:module|variable|function)|Can't open|couldn't be opened"
)
_BARE = re.compile(
    r"^(Can't parse file|Can't open|Current top level object|The file '|terminate called|"
    r"Failed|Recursion)"
)
_COMPLAINTS_MAX = 20


def complaints_of(words: str) -> tuple[Complaint, ...]:
    """Return what it complains of, each once, the fatal first; at most twenty."""
    found: dict[Complaint, None] = {}
    for line in words.splitlines():
        spoken = _SPOKEN.match(line.strip())
        if spoken:
            kind, message = spoken.groups()
            fatal = kind in ("ERROR", "PARSER-ERROR") or bool(_MEANT_OTHERWISE.search(message))
            found[_complaint(message, fatal=fatal)] = None
        elif _BARE.match(line.strip()):
            found[_complaint(line.strip(), fatal=True)] = None
    ordered = sorted(found, key=lambda each: not each.fatal)
    return tuple(ordered[:_COMPLAINTS_MAX])


def _complaint(message: str, *, fatal: bool) -> Complaint:
    place = _PLACE.search(message)
    if place is None:
        return Complaint(message=message, fatal=fatal)
    file = (place["file"] or "").strip("'\"").rpartition("/")[2]
    return Complaint(
        message=message[: place.start()].rstrip(" ,"),
        file=file,
        line=int(place["line"]),
        fatal=fatal,
    )
