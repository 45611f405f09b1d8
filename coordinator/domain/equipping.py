"""Printers that people add: what is said of one, and a table of many, checked line by line."""

import csv
import io
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from protocols.wire.to_agent import Scalar
from protocols.wire.vocabulary import is_id

COLUMNS = ("name", "agent", "driver", "address", "class", "material", "location", "tags")
_NEEDED = frozenset({"name", "agent", "driver", "address", "class"})
ROWS_MAX = 500
# What a driver's settings call its address, where that is no port.
_BY_URL = frozenset({"octoprint", "moonraker", "prusalink"})
_SECRETS = re.compile(r"key|password|token|secret")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPrinter:
    """A printer to be added.

    Attributes:
        printer_id: unique in the farm.
        settings: of its driver; what is a secret among them is kept by its agent alone.
    """

    printer_id: str
    name: str = ""
    driver: str
    printer_class: str
    material: str = ""
    settings: Mapping[str, Scalar] = field(default_factory=dict)
    location: str = ""
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A line of a table of printers.

    Attributes:
        line: its number in the text, from 1.
        faults: what is wrong with it, in words; empty where it can be added.
    """

    line: int
    agent_id: str
    printer: NewPrinter
    faults: tuple[str, ...]


def has_secrets(printer: NewPrinter) -> bool:
    """Whether something in the driver's settings must not be heard by others."""
    return any(_SECRETS.search(name) and said for name, said in printer.settings.items())


def arguments(printer: NewPrinter) -> dict[str, Scalar]:
    """Return what its agent is told, as a command's arguments."""
    own: dict[str, Scalar] = {
        "id": printer.printer_id,
        "name": printer.name,
        "driver": printer.driver,
        "printer_class": printer.printer_class,
        "material": printer.material,
    }
    return own | {f"settings.{name}": said for name, said in printer.settings.items()}


def id_of(name: str) -> str:
    """Return the id that a printer of this name gets; empty where nothing of it can stand there."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:63].strip("-")


def rows(text: str, *, agents: Mapping[str, bool], known: Collection[str]) -> list[Row]:
    """Return a table's printers, each with what is wrong with it.

    Args:
        text: CSV (RFC 4180) whose first line names the columns, in any order; further columns are
            settings of the driver.
        agents: those of the farm, and whether they are connected.
        known: ids of the farm's printers.

    Raises:
        ValueError: it is no such table; the text says why.
    """
    table = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    try:
        heads = [head.strip().lower() for head in next(table, [])]
        _check(heads)
        lines = [(table.line_num, cells) for cells in table if any(map(str.strip, cells))]
    except csv.Error as error:
        raise ValueError(f"line {table.line_num}: {error}") from None
    if len(lines) > ROWS_MAX:
        raise ValueError(f"{len(lines)} lines are too many: at most {ROWS_MAX} at once")
    found: list[Row] = []
    taken = set(known)
    for number, cells in lines:
        row = _row(number, heads, [cell.strip() for cell in cells], agents, taken)
        taken.add(row.printer.printer_id)
        found.append(row)
    return found


def _check(heads: list[str]) -> None:
    if missing := [column for column in COLUMNS if column in _NEEDED - set(heads)]:
        raise ValueError(f"the first line must name the columns; {', '.join(missing)} is missing")
    if twice := sorted({head for head in heads if heads.count(head) > 1}):
        raise ValueError(f"the column {twice[0]!r} is there twice")
    if "" in heads:
        raise ValueError("a column has no name")


def _row(
    number: int,
    heads: list[str],
    cells: list[str],
    agents: Mapping[str, bool],
    taken: Collection[str],
) -> Row:
    said = dict(zip(heads, cells, strict=False))
    settings: dict[str, Scalar] = {
        name: _scalar(value)
        for name, value in said.items()
        if name not in (*COLUMNS, "id") and value
    }
    driver = said.get("driver", "")
    settings["url" if driver in _BY_URL else "port"] = said.get("address", "")
    printer = NewPrinter(
        printer_id=said.get("id", "") or id_of(said.get("name", "")),
        name=said.get("name", ""),
        driver=driver,
        printer_class=said.get("class", ""),
        material=said.get("material", ""),
        settings=settings,
        location=said.get("location", ""),
        tags=tuple(tag for each in said.get("tags", "").split(";") if (tag := each.strip())),
    )
    faults = list(_faults(said, printer, agents, taken))
    if len(cells) > len(heads):
        faults.insert(0, f"it has {len(cells)} cells, the first line {len(heads)}")
    return Row(line=number, agent_id=said.get("agent", ""), printer=printer, faults=tuple(faults))


def _faults(
    said: Mapping[str, str],
    printer: NewPrinter,
    agents: Mapping[str, bool],
    taken: Collection[str],
) -> Iterator[str]:
    for column in COLUMNS:
        if column in _NEEDED and not said.get(column):
            yield f"{column} is empty"
    agent_id = said.get("agent", "")
    if agent_id and agent_id not in agents:
        yield f"there is no agent {agent_id}"
    elif agent_id and not agents[agent_id]:
        yield f"the agent {agent_id} is not connected"
    if said.get("name") and not is_id(printer.printer_id):
        yield f"{printer.printer_id!r} can't name a printer: a-z, 0-9 and hyphens, 63 at most"
    if printer.printer_id in taken:
        yield f"there is a printer {printer.printer_id} already"
    address = said.get("address", "")
    if address and printer.driver in _BY_URL and not _is_url(address):
        yield f"the address of {printer.driver} is like http://mk4.local"


def _is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        return False


def _scalar(text: str) -> Scalar:
    """Return a cell as a setting: numbers as such, so that a baud rate is one."""
    return int(text) if re.fullmatch(r"[0-9]{1,12}", text) else text
