"""`farmhand job move`, `again`, `timetable`, `lacking`: the queue put in order, and looked at."""

from collections.abc import Iterator
from typing import Annotated, Any
from urllib.parse import quote

import typer

from coordinator.cli.exits import UsageWrong
from coordinator.cli.jobs import JobId, say_job
from coordinator.cli.options import Json, TokenFile, Url


def move(
    job_id: JobId,
    to: Annotated[int | None, typer.Option(min=1, help="Its number in the queue.")] = None,
    before: Annotated[str, typer.Option(metavar="JOB", help="Just before this job.")] = "",
    after: Annotated[str, typer.Option(metavar="JOB", help="Just after this job.")] = "",
    as_json: Json = False,
    url: Url = "",
    token_file: TokenFile = None,
) -> None:
    """Put a job at another place in the queue; beside jobs of another priority it gets theirs."""
    from coordinator.cli.client import connect

    said = {"to": to, "before": before, "after": after}
    place = {name: value for name, value in said.items() if value}
    if len(place) != 1:
        raise UsageWrong("say one of --to, --before and --after")
    farm = connect(url, token_file)
    say_job(farm.ask("POST", f"jobs/{quote(job_id, safe='')}/move", place), as_json=as_json)


def again(
    job_id: JobId,
    copies: Annotated[
        int | None, typer.Option(min=1, help="How many; as many as before if not given.")
    ] = None,
    as_json: Json = False,
    url: Url = "",
    token_file: TokenFile = None,
) -> None:
    """Order once more what a job was ordered for."""
    from coordinator.cli.client import connect

    said = {} if copies is None else {"copies": copies}
    farm = connect(url, token_file)
    say_job(farm.ask("POST", f"jobs/{quote(job_id, safe='')}/again", said), as_json=as_json)


def timetable(
    hours: Annotated[float, typer.Option(min=0.1, max=168, help="How far to look.")] = 12.0,
    as_json: Json = False,
    url: Url = "",
    token_file: TokenFile = None,
) -> None:
    """Tell what each printer prints, until when, and what it is going to print then."""
    from coordinator.cli import output
    from coordinator.cli.client import connect
    from coordinator.cli.times import clock

    table = connect(url, token_file).ask("GET", f"timetable?hours={hours}")
    if as_json:
        output.print_json(table)
        return
    output.print_table(
        ["PRINTER", "FROM", "UNTIL", "JOB", "COPIES", ""],
        (
            [
                row["name"],
                clock(block["starts_at"]),
                clock(block["ends_at"]) if block["ends_at"] else "nobody knows",
                block["name"],
                str(block["copies"]),
                block["kind"],
            ]
            for row in table["items"]
            for block in row["blocks"]
        ),
        "nothing is printed, and nothing that waits can be",
    )
    typer.echo(f"foretold at {clock(table['made_at'])}")
    if table["left_out"]:
        typer.echo(f"{table['left_out']} more wait; `farmhand job why` tells what for")


def lacking(as_json: Json = False, url: Url = "", token_file: TokenFile = None) -> None:
    """Tell which jobs wait for nothing but material, and where it would have to be loaded."""
    from coordinator.cli import output
    from coordinator.cli.client import connect

    found = connect(url, token_file).ask("GET", "materials/wanted")["items"]
    if as_json:
        output.print_json(found)
        return
    output.print_table(
        ["JOB", "NAME", "MATERIAL", "PRINTER", "WHY"],
        (
            [each["job_id"], each["name"], each["material"], where, why]
            for each in found
            for where, why in _where(each)
        ),
        "no job waits for material alone",
    )


def _where(lack: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield where a job would be printed, and why it is not yet."""
    printers = lack["printers"]
    yield from ((printer["name"], printer["words"]) for printer in printers)
    if (more := lack["printer_count"] - len(printers)) > 0:
        yield f"and {more} more", ""
