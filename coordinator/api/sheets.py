"""Answers for spreadsheets: RFC 4180, in UTF-8 with a mark, so that Excel reads it as such."""

import csv
import io
from collections.abc import Iterable

CSV = "text/csv"
MARK = "\ufeff"
# What a spreadsheet takes for the beginning of a formula; a quote before it makes it a text.
_BEGINS_FORMULA = ("=", "+", "-", "@", "\t", "\r")

Cell = str | int | float | None


def lines(rows: Iterable[Iterable[Cell]]) -> bytes:
    """Return rows as lines of a sheet; what strangers wrote is a formula to nobody."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerows(
        [_harmless(cell) for cell in row] for row in rows
    )
    return text.getvalue().encode()


def _harmless(cell: Cell) -> str:
    """Return a cell that no program carries out."""
    match cell:
        case None:
            return ""
        case float():
            text = f"{cell:.3f}".rstrip("0").rstrip(".")
        case _:
            text = str(cell)
    return f"'{text}" if text.startswith(_BEGINS_FORMULA) else text
