"""A wheel with some of its rooms alone: what runs beside printers needs no page and no slicing."""

import configparser
import csv
import io
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path


def lighter(wheel: Path, rooms: Sequence[str], folder: Path) -> Path:
    """Write a wheel with these of its top folders; return its file, which is called the same.

    Commands and entry points into what is left out are left out as well; the list of files
    (`RECORD`, without which pip installs nothing) is of what is there. The format is that of
    https://packaging.python.org/en/latest/specifications/binary-distribution-format/.
    """
    made = folder / wheel.name
    with zipfile.ZipFile(wheel) as source, zipfile.ZipFile(made, "w") as target:
        for entry in source.infolist():
            top, _, name = entry.filename.partition("/")
            if not _stays(top, rooms):
                continue
            data = source.read(entry)
            if top.endswith(".dist-info") and name in _REWRITTEN:
                data = _REWRITTEN[name](data.decode(), rooms).encode()
            target.writestr(entry, data, zipfile.ZIP_DEFLATED)
    return made


def _stays(top: str, rooms: Sequence[str]) -> bool:
    return top in rooms or top.endswith(".dist-info")


def _entry_points(text: str, rooms: Sequence[str]) -> str:
    points = configparser.ConfigParser(delimiters=("=",))
    points.optionxform = str  # type: ignore[assignment,method-assign]  # names have capitals
    points.read_string(text)
    for group in points.sections():
        for name, where in points.items(group):
            if where.partition(".")[0] not in rooms:
                points.remove_option(group, name)
    written = io.StringIO()
    points.write(written)
    return written.getvalue()


def _record(text: str, rooms: Sequence[str]) -> str:
    written = io.StringIO()
    rows = [row for row in csv.reader(text.splitlines()) if row]
    kept = [row for row in rows if _stays(row[0].partition("/")[0], rooms)]
    # What was rewritten has another hash; a file without one is not compared.
    bare = [
        [row[0], "", ""] if row[0].partition("/")[2] in _REWRITTEN and "/" in row[0] else row
        for row in kept
    ]
    csv.writer(written, lineterminator="\n").writerows(bare)
    return written.getvalue()


_REWRITTEN: dict[str, Callable[[str, Sequence[str]], str]] = {
    "entry_points.txt": _entry_points,
    "RECORD": _record,
}
