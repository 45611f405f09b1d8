"""The shapes of answers about what is printed when and where, and what has to be loaded."""

from typing_extensions import TypedDict

from coordinator.api.documents import Moment
from coordinator.usecases.timetable import BlockKind


class BlockDocument(TypedDict):
    """A plate on a printer, from when to when.

    `printing`: it goes on; `leased`: the printer is kept for it; `planned`: as it would be given
    out if nothing came between. Null: `ends_at` where nobody knows.
    """

    kind: BlockKind
    job_id: str
    name: str
    copies: int
    starts_at: Moment
    ends_at: Moment | None


class PrinterHoursDocument(TypedDict):
    """A printer that prints or can, with its blocks in order."""

    printer_id: str
    name: str
    blocks: list[BlockDocument]


class TimetableDocument(TypedDict):
    """The farm's next hours, foretold at `made_at`.

    `left_out` is how many jobs wait of which nothing is planned: no printer suits them now, they
    stand behind a hundred others, or it is too late for these hours.
    """

    made_at: Moment
    until: Moment
    left_out: int
    items: list[PrinterHoursDocument]


class LackingDocument(TypedDict):
    """A printer that would print a job if it held the material, and what it holds, in words."""

    printer_id: str
    name: str
    words: str


class LackDocument(TypedDict):
    """A job that waits for nothing but material; `material` is empty where any would do.

    So many printers would print it; the first 20 of them are told.
    """

    job_id: str
    name: str
    since: Moment
    material: str
    printer_count: int
    printers: list[LackingDocument]
