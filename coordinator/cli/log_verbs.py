"""`farmhand logs`: what the coordinator says of itself, from wherever one is."""

import time
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlencode

import typer

from coordinator.cli import completing
from coordinator.cli.options import Json, TokenFile, Url
from coordinator.cli.times import time_of

if TYPE_CHECKING:
    from coordinator.cli.client import Document, FarmClient

# What a screen shows.
LAST = 50
_PAGE = 500
_PERIOD_S = 1.0
_COLOURS = {"warning": "yellow", "error": "red", "critical": "red", "debug": "dim"}


def logs(
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until Ctrl-C.")] = False,
    summary: Annotated[
        bool, typer.Option("--summary", help="Only how often what was said.")
    ] = False,
    level: Annotated[str, typer.Option(help="debug, info, warning or error, and above.")] = "debug",
    event: Annotated[str, typer.Option(help="Only what is called so: job.received.")] = "",
    job: Annotated[
        str, typer.Option(help="Only about this job.", autocompletion=completing.jobs)
    ] = "",
    run: Annotated[str, typer.Option(help="Only about this run.")] = "",
    printer: Annotated[
        str, typer.Option(help="Only about this printer.", autocompletion=completing.printers)
    ] = "",
    agent: Annotated[str, typer.Option(help="Only about this agent.")] = "",
    request: Annotated[str, typer.Option(help="Only of this request, by its X-Request-Id.")] = "",
    since: Annotated[
        str, typer.Option(help="Only from then on: 2026-01-31T12:00, or 90m, 12h, 7d ago.")
    ] = "",
    last: Annotated[int, typer.Option(min=1, max=1000, help="Only the newest.")] = LAST,
    as_json: Json = False,
    url: Url = "",
    token_file: TokenFile = None,
) -> None:
    """Show the last lines of the coordinator's log, as far as it keeps them in memory."""
    from coordinator.cli import output
    from coordinator.cli.client import connect

    farm = connect(url, token_file)
    wanted = {"level": level, "since": time_of(since) if since else ""}
    if summary:
        _summarize(farm, _given(wanted), as_json=as_json)
        return
    wanted |= {"event": event, "job": job, "run": run, "printer": printer}
    wanted |= {"agent": agent, "request": request}
    for line in _lines(farm, _given(wanted), last, follow=follow):
        if as_json:
            output.print_json(line)
        else:
            output.console().print(_text(line), soft_wrap=True)


def _lines(
    farm: "FarmClient", wanted: Mapping[str, str], last: int, *, follow: bool
) -> Iterator["Document"]:
    page = farm.ask("GET", f"logs?{urlencode({**wanted, 'last': last})}")
    yield from page["items"]
    while follow:
        if not page["items"]:
            time.sleep(_PERIOD_S)
        more = {**wanted, "after": page["next"], "limit": _PAGE}
        page = farm.ask("GET", f"logs?{urlencode(more)}")
        yield from page["items"]


def _summarize(farm: "FarmClient", wanted: Mapping[str, str], *, as_json: bool) -> None:
    from coordinator.cli import output

    told = farm.ask("GET", f"logs/summary?{urlencode(wanted)}")
    if as_json:
        output.print_json(told)
        return
    output.print_table(
        ["COUNT", "LEVEL", "EVENT", "LAST"],
        (
            [str(each["count"]), each["level"], each["event"], _clock(each["last_at"])]
            for each in told["events"]
        ),
        "nothing was said",
    )


def _given(wanted: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in wanted.items() if value}


def _clock(at: str) -> str:
    return f"{datetime.fromisoformat(at).astimezone():%Y-%m-%d %H:%M:%S}"


def _text(line: "Document") -> "object":
    from rich.text import Text

    text = Text(f"{_clock(line['at'])} {line['level']:<8} ", style=_COLOURS.get(line["level"], ""))
    text.append(line["event"], style="bold")
    for name, value in line["facts"].items():
        text.append(f" {name}=", style="dim")
        text.append(str(value))
    return text
