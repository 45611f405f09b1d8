"""`farmhand statistics`: what the farm did in a span of time."""

import io
import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlencode

import typer

from coordinator.cli.options import Json, TokenFile, Url
from coordinator.cli.times import time_of

if TYPE_CHECKING:
    from coordinator.cli.client import Document


class By(StrEnum):
    """What figures are told apart by."""

    PRINTER = "printer"
    GROUP = "group"
    CLASS = "class"
    MATERIAL = "material"
    USER = "user"
    MODEL = "model"
    PROVIDER = "provider"
    DAY = "day"
    MONTH = "month"


def statistics(
    by: Annotated[By, typer.Option(help="What the figures are told apart by.")] = By.PRINTER,
    since: Annotated[
        str, typer.Option(help="From then on: 2026-01-31T12:00, or 12h, 30d ago.")
    ] = "30d",
    until: Annotated[str, typer.Option(help="Until then; now unless told.")] = "",
    sheet: Annotated[
        bool, typer.Option("--csv", help="As a sheet: CSV, on the standard output.")
    ] = False,
    runs: Annotated[
        bool, typer.Option("--runs", help="Each run that ended then, as a sheet.")
    ] = False,
    as_json: Json = False,
    url: Url = "",
    token_file: TokenFile = None,
) -> None:
    """Show prints, hours, material and cost, and how printers spent their time."""
    from coordinator.cli.client import connect

    farm = connect(url, token_file)
    span = {"since": time_of(since), **({"until": time_of(until)} if until else {})}
    written = io.BytesIO()
    if runs:
        farm.save_runs(urlencode(span), written)
    query = urlencode({**span, "by": by.value, "offset_min": _ahead_of_utc_min()})
    if sheet and not runs:
        farm.save_statistics(query, written)
    if sheet or runs:
        sys.stdout.write(written.getvalue().decode())
        return
    _say(farm.ask("GET", f"statistics?{query}"), as_json=as_json)


def _say(found: "Document", *, as_json: bool) -> None:
    from coordinator.cli import output

    if as_json:
        output.print_json(found)
        return
    heads = ["FINISHED", "FAILED", "CANCELLED", "LOST", "SUCCESS", "PRINTING", "GRAMS", "COST"]
    output.print_table(
        [found["by"].upper(), *heads, "BUSY", "TO CLEAR", "IDLE", "OFFLINE", "CLEARED IN"],
        [*map(_row, found["items"]), _row({**found["total"], "key": "all"})],
        "",
    )
    for each in found["reasons"]:
        typer.echo(f"  {each['runs']} x {each['words'] or 'no reason told'}")


def _row(each: "Document") -> list[str]:
    time = each["time"] or {}
    return [
        each["name"] or each["key"] or "-",
        *(str(each[name]) for name in ("finished", "failed", "cancelled", "lost")),
        _percent(each["success"]),
        f"{each['print_h']:.1f} h",
        f"{each['filament_g']:.0f}",
        f"{each['cost']:.2f}",
        *(
            _percent(time.get(status, 0.0)) if time else ""
            for status in ("busy", "needs_clearing", "idle", "offline")
        ),
        f"{each['clearing_s'] / 60:.0f} min" if each["clearing_s"] is not None else "",
    ]


def _percent(part: float | None) -> str:
    return "" if part is None else f"{100 * part:.0f} %"


def _ahead_of_utc_min() -> int:
    from datetime import datetime

    offset = datetime.now().astimezone().utcoffset()
    return int(offset.total_seconds() // 60) if offset is not None else 0
